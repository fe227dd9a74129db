/* What the writer writes, the reader reads: names are bytes, whatever the locale. */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/strbuf.h"
#include "format/tar.h"

static int into_buffer(void *data, const void *bytes, size_t len, teu_error **err)
{
	(void)err;
	strbuf_add(data, bytes, len);
	return 0;
}

static int into_nothing(void *data, const void *bytes, size_t len, teu_error **err)
{
	(void)data, (void)bytes, (void)len;
	return err_set(err, TEU_E_NO_SPACE, "full");
}

struct source {
	const struct strbuf *bytes;
	size_t at, fail_at;
};

static ssize_t from_buffer(void *data, const void **ret, teu_error **err)
{
	struct source *s = data;
	size_t n = s->bytes->len - s->at;

	n = n < 700 ? n : 700;
	if (s->fail_at && s->at >= s->fail_at)
		return err_set(err, TEU_E_NETWORK, "gone");
	*ret = s->bytes->text + s->at;
	s->at += n;
	return (ssize_t)n;
}

static char long_name[3000];

static const struct tar_entry entries[] = {
	{ .kind = TAR_DIR, .name = "dir/", .mode = 01777, .mtime = { 1600000000, 0 } },
	{ .kind = TAR_FILE,
	  .name = "dir/file",
	  .mode = 04755,
	  .uid = 70000,
	  .gid = 3000000,
	  .size = 5,
	  .mtime = { 1600000001, 123456789 } },
	{ .kind = TAR_FILE, .name = "dir/gr\xc3\xbc\xc3\x9f", .mode = 0644, .size = 5, .mtime = { 1, 0 } },
	{ .kind = TAR_FILE, .name = "dir/\xff\xfe not utf-8", .mode = 0644, .size = 5, .mtime = { 1, 0 } },
	{ .kind = TAR_FILE, .name = long_name, .mode = 0600, .size = 5, .mtime = { 1, 0 } },
	{ .kind = TAR_SYMLINK, .name = "link", .link = "../gr\xc3\xbc\xc3\x9f", .mode = 0777, .mtime = { 1, 0 } },
	{ .kind = TAR_HARDLINK, .name = "hard", .link = "dir/file", .mode = 04755, .mtime = { 1, 0 } },
	{ .kind = TAR_CHAR, .name = "null", .mode = 0666, .major = 1, .minor = 3, .mtime = { 1, 0 } },
	{ .kind = TAR_FIFO, .name = "fifo", .mode = 0600, .mtime = { 1, 0 } },
};

