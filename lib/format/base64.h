/* base64: RFC 4648, section 4. */
#ifndef TEU_FORMAT_BASE64_H
#define TEU_FORMAT_BASE64_H

#include <stddef.h>

/* Terminated text for the caller to free; NULL: no memory. */
char *base64_encode(const void *bytes, size_t len);

/* The bytes of @text with a '\0' behind them, for the caller to free; missing padding is fine. NULL: malformed, or no
 * memory. */
char *base64_decode(const char *text, size_t *ret_len);

#endif
