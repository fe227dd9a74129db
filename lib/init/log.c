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

static bool broken; /* a write of this record failed */

static void put(const char *bytes, size_t n)
{
	while (n) {
		size_t part = OUT_MAX - out_n < n ? OUT_MAX - out_n : n;

		memcpy(out + out_n, bytes, part);
		out_n += part;
		bytes += part;
		n -= part;
		if (out_n == OUT_MAX) {
			broken = broken || sys_write_all(file, out, out_n) < 0;
			out_n = 0;
		}
	}
}

static void put_text(const char *text)
{
	put(text, str_len(text));
}

/* How long is the UTF-8 sequence that begins at @s, of which @n bytes are there? 0: it is none; -1: it may become one.
 * Unicode, table 3-7: no overlong forms, no surrogates, nothing past U+10FFFF. */
static int sequence(const unsigned char *s, size_t n)
{
	int len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	unsigned low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
	unsigned high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;

	for (int i = 1; i < len; i++, low = 0x80, high = 0xbf) {
		if ((size_t)i == n)
			return -1;
		if (s[i] < low || s[i] > high)
			return 0;
	}
	return len;
}

static bool is_plain(unsigned char c)
{
	return c >= ' ' && c != '"' && c != '\\' && c < 0x7f;
}

static void put_escape(unsigned char c)
{
	static const char hex[] = "0123456789abcdef", named[] = "\nn\rr\tt\"\"\\\\";
	char escape[7] = "\\u00";

	for (size_t i = 0; i + 1 < sizeof(named); i += 2)
		if (named[i] == (char)c) {
			escape[1] = named[i + 1];
			put(escape, 2);
			return;
		}
	escape[4] = hex[c >> 4];
	escape[5] = hex[c & 15];
	put(escape, 6);
}

/* docker: bytes that are no UTF-8 become U+FFFD, each by itself; JSON could not hold them. */
static void put_escaped(const char *bytes, size_t n)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t plain = 0, i = 0;

	while (i < n) {
		int len = sequence(s + i, n - i);

		if (len > 1 || (len == 1 && is_plain(s[i]))) {
			i += (size_t)len;
			continue;
		}
		put(bytes + plain, i - plain);
		if (len == 1)
			put_escape(s[i]);
		else
			put_text("\\ufffd");
		plain = ++i;
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
static void record(int stream, const char *text, size_t n, int64_t now)
{
	long before = SYS(lseek, file, 0, 2 /* SEEK_END */);

	broken = false;
	put_text("{\"log\":\"");
	put_escaped(text, n);
	put_text(stream == 1 ? "\",\"stream\":\"stdout\",\"time\":\"" : "\",\"stream\":\"stderr\",\"time\":\"");
	put_time(now);
	put_text("\"}\n");
	if ((broken || sys_write_all(file, out, out_n) < 0) && before >= 0)
		SYS(ftruncate, file, before);
	out_n = 0;
}

/* How much of a full buffer goes into this record: a sign that its end cuts in two waits for the next one. */
static size_t whole_signs(const char *text, size_t n)
{
	for (size_t tail = 1; tail < 4 && tail < n; tail++)
		if (sequence((const unsigned char *)text + n - tail, tail) == -1)
			return n - tail;
	return n;
}

static size_t line_length(const char *bytes, size_t n)
{
	size_t i = 0;

	while (i < n && bytes[i] != '\n')
		i++;
	return i;
}

static void hold(int stream, const char *bytes, size_t n, bool whole, int64_t now)
{
	char *text = held[stream - 1].text;
	size_t len = held[stream - 1].n + n, cut = whole ? len : 0;

	memcpy(text + held[stream - 1].n, bytes, n);
	if (len == LINE_MAX && !whole)
		cut = whole_signs(text, len);
	if (cut)
		record(stream, text, cut, now);
	memmove(text, text + cut, len - cut);
	held[stream - 1].n = len - cut;
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

		if (whole && !held[stream - 1].n)
			record(stream, bytes, take, now);
		else
			hold(stream, bytes, take, whole, now);
		bytes += take;
		n -= take;
	}
}

void log_flush(void)
{
	for (int i = 0; i < 2 && file >= 0; i++) {
		if (held[i].n)
			record(i + 1, held[i].text, held[i].n, sys_now_ns());
		held[i].n = 0;
	}
}
