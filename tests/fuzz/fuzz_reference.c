/* fuzz_reference: any text as the name of an image. What is taken must print, and read again as the same. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/platform.h"
#include "oci/reference.h"

const size_t fuzz_rounds = 20000;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_free_ char *text = strndup((const char *)bytes, len), *once = NULL, *again = NULL, *familiar = NULL;
	_cleanup_error_ teu_error *err = NULL;
	struct platform platform;
	int r;

	if (!text)
		abort();
	platform_parse(text, &platform, NULL);
	r = reference_normalize(text, &once, &err);
	if (r != teu_error_code(err))
		abort();
	if (r < 0)
		return 0;
	/* A normalized name is its own normal form, and so is what people are shown of it. */
	if (reference_normalize(once, &again, NULL) < 0 || strcmp(once, again) != 0)
		abort();
	if (reference_normalize(reference_shorten(once), &familiar, NULL) < 0 || strcmp(once, familiar) != 0)
		abort();
	return 0;
}

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	static const char *const seeds[] = {
		"busybox",
		"docker.io/library/busybox:1.36",
		"localhost:5000/a/b-c_d.e:Tag",
		"[::1]:80/x",
		"docker.io/a.b/c",
		"docker.io/localhost/c",
		"index.docker.io/Up/c",
		"a:t@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"linux/arm64/v8",
	};

	if (n >= ARRAY_SIZE(seeds))
		return NULL;
	*ret_len = strlen(seeds[n]);
	return (uint8_t *)strdup(seeds[n]);
}
