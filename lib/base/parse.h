/* parse: strict numbers, sizes and durations from text. All refuse empty text, blanks, signs where none belong, and
 * overflow. */
#ifndef TEU_BASE_PARSE_H
#define TEU_BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool parse_u64(const char *text, uint64_t *ret);
bool parse_i64(const char *text, int64_t *ret);
bool parse_u32(const char *text, uint32_t *ret);

/* Docker's sizes: a number, may have a fraction, then nothing, b, k, m, g, t, p (powers of 1024; "kb" and "kib" too),
 * any case. */
bool parse_size(const char *text, uint64_t *ret);

/* Octal file modes, at most 07777. */
bool parse_mode(const char *text, uint32_t *ret);

/* "0-3,5" as bits of @bits, which has @n_bits of them and is zeroed; "" sets none, blanks are passed over. */
bool parse_bits(const char *text, uint64_t *bits, size_t n_bits);

#endif
