/*
 * log: the container's output as Docker's json-file lines:
 * {"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}. A line longer than 16 KiB becomes several
 * records, as Docker does; only the last of them ends in a line break.
 */
#include "init/log.h"

enum { LINE_MAX = 16384, OUT_MAX = 8192 };

static struct {
	char text[LINE_MAX];
	size_t n;
} held[2]; /* the begin of a line whose end is still to come: stdout, stderr */

static char out[OUT_MAX];
static size_t out_n;
static int file = -1;

static void put(const char *bytes, size_t n)
{
	while (n) {
		size_t part = OUT_MAX - out_n < n ? OUT_MAX - out_n : n;

		memcpy(out + out_n, bytes, part);
		out_n += part;
		bytes += part;
		n -= part;
		if (out_n == OUT_MAX) {
			sys_write_all(file, out, out_n);
			out_n = 0;
		}
	}
}

static void put_text(const char *text)
{
	put(text, str_len(text));
}

static void put_escaped(const char *bytes, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	size_t plain = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];
		char escape[7] = "\\u00";

		if (c >= ' ' && c != '"' && c != '\\' && c != 0x7f)
			continue;
		put(bytes + plain, i - plain);
		plain = i + 1;
		if (c == '\n' || c == '\r' || c == '\t' || c == '"' || c == '\\') {
			escape[1] = (char)(c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c);
			put(escape, 2);
			continue;
		}
		escape[4] = hex[c >> 4];
		escape[5] = hex[c & 15];
		put(escape, 6);
	}
	put(bytes + plain, n - plain);
}

static void put_padded(int64_t n, int width)
{
	char digits[12] = "";

	for (int64_t limit = 10; --width; limit *= 10)
		if (n < limit)
			str_add(digits, sizeof(digits), "0");
	str_add_number(digits, sizeof(digits), n);
	put_text(digits);
}

/* Days since 1970 to a date (proleptic Gregorian calendar, eras of 400 years). */
static void put_date(int64_t days)
{
	int64_t era, day, year, month;

	days += 719468;
	era = days / 146097;
	day = days - era * 146097;
	year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5 - 1;
	month += month < 10 ? 3 : -9;
	put_padded(year + era * 400 + (month <= 2), 4);
	put_text("-");
	put_padded(month, 2);
	put_text("-");
	put_padded(day, 2);
}

static void put_time(int64_t ns)
{
	int64_t seconds = ns / 1000000000, of_day = seconds % 86400;

	put_date(seconds / 86400);
	put_text("T");
	put_padded(of_day / 3600, 2);
	put_text(":");
	put_padded(of_day / 60 % 60, 2);
	put_text(":");
	put_padded(of_day % 60, 2);
	put_text(".");
	put_padded(ns % 1000000000, 9);
	put_text("Z");
}

/* One record; a write that fails half-way takes its record back, so that the file stays readable. */
static void record(int stream, const char *a, size_t n_a, const char *b, size_t n_b, int64_t now)
{
	long before = SYS(lseek, file, 0, 2 /* SEEK_END */);

	put_text("{\"log\":\"");
	put_escaped(a, n_a);
	put_escaped(b, n_b);
	put_text(stream == 1 ? "\",\"stream\":\"stdout\",\"time\":\"" : "\",\"stream\":\"stderr\",\"time\":\"");
	put_time(now);
	put_text("\"}\n");
	if (sys_write_all(file, out, out_n) < 0 && before >= 0)
		SYS(ftruncate, file, before);
	out_n = 0;
}

static size_t line_length(const char *bytes, size_t n)
{
	size_t i = 0;

	while (i < n && bytes[i] != '\n')
		i++;
	return i;
}

void log_write(const char *path, int stream, const char *bytes, size_t n)
{
	int64_t now = sys_now_ns();

	if (file < 0)
		file = sys_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0640);
	if (file < 0)
		return;
	while (n) {
		size_t len = line_length(bytes, n), room = LINE_MAX - held[stream - 1].n;
		bool whole = len < n && len < room;
		size_t take = whole ? len + 1 : len < room ? len : room;

		if (whole || take == room) {
			record(stream, held[stream - 1].text, held[stream - 1].n, bytes, take, now);
			held[stream - 1].n = 0;
		} else {
			memcpy(held[stream - 1].text + held[stream - 1].n, bytes, take);
			held[stream - 1].n += take;
		}
		bytes += take;
		n -= take;
	}
}

void log_flush(void)
{
	for (int i = 0; i < 2 && file >= 0; i++) {
		if (held[i].n)
			record(i + 1, held[i].text, held[i].n, "", 0, sys_now_ns());
		held[i].n = 0;
	}
}
