/* Layers through the whole pipeline into a store in a scratch folder; whatever fails must leave nothing there. */
#include <check.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "engine/unpack.h"
#include "format/sha256.h"
#include "format/tar.h"
#include "store/content.h"
#include "store/layers.h"

static char scratch[] = "/var/tmp/teu-unpack-XXXXXX";
static struct teu_engine engine;
static struct strbuf plain, packed;
static char diff_id[SHA256_TEXT_MAX], digest[SHA256_TEXT_MAX];
static teu_error *error;

static int into_buffer(void *data, const void *bytes, size_t len, teu_error **err)
{
	(void)err;
	strbuf_add(data, bytes, len);
	return 0;
}

static void add_file(struct tar_writer *writer, const char *name, const char *bytes, size_t len)
{
	struct tar_entry entry = { .kind = TAR_FILE, .name = name, .mode = 0644, .size = len };

	ck_assert_int_eq(tar_writer_add(writer, &entry, NULL), 0);
	ck_assert_int_eq(tar_writer_data(writer, bytes, len, NULL), 0);
}

static void pack(void)
{
	void *library = dlopen("libz.so.1", RTLD_NOW);
	int (*init)(z_stream *, int, int, int, int, int, const char *, int);
	int (*run)(z_stream *, int), (*end)(z_stream *);
	size_t room = plain.len + 10000;
	z_stream z = { .next_in = (Bytef *)plain.text, .avail_in = (uInt)plain.len, .avail_out = (uInt)room };

	*(void **)&init = dlsym(library, "deflateInit2_");
	*(void **)&run = dlsym(library, "deflate");
	*(void **)&end = dlsym(library, "deflateEnd");
	z.next_out = (Bytef *)strbuf_reserve(&packed, room);
	ck_assert_int_eq(init(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, (int)sizeof(z)), Z_OK);
	ck_assert_int_eq(run(&z, Z_FINISH), Z_STREAM_END);
	packed.len = room - z.avail_out;
	end(&z);
	sha256_of(plain.text, plain.len, diff_id, NULL);
	sha256_of(packed.text, packed.len, digest, NULL);
}

