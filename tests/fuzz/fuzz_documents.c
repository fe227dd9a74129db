/* fuzz_documents: any bytes as a manifest, an index or an image config. Digests that get through must be valid. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/digest.h"
#include "oci/document.h"
#include "oci/image_config.h"
#include "oci/index.h"
#include "oci/manifest.h"

const size_t fuzz_rounds = 20000;

static void must_be_valid(const char *digest)
{
	if (!digest_is_valid(digest))
		abort();
}

static void as_manifest(const char *text, size_t len)
{
	_cleanup_(manifest_done) struct manifest manifest = { 0 };
	_cleanup_error_ teu_error *err = NULL;
	int r = manifest_parse(text, len, NULL, &manifest, &err);

	if (r != teu_error_code(err))
		abort();
	if (r < 0)
		return;
	must_be_valid(manifest.config.digest);
	for (size_t i = 0; i < manifest.n_layers; i++)
		must_be_valid(manifest.layers[i].digest);
}

static void as_index(const char *text, size_t len)
{
	_cleanup_(index_done) struct index index = { 0 };
	_cleanup_error_ teu_error *err = NULL, *none = NULL;
	const struct platform platform = platform_host();
	const struct index_entry *entry;
	int r = index_parse(text, len, NULL, &index, &err);

	if (r != teu_error_code(err))
		abort();
	if (r == 0 && index_choose(&index, &platform, &entry, &none) == 0)
		must_be_valid(entry->descriptor.digest);
}

static void as_config(const char *text, size_t len)
{
	_cleanup_(image_config_done) struct image_config config = { 0 };
	_cleanup_error_ teu_error *err = NULL;
	int r = image_config_parse(text, len, &config, &err);

	if (r != teu_error_code(err))
		abort();
	strv_foreach (diff_id, &config.diff_ids)
		must_be_valid(*diff_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	/* Without a byte behind it: reading past the end shows in a build with sanitizers. */
	_cleanup_free_ char *text = malloc(len ? len : 1);

	if (!text)
		abort();
	memcpy(text, bytes, len);
	as_manifest(text, len);
	as_index(text, len);
	as_config(text, len);
	return 0;
}

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	static const char *const seeds[] = {
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG "\",\"digest\":\"" DIGEST
		"\",\"size\":7},\"layers\":[{\"mediaType\":\"" MEDIA_OCI_LAYER_GZIP "\",\"digest\":\"" DIGEST
		"\",\"size\":7}]}",
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"" DIGEST
		"\",\"size\":7,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"},"
		"\"annotations\":"
		"{\"org.opencontainers.image.ref.name\":\"x\"}}]}",
		"{\"created\":\"2026-01-02T03:04:05Z\",\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{\"Env\":"
		"[\"A=b\"],"
		"\"Cmd\":[\"sh\"],\"Volumes\":{\"/v\":{}}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIGEST
		"\"]}}",
	};

	if (n >= ARRAY_SIZE(seeds))
		return NULL;
	*ret_len = strlen(seeds[n]);
	return (uint8_t *)strdup(seeds[n]);
}
