/* archive_spool: the files of an image archive. Limits: CVE-2017-14992, CVE-2023-25153. */
#include "engine/archive_spool.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "format/compress.h"
#include "format/json.h"
#include "format/sha256.h"
#include "format/tar.h"
#include "oci/digest.h"
#include "store/content.h"

enum {
	READ_SIZE = 256 << 10,
	MAX_FILES = 20000,
	MAX_LINKS = 8, /* one behind the other */
	SMALL = 1 << 20,
	MAX_MEMORY = 16 << 20, /* of small files; the rest become blobs */
};

static const uint64_t DEFAULT_MAX_SIZE = 64ULL << 30;

/* The documents that lead to all others. No sane archive has large ones. */
static const char *const documents[] = { "/manifest.json", "/index.json", "/oci-layout", "/repositories" };

/* Where the bytes come from: the stream, inflated where it is compressed. */
struct source {
	int fd;
	struct progress *progress;
	uint64_t done;
	char *packed, *plain; /* READ_SIZE each, owned */
	struct inflate *inflate;
	struct tar_reader *tar;
};

static void source_done(struct source *source)
{
	tar_reader_free(source->tar);
	inflate_free(source->inflate);
	free(source->packed);
	free(source->plain);
}

static ssize_t read_packed(void *data, const void **ret_bytes, teu_error **err)
{
	struct source *source = data;
	struct pollfd fds[] = { { .fd = source->fd, .events = POLLIN },
				{ .fd = cancel_fd(source->progress->cancel), .events = POLLIN } };
	ssize_t n;
	int r;

	do {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return err_errno(err, errno, "wait for the archive");
		r = progress_check(source->progress, 0, err);
		if (r < 0)
			return r;
		n = read(source->fd, source->packed, READ_SIZE);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return err_errno(err, errno, "read the archive");
	source->done += (uint64_t)n;
	progress_report(source->progress, source->done);
	*ret_bytes = source->packed;
	return n;
}

static ssize_t read_plain(void *data, const void **ret_bytes, teu_error **err)
{
	struct source *source = data;

	*ret_bytes = source->plain;
	return inflate_read(source->inflate, source->plain, READ_SIZE, err);
}

static int source_open(struct source *source, teu_error **err)
{
	int r;

	source->packed = malloc(READ_SIZE);
	source->plain = malloc(READ_SIZE);
	if (!source->packed || !source->plain)
		return err_oom(err);
	r = inflate_new(read_packed, source, &source->inflate, err);
	return r < 0 ? r : tar_reader_new(read_plain, source, &source->tar, err);
}

/* The padding behind the end mark, so that whoever writes into the pipe is not broken off. */
static int drain(struct source *source, teu_error **err)
{
	const void *bytes;
	ssize_t n;

	while ((n = read_packed(source, &bytes, err)) > 0)
		;
	return n < 0 ? (int)n : 0;
}

static const struct spool_file *find(const struct spool *spool, const char *path)
{
	for (size_t i = spool->n_files; i-- > 0;)
		if (strcmp(spool->files[i].path, path) == 0)
			return &spool->files[i];
	return NULL;
}

/* Follows links within the archive: docker writes them where two images share a layer. */
static const struct spool_file *resolve(const struct spool *spool, const char *path)
{
	_cleanup_free_ char *clean = path_clean(path);
	const struct spool_file *file;

	file = clean ? find(spool, clean) : NULL;
	for (int i = 0; file && file->link; i++)
		file = i < MAX_LINKS ? find(spool, file->link) : NULL;
	return file;
}

/* Where a link leads: hard links count from the top, symbolic ones from their folder; neither leaves the archive. */
static char *link_target(const struct tar_entry *entry, const char *path)
{
	_cleanup_free_ char *joined = NULL;
	const char *slash = strrchr(path, '/');
	bool from_top = entry->kind == TAR_HARDLINK || entry->link[0] == '/';

	if (asprintf(&joined, "%.*s/%s", from_top ? 0 : (int)(slash - path), path, entry->link) < 0)
		return NULL;
	return path_clean(joined);
}

static bool is_document(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		if (strcmp(path, documents[i]) == 0)
			return true;
	return false;
}

/* "/blobs/sha256/<hex>" -> the digest, when the store has that blob already: its bytes need not be read. */
static bool is_stored(const struct spool *spool, const char *path, char digest[DIGEST_LEN + 1])
{
	static const char folder[] = "/blobs/sha256/";

	if (strncmp(path, folder, sizeof(folder) - 1) != 0)
		return false;
	snprintf(digest, DIGEST_LEN + 1, "sha256:%s", path + sizeof(folder) - 1);
	return content_has(spool->store, digest);
}

/* A file that is being read; the sum is wanted for blobs only. */
struct taking {
	const struct spool *spool;
	struct spool_file *file;
	struct content_draft draft;
	struct sha256 *sum;
	struct strbuf text;
	bool small;
};

static void taking_done(struct taking *t)
{
	content_draft_done(&t->draft);
	sha256_free(t->sum);
	strbuf_done(&t->text);
}

static int take_bytes(struct taking *t, const void *bytes, size_t len, teu_error **err)
{
	int r;

	if (t->small) {
		strbuf_add(&t->text, bytes, len);
		return t->text.oom ? err_oom(err) : 0;
	}
	sha256_add(t->sum, bytes, len);
	r = fd_write_all(t->draft.fd, bytes, len);
	return r < 0 ? err_errno(err, -r, "write blob") : 0;
}

static int take_data(struct taking *t, struct source *source, uint64_t max_size, teu_error **err)
{
	const void *bytes;
	uint64_t offset;
	size_t len;
	int r;

	while ((r = tar_reader_data(source->tar, &bytes, &len, &offset, err)) > 0) {
		if (offset != t->file->size)
			return err_set(err, TEU_E_CORRUPT, "%s is a sparse file: no image archive has one",
				       t->file->path);
		t->file->size += len;
		if (t->file->size > max_size)
			return err_set(err, TEU_E_LIMIT, "%s is larger than %llu bytes", t->file->path,
				       (unsigned long long)max_size);
		r = take_bytes(t, bytes, len, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int keep_small(struct taking *t, teu_error **err)
{
	t->file->bytes = strbuf_take(&t->text);
	return t->file->bytes ? 0 : err_oom(err);
}

static int keep_blob(struct taking *t, teu_error **err)
{
	char text[SHA256_TEXT_MAX];
	int r;

	sha256_text(t->sum, text);
	t->file->digest = strdup(text);
	if (!t->file->digest)
		return err_oom(err);
	if (content_has(t->spool->store, text))
		return 0;
	r = content_draft_name(&t->draft, text, err);
	return r < 0 ? r : content_commit(&t->draft, err);
}

static int take_file(struct spool *spool, struct spool_file *file, struct source *source, uint64_t expected,
		     uint64_t max_size, teu_error **err)
{
	_cleanup_(taking_done) struct taking t = { .spool = spool, .file = file, .draft = { .fd = -EBADF } };
	uint64_t limit = max_size;
	int r = 0;

	if (is_document(file->path))
		limit = JSON_MAX_SIZE;
	t.small = expected <= SMALL && spool->memory + expected <= MAX_MEMORY;
	if (t.small) {
		limit = limit < SMALL ? limit : SMALL;
		spool->memory += expected;
	} else {
		r = sha256_new(&t.sum, err);
		if (r == 0)
			r = content_begin_new(spool->store, &t.draft, err);
	}
	if (r == 0)
		r = take_data(&t, source, limit, err);
	if (r < 0)
		return r;
	return t.small ? keep_small(&t, err) : keep_blob(&t, err);
}

static int new_file(struct spool *spool, const char *name, struct spool_file **ret, teu_error **err)
{
	struct spool_file *grown;

	if (spool->n_files == MAX_FILES)
		return err_set(err, TEU_E_LIMIT, "the archive has more than %d files", MAX_FILES);
	grown = reallocarray(spool->files, spool->n_files + 1, sizeof(*grown));
	if (!grown)
		return err_oom(err);
	spool->files = grown;
	spool->files[spool->n_files] = (struct spool_file){ .path = path_clean(name) };
	if (!spool->files[spool->n_files].path)
		return err_oom(err);
	*ret = &spool->files[spool->n_files++];
	return 0;
}

static int take_entry(struct spool *spool, struct source *source, const struct tar_entry *entry, uint64_t max_size,
		      teu_error **err)
{
	char digest[DIGEST_LEN + 1];
	struct spool_file *file = NULL;
	int r;

	/* Folders say nothing; devices have no business here. */
	if (entry->kind != TAR_FILE && entry->kind != TAR_SYMLINK && entry->kind != TAR_HARDLINK)
		return 0;
	r = new_file(spool, entry->name, &file, err);
	if (r < 0)
		return r;
	if (entry->kind != TAR_FILE) {
		file->link = link_target(entry, file->path);
		return file->link ? 0 : err_oom(err);
	}
	if (is_stored(spool, file->path, digest)) {
		file->size = entry->size;
		file->digest = strdup(digest);
		return file->digest ? 0 : err_oom(err);
	}
	return take_file(spool, file, source, entry->size, max_size, err);
}

int spool_read(struct spool *spool, const struct store *store, int fd, uint64_t max_size, struct progress *progress,
	       teu_error **err)
{
	_cleanup_(source_done) struct source source = { .fd = fd, .progress = progress };
	struct tar_entry entry;
	int r = source_open(&source, err);

	spool->store = store;
	if (r < 0)
		return r;
	while ((r = tar_reader_next(source.tar, &entry, err)) > 0) {
		r = take_entry(spool, &source, &entry, max_size ? max_size : DEFAULT_MAX_SIZE, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : drain(&source, err);
}

bool spool_has(const struct spool *spool, const char *path)
{
	return resolve(spool, path);
}

static int get(const struct spool *spool, const char *path, const struct spool_file **ret, teu_error **err)
{
	*ret = resolve(spool, path);
	return *ret ? 0 : err_set(err, TEU_E_CORRUPT, "the archive has no file %s", path);
}

int spool_text(const struct spool *spool, const char *path, char **ret, size_t *ret_len, teu_error **err)
{
	const struct spool_file *file = NULL;
	int r = get(spool, path, &file, err);

	if (r < 0)
		return r;
	if (!file->bytes)
		return err_wrap(err, content_read_trusted(spool->store, file->digest, ret, ret_len, err), "%s", path);
	*ret = malloc(file->size + 1);
	if (!*ret)
		return err_oom(err);
	memcpy(*ret, file->bytes, file->size + 1);
	*ret_len = file->size;
	return 0;
}

int spool_blob(const struct spool *spool, const char *path, const char *digest, char **ret_digest, uint64_t *ret_size,
	       teu_error **err)
{
	_cleanup_free_ char *found = NULL;
	const struct spool_file *file = NULL;
	int r = get(spool, path, &file, err);

	if (r == 0 && file->bytes)
		r = content_put(spool->store, file->bytes, file->size, &found, err);
	if (r < 0)
		return r;
	if (!found)
		found = strdup(file->digest);
	if (!found)
		return err_oom(err);
	if (digest && strcmp(found, digest) != 0)
		return err_set(err, TEU_E_CORRUPT, "%s has the digest %s", path, found);
	if (ret_size)
		*ret_size = file->size;
	if (ret_digest)
		*ret_digest = TAKE_PTR(found);
	return 0;
}

void spool_done(struct spool *spool)
{
	for (size_t i = 0; i < spool->n_files; i++) {
		free(spool->files[i].path);
		free(spool->files[i].link);
		free(spool->files[i].bytes);
		free(spool->files[i].digest);
	}
	free(spool->files);
	*spool = (struct spool){ 0 };
}
