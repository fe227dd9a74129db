/* The streams are made by zlib and libzstd, opened as the library does: neither is linked. */
#include <check.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/strbuf.h"
#include "format/compress.h"
#include "format/decoder.h"

static void *symbol(const char *soname, const char *name)
{
	void *library = dlopen(soname, RTLD_NOW), *at = library ? dlsym(library, name) : NULL;

	ck_assert_msg(at != NULL, "%s: %s", soname, name);
	return at;
}

/* Deflates well in some places and badly in others. */
static char *sample(size_t len)
{
	char *bytes = malloc(len);
	uint32_t x = 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = i % 5000 < 2500 ? "the quick brown fox "[i % 20] : (char)(x >> 24);
	}
	return bytes;
}

static void add_gzip(struct strbuf *to, const void *bytes, size_t len)
{
	int (*init)(z_stream *, int, int, int, int, int, const char *, int) = symbol("libz.so.1", "deflateInit2_");
	int (*run)(z_stream *, int) = symbol("libz.so.1", "deflate");
	int (*end)(z_stream *) = symbol("libz.so.1", "deflateEnd");
	size_t room = len + len / 100 + 1000;
	z_stream z = { .next_in = (Bytef *)bytes, .avail_in = (uInt)len };

	z.next_out = (Bytef *)strbuf_reserve(to, room);
	z.avail_out = (uInt)room;
	ck_assert_int_eq(init(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, (int)sizeof(z)), Z_OK);
	ck_assert_int_eq(run(&z, Z_FINISH), Z_STREAM_END);
	to->len += room - z.avail_out;
	end(&z);
}

static void add_zstd(struct strbuf *to, const void *bytes, size_t len)
{
	size_t (*run)(void *, size_t, const void *, size_t, int) = symbol("libzstd.so.1", "ZSTD_compress");
	size_t room = len + len / 100 + 1000;

	to->len += run(strbuf_reserve(to, room), room, bytes, len, 3);
}

struct pieces {
	const char *at;
	size_t left, piece;
};

/* Each piece lives in memory of its own, so that a sanitizer sees a step outside it. */
static ssize_t next_piece(void *data, const void **ret, teu_error **err)
{
	static char *copy;
	struct pieces *p = data;
	size_t n = p->left < p->piece ? p->left : p->piece;

	(void)err;
	free(copy);
	copy = malloc(n ? n : 1);
	if (n)
		memcpy(copy, p->at, n);
	*ret = copy;
	p->at += n;
	p->left -= n;
	return (ssize_t)n;
}

/* Inflates @packed in pieces; the code, 0 when it gives @plain. */
static int inflate_all(const struct strbuf *packed, size_t piece, const char *plain, size_t len, size_t step)
{
	_cleanup_(inflate_freep) struct inflate *in = NULL;
	struct pieces pieces = { packed->text, packed->len, piece };
	_cleanup_error_ teu_error *err = NULL;
	char *out = malloc(len + step + 1);
	size_t have = 0;
	ssize_t n;

	ck_assert_int_eq(inflate_new(next_piece, &pieces, &in, NULL), 0);
	while ((n = inflate_read(in, out + have, step, &err)) > 0) {
		have += (size_t)n;
		ck_assert_uint_le(have, len);
	}
	if (n == 0) {
		ck_assert_uint_eq(have, len);
		ck_assert_int_eq(memcmp(out, plain, len), 0);
		ck_assert_int_eq(inflate_read(in, out, step, NULL), 0);
	} else {
		ck_assert_int_eq(teu_error_code(err), (int)n);
	}
	free(out);
	return (int)n;
}

static const size_t piece_sizes[] = { 1, 2, 3, 5, 7, 8, 9, 1000, 65536, 10000000 };
static const size_t read_sizes[] = { 1000, 262144, 10000000 };

static void check_all(const struct strbuf *packed, const char *plain, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(piece_sizes); i++)
		for (size_t k = 0; k < ARRAY_SIZE(read_sizes); k++)
			ck_assert_int_eq(inflate_all(packed, piece_sizes[i], plain, len, read_sizes[k]), 0);
}

START_TEST(gzip_members_are_one_stream)
{
	_cleanup_(strbuf_done) struct strbuf packed = STRBUF_INIT;
	size_t len = 400000;
	char *plain = sample(len);

	add_gzip(&packed, plain, 100000);
	add_gzip(&packed, plain, 0);
	add_gzip(&packed, plain + 100000, 1);
	add_gzip(&packed, plain + 100001, len - 100001);
	check_all(&packed, plain, len);
	strbuf_add(&packed, "\0\0\0\0\0\0\0\0\0\0", 10);
	check_all(&packed, plain, len);
	strbuf_add(&packed, "x", 1);
	ck_assert_int_eq(inflate_all(&packed, 1000, plain, len, 1000), TEU_E_CORRUPT);
	free(plain);
}
END_TEST

