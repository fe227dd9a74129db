/* content: blobs by digest. Verified and synced before they appear under their digest. */
#include "store/content.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "format/json.h"
#include "format/sha256.h"
#include "oci/digest.h"

enum { PATH_MAX_LEN = 96, BLOB_MODE = 0644, SMALL_BLOB = JSON_MAX_SIZE };

static void blob_path(const char *digest, char path[PATH_MAX_LEN])
{
	snprintf(path, PATH_MAX_LEN, "blobs/sha256/%s", digest_hex(digest));
}

bool content_has(const struct store *store, const char *digest)
{
	char path[PATH_MAX_LEN];

	if (!digest_is_valid(digest))
		return false;
	blob_path(digest, path);
	return faccessat(store->root_fd, path, F_OK, 0) == 0;
}

int content_open(const struct store *store, const char *digest, int *ret_fd, uint64_t *ret_size, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	char path[PATH_MAX_LEN];
	struct stat st;
	int r = digest_check(digest, "blob", err);

	if (r < 0)
		return r;
	blob_path(digest, path);
	fd = openat(store->root_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, TEU_E_NOT_FOUND, "blob %s is not in the store", digest);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, errno, "open blob %s", digest);
	if (ret_size)
		*ret_size = (uint64_t)st.st_size;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int content_read_trusted(const struct store *store, const char *digest, char **ret_text, size_t *ret_len,
			 teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r = content_open(store, digest, &fd, NULL, err);

	if (r < 0)
		return r;
	return err_wrap(err, fd_read_rest(fd, "blob", SMALL_BLOB, ret_text, ret_len, err), "blob %s", digest);
}

int content_read(const struct store *store, const char *digest, char **ret_text, size_t *ret_len, teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	char sum[SHA256_TEXT_MAX];
	size_t len;
	int r = content_read_trusted(store, digest, &text, &len, err);

	if (r == 0)
		r = sha256_of(text, len, sum, err);
	if (r < 0)
		return r;
	if (strcmp(sum, digest) != 0)
		return err_set(err, TEU_E_CORRUPT, "blob %s has the digest %s", digest, sum);
	*ret_text = TAKE_PTR(text);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int content_put(const struct store *store, const void *bytes, size_t len, char **ret_digest, teu_error **err)
{
	_cleanup_(content_draft_done) struct content_draft draft = { .fd = -EBADF };
	char sum[SHA256_TEXT_MAX];
	int r = sha256_of(bytes, len, sum, err);

	if (r < 0)
		return r;
	if (!content_has(store, sum)) {
		r = content_begin_new(store, &draft, err);
		if (r < 0)
			return r;
		r = fd_write_all(draft.fd, bytes, len);
		if (r < 0)
			return err_errno(err, -r, "write blob %s", sum);
		r = content_draft_name(&draft, sum, err);
		if (r == 0)
			r = content_commit(&draft, err);
		if (r < 0)
			return r;
	}
	*ret_digest = strdup(sum);
	return *ret_digest ? 0 : err_oom(err);
}

/*
 * The file that was locked must still be the one of that name: whoever had the lock before may have published or
 * removed it meanwhile.
 */
static bool still_named(const struct store *store, const char *name, int fd, struct stat *ret)
{
	struct stat named;

	return fstat(fd, ret) == 0 && fstatat(store->root_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ret->st_dev == named.st_dev && ret->st_ino == named.st_ino;
}

static int open_draft(const struct store *store, const char *name, const teu_cancel *cancel, struct content_draft *ret,
		      teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	for (;;) {
		int r = lock_take_unless(store->root_fd, name, LOCK_EXCLUSIVE, cancel, &fd, err);

		if (r < 0)
			return r;
		if (still_named(store, name, fd, &st))
			break;
		close(TAKE_FD(fd));
	}
	if (fcntl(fd, F_SETFL, O_APPEND) < 0)
		return err_errno(err, errno, "open %s", name);
	ret->store = store;
	ret->name = strdup(name);
	ret->fd = TAKE_FD(fd);
	ret->have = (uint64_t)st.st_size;
	return ret->name ? 0 : err_oom(err);
}

int content_begin(const struct store *store, const char *digest, const teu_cancel *cancel, struct content_draft *ret,
		  bool *ret_exists, teu_error **err)
{
	_cleanup_(content_draft_done) struct content_draft draft = { .fd = -EBADF };
	char name[PATH_MAX_LEN];
	int r = digest_check(digest, "blob", err);

	*ret = (struct content_draft){ .fd = -EBADF };
	if (r < 0)
		return r;
	*ret_exists = content_has(store, digest);
	if (*ret_exists)
		return 0;
	snprintf(name, sizeof(name), "tmp/%s", digest_hex(digest));
	r = open_draft(store, name, cancel, &draft, err);
	if (r < 0)
		return r;
	draft.digest = strdup(digest);
	if (!draft.digest)
		return err_oom(err);
	*ret_exists = content_has(store, digest);
	if (*ret_exists) {
		content_discard(&draft);
		return 0;
	}
	*ret = draft;
	draft = (struct content_draft){ .fd = -EBADF };
	return 0;
}

int content_begin_new(const struct store *store, struct content_draft *ret, teu_error **err)
{
	char name[STORE_NAME_MAX];
	int r = store_new_name("tmp/new-", name, err);

	*ret = (struct content_draft){ .fd = -EBADF };
	if (r == 0)
		r = open_draft(store, name, NULL, ret, err);
	if (r < 0)
		content_draft_done(ret);
	return r;
}

int content_draft_name(struct content_draft *draft, const char *digest, teu_error **err)
{
	int r = digest_check(digest, "blob", err);

	if (r < 0)
		return r;
	free(draft->digest);
	draft->digest = strdup(digest);
	return draft->digest ? 0 : err_oom(err);
}

static int sync_folder(const struct store *store, const char *name, teu_error **err)
{
	_cleanup_close_ int fd = openat(store->root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_errno(err, errno, "sync folder %s", name);
	return 0;
}

int content_commit(struct content_draft *draft, teu_error **err)
{
	char path[PATH_MAX_LEN];

	blob_path(draft->digest, path);
	if (fchmod(draft->fd, BLOB_MODE) < 0 || fsync(draft->fd) < 0)
		return err_errno(err, errno, "sync blob %s", draft->digest);
	if (renameat(draft->store->root_fd, draft->name, draft->store->root_fd, path) < 0)
		return err_errno(err, errno, "name blob %s", draft->digest);
	free(TAKE_PTR(draft->name));
	return sync_folder(draft->store, "blobs/sha256", err);
}

void content_discard(struct content_draft *draft)
{
	if (draft->fd >= 0 && draft->name && ftruncate(draft->fd, 0) == 0)
		draft->have = 0;
}

/* Only what the next try can go on from is worth keeping. Removed while locked: nobody can have begun to use it. */
static bool worth_keeping(const struct content_draft *draft)
{
	struct stat st;

	return draft->digest && strncmp(draft->name, "tmp/new-", 8) != 0 && fstat(draft->fd, &st) == 0 &&
	       st.st_size > 0;
}

void content_draft_done(struct content_draft *draft)
{
	if (draft->store && draft->fd >= 0) {
		if (draft->name && !worth_keeping(draft))
			unlinkat(draft->store->root_fd, draft->name, 0);
		close(draft->fd);
	}
	free(draft->digest);
	free(draft->name);
	*draft = (struct content_draft){ .fd = -EBADF };
}
