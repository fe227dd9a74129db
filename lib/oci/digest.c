/* digest: "sha256:" and 64 lower-case hex digits. */
#include "oci/digest.h"

#include <stdio.h>
#include <string.h>

static const char SHA256[] = "sha256:";
static const size_t PREFIX = sizeof(SHA256) - 1;

bool digest_is_hex(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");

	return len > 0 && len <= DIGEST_HEX_LEN && text[len] == '\0';
}

bool digest_is_valid(const char *text)
{
	return text && strncmp(text, SHA256, PREFIX) == 0 && strlen(text) == DIGEST_LEN && digest_is_hex(text + PREFIX);
}

int digest_check(const char *text, const char *what, teu_error **err)
{
	const char *colon;

	if (digest_is_valid(text))
		return 0;
	if (!text)
		return err_set(err, TEU_E_INVALID, "%s: no digest", what);
	colon = strchr(text, ':');
	if (colon && (strncmp(text, "sha512:", 7) == 0 || strncmp(text, "sha384:", 7) == 0))
		return err_set(err, TEU_E_UNSUPPORTED, "%s: digest algorithm %.*s: only sha256 is supported", what,
			       (int)(colon - text), text);
	return err_set(err, TEU_E_INVALID, "%s: \"%.80s\" is not a digest (sha256: and 64 hex digits)", what, text);
}

const char *digest_hex(const char *digest)
{
	return digest + PREFIX;
}

void digest_short(const char *digest, char text[DIGEST_SHORT_MAX])
{
	snprintf(text, DIGEST_SHORT_MAX, "%.12s", digest_is_valid(digest) ? digest_hex(digest) : digest);
}
