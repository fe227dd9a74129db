/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* units: numbers, sizes, signals and times. */
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cli.h"

enum { NS_PER_S = 1000000000 };

bool units_parse_int(const char *text, int64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)text[*text == '-']))
		return false;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0';
}

bool units_parse_bytes(const char *text, int64_t *ret)
{
	static const char letters[] = "bkmgtp";
	double value, factor = 1;
	char *end;

	if (!isdigit((unsigned char)*text) || text[strspn(text, "0123456789.")] == 'e' || strpbrk(text, "xX"))
		return false;
	value = strtod(text, &end);
	if (*end == ' ')
		end++;
	if (*end) {
		const char *letter = strchr(letters, tolower((unsigned char)*end));

		if (!letter)
			return false;
		for (const char *l = letters; l < letter; l++)
			factor *= 1024;
		end++;
		if (factor > 1 && (strcasecmp(end, "b") == 0 || strcasecmp(end, "ib") == 0))
			end += strlen(end);
	}
	if (*end || value * factor >= 9007199254740992.0) /* 2^53: JSON numbers are exact up to there */
		return false;
	*ret = (int64_t)(value * factor);
	return true;
}

bool units_parse_cpus(const char *text, int64_t *ret)
{
	int64_t nano = 0;
	int decimals = -1;
	bool any = false;

	for (const char *c = text; *c; c++) {
		if (*c == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (!isdigit((unsigned char)*c) || decimals == 9 || nano > INT64_MAX / 10 / NS_PER_S)
			return false;
		nano = nano * 10 + (*c - '0');
		decimals += decimals >= 0;
		any = true;
	}
	for (decimals = decimals < 0 ? 0 : decimals; decimals < 9; decimals++) {
		if (nano > INT64_MAX / 10)
			return false;
		nano *= 10;
	}
	*ret = nano;
	return any;
}

int units_parse_signal(const char *text)
{
	int64_t n;

	if (units_parse_int(text, &n))
		return n > 0 && n <= SIGRTMAX ? (int)n : 0;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	if (strncasecmp(text, "RTM", 3) == 0) {
		bool max = strncasecmp(text, "RTMAX", 5) == 0;

		n = 0;
		if (!max && strncasecmp(text, "RTMIN", 5) != 0)
			return 0;
		if (text[5] && (text[5] != (max ? '-' : '+') || !units_parse_int(text + 6, &n) || n < 0 || n > 30))
			return 0;
		return max ? SIGRTMAX - (int)n : SIGRTMIN + (int)n;
	}
	for (int i = 1; i < 32; i++) {
		const char *name = sigabbrev_np(i);

		if (name && strcasecmp(name, text) == 0)
			return i;
	}
	return 0;
}

/* Digits after a point as nanoseconds; *@text is moved behind them. */
static int64_t fraction(const char **text)
{
	int64_t ns = 0, unit = NS_PER_S / 10;

	for (; isdigit((unsigned char)**text); (*text)++, unit /= 10)
		ns += (**text - '0') * unit;
	return ns;
}

/* Go's durations: "1h30m", "1.5s", "300ms". */
static bool parse_span(const char *text, int64_t *ret_ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "h", 3600e9 }, { "ms", 1e6 }, { "m", 60e9 }, { "s", 1e9 }, { "us", 1e3 }, { "ns", 1 } };
	double sum = 0;

	while (*text) {
		char *end;
		double n;
		size_t i;

		if (!isdigit((unsigned char)*text))
			return false;
		n = strtod(text, &end);
		for (i = 0; i < ARRAY_SIZE(units); i++)
			if (strncmp(end, units[i].name, strlen(units[i].name)) == 0)
				break;
		if (i == ARRAY_SIZE(units))
			return false;
		sum += n * units[i].ns;
		text = end + strlen(units[i].name);
	}
	*ret_ns = (int64_t)sum;
	return sum < 9e18;
}

/* "Z", "+02:00" or nothing, which is UTC. */
static bool parse_zone(const char *text, int64_t *ret_seconds)
{
	int hours, minutes, len;

	*ret_seconds = 0;
	if (*text == '\0' || strcmp(text, "Z") == 0)
		return true;
	if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &len) != 2 ||
	    text[1 + len])
		return false;
	*ret_seconds = (hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
	return true;
}

