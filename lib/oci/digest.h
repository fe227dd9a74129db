/* digest: "sha256:" and 64 lower-case hex digits. Source: image-spec descriptor.md, "Digests". */
#ifndef TEU_OCI_DIGEST_H
#define TEU_OCI_DIGEST_H

#include <stdbool.h>

#include "base/err.h"

enum { DIGEST_HEX_LEN = 64, DIGEST_LEN = 71, DIGEST_SHORT_MAX = 13 };

/* Nothing becomes part of a path before it passed here. False for NULL. */
bool digest_is_valid(const char *text);
/* As above with an error: TEU_E_UNSUPPORTED for another algorithm, TEU_E_INVALID otherwise. @what names its place:
 * "layers[2].digest". */
int digest_check(const char *text, const char *what, teu_error **err);
/* The 64 digits of a valid digest; borrowed. */
const char *digest_hex(const char *digest);
/* The 12 digits that people are shown. */
void digest_short(const char *digest, char text[DIGEST_SHORT_MAX]);
/* 1 to 64 lower-case hex digits: what may be the beginning of an id. */
bool digest_is_hex(const char *text);

#endif
