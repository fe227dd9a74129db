/*
 * fuzz_apply: any bytes as a layer. Whatever apply makes of them, nothing may appear beside the layer's root, and the
 * root must be removable again.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strbuf.h"
#include "format/tar.h"
#include "layerfs/apply.h"

const size_t fuzz_rounds = 600;

static char scratch[] = "/tmp/teu-fuzz-XXXXXX";
static int scratch_fd = -1;

static void leave(void)
{
	fd_remove_tree(AT_FDCWD, scratch, NULL);
}

static void enter(void)
{
	if (scratch_fd >= 0)
		return;
	if (!mkdtemp(scratch))
		abort();
	atexit(leave);
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

struct source {
	const uint8_t *bytes;
	size_t left;
};

static ssize_t next_bytes(void *data, const void **ret, teu_error **err)
{
	struct source *s = data;
	size_t n = s->left < 4096 ? s->left : 4096;

	(void)err;
	*ret = s->bytes;
	s->bytes += n;
	s->left -= n;
	return (ssize_t)n;
}

static void check_beside(void)
{
	_cleanup_closedir_ DIR *dir = fdopendir(openat(scratch_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;

	if (!dir)
		abort();
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && strcmp(e->d_name, "root") != 0)
			abort();
}

/* A header whose checksum is wrong is never looked at: put right wherever there is one. */
static void put_right(uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at + 512 <= len; at += 512) {
		uint8_t *h = bytes + at;
		unsigned sum = 0;

		if (memcmp(h + 257, "ustar", 5) != 0)
			continue;
		memset(h + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += h[i];
		snprintf((char *)h + 148, 8, "%06o", sum);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_free_ uint8_t *copy = malloc(len + 1);
	struct apply_options options = { .max_size = 1 << 20, .max_files = 1000 };
	struct source source = { copy, len };
	_cleanup_close_ int root_fd = -EBADF;
	_cleanup_error_ teu_error *err = NULL;
	int r;

	enter();
	if (!copy)
		abort();
	memcpy(copy, bytes, len);
	put_right(copy, len);
	if (fd_open_dir(scratch_fd, "root", 0755, &root_fd, NULL) < 0)
		abort();
	r = apply_layer(root_fd, next_bytes, &source, &options, NULL, &err);
	if (r != teu_error_code(err))
		abort();
	check_beside();
	if (fd_remove_tree(scratch_fd, "root", NULL) < 0)
		abort();
	return 0;
}

static int into_buffer(void *data, const void *bytes, size_t len, teu_error **err)
{
	(void)err;
	strbuf_add(data, bytes, len);
	return 0;
}

/* One of everything, with pax headers (the long name, the time's fraction) and without. */
static const struct tar_entry entries[] = {
	{ .kind = TAR_DIR, .name = "./", .mode = 0755 },
	{ .kind = TAR_DIR, .name = "dir/", .mode = 01777 },
	{ .kind = TAR_FILE, .name = "dir/file", .mode = 04755, .uid = 5, .size = 5 },
	{ .kind = TAR_FILE, .name = "a/b/c/d/e", .mode = 0644, .size = 5, .mtime = { 1, 5000 } },
	{ .kind = TAR_SYMLINK, .name = "link", .link = "../../dir", .mode = 0777 },
	{ .kind = TAR_FILE, .name = "link/through", .mode = 0644, .size = 5 },
	{ .kind = TAR_HARDLINK, .name = "hard", .link = "dir/file" },
	{ .kind = TAR_SYMLINK, .name = "out", .link = "../../../../../../tmp", .mode = 0777 },
	{ .kind = TAR_CHAR, .name = "null", .mode = 0666, .major = 1, .minor = 3 },
	{ .kind = TAR_FIFO, .name = "fifo", .mode = 0600 },
	{ .kind = TAR_FILE, .name = "dir/.wh.gone", .mode = 0600 },
	{ .kind = TAR_FILE, .name = "dir/.wh..wh..opq", .mode = 0600 },
};

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	_cleanup_(tar_writer_freep) struct tar_writer *writer = NULL;
	struct strbuf tar = STRBUF_INIT;

	if (n >= 3 || tar_writer_new(into_buffer, &tar, &writer, NULL) < 0)
		return NULL;
	/* The whole, and its halves: the shorter the seed, the more a mutation hits. */
	for (size_t i = n == 2 ? ARRAY_SIZE(entries) / 2 : 0; i < ARRAY_SIZE(entries) / (n == 1 ? 2 : 1); i++)
		if (tar_writer_add(writer, &entries[i], NULL) < 0 ||
		    tar_writer_data(writer, "12345", entries[i].size, NULL) < 0)
			abort();
	if (tar_writer_finish(writer, NULL) < 0)
		abort();
	/* The block's padding would only be filling. */
	while (tar.len > 1024 && tar.text[tar.len - 1] == 0)
		tar.len--;
	*ret_len = tar.len;
	return (uint8_t *)strbuf_take(&tar);
}
