/*
 * Layers made here byte by byte, for no tar program would write the hostile ones. Each is applied to a folder "root" in
 * a scratch folder, and what lies beside "root" must stay as it was.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strbuf.h"
#include "layerfs/apply.h"

static struct strbuf tar;
static char scratch[] = "/var/tmp/teu-apply-XXXXXX";
static int scratch_fd, root_fd;
static teu_error *error;
static uint64_t size;

static void setup(void)
{
	strcpy(scratch + strlen(scratch) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(scratch_fd, "root", 0755);
	mkdirat(scratch_fd, "outside", 0755);
	root_fd = openat(scratch_fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tar = STRBUF_INIT;
}

static void teardown(void)
{
	close(root_fd);
	close(scratch_fd);
	fd_remove_tree(AT_FDCWD, scratch, NULL);
	strbuf_done(&tar);
	teu_error_unref(error);
	error = NULL;
}

/* One entry's 512 byte header. Source: pax(1), "ustar Interchange Format". */
static void add_header(const char *name, char type, mode_t mode, uint64_t len, const char *link)
{
	char h[512] = { 0 };
	unsigned sum = 0;

	snprintf(h, 100, "%s", name);
	snprintf(h + 100, 8, "%07o", mode);
	snprintf(h + 108, 8, "%07o", 0);
	snprintf(h + 116, 8, "%07o", 0);
	snprintf(h + 124, 12, "%011llo", (unsigned long long)len);
	snprintf(h + 136, 12, "%011o", 1600000000);
	h[156] = type;
	snprintf(h + 157, 100, "%s", link ? link : "");
	memcpy(h + 257, "ustar\00000", 8);
	snprintf(h + 329, 8, "%07o", 1);
	snprintf(h + 337, 8, "%07o", 3);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	strbuf_add(&tar, h, sizeof(h));
}

static void add_padded(const void *bytes, size_t len)
{
	static const char zeros[512];

	strbuf_add(&tar, bytes, len);
	strbuf_add(&tar, zeros, (512 - len % 512) % 512);
}

static void add_file(const char *name, mode_t mode, const char *text)
{
	add_header(name, '0', mode, strlen(text), NULL);
	add_padded(text, strlen(text));
}

static void add_dir(const char *name, mode_t mode)
{
	add_header(name, '5', mode, 0, NULL);
}

static void add_symlink(const char *name, const char *to)
{
	add_header(name, '2', 0777, 0, to);
}

static void add_hardlink(const char *name, const char *to)
{
	add_header(name, '1', 0644, 0, to);
}

/* A pax record counts its own length: its digits are tried until they fit. */
static void add_record(struct strbuf *to, const char *key, const void *value, size_t len)
{
	size_t total = strlen(key) + len + 3;
	char digits[24];

	while (total != strlen(key) + len + 3 + (size_t)snprintf(digits, sizeof(digits), "%zu", total))
		total = strlen(key) + len + 3 + strlen(digits);
	strbuf_addf(to, "%zu %s=", total, key);
	strbuf_add(to, value, len);
	strbuf_adds(to, "\n");
}

static void add_pax(const char *key, const void *value, size_t len)
{
	_cleanup_(strbuf_done) struct strbuf records = STRBUF_INIT;

	add_record(&records, key, value, len);
	add_header("pax", 'x', 0644, records.len, NULL);
	add_padded(records.text, records.len);
}

static void add_end(void)
{
	static const char zeros[1024];

	strbuf_add(&tar, zeros, sizeof(zeros));
}

struct source {
	size_t at;
	uint64_t endless;    /* so many bytes follow */
	const char *pattern; /* of them, 65536 bytes; NULL: zeros */
};

static ssize_t next_bytes(void *data, const void **ret, teu_error **err)
{
	static const char zeros[65536];
	struct source *s = data;
	size_t n = tar.len - s->at;

	(void)err;
	n = n < 1000 ? n : 1000;
	*ret = tar.text + s->at;
	s->at += n;
	if (n || !s->endless)
		return (ssize_t)n;
	s->endless -= sizeof(zeros);
	*ret = s->pattern ? s->pattern : zeros;
	return sizeof(zeros);
}

static int apply(const struct apply_options *opts)
{
	struct source source = { 0 };

	teu_error_unref(error);
	error = NULL;
	return apply_layer(root_fd, next_bytes, &source, opts, &size, &error);
}

