/*
 * fuzz_log: any output of a container, in pieces, as the monitor writes it down. The file is lines of JSON, whatever
 * the bytes; what is ASCII is in them as it came. The helper's own code, whose system calls end here.
 */
#include "fuzz.h"

#include <asm/unistd.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "format/json.h"
#include "init/log.h"
#include "sound.h"

const size_t fuzz_rounds = 3000;

enum { MAX_OUTPUT = 256 << 10, RECORD_MAX = 16384 };

static struct strbuf file, came[2], logged[2];

long sys_call(long nr, long a, long b, long c, long d, long e, long f);

long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	static const int64_t now[] = { 1800000000, 5 };

	(void)a, (void)d, (void)e, (void)f;
	switch (nr) {
	case __NR_openat:
		return 3;
	case __NR_lseek:
		return (long)file.len;
	case __NR_write:
		strbuf_add(&file, (const void *)(uintptr_t)b, (size_t)c);
		return c;
	case __NR_clock_gettime:
		memcpy((void *)(uintptr_t)b, now, sizeof(now));
		return 0;
	default:
		abort();
	}
}

static void write_piece(int stream, const uint8_t *bytes, size_t len)
{
	/* Without a byte behind it. */
	_cleanup_free_ char *copy = malloc(len ? len : 1);

	must(copy != NULL);
	memcpy(copy, bytes, len);
	strbuf_add(&came[stream - 1], copy, len);
	log_write("/log", stream, copy, len);
}

/* A byte: stream and how many times; a byte: the length; the bytes. */
static void write_all(const uint8_t *bytes, size_t len)
{
	size_t total = 0;

	while (len > 2 && total < MAX_OUTPUT) {
		size_t n = bytes[1] < len - 2 ? bytes[1] : len - 2;

		for (size_t times = bytes[0] >> 1; times + 1 && total < MAX_OUTPUT; times--, total += n + 1)
			write_piece(1 + (bytes[0] & 1), bytes + 2, n);
		bytes += 2 + n;
		len -= 2 + n;
	}
	log_flush();
}

static void read_line(const char *line, size_t len)
{
	_cleanup_json_ json *record = NULL;
	const char *text, *stream;

	must(json_parse(line, len, &record, NULL) == 0);
	text = json_get_text(record, "log", NULL);
	stream = json_get_text(record, "stream", "");
	must(text && *json_get_text(record, "time", "") && json_count(record) == 3);
	must(strcmp(stream, "stdout") == 0 || strcmp(stream, "stderr") == 0);
	/* A byte that is no text takes three. */
	must(strlen(text) <= 3 * RECORD_MAX);
	strbuf_adds(&logged[strcmp(stream, "stderr") == 0], text);
}

static bool is_ascii(const struct strbuf *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (text->text[i] <= 0)
			return false;
	return true;
}

static void read_file(void)
{
	const char *at = file.text, *end = at + file.len;

	while (at < end) {
		const char *next = memchr(at, '\n', (size_t)(end - at));

		must(next != NULL);
		read_line(at, (size_t)(next - at));
		at = next + 1;
	}
	for (int i = 0; i < 2; i++)
		must(!is_ascii(&came[i]) || (came[i].len == logged[i].len &&
					     (!came[i].len || memcmp(came[i].text, logged[i].text, came[i].len) == 0)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	write_all(bytes, len);
	if (file.len)
		read_file();
	strbuf_done(&file);
	for (int i = 0; i < 2; i++) {
		strbuf_done(&came[i]);
		strbuf_done(&logged[i]);
	}
	return 0;
}

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	static const struct {
		const char *bytes;
		size_t len;
	} seeds[] = {
		{ "\0\5hallo\0\1\n\1\4err\n", 15 },
		{ "\2\6a\"\\\t\n\n\0\7\xc3\xa9\xf0\x9f\x98\x80\n", 17 },
		{ "\377\100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xe2\xff\200\0\1\n", 70 },
		{ "\377\3\xe2\x82\xac\377\2\xf0\x9f", 9 },
	};

	if (n >= ARRAY_SIZE(seeds))
		return NULL;
	*ret_len = seeds[n].len;
	return memcpy(malloc(seeds[n].len), seeds[n].bytes, seeds[n].len);
}
