/* sha256: streaming digests by libcrypto (opened on first use: it is heavy and most calls need none). */
#ifndef TEU_FORMAT_SHA256_H
#define TEU_FORMAT_SHA256_H

#include <stddef.h>

#include "base/cleanup.h"

enum { SHA256_TEXT_MAX = 72 }; /* "sha256:" + 64 digits + '\0' */

struct sha256; /* a digest under way */

/* TEU_E_UNSUPPORTED names the package when libcrypto can't be opened. */
int sha256_new(struct sha256 **ret, teu_error **err);
void sha256_add(struct sha256 *h, const void *bytes, size_t len);
/* "sha256:<hex>". May be called once. */
void sha256_text(struct sha256 *h, char text[SHA256_TEXT_MAX]);
void sha256_free(struct sha256 *h);
DEFINE_CLEANUP(struct sha256 *, sha256_free)

/* One buffer. */
int sha256_of(const void *bytes, size_t len, char text[SHA256_TEXT_MAX], teu_error **err);

#endif