static void apply_well(void)
{
	int r;

	add_end();
	r = apply(NULL);
	ck_assert_msg(r == 0, "%s", teu_error_message(error));
}

static void check_outside(void)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;

	dir = fdopendir(openat(scratch_fd, "outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	while ((e = readdir(dir)))
		ck_assert_msg(e->d_name[0] == '.', "outside/%s was made", e->d_name);
	closedir(dir);
	dir = fdopendir(openat(scratch_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	while ((e = readdir(dir)))
		ck_assert_msg(e->d_name[0] == '.' || strcmp(e->d_name, "root") == 0 ||
				      strcmp(e->d_name, "outside") == 0,
			      "%s was made", e->d_name);
}

static void refused(int code)
{
	int r;

	add_end();
	r = apply(NULL);
	ck_assert_msg(r == code, "%d: %s", r, teu_error_message(error));
	ck_assert_int_eq(teu_error_code(error), code);
	check_outside();
}

static struct stat look(const char *name)
{
	struct stat st;

	ck_assert_msg(fstatat(root_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0, "%s: %m", name);
	return st;
}

static bool is_there(const char *name)
{
	return faccessat(root_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void holds(const char *name, const char *text)
{
	_cleanup_free_ char *got = NULL;

	ck_assert_msg(fd_read_file(root_fd, name, 1 << 20, &got, NULL, NULL) == 0, "%s: %m", name);
	ck_assert_str_eq(got, text);
}

static bool is_opaque(const char *name)
{
	_cleanup_close_ int fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char value[8] = { 0 };

	return fgetxattr(fd, "trusted.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y';
}

static bool is_whiteout(const char *name)
{
	struct stat st = look(name);

	return S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

START_TEST(plain_entries)
{
	mode_t umask_before = umask(077);

	add_dir("./", 0711);
	add_dir("./d/", 01777);
	add_file("./d/f", 04755, "hello");
	add_file("d/empty", 0, "");
	add_symlink("d/l", "/f");
	add_hardlink("d/h", "./d/f");
	add_header("d/null", '3', 0666, 0, NULL);
	add_header("d/fifo", '6', 0622, 0, NULL);
	add_file("hidden/parents/are/made", 0644, "x");
	apply_well();
	umask(umask_before);

	ck_assert_uint_eq(size, 6);
	ck_assert_uint_eq(look(".").st_mode, S_IFDIR | 0711);
	ck_assert_uint_eq(look("d").st_mode, S_IFDIR | 01777);
	ck_assert_uint_eq(look("d/f").st_mode, S_IFREG | 04755);
	ck_assert_uint_eq(look("d/empty").st_mode, S_IFREG);
	ck_assert_uint_eq(look("d/null").st_rdev, makedev(1, 3));
	ck_assert_uint_eq(look("d/null").st_mode, S_IFCHR | 0666);
	ck_assert_uint_eq(look("d/fifo").st_mode, S_IFIFO | 0622);
	ck_assert_uint_eq(look("hidden/parents").st_mode, S_IFDIR | 0755);
	ck_assert_uint_eq(look("d/h").st_ino, look("d/f").st_ino);
	ck_assert(S_ISLNK(look("d/l").st_mode));
	holds("d/f", "hello");
}
END_TEST

START_TEST(times_of_folders_are_kept)
{
	static const char *const names[] = { ".", "a", "a/b", "a/f", "a/b/l", "c" };

	add_dir("./", 0755);
	add_dir("a", 0755);
	add_dir("a/b", 0755);
	add_file("a/f", 0644, "x");
	add_symlink("a/b/l", "x");
	add_file("a/b/g", 0644, "x");
	add_file("a/late", 0644, "x");
	add_dir("c", 0755);
	add_file("a/b/late", 0644, "x");
	add_file("c/hidden/x", 0644, "x");
	add_file("late", 0644, "x");
	add_file("late", 0644, "again");
	apply_well();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_msg(look(names[i]).st_mtim.tv_sec == 1600000000 && look(names[i]).st_mtim.tv_nsec == 0, "%s",
			      names[i]);
}
END_TEST

START_TEST(pax_and_gnu_extensions)
{
	char name[400], caps[20] = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", got[64];
	char gnu[300];

	memset(name, 'p', sizeof(name) - 1);
	name[200] = '/';
	name[sizeof(name) - 1] = '\0';
	memset(gnu, 'g', sizeof(gnu) - 1);
	gnu[150] = '/';
	gnu[sizeof(gnu) - 1] = '\0';

	add_pax("path", name, strlen(name));
	add_file("short", 0644, "pax");
	add_header("././@LongLink", 'L', 0644, sizeof(gnu), NULL);
	add_padded(gnu, sizeof(gnu));
	add_file("short", 0644, "gnu");
	add_pax("mtime", "1500000000.123456789", 20);
	add_file("time", 0644, "");
	add_pax("uid", "3000000000", 10);
	add_file("owner", 04755, "");
	add_pax("SCHILY.xattr.user.empty", "", 0);
	add_file("empty", 0644, "");
	add_pax("SCHILY.xattr.user.text", "a=b\nc", 5);
	add_dir("dir", 0755);
	add_pax("SCHILY.xattr.security.capability", caps, sizeof(caps));
	add_file("ping", 0755, "x");
	add_pax("SCHILY.xattr.trusted.overlay.opaque", "y", 1);
	add_dir("sly", 0755);
	add_pax("SCHILY.xattr.trusted.overlay.redirect", "/etc", 4);
	add_dir("sly2", 0755);
	apply_well();

	holds(name, "pax");
	holds(gnu, "gnu");
	ck_assert_int_eq(look("time").st_mtim.tv_sec, 1500000000);
	ck_assert_int_eq(look("time").st_mtim.tv_nsec, 123456789);
	ck_assert_uint_eq(look("owner").st_uid, 3000000000);
	ck_assert_uint_eq(look("owner").st_mode, S_IFREG | 04755);
	ck_assert_int_eq(fchdir(root_fd), 0);
	ck_assert_int_eq(getxattr("empty", "user.empty", got, sizeof(got)), 0);
	ck_assert_int_eq(getxattr("dir", "user.text", got, sizeof(got)), 5);
	ck_assert_int_eq(memcmp(got, "a=b\nc", 5), 0);
	ck_assert_int_eq(getxattr("ping", "security.capability", got, sizeof(got)), 20);
	ck_assert_int_eq(memcmp(got, caps, 20), 0);
	ck_assert(!is_opaque("sly"));
	ck_assert_int_lt(getxattr("sly2", "trusted.overlay.redirect", got, sizeof(got)), 0);
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(sparse_files_keep_their_holes)
{
	_cleanup_(strbuf_done) struct strbuf records = STRBUF_INIT, body = STRBUF_INIT;
	_cleanup_close_ int fd = -EBADF;
	static const char map[] = "1\n1048576\n4\n";
	char got[5] = { 0 }, block[512] = { 0 };

	/* GNU tar manual, "PAX Format, Version 1.0": the map stands in the first blocks of the data. */
	add_record(&records, "GNU.sparse.major", "1", 1);
	add_record(&records, "GNU.sparse.minor", "0", 1);
	add_record(&records, "GNU.sparse.name", "sparse", 6);
	add_record(&records, "GNU.sparse.realsize", "2097152", 7);
	add_header("pax", 'x', 0644, records.len, NULL);
	add_padded(records.text, records.len);
	memcpy(block, map, sizeof(map) - 1);
	strbuf_add(&body, block, sizeof(block));
	strbuf_add(&body, "data", 4);
	add_header("GNUSparseFile.0/sparse", '0', 0644, body.len, NULL);
	add_padded(body.text, body.len);
	apply_well();

	ck_assert_int_eq(look("sparse").st_size, 2097152);
	ck_assert_int_lt(look("sparse").st_blocks, 100);
	fd = openat(root_fd, "sparse", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(pread(fd, got, 4, 1048576), 4);
	ck_assert_str_eq(got, "data");
}
END_TEST

START_TEST(whiteouts)
{
	add_dir("d", 0755);
	add_file("d/.wh.gone", 0644, "");
	add_file("d/.wh..wh..opq", 0644, "");
	add_file(".wh.top", 0644, "");
	add_file("hidden/.wh.x", 0644, "");
	add_file(".wh..wh.plnk", 0644, "");
	/* Those of what the layer has itself hide only what is below. */
	add_file("kept", 0644, "kept");
	add_file(".wh.kept", 0644, "");
	add_dir("dir", 0755);
	add_file("dir/f", 0644, "f");
	add_file(".wh.dir", 0644, "");
	add_file(".wh.before", 0644, "");
	add_dir("before", 0755);
	add_file(".wh.implied", 0644, "");
	add_file("implied/f", 0644, "f");
	add_file(".wh.file", 0644, "");
	add_file("file", 0644, "file");
	apply_well();

	ck_assert(is_whiteout("d/gone"));
	ck_assert(is_whiteout("top"));
	ck_assert(is_whiteout("hidden/x"));
	ck_assert(is_opaque("d"));
	ck_assert(!is_opaque("hidden"));
	ck_assert(!is_there("d/.wh..wh..opq"));
	ck_assert(!is_there(".wh..wh.plnk"));
	holds("kept", "kept");
	holds("dir/f", "f");
	ck_assert(is_opaque("dir"));
	ck_assert(is_opaque("before"));
	ck_assert(is_opaque("implied"));
	holds("implied/f", "f");
	holds("file", "file");
}
END_TEST

START_TEST(entries_replace_earlier_ones)
{
	add_file("f", 0644, "one");
	add_file("f", 0600, "two");
	add_dir("d", 0755);
	add_file("d/x", 0644, "x");
	add_file("d", 0644, "file now");
	add_symlink("s", "f");
	add_file("s", 0644, "not through the link");
	add_symlink("sd", "e");
	add_dir("e", 0755);
	add_dir("sd", 0755);
	add_dir("e", 0700);
	add_file("h1", 0644, "h1");
	add_file("h2", 0644, "h2");
	add_hardlink("h2", "h1");
	add_hardlink("h2", "h1");
	add_header("node", '3', 0600, 0, NULL);
	add_file("node", 0644, "node");
	apply_well();

	holds("f", "two");
	ck_assert_uint_eq(look("f").st_mode, S_IFREG | 0600);
	holds("d", "file now");
	holds("s", "not through the link");
	ck_assert(S_ISDIR(look("sd").st_mode));
	ck_assert_uint_eq(look("e").st_mode, S_IFDIR | 0700);
	holds("h2", "h1");
	holds("node", "node");
}
END_TEST

START_TEST(links_to_folders_are_followed_inside)
{
	add_dir("usr", 0755);
	add_dir("usr/lib", 0755);
	add_symlink("lib", "/usr/lib");
	add_symlink("lib2", "../../../../usr/lib");
	add_file("lib/a", 0644, "a");
	add_file("lib2/b", 0644, "b");
	add_hardlink("lib/c", "lib2/b");
	apply_well();
	holds("usr/lib/a", "a");
	holds("usr/lib/b", "b");
	holds("usr/lib/c", "b");
	check_outside();
}
END_TEST

/* One entry each, all TEU_E_CORRUPT. */
static const struct {
	char type;
	const char *name, *link;
} hostile[] = {
	{ '0', "../outside/f", NULL },
	{ '0', "a/../../outside/f", NULL },
	{ '0', "a/..", NULL },
	{ '5', "..", NULL },
	{ '0', "/absolute", NULL },
	{ '5', "/", NULL },
	{ '2', ".", "../outside" },
	{ '2', "./", "../outside" },
	{ '0', ".", NULL },
	{ '1', "h", "../outside" },
	{ '1', "h", "/etc/passwd" },
	{ '1', "h", "missing" },
	{ '1', "h", "." },
	{ '1', "h", "a/../b" },
	{ '2', "empty", "" },
	{ '0', ".wh.", NULL },
	{ '0', ".wh..", NULL },
	{ '0', ".wh...", NULL },
	{ '0', "a/.wh...", NULL },
	{ '0', "../.wh.outside", NULL },
};

START_TEST(hostile_names_are_refused)
{
	add_file("good", 0644, "good");
	add_header(hostile[_i].name, hostile[_i].type, 0644, 0, hostile[_i].link);
	refused(TEU_E_CORRUPT);
	ck_assert_ptr_nonnull(strstr(teu_error_message(error), "tar entry"));
}
END_TEST

static const char *const ways_out[] = { "../outside",	   "../../../../../../../../var/tmp",
					"/var/tmp",	   "/proc/self/cwd",
					"/proc/self/root", "loop" };

START_TEST(links_lead_nowhere_outside)
{
	add_symlink("loop", ways_out[_i]);
	add_file("loop/f", 0644, "out");
	refused(TEU_E_CORRUPT);
	strbuf_reset(&tar);
	add_symlink("l2", ways_out[_i]);
	add_hardlink("h", "l2/root");
	refused(TEU_E_CORRUPT);
	strbuf_reset(&tar);
	add_symlink("l3", ways_out[_i]);
	add_file("l3/.wh.root", 0644, "");
	refused(TEU_E_CORRUPT);
}
END_TEST

/* A hard link to a link is one more link; what comes under its name replaces it. */
START_TEST(a_hard_link_to_a_link_is_not_written_through)
{
	char target[200];

	snprintf(target, sizeof(target), "%s/outside/f", scratch);
	add_symlink("l", target);
	add_hardlink("h", "l");
	add_file("h", 0644, "mine");
	apply_well();
	holds("h", "mine");
	check_outside();
}
END_TEST

START_TEST(a_file_is_no_folder)
{
	add_file("f", 0644, "");
	add_file("f/x", 0644, "");
	refused(TEU_E_CORRUPT);
	strbuf_reset(&tar);
	add_header("null", '3', 0666, 0, NULL);
	add_file("null/x", 0644, "");
	refused(TEU_E_CORRUPT);
}
END_TEST

START_TEST(limits_hold)
{
	struct apply_options opts = { .max_size = 1000, .max_files = 10 };
	struct source source = { .endless = UINT64_MAX };

	add_header("huge", '0', 0644, 1ULL << 32, NULL);
	ck_assert_int_eq(apply(&opts), TEU_E_LIMIT);
	strbuf_reset(&tar);
	for (int i = 0; i < 3; i++) {
		add_header("f", '0', 0644, 400, NULL);
		add_padded((char[400]){ 0 }, 400);
	}
	add_end();
	ck_assert_int_eq(apply(&opts), TEU_E_LIMIT);
	strbuf_reset(&tar);
	for (int i = 0; i < 11; i++)
		add_file("f", 0644, "");
	add_end();
	ck_assert_int_eq(apply(&opts), TEU_E_LIMIT);
	strbuf_reset(&tar);
	add_file("a/b/c/d/e/f/g/h/i/j/k", 0644, "");
	add_end();
	ck_assert_int_eq(apply(&opts), TEU_E_LIMIT);
	/* Zeros without end behind the end mark. */
	strbuf_reset(&tar);
	add_end();
	ck_assert_int_eq(apply_layer(root_fd, next_bytes, &source, &opts, NULL, NULL), TEU_E_LIMIT);
}
END_TEST

START_TEST(depth_is_limited)
{
	char name[1024] = "", deep[PATH_MAX] = "";

	for (int i = 0; i < 300; i++)
		strcat(name, "a/");
	add_pax("path", name, strlen(name));
	add_dir("x", 0755);
	refused(TEU_E_LIMIT);

	/* A name of 200 folders, and a link that leads down as far again. */
	strbuf_reset(&tar);
	for (int i = 0; i < 200; i++)
		strcat(deep, i ? "/a" : "a");
	add_pax("path", deep, strlen(deep));
	add_dir("x", 0755);
	add_pax("linkpath", deep, strlen(deep));
	add_symlink("down", "x");
	for (int i = 0; i < 3; i++) {
		char further[PATH_MAX];

		snprintf(further, sizeof(further), "down/%.3000s", deep);
		add_pax("path", further, strlen(further));
		add_dir("x", 0755);
	}
	add_end();
	ck_assert_int_eq(apply(NULL), TEU_E_CORRUPT);
}
END_TEST

START_TEST(a_cut_tar_is_corrupt)
{
	add_file("f", 0644, "some text");
	tar.len -= 512;
	ck_assert_int_eq(apply(NULL), TEU_E_CORRUPT);
	strbuf_reset(&tar);
	add_file("f", 0644, "some text");
	add_file("g", 0644, "some text");
	tar.len -= 1000;
	ck_assert_int_eq(apply(NULL), TEU_E_CORRUPT);
	strbuf_reset(&tar);
	for (int i = 0; i < 100; i++)
		strbuf_adds(&tar, "this is no tar. ");
	ck_assert_int_eq(apply(NULL), TEU_E_CORRUPT);
}
END_TEST

START_TEST(oversized_headers_are_corrupt)
{
	struct source source = { .endless = 1ULL << 40 };

	/* A pax header of 1 GiB, and a chain of them. */
	add_header("pax", 'x', 0644, 1 << 30, NULL);
	ck_assert_int_eq(apply_layer(root_fd, next_bytes, &source, NULL, NULL, NULL), TEU_E_CORRUPT);
	strbuf_reset(&tar);
	source = (struct source){ .endless = 1ULL << 40 };
	add_header("././@LongLink", 'L', 0644, 1 << 30, NULL);
	ck_assert_int_eq(apply_layer(root_fd, next_bytes, &source, NULL, NULL, NULL), TEU_E_CORRUPT);
	strbuf_reset(&tar);
	for (int i = 0; i < 100000; i++)
		add_pax("comment", "x", 1);
	refused(TEU_E_CORRUPT);
}
END_TEST

/* Each hole on the map costs memory, and a map of nothings deflates to nothing. */
START_TEST(endless_maps_of_holes_meet_a_limit)
{
	_cleanup_(strbuf_done) struct strbuf records = STRBUF_INIT;
	struct source source = { .endless = 1ULL << 40 };
	static char pattern[65537];

	add_record(&records, "GNU.sparse.major", "1", 1);
	add_record(&records, "GNU.sparse.minor", "0", 1);
	add_record(&records, "GNU.sparse.realsize", "2097152", 7);
	add_header("pax", 'x', 0644, records.len, NULL);
	add_padded(records.text, records.len);
	add_header("sparse", '0', 0644, (1ULL << 33) - 1, NULL);
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i % 2 ? '\n' : '0';
	strbuf_adds(&tar, "9999999999\n0");
	source.pattern = pattern + 1;
	ck_assert_int_eq(apply_layer(root_fd, next_bytes, &source, NULL, NULL, NULL), TEU_E_LIMIT);
}
END_TEST

/* A large body where none belongs is passed over in steps. */
START_TEST(bodies_of_other_kinds_are_passed_over)
{
	static const char zeros[8 << 20];

	add_header(".wh.gone", '0', 0644, sizeof(zeros), NULL);
	add_padded(zeros, sizeof(zeros));
	add_file("f", 0644, "f");
	apply_well();
	ck_assert(is_whiteout("gone"));
	holds("f", "f");
}
END_TEST

START_TEST(nothing_is_an_empty_layer)
{
	ck_assert_int_eq(apply(NULL), 0);
	add_end();
	ck_assert_int_eq(apply(NULL), 0);
	ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(a_fired_token_stops_it)
{
	struct apply_options opts = { 0 };
	teu_cancel *cancel = NULL;

	ck_assert_int_eq(teu_cancel_new(&cancel, NULL), 0);
	teu_cancel_fire(cancel);
	opts.cancel = cancel;
	add_file("f", 0644, "x");
	add_end();
	ck_assert_int_eq(apply(&opts), TEU_E_CANCELLED);
	teu_cancel_unref(cancel);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("apply");
	TCase *tc = tcase_create("apply");
	SRunner *sr;
	int failed;

	/* Owners, devices and trusted attributes are root's to make. */
	if (geteuid() != 0)
		return 77;
	sr = srunner_create(s);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, plain_entries);
	tcase_add_test(tc, times_of_folders_are_kept);
	tcase_add_test(tc, pax_and_gnu_extensions);
	tcase_add_test(tc, sparse_files_keep_their_holes);
	tcase_add_test(tc, whiteouts);
	tcase_add_test(tc, entries_replace_earlier_ones);
	tcase_add_test(tc, links_to_folders_are_followed_inside);
	tcase_add_loop_test(tc, hostile_names_are_refused, 0, (int)ARRAY_SIZE(hostile));
	tcase_add_loop_test(tc, links_lead_nowhere_outside, 0, (int)ARRAY_SIZE(ways_out));
	tcase_add_test(tc, a_hard_link_to_a_link_is_not_written_through);
	tcase_add_test(tc, a_file_is_no_folder);
	tcase_add_test(tc, limits_hold);
	tcase_add_test(tc, depth_is_limited);
	tcase_add_test(tc, a_cut_tar_is_corrupt);
	tcase_add_test(tc, oversized_headers_are_corrupt);
	tcase_add_test(tc, endless_maps_of_holes_meet_a_limit);
	tcase_add_test(tc, bodies_of_other_kinds_are_passed_over);
	tcase_add_test(tc, nothing_is_an_empty_layer);
	tcase_add_test(tc, a_fired_token_stops_it);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
