/* containers: their records on disk, read. */
#include "store/containers.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/lock.h"
#include "store/name.h"

enum { PATH_LEN = NAME_MAX_LEN + 64 };

static bool is_id(const char *text)
{
	return strlen(text) == CONTAINER_ID_LEN && strspn(text, "0123456789abcdef") == CONTAINER_ID_LEN;
}

bool containers_has(const struct store *store, const char *id)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "containers/%s", id);
	return faccessat(store->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool containers_name_owner(const struct store *store, const char *name, char id[CONTAINER_ID_LEN + 1])
{
	char path[PATH_LEN];
	ssize_t n;

	snprintf(path, sizeof(path), "names/%s", name);
	n = readlinkat(store->root_fd, path, id, CONTAINER_ID_LEN + 1);
	if (n != CONTAINER_ID_LEN)
		return false;
	id[n] = '\0';
	return is_id(id);
}

int containers_new_id(char id[CONTAINER_ID_LEN + 1], teu_error **err)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[CONTAINER_ID_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return err_errno(err, errno, "getrandom");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		id[2 * i] = digits[bytes[i] >> 4];
		id[2 * i + 1] = digits[bytes[i] & 15];
	}
	id[CONTAINER_ID_LEN] = '\0';
	return 0;
}

/* A lock whose file was unlinked while we waited for it guards nothing: take the file that is there now. */
static int lock_live(const struct store *store, const char *id, bool wait, int *ret_fd, teu_error **err)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "locks/%s", id);
	for (;;) {
		_cleanup_close_ int fd = -EBADF;
		struct stat st;
		int r = wait ? lock_take(store->run_fd, path, LOCK_EXCLUSIVE, &fd, err)
			     : lock_try(store->run_fd, path, LOCK_EXCLUSIVE, &fd, err);

		if (r < 0)
			return r;
		if (fstat(fd, &st) < 0)
			return err_errno(err, errno, "stat %s", path);
		if (st.st_nlink) {
			*ret_fd = TAKE_FD(fd);
			return 0;
		}
	}
}

int containers_lock(const struct store *store, const char *id, int *ret_fd, teu_error **err)
{
	return lock_live(store, id, true, ret_fd, err);
}

void containers_unlock(const struct store *store, const char *id, int *fd)
{
	char path[PATH_LEN];

	if (*fd < 0)
		return;
	snprintf(path, sizeof(path), "locks/%s", id);
	if (!containers_has(store, id))
		unlinkat(store->run_fd, path, 0);
	close(TAKE_FD(*fd));
}

int containers_try_lock(const struct store *store, const char *id, int *ret_fd, teu_error **err)
{
	return lock_live(store, id, false, ret_fd, err);
}

static int find_prefix(const struct store *store, const char *prefix, char id[CONTAINER_ID_LEN + 1], teu_error **err)
{
	_cleanup_(strv_done) struct strv all = STRV_INIT;
	size_t len = strlen(prefix), found = 0;
	int r = containers_list(store, false, &all, err);

	if (r < 0)
		return r;
	strv_foreach (one, &all)
		if (strncmp(*one, prefix, len) == 0 && found++ == 0)
			strcpy(id, *one);
	if (found > 1)
		return err_set(err, TEU_E_CONFLICT,
			       "%zu containers have an id that begins with \"%s\": give more of it", found, prefix);
	return found ? 0 : err_set(err, TEU_E_NOT_FOUND, "no such container: %s", prefix);
}

int containers_find(const struct store *store, const char *name, char id[CONTAINER_ID_LEN + 1], teu_error **err)
{
	if (*name == '/')
		name++;
	if (is_id(name) && containers_has(store, name)) {
		strcpy(id, name);
		return 0;
	}
	if (name_ok(name) && containers_name_owner(store, name, id) && containers_has(store, id))
		return 0;
	if (*name && strlen(name) < CONTAINER_ID_LEN && strspn(name, "0123456789abcdef") == strlen(name))
		return find_prefix(store, name, id, err);
	return err_set(err, TEU_E_NOT_FOUND, "no such container: %s", name);
}

int containers_read(const struct store *store, const char *id, const char *file, json **ret, teu_error **err)
{
	_cleanup_error_ teu_error *cause = NULL;
	_cleanup_free_ char *text = NULL;
	char path[PATH_LEN];
	size_t len;
	int r;

	snprintf(path, sizeof(path), "containers/%s/%s", id, file);
	r = fd_read_file(store->root_fd, path, JSON_MAX_SIZE, &text, &len, &cause);
	if (r == TEU_E_NOT_FOUND)
		return err_set(err, r, "no such container: %.12s", id);
	if (r == 0)
		r = json_parse(text, len, ret, &cause);
	if (r < 0)
		return err_set(err, r, "%s: %s", path, teu_error_message(cause));
	return 0;
}

int containers_list(const struct store *store, bool run_root, struct strv *ret, teu_error **err)
{
	int fd = openat(run_root ? store->run_fd : store->root_fd, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd < 0 && errno == ENOENT)
			return 0;
		if (fd >= 0)
			close(fd);
		return err_errno(err, errno, "open folder containers");
	}
	while ((entry = readdir(dir)))
		if (is_id(entry->d_name))
			strv_add(ret, entry->d_name);
	return ret->oom ? err_oom(err) : 0;
}