static bool parse_stamp(const char *text, int64_t *ret_ns)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d" };
	int64_t ns = 0, zone;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct tm tm = { 0 };
		const char *rest = strptime(text, formats[i], &tm);

		if (!rest)
			continue;
		if (*rest == '.') {
			rest++;
			ns = fraction(&rest);
		}
		if (!parse_zone(rest, &zone))
			return false;
		/* 64 bits of nanoseconds end in 2262: what comes later is later than all that can be asked about. */
		if (__builtin_mul_overflow((int64_t)timegm(&tm) - zone, (int64_t)NS_PER_S, ret_ns) ||
		    __builtin_add_overflow(*ret_ns, ns, ret_ns))
			*ret_ns = INT64_MAX;
		return true;
	}
	return false;
}

bool units_parse_time(const char *text, int64_t *ret_ns)
{
	size_t digits = strspn(text, "0123456789");
	int64_t span;

	if (digits && (text[digits] == '\0' || text[digits] == '.')) {
		const char *rest = text + digits;

		errno = 0;
		*ret_ns = strtoll(text, NULL, 10);
		if (errno || *ret_ns > INT64_MAX / NS_PER_S - 1)
			return false;
		*ret_ns *= NS_PER_S;
		if (*rest == '.') {
			rest++;
			*ret_ns += fraction(&rest);
		}
		if (*rest == '\0')
			return true;
	}
	if (digits && parse_span(text, &span)) {
		*ret_ns = units_now_ns() - span;
		return true;
	}
	return parse_stamp(text, ret_ns);
}

static const char *scaled(char buffer[UNITS_SIZE], double value, double step, const char *const *names, size_t n,
			  int digits)
{
	size_t i = 0;

	/* 999.7kB would print as 1e+03kB. */
	for (; value >= (step == 1000 ? 999.5 : step) && i + 1 < n; i++)
		value /= step;
	snprintf(buffer, UNITS_SIZE, "%.*g%s", digits, value, names[i]);
	return buffer;
}

const char *units_size(char buffer[UNITS_SIZE], double bytes)
{
	static const char *const names[] = { "B", "kB", "MB", "GB", "TB", "PB" };

	return scaled(buffer, bytes, 1000, names, ARRAY_SIZE(names), 3);
}

const char *units_size_binary(char buffer[UNITS_SIZE], double bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };

	return scaled(buffer, bytes, 1024, names, ARRAY_SIZE(names), 4);
}

const char *units_span(char buffer[UNITS_SIZE], int64_t seconds)
{
	int64_t minutes = seconds / 60, hours = (minutes + 30) / 60;

	if (seconds < 1)
		snprintf(buffer, UNITS_SIZE, "Less than a second");
	else if (seconds == 1)
		snprintf(buffer, UNITS_SIZE, "1 second");
	else if (seconds < 60)
		snprintf(buffer, UNITS_SIZE, "%d seconds", (int)seconds);
	else if (minutes == 1)
		snprintf(buffer, UNITS_SIZE, "About a minute");
	else if (minutes < 60)
		snprintf(buffer, UNITS_SIZE, "%d minutes", (int)minutes);
	else if (hours == 1)
		snprintf(buffer, UNITS_SIZE, "About an hour");
	else if (hours < 48)
		snprintf(buffer, UNITS_SIZE, "%d hours", (int)hours);
	else if (hours < 24 * 7 * 2)
		snprintf(buffer, UNITS_SIZE, "%d days", (int)(hours / 24));
	else if (hours < 24 * 30 * 2)
		snprintf(buffer, UNITS_SIZE, "%d weeks", (int)(hours / 24 / 7));
	else if (hours < 24 * 365 * 2)
		snprintf(buffer, UNITS_SIZE, "%d months", (int)(hours / 24 / 30));
	else
		snprintf(buffer, UNITS_SIZE, "%d years", (int)(hours / 24 / 365));
	return buffer;
}

const char *units_time(char buffer[UNITS_SIZE], int64_t seconds)
{
	time_t t = seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buffer, UNITS_SIZE, "%Y-%m-%d %H:%M:%S +0000 UTC", &tm);
	return buffer;
}

const char *units_stamp(char buffer[UNITS_SIZE], int64_t ns)
{
	time_t t = ns / NS_PER_S;
	struct tm tm;
	size_t len;

	gmtime_r(&t, &tm);
	len = strftime(buffer, UNITS_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buffer + len, UNITS_SIZE - len, ".%09dZ", (int)(ns % NS_PER_S));
	return buffer;
}

int64_t units_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}