static void write_all(struct strbuf *to)
{
	_cleanup_(tar_writer_freep) struct tar_writer *writer = NULL;

	memset(long_name, 'n', sizeof(long_name) - 1);
	for (size_t i = 100; i < sizeof(long_name) - 1; i += 100)
		long_name[i] = '/';
	ck_assert_int_eq(tar_writer_new(into_buffer, to, &writer, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		ck_assert_int_eq(tar_writer_add(writer, &entries[i], NULL), 0);
		if (entries[i].size)
			ck_assert_int_eq(tar_writer_data(writer, "12345", 5, NULL), 0);
	}
	ck_assert_int_eq(tar_writer_finish(writer, NULL), 0);
}

static void check_entry(struct tar_reader *reader, const struct tar_entry *want)
{
	struct tar_entry got;
	const void *bytes;
	uint64_t offset;
	size_t len;

	ck_assert_int_eq(tar_reader_next(reader, &got, NULL), 1);
	ck_assert_str_eq(got.name, want->name);
	ck_assert_int_eq(got.kind, want->kind);
	ck_assert_uint_eq(got.mode, want->mode);
	ck_assert_uint_eq(got.uid, want->uid);
	ck_assert_uint_eq(got.gid, want->gid);
	ck_assert_uint_eq(got.size, want->size);
	ck_assert_int_eq(got.mtime.tv_sec, want->mtime.tv_sec);
	ck_assert_int_eq(got.mtime.tv_nsec, want->mtime.tv_nsec);
	if (want->link)
		ck_assert_str_eq(got.link, want->link);
	ck_assert_uint_eq(got.major, want->major);
	ck_assert_uint_eq(got.minor, want->minor);
	if (!want->size)
		return;
	ck_assert_int_eq(tar_reader_data(reader, &bytes, &len, &offset, NULL), 1);
	ck_assert_uint_eq(len, 5);
	ck_assert_int_eq(memcmp(bytes, "12345", 5), 0);
	ck_assert_int_eq(tar_reader_data(reader, &bytes, &len, &offset, NULL), 0);
}

static void round_trip(void)
{
	_cleanup_(strbuf_done) struct strbuf archive = STRBUF_INIT;
	_cleanup_(tar_reader_freep) struct tar_reader *reader = NULL;
	struct source source = { .bytes = &archive };
	struct tar_entry got;

	write_all(&archive);
	ck_assert_int_eq(tar_reader_new(from_buffer, &source, &reader, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		check_entry(reader, &entries[i]);
	ck_assert_int_eq(tar_reader_next(reader, &got, NULL), 0);
}

START_TEST(entries_come_back)
{
	round_trip();
	/* Whatever the host program chose; missing locales leave "C", tried already. */
	setlocale(LC_ALL, "C.UTF-8");
	round_trip();
	setlocale(LC_ALL, "en_US.ISO-8859-1");
	round_trip();
	setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(nothing_is_an_empty_archive)
{
	_cleanup_(strbuf_done) struct strbuf archive = STRBUF_INIT;
	struct source source = { .bytes = &archive };
	struct tar_entry got;

	for (int i = 0; i < 2; i++) {
		_cleanup_(tar_reader_freep) struct tar_reader *reader = NULL;
		static const char zeros[1024];

		source.at = 0;
		ck_assert_int_eq(tar_reader_new(from_buffer, &source, &reader, NULL), 0);
		ck_assert_int_eq(tar_reader_next(reader, &got, NULL), 0);
		ck_assert_int_eq(tar_reader_next(reader, &got, NULL), 0);
		strbuf_add(&archive, zeros, sizeof(zeros));
	}
}
END_TEST

START_TEST(the_callbacks_error_comes_through)
{
	_cleanup_(strbuf_done) struct strbuf archive = STRBUF_INIT;
	_cleanup_(tar_reader_freep) struct tar_reader *reader = NULL;
	_cleanup_(tar_writer_freep) struct tar_writer *writer = NULL;
	_cleanup_error_ teu_error *err = NULL, *write_err = NULL;
	struct source source = { .bytes = &archive, .fail_at = 2000 };
	struct tar_entry got;
	int r;

	write_all(&archive);
	ck_assert_int_eq(tar_reader_new(from_buffer, &source, &reader, NULL), 0);
	while ((r = tar_reader_next(reader, &got, &err)) > 0)
		;
	ck_assert_int_eq(r, TEU_E_NETWORK);
	ck_assert_str_eq(teu_error_message(err), "gone");

	ck_assert_int_eq(tar_writer_new(into_nothing, NULL, &writer, NULL), 0);
	ck_assert_int_eq(tar_writer_add(writer, &entries[0], NULL), 0);
	ck_assert_int_eq(tar_writer_finish(writer, &write_err), TEU_E_NO_SPACE);
}
END_TEST

START_TEST(what_is_no_tar_is_corrupt)
{
	_cleanup_(strbuf_done) struct strbuf archive = STRBUF_INIT;
	_cleanup_(tar_reader_freep) struct tar_reader *reader = NULL;
	struct source source = { .bytes = &archive };
	struct tar_entry got;

	for (int i = 0; i < 500; i++)
		strbuf_adds(&archive, "no tar at all ");
	ck_assert_int_eq(tar_reader_new(from_buffer, &source, &reader, NULL), 0);
	ck_assert_int_eq(tar_reader_next(reader, &got, NULL), TEU_E_CORRUPT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tar");
	TCase *tc = tcase_create("tar");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, entries_come_back);
	tcase_add_test(tc, nothing_is_an_empty_archive);
	tcase_add_test(tc, the_callbacks_error_comes_through);
	tcase_add_test(tc, what_is_no_tar_is_corrupt);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
