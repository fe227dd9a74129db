#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/document.h"
#include "oci/image_config.h"
#include "oci/index.h"
#include "oci/manifest.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define D(n) "sha256:" HEX #n
#define CONFIG "\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG "\",\"digest\":\"" D(1) "\",\"size\":2}"
#define LAYER(type, digest) "{\"mediaType\":\"" type "\",\"digest\":\"" digest "\",\"size\":3}"
#define LAYERS "\"layers\":[" LAYER(MEDIA_OCI_LAYER_GZIP, D(2)) "]"

static int parse_manifest(const char *text, const char *content_type)
{
	struct manifest manifest = { 0 };
	int r = manifest_parse(text, strlen(text), content_type, &manifest, NULL);

	manifest_done(&manifest);
	return r;
}

START_TEST(a_manifest_of_either_kind)
{
	static const char docker[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_DOCKER_MANIFEST "\",\"config\":" LAYER(
			MEDIA_DOCKER_CONFIG, D(1)) ",\"layers\":[" LAYER(MEDIA_DOCKER_LAYER_GZIP, D(2)) "]}";
	struct manifest m = { 0 };

	ck_assert_int_eq(manifest_parse(docker, strlen(docker), NULL, &m, NULL), 0);
	ck_assert_str_eq(m.media_type, MEDIA_DOCKER_MANIFEST);
	ck_assert_str_eq(m.config.digest, D(1));
	ck_assert_uint_eq(m.n_layers, 1);
	ck_assert_uint_eq(m.layers[0].size, 3);
	manifest_done(&m);
	ck_assert_int_eq(parse_manifest("{\"schemaVersion\":2," CONFIG "," LAYERS "}", MEDIA_OCI_MANIFEST), 0);
	ck_assert_int_eq(parse_manifest("{\"schemaVersion\":2," CONFIG ",\"layers\":[]}", NULL), 0);
}
END_TEST

/* CVE-2021-41190 */
START_TEST(an_ambiguous_document_is_refused)
{
	ck_assert_int_eq(parse_manifest("{\"schemaVersion\":2," CONFIG "," LAYERS ",\"manifests\":[]}", NULL),
			 TEU_E_CORRUPT);
	ck_assert_int_eq(parse_manifest("{\"schemaVersion\":2,\"layers\":[],\"manifests\":[]}", NULL), TEU_E_CORRUPT);
	ck_assert_int_eq(parse_manifest("{\"mediaType\":\"" MEDIA_OCI_INDEX "\"," CONFIG "," LAYERS "}", NULL),
			 TEU_E_CORRUPT);
	ck_assert_int_eq(parse_manifest("{" CONFIG "," LAYERS "}", MEDIA_DOCKER_LIST), TEU_E_CORRUPT);
	ck_assert_int_eq(parse_manifest("{\"manifests\":[]}", NULL), TEU_E_CORRUPT);
}
END_TEST

START_TEST(malformed_manifests_are_refused)
{
	static const struct {
		const char *text;
		int code;
	} bad[] = {
		{ "", TEU_E_CORRUPT },
		{ "[]", TEU_E_CORRUPT },
		{ "{}", TEU_E_UNSUPPORTED },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", TEU_E_UNSUPPORTED },
		{ "{" CONFIG "}", TEU_E_INVALID },
		{ "{" CONFIG ",\"layers\":{}}", TEU_E_INVALID },
		{ "{" CONFIG ",\"layers\":[null]}", TEU_E_INVALID },
		{ "{" CONFIG ",\"layers\":[7]}", TEU_E_INVALID },
		{ "{" CONFIG ",\"layers\":[" LAYER(MEDIA_OCI_LAYER, "sha256:../../x") "]}", TEU_E_INVALID },
		{ "{" CONFIG ",\"layers\":[" LAYER("text/plain", D(1)) "]}", TEU_E_UNSUPPORTED },
		{ "{\"config\":null," LAYERS "}", TEU_E_INVALID },
		{ "{\"config\":" LAYER("application/vnd.cncf.helm.config.v1+json", D(1)) "," LAYERS "}",
		  TEU_E_UNSUPPORTED },
		{ "{\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG "\",\"digest\":\"" D(1) "\",\"size\":-1}," LAYERS
											   "}",
		  TEU_E_INVALID },
		{ "{\"config\":{\"mediaType\":7,\"digest\":\"" D(1) "\",\"size\":1}," LAYERS "}", TEU_E_INVALID },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(parse_manifest(bad[i].text, NULL) == bad[i].code, "%s", bad[i].text);
}
END_TEST

#define ENTRY(os, arch, variant, digest)                                                                               \
	"{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"" digest "\",\"size\":3,\"platform\":{\"os\":\"" os    \
	"\",\"architecture\":\"" arch "\",\"variant\":\"" variant "\"}}"

static const char *choose(const char *text, const char *platform)
{
	static char digest[80];
	struct index index = { 0 };
	const struct index_entry *entry = NULL;
	struct platform wanted;

	ck_assert_int_eq(platform_parse(platform, &wanted, NULL), 0);
	ck_assert_int_eq(index_parse(text, strlen(text), NULL, &index, NULL), 0);
	if (index_choose(&index, &wanted, &entry, NULL) < 0)
		strcpy(digest, "none");
	else
		strcpy(digest, entry->descriptor.digest);
	index_done(&index);
	return digest;
}

START_TEST(the_best_platform_is_chosen)
{
	static const char text[] = "{\"schemaVersion\":2,\"manifests\":[" ENTRY("linux", "amd64", "", D(1)) "," ENTRY(
		"linux", "arm", "v5", D(2)) "," ENTRY("linux", "arm", "v7",
						      D(3)) "," ENTRY("linux", "arm64", "v8",
								      D(4)) "," ENTRY("unknown", "unknown", "",
										      D(5)) "]}";

	ck_assert_str_eq(choose(text, "linux/amd64"), D(1));
	ck_assert_str_eq(choose(text, "linux/x86_64"), D(1));
	ck_assert_str_eq(choose(text, "linux/arm/v7"), D(3));
	ck_assert_str_eq(choose(text, "linux/arm"), D(3));
	ck_assert_str_eq(choose(text, "linux/arm/v6"), D(2));
	ck_assert_str_eq(choose(text, "linux/arm64"), D(4));
	ck_assert_str_eq(choose(text, "arm64"), D(4));
	ck_assert_str_eq(choose(text, "linux/aarch64/8"), D(4));
	ck_assert_str_eq(choose(text, "linux/s390x"), "none");
	ck_assert_str_eq(choose(text, "windows/amd64"), "none");
}
END_TEST

START_TEST(malformed_platforms_are_refused)
{
	struct platform p;

	ck_assert_int_eq(platform_parse("", &p, NULL), TEU_E_INVALID);
	ck_assert_int_eq(platform_parse("linux/", &p, NULL), TEU_E_INVALID);
	ck_assert_int_eq(platform_parse("linux/amd64/v1/x", &p, NULL), TEU_E_INVALID);
	ck_assert_int_eq(platform_parse("li nux/amd64", &p, NULL), TEU_E_INVALID);
	ck_assert_int_eq(platform_parse(NULL, &p, NULL), 0);
	ck_assert_str_eq(p.os, "linux");
}
END_TEST

/* The sums were made with sha256sum: printf 'sha256:… sha256:…' | sha256sum */
START_TEST(chain_ids_are_sums_over_the_stack)
{
	struct strv diff_ids = STRV_INIT, chains = STRV_INIT;

	strv_add(&diff_ids, D(1));
	strv_add(&diff_ids, D(2));
	strv_add(&diff_ids, D(3));
	ck_assert_int_eq(image_config_chains(&diff_ids, &chains, NULL), 0);
	ck_assert_uint_eq(chains.n, 3);
	ck_assert_str_eq(chains.items[0], D(1));
	ck_assert_str_eq(chains.items[1], "sha256:3f0883a576c317bd31cc0d26e889322931e019a49a513b4d69ad9397a602827d");
	ck_assert_str_eq(chains.items[2], "sha256:8fef29e5bc630b8fecf6eaf64889fa15e05de5d4e41d10cc35e21a69def892f0");
	strv_done(&diff_ids);
	strv_done(&chains);
}
END_TEST

static int parse_config(const char *text)
{
	struct image_config config = { 0 };
	int r = image_config_parse(text, strlen(text), &config, NULL);

	image_config_done(&config);
	return r;
}

START_TEST(configs_are_checked_where_they_come_in)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"rootfs\":[]}",
		"{\"rootfs\":{\"diff_ids\":[1]}}",
		"{\"rootfs\":{\"diff_ids\":[\"sha256:../x\"]}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"config\":{\"Env\":\"A=b\"}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"config\":{\"Cmd\":[7]}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"config\":{\"User\":7}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"os\":[]}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(parse_config(bad[i]) == TEU_E_INVALID, "%s", bad[i]);
	ck_assert_int_eq(parse_config("{\"rootfs\":{\"diff_ids\":[\"" D(1) "\"]},\"config\":{\"Entrypoint\":null}}"),
			 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("documents");
	TCase *tc = tcase_create("documents");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, a_manifest_of_either_kind);
	tcase_add_test(tc, an_ambiguous_document_is_refused);
	tcase_add_test(tc, malformed_manifests_are_refused);
	tcase_add_test(tc, the_best_platform_is_chosen);
	tcase_add_test(tc, malformed_platforms_are_refused);
	tcase_add_test(tc, chain_ids_are_sums_over_the_stack);
	tcase_add_test(tc, configs_are_checked_where_they_come_in);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