static void setup(void)
{
	_cleanup_(tar_writer_freep) struct tar_writer *writer = NULL;
	_cleanup_free_ char *root = NULL, *run_root = NULL, *large = calloc(1, 5000000);

	strcpy(scratch + strlen(scratch) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
	ck_assert(asprintf(&root, "%s/state", scratch) > 0 && asprintf(&run_root, "%s/run", scratch) > 0);
	memset(&engine, 0, sizeof(engine));
	ck_assert_int_eq(store_open(root, run_root, &engine.store, NULL), 0);
	plain = packed = STRBUF_INIT;
	ck_assert_int_eq(tar_writer_new(into_buffer, &plain, &writer, NULL), 0);
	add_file(writer, "hello", "hello", 5);
	add_file(writer, "large", large, 5000000);
	ck_assert_int_eq(tar_writer_finish(writer, NULL), 0);
	pack();
}

static void teardown(void)
{
	store_done(&engine.store);
	fd_remove_tree(AT_FDCWD, scratch, NULL);
	strbuf_done(&plain);
	strbuf_done(&packed);
	teu_error_unref(error);
	error = NULL;
}

static size_t count(const char *name)
{
	_cleanup_closedir_ DIR *dir = fdopendir(openat(engine.store.root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	return n;
}

static void check_layer(const char *chain_id)
{
	_cleanup_free_ char *path = layers_path(&engine.store, chain_id), *file = NULL, *text = NULL;

	ck_assert(layers_has(&engine.store, chain_id));
	ck_assert(asprintf(&file, "%s/hello", path) > 0);
	ck_assert_int_eq(fd_read_file(AT_FDCWD, file, 100, &text, NULL, NULL), 0);
	ck_assert_str_eq(text, "hello");
}

static void put_blob(void)
{
	_cleanup_free_ char *got = NULL;

	ck_assert_int_eq(content_put(&engine.store, packed.text, packed.len, &got, NULL), 0);
	ck_assert_str_eq(got, digest);
}

START_TEST(a_blob_becomes_a_layer)
{
	put_blob();
	ck_assert_int_eq(unpack_blob(&engine, digest, diff_id, diff_id, NULL, NULL, &error), 0);
	check_layer(diff_id);
	ck_assert_int_eq(unpack_blob(&engine, digest, diff_id, diff_id, NULL, NULL, &error), 0);
	ck_assert_uint_eq(count("layers"), 1);
}
END_TEST

START_TEST(another_diff_id_is_corrupt)
{
	put_blob();
	ck_assert_int_eq(unpack_blob(&engine, digest, digest, digest, NULL, NULL, &error), TEU_E_CORRUPT);
	ck_assert_ptr_nonnull(strstr(teu_error_message(error), diff_id));
	ck_assert_uint_eq(count("layers"), 0);
}
END_TEST

START_TEST(the_stated_limit_holds)
{
	struct unpack_options options = { .max_size = 1000000 };

	put_blob();
	ck_assert_int_eq(unpack_blob(&engine, digest, diff_id, diff_id, NULL, &options, &error), TEU_E_LIMIT);
	ck_assert_uint_eq(count("layers"), 0);
}
END_TEST

struct stream {
	size_t at, piece, fail_at;
	int verified, verdict;
};

static ssize_t next_piece(void *data, const void **ret, teu_error **err)
{
	struct stream *s = data;
	size_t n = packed.len - s->at < s->piece ? packed.len - s->at : s->piece;

	if (s->fail_at && s->at >= s->fail_at)
		return err_set(err, TEU_E_NETWORK, "the registry went away");
	*ret = packed.text + s->at;
	s->at += n;
	return (ssize_t)n;
}

static int verify(void *data, teu_error **err)
{
	struct stream *s = data;

	s->verified++;
	return s->verdict ? err_set(err, s->verdict, "the digest differs") : 0;
}

static int stream(struct stream *s)
{
	s->piece = s->piece ? s->piece : 1000;
	return unpack_stream(&engine, next_piece, verify, s, diff_id, diff_id, NULL, NULL, &error);
}

START_TEST(a_stream_becomes_a_layer)
{
	struct stream s = { 0 };

	ck_assert_int_eq(stream(&s), 0);
	ck_assert_int_eq(s.verified, 1);
	check_layer(diff_id);
	/* Again: the bytes are asked for and verified all the same. */
	s = (struct stream){ 0 };
	ck_assert_int_eq(stream(&s), 0);
	ck_assert_int_eq(s.verified, 1);
	ck_assert_uint_eq(s.at, packed.len);
}
END_TEST

START_TEST(what_verify_refuses_does_not_appear)
{
	struct stream s = { .verdict = TEU_E_CORRUPT };

	ck_assert_int_eq(stream(&s), TEU_E_CORRUPT);
	ck_assert_str_eq(teu_error_message(error), "the digest differs");
	ck_assert_uint_eq(count("layers"), 0);
}
END_TEST

START_TEST(a_broken_source_stops_all_stages)
{
	struct stream s = { .fail_at = 10000 };

	ck_assert_int_eq(stream(&s), TEU_E_NETWORK);
	ck_assert_str_eq(teu_error_message(error), "the registry went away");
	ck_assert_int_eq(s.verified, 0);
	ck_assert_uint_eq(count("layers"), 0);
}
END_TEST

START_TEST(a_cut_or_damaged_stream_is_corrupt)
{
	struct stream s = { 0 };

	packed.len -= 100;
	ck_assert_int_eq(stream(&s), TEU_E_CORRUPT);
	packed.len += 100;
	packed.text[packed.len - 6] ^= 1; /* in the checksum */
	s = (struct stream){ 0 };
	ck_assert_int_eq(stream(&s), TEU_E_CORRUPT);
	strcpy(packed.text, "no gzip, no tar");
	s = (struct stream){ 0 };
	ck_assert_int_eq(stream(&s), TEU_E_CORRUPT);
	ck_assert_int_eq(s.verified, 0);
	ck_assert_uint_eq(count("layers"), 0);
}
END_TEST

START_TEST(a_fired_token_stops_it)
{
	struct unpack_options options = { 0 };
	teu_cancel *cancel = NULL;

	put_blob();
	ck_assert_int_eq(teu_cancel_new(&cancel, NULL), 0);
	teu_cancel_fire(cancel);
	options.cancel = cancel;
	ck_assert_int_eq(unpack_blob(&engine, digest, diff_id, diff_id, NULL, &options, &error), TEU_E_CANCELLED);
	ck_assert_uint_eq(count("layers"), 0);
	teu_cancel_unref(cancel);
}
END_TEST

START_TEST(import_makes_blob_and_layer)
{
	static const char *const types[] = { "application/vnd.oci.image.layer.v1.tar+gzip",
					     "application/vnd.oci.image.layer.v1.tar" };

	for (int i = 0; i < 2; i++) {
		_cleanup_free_ char *got = NULL, *got_diff_id = NULL;
		const struct strbuf *from = i ? &plain : &packed;
		FILE *file = tmpfile();
		const char *type;
		uint64_t len;

		fwrite(from->text, 1, from->len, file);
		fflush(file);
		rewind(file);
		ck_assert_int_eq(unpack_import(&engine, fileno(file), NULL, &got, &len, &type, &got_diff_id, &error),
				 0);
		ck_assert_str_eq(got, i ? diff_id : digest);
		ck_assert_str_eq(got_diff_id, diff_id);
		ck_assert_str_eq(type, types[i]);
		ck_assert_uint_eq(len, from->len);
		ck_assert(content_has(&engine.store, got));
		check_layer(diff_id);
		fclose(file);
	}
	ck_assert_uint_eq(count("tmp"), 0);
}
END_TEST

START_TEST(a_failed_import_leaves_nothing)
{
	_cleanup_free_ char *got = NULL, *got_diff_id = NULL;
	FILE *file = tmpfile();
	const char *type;
	uint64_t len;

	fwrite(packed.text, 1, packed.len / 2, file);
	fflush(file);
	rewind(file);
	ck_assert_int_eq(unpack_import(&engine, fileno(file), NULL, &got, &len, &type, &got_diff_id, &error),
			 TEU_E_CORRUPT);
	ck_assert_uint_eq(count("tmp"), 0);
	ck_assert_uint_eq(count("layers"), 0);
	fclose(file);
}
END_TEST

/* A gigabyte of zeros in one file: a sparse source, so that the test itself is cheap. */
struct zeros {
	struct strbuf head;
	uint64_t left;
	bool headed;
};

static ssize_t next_zeros(void *data, const void **ret, teu_error **err)
{
	static const char block[1 << 20];
	struct zeros *z = data;
	size_t n = z->left < sizeof(block) ? (size_t)z->left : sizeof(block);

	(void)err;
	if (!z->headed) {
		z->headed = true;
		*ret = z->head.text;
		return 512;
	}
	*ret = block;
	z->left -= n;
	return (ssize_t)n;
}

START_TEST(memory_does_not_grow_with_the_layer)
{
	_cleanup_(tar_writer_freep) struct tar_writer *writer = NULL;
	struct tar_entry entry = { .kind = TAR_FILE, .name = "zeros", .mode = 0644, .size = 200 << 20 };
	struct zeros z = { .left = (200 << 20) + 1024 };
	struct rusage before, after;

	ck_assert_int_eq(tar_writer_new(into_buffer, &z.head, &writer, NULL), 0);
	ck_assert_int_eq(tar_writer_add(writer, &entry, NULL), 0);
	ck_assert_int_eq(tar_writer_data(writer, plain.text, plain.len, NULL), 0);
	getrusage(RUSAGE_SELF, &before);
	ck_assert_int_eq(unpack_stream(&engine, next_zeros, NULL, &z, digest, digest, NULL, NULL, &error),
			 TEU_E_CORRUPT);
	ck_assert_ptr_nonnull(strstr(teu_error_message(error), "diffID"));
	getrusage(RUSAGE_SELF, &after);
	ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 16 << 10);
	strbuf_done(&z.head);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("unpack");
	TCase *tc = tcase_create("unpack");
	SRunner *sr;
	int failed;

	if (geteuid() != 0)
		return 77;
	sr = srunner_create(s);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_blob_becomes_a_layer);
	tcase_add_test(tc, another_diff_id_is_corrupt);
	tcase_add_test(tc, the_stated_limit_holds);
	tcase_add_test(tc, a_stream_becomes_a_layer);
	tcase_add_test(tc, what_verify_refuses_does_not_appear);
	tcase_add_test(tc, a_broken_source_stops_all_stages);
	tcase_add_test(tc, a_cut_or_damaged_stream_is_corrupt);
	tcase_add_test(tc, a_fired_token_stops_it);
	tcase_add_test(tc, import_makes_blob_and_layer);
	tcase_add_test(tc, a_failed_import_leaves_nothing);
	tcase_add_test(tc, memory_does_not_grow_with_the_layer);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
