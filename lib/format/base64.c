/* base64: RFC 4648, section 4. */
#include "format/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *bytes, size_t len)
{
	const unsigned char *from = bytes;
	char *text = malloc((len + 2) / 3 * 4 + 1), *to = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t group = (uint32_t)from[i] << 16;

		group |= n > 1 ? (uint32_t)from[i + 1] << 8 : 0;
		group |= n > 2 ? from[i + 2] : 0;
		*to++ = digits[group >> 18];
		*to++ = digits[group >> 12 & 63];
		*to++ = n > 1 ? digits[group >> 6 & 63] : '=';
		*to++ = n > 2 ? digits[group & 63] : '=';
	}
	*to = '\0';
	return text;
}

char *base64_decode(const char *text, size_t *ret_len)
{
	size_t len = strcspn(text, "="), done = 0;
	char *bytes;
	uint32_t bits = 0;

	if (strspn(text + len, "=") != strlen(text + len) || strlen(text + len) > 2 || len % 4 == 1)
		return NULL;
	bytes = malloc(len / 4 * 3 + 3);
	if (!bytes)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		const char *digit = strchr(digits, text[i]);

		if (!digit) {
			free(bytes);
			return NULL;
		}
		bits = bits << 6 | (uint32_t)(digit - digits);
		/* Digits 1, 2 and 3 of a group of four each complete a byte. */
		if (i % 4)
			bytes[done++] = (char)(bits >> (6 - i % 4 * 2) & 0xff);
	}
	bytes[done] = '\0';
	*ret_len = done;
	return bytes;
}