START_TEST(zstd_frames_are_one_stream)
{
	static const char skippable[] = "\x5a\x2a\x4d\x18\x03\0\0\0abc";
	_cleanup_(strbuf_done) struct strbuf packed = STRBUF_INIT;
	size_t len = 400000;
	char *plain = sample(len);

	strbuf_add(&packed, skippable, 11);
	add_zstd(&packed, plain, 100000);
	strbuf_add(&packed, skippable, 11);
	add_zstd(&packed, plain + 100000, len - 100000);
	check_all(&packed, plain, len);
	strbuf_add(&packed, "garbage", 7);
	ck_assert_int_eq(inflate_all(&packed, 1000, plain, len, 1000), TEU_E_CORRUPT);
	free(plain);
}
END_TEST

START_TEST(plain_bytes_stay)
{
	_cleanup_(strbuf_done) struct strbuf packed = STRBUF_INIT;
	char *plain = sample(70000);

	check_all(&packed, "", 0);
	for (size_t len = 1; len < 6; len++) {
		strbuf_reset(&packed);
		strbuf_add(&packed, plain, len);
		check_all(&packed, plain, len);
	}
	strbuf_reset(&packed);
	strbuf_add(&packed, plain, 70000);
	check_all(&packed, plain, 70000);
	free(plain);
}
END_TEST

START_TEST(a_cut_is_noticed_wherever_it_is)
{
	char *plain = sample(6000);

	for (int zstd = 0; zstd < 2; zstd++) {
		_cleanup_(strbuf_done) struct strbuf packed = STRBUF_INIT;

		(zstd ? add_zstd : add_gzip)(&packed, plain, 6000);
		/* Shorter than the magic it is told from, it is plain. */
		for (size_t len = packed.len - 1; len >= COMPRESSION_MAGIC; len--) {
			packed.len = len;
			ck_assert_int_eq(inflate_all(&packed, 1000, plain, 6000, 1000), TEU_E_CORRUPT);
		}
	}
	free(plain);
}
END_TEST

START_TEST(damage_is_noticed)
{
	_cleanup_(strbuf_done) struct strbuf packed = STRBUF_INIT;
	char *plain = sample(6000);

	add_gzip(&packed, plain, 6000);
	packed.text[packed.len - 6] ^= 1; /* in the checksum */
	ck_assert_int_eq(inflate_all(&packed, 1000, plain, 6000, 1000), TEU_E_CORRUPT);
	free(plain);
}
END_TEST

START_TEST(zlib_does_what_isal_does)
{
	_cleanup_(strbuf_done) struct strbuf packed = STRBUF_INIT;
	char *plain = sample(100000), *out = malloc(100001);
	struct decoder *d = NULL;
	struct decoder_io io;

	add_gzip(&packed, plain, 60000);
	add_gzip(&packed, plain + 60000, 40000);
	ck_assert_int_eq(decoder_zlib_new(&d, NULL), 0);
	io = (struct decoder_io){ (uint8_t *)packed.text, packed.len, (uint8_t *)out, 100001 };
	ck_assert_int_eq(d->step(d, &io, NULL), DECODER_BETWEEN);
	ck_assert_uint_eq(io.out_len, 40001);
	ck_assert_int_eq(d->step(d, &io, NULL), DECODER_BETWEEN);
	ck_assert_uint_eq(io.in_len, 0);
	ck_assert_uint_eq(io.out_len, 1);
	ck_assert_int_eq(memcmp(out, plain, 100000), 0);
	d->free(d);

	packed.text[packed.len - 6] ^= 1;
	ck_assert_int_eq(decoder_zlib_new(&d, NULL), 0);
	io = (struct decoder_io){ (uint8_t *)packed.text, packed.len, (uint8_t *)out, 100001 };
	ck_assert_int_eq(d->step(d, &io, NULL), DECODER_BETWEEN);
	ck_assert_int_eq(d->step(d, &io, NULL), TEU_E_CORRUPT);
	d->free(d);
	free(plain);
	free(out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("compress");
	TCase *tc = tcase_create("compress");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, gzip_members_are_one_stream);
	tcase_add_test(tc, zstd_frames_are_one_stream);
	tcase_add_test(tc, plain_bytes_stay);
	tcase_add_test(tc, a_cut_is_noticed_wherever_it_is);
	tcase_add_test(tc, damage_is_noticed);
	tcase_add_test(tc, zlib_does_what_isal_does);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
