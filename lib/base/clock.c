/* clock: now, deadlines and RFC 3339 text. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NS = 1000000000 };

/* 0001-01-01T00:00:00Z, where Go's times begin. */
static const int64_t ZERO_TIME = INT64_C(-62135596800);

int64_t clock_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

int64_t clock_monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int clock_left_ms(int64_t deadline_ms)
{
	int64_t left;

	if (deadline_ms == 0)
		return -1;
	left = deadline_ms - clock_monotonic_ms();
	return left < 0 ? 0 : left > 1000000000 ? 1000000000 : (int)left;
}

void clock_format(int64_t ns, char text[CLOCK_TEXT_MAX])
{
	time_t seconds = ns / NS - (ns % NS < 0); /* before 1970 too the fraction counts forward */
	struct tm tm;
	int n;

	if (ns == 0 || !gmtime_r(&seconds, &tm)) {
		strcpy(text, "0001-01-01T00:00:00Z");
		return;
	}
	n = snprintf(text, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
		     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	snprintf(text + n, (size_t)(CLOCK_TEXT_MAX - n), ".%09ldZ", (long)(ns - (int64_t)seconds * NS));
}

static bool parse_zone(const char *text, int *ret_seconds)
{
	int hours, minutes, used = 0;

	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
		*ret_seconds = 0;
		return true;
	}
	if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 ||
	    text[1 + used])
		return false;
	*ret_seconds = (hours * 60 + minutes) * 60 * (*text == '-' ? -1 : 1);
	return true;
}

bool clock_parse(const char *text, int64_t *ret_ns)
{
	struct tm tm = { 0 };
	int used = 0, zone;
	int64_t seconds, fraction = 0, scale = NS;

	if (sscanf(text, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec, &used) != 6 ||
	    !used)
		return false;
	text += used;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++) {
			scale /= 10;
			fraction += (*text - '0') * scale;
		}
	if (!parse_zone(text, &zone))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = (int64_t)timegm(&tm) - zone;
	/* What clock_format() prints for 0, and other tools for a time they don't know. */
	if (seconds == ZERO_TIME && fraction == 0) {
		*ret_ns = 0;
		return true;
	}
	/* 64 bits of nanoseconds reach from 1677 to 2262. */
	if (seconds <= INT64_MIN / NS || seconds >= INT64_MAX / NS)
		return false;
	*ret_ns = seconds * NS + fraction;
	return true;
}
