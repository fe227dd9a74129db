/* parse: strict numbers, sizes and durations from text. */
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool digits(const char *text, int base, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, base);
	return errno == 0 && *end == '\0';
}

bool parse_u64(const char *text, uint64_t *ret)
{
	return digits(text, 10, ret);
}

bool parse_i64(const char *text, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t u;

	if (!digits(text + negative, 10, &u) || u > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)-u : (int64_t)u;
	return true;
}

bool parse_u32(const char *text, uint32_t *ret)
{
	uint64_t u;

	if (!digits(text, 10, &u) || u > UINT32_MAX)
		return false;
	*ret = (uint32_t)u;
	return true;
}

bool parse_mode(const char *text, uint32_t *ret)
{
	uint64_t u;

	if (!digits(text, 8, &u) || u > 07777)
		return false;
	*ret = (uint32_t)u;
	return true;
}

bool parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "bkmgtp";
	double number, factor = 1;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	number = strtod(text, &end);
	if (errno || !isfinite(number) || strpbrk(text, "xXeE"))
		return false;
	if (*end) {
		unit = strchr(units, tolower((unsigned char)*end));
		if (!unit)
			return false;
		for (long i = unit - units; i > 0; i--)
			factor *= 1024;
		end++;
		if (factor > 1 && (strcasecmp(end, "b") == 0 || strcasecmp(end, "ib") == 0))
			end += strlen(end);
		if (*end)
			return false;
	}
	number *= factor;
	if (number >= 9223372036854775808.0)
		return false;
	*ret = (uint64_t)number;
	return true;
}

static const char *skip(const char *at, const char *signs)
{
	return at + strspn(at, signs);
}

/* One number below @limit; NULL: there is none. */
static const char *list_number(const char *at, size_t limit, size_t *ret)
{
	size_t n = 0;

	if (*at < '0' || *at > '9')
		return NULL;
	for (; *at >= '0' && *at <= '9'; at++) {
		n = n * 10 + (size_t)(*at - '0');
		if (n >= limit)
			return NULL;
	}
	*ret = n;
	return skip(at, " ");
}

bool parse_bits(const char *text, uint64_t *bits, size_t n_bits)
{
	size_t from, to;

	memset(bits, 0, n_bits / 8);
	for (const char *at = skip(text, " ,"); *at; at = skip(at, " ,")) {
		at = list_number(at, n_bits, &from);
		to = from;
		if (at && *at == '-')
			at = list_number(skip(at + 1, " "), n_bits, &to);
		if (!at || to < from || (*at && *at != ','))
			return false;
		for (; from <= to; from++)
			bits[from / 64] |= UINT64_C(1) << from % 64;
	}
	return true;
}
