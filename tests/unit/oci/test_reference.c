#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "oci/digest.h"
#include "oci/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(names_as_docker_completes_them)
{
	static const struct {
		const char *text, *whole, *familiar;
	} good[] = {
		{ "busybox", "docker.io/library/busybox:latest", "busybox:latest" },
		{ "busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36" },
		{ "docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest" },
		{ "index.docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest" },
		{ "library/busybox", "docker.io/library/busybox:latest", "busybox:latest" },
		{ "me/app", "docker.io/me/app:latest", "me/app:latest" },
		{ "localhost/app", "localhost/app:latest", "localhost/app:latest" },
		{ "localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app:latest" },
		{ "127.0.0.1:5000/a/b:t", "127.0.0.1:5000/a/b:t", "127.0.0.1:5000/a/b:t" },
		{ "[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest" },
		{ "ghcr.io/a/b_c/d--e:V1.0", "ghcr.io/a/b_c/d--e:V1.0", "ghcr.io/a/b_c/d--e:V1.0" },
		{ "a@sha256:" HEX, "docker.io/library/a@sha256:" HEX, "a@sha256:" HEX },
		{ "a:t@sha256:" HEX, "docker.io/library/a@sha256:" HEX, "a@sha256:" HEX },
		{ "docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest" },
		{ "Host/app", "Host/app:latest", "Host/app:latest" },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct reference ref = { 0 };
		char *whole, *familiar;

		ck_assert_msg(reference_parse(good[i].text, &ref, NULL) == 0, "%s", good[i].text);
		whole = reference_format(&ref);
		familiar = reference_familiar(&ref);
		ck_assert_str_eq(whole, good[i].whole);
		ck_assert_str_eq(familiar, good[i].familiar);
		free(whole);
		free(familiar);
		reference_done(&ref);
	}
}
END_TEST

START_TEST(malformed_names_are_refused)
{
	static const char *const bad[] = { "",
					   ":tag",
					   "Busybox",
					   "a/B",
					   "a:",
					   "a:-x",
					   "a b",
					   "a//b",
					   "/a",
					   "a/",
					   "a..b",
					   "a___b",
					   "-a",
					   "a-",
					   "../a",
					   "a@sha256:12",
					   "a@sha256:../../x",
					   "host:99999/a",
					   "host:/a",
					   "ho_st.x/a",
					   "[::1/a",
					   "http://a/b",
					   HEX };
	char longest[400] = "";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reference ref = { 0 };
		teu_error *err = NULL;

		ck_assert_msg(reference_parse(bad[i], &ref, &err) == TEU_E_INVALID, "%s", bad[i]);
		ck_assert_ptr_nonnull(err);
		teu_error_unref(err);
	}
	memset(longest, 'a', 256);
	ck_assert_int_eq(reference_normalize(longest, &(char *){ NULL }, NULL), TEU_E_INVALID);
	memcpy(longest, "a:", 2);
	memset(longest + 2, 't', 129);
	longest[131] = '\0';
	ck_assert_int_eq(reference_normalize(longest, &(char *){ NULL }, NULL), TEU_E_INVALID);
}
END_TEST

START_TEST(an_uppercase_name_is_told_apart)
{
	struct reference ref = { 0 };
	teu_error *err = NULL;

	ck_assert_int_eq(reference_parse("BusyBox", &ref, &err), TEU_E_INVALID);
	ck_assert_str_eq(teu_error_message(err),
			 "invalid reference format: repository name (library/BusyBox) must be lowercase");
	teu_error_unref(err);
}
END_TEST

START_TEST(only_whole_sha256_digests_are_valid)
{
	ck_assert(digest_is_valid("sha256:" HEX));
	ck_assert(!digest_is_valid(HEX));
	ck_assert(!digest_is_valid("sha256:" HEX "0"));
	ck_assert(!digest_is_valid("sha256:../../../../../../../../../../../../../../../../../../../../../etc"));
	ck_assert(!digest_is_valid("sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"));
	ck_assert(!digest_is_valid(NULL));
	ck_assert_int_eq(digest_check("sha512:" HEX HEX, "config.digest", NULL), TEU_E_UNSUPPORTED);
	ck_assert_int_eq(digest_check("md5:" HEX, "config.digest", NULL), TEU_E_INVALID);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("reference");
	TCase *tc = tcase_create("reference");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, names_as_docker_completes_them);
	tcase_add_test(tc, malformed_names_are_refused);
	tcase_add_test(tc, an_uppercase_name_is_told_apart);
	tcase_add_test(tc, only_whole_sha256_digests_are_valid);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
