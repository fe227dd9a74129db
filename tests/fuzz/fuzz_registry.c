/*
 * fuzz_registry: what a registry's headers may hold: challenges, redirects, and the base64 of a credentials file. What
 * is taken must print, and read again as the same.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "format/base64.h"
#include "registry/auth.h"

const size_t fuzz_rounds = 20000;

static void try_challenge(const char *text)
{
	_cleanup_(strv_done) struct strv headers = STRV_INIT;
	struct auth_challenge challenge = { 0 };

	strv_add(&headers, text);
	if (auth_parse(&headers, &challenge, NULL) < 0)
		abort();
	if (challenge.scheme == AUTH_BEARER && !challenge.realm)
		abort();
	auth_challenge_done(&challenge);
}

static void try_url(const char *text)
{
	_cleanup_(url_done) struct url url = { 0 }, again = { 0 }, base = { 0 }, seen = { 0 };
	_cleanup_free_ char *printed = NULL;

	if (url_parse("https://registry.example:5000/v2/a/blobs/b?c", &base, NULL) < 0)
		abort();
	if (url_resolve(&base, text, &seen, NULL) == 0 && seen.resource[0] != '/')
		abort();
	if (url_parse(text, &url, NULL) < 0)
		return;
	printed = url_format(&url);
	if (!printed || (strlen(printed) <= URL_MAX && url_parse(printed, &again, NULL) < 0))
		abort();
	if (again.host && (!url_same_origin(&url, &again) || strcmp(url.resource, again.resource) != 0))
		abort();
}

static void try_base64(const char *text)
{
	_cleanup_free_ char *bytes = NULL, *back = NULL, *second = NULL;
	size_t len, len2;

	bytes = base64_decode(text, &len);
	if (!bytes)
		return;
	back = base64_encode(bytes, len);
	second = back ? base64_decode(back, &len2) : NULL;
	if (!second || len != len2 || memcmp(bytes, second, len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_free_ char *text = strndup((const char *)bytes, len);

	if (!text)
		abort();
	try_challenge(text);
	try_url(text);
	try_base64(text);
	return 0;
}

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	static const char *const seeds[] = {
		"Bearer realm=\"https://auth.example/token\",service=\"registry\",scope=\"repository:a/b:pull\"",
		"Negotiate YII/abc==, Digest realm=\"a\\\"b\", nonce=x, Basic realm=\"r\"",
		"https://user@host:5000/path?query#fragment",
		"http://[::1]:80/a/../b",
		"//host/path",
		"?query",
		"dXNlcjpwYXNzd29yZA==",
	};

	if (n >= ARRAY_SIZE(seeds))
		return NULL;
	*ret_len = strlen(seeds[n]);
	return (uint8_t *)strdup(seeds[n]);
}
