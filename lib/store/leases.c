/* leases: what a running operation needs kept. */
#include "store/leases.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/lock.h"
#include "oci/digest.h"

/* The line that keeps everything. */
static const char ALL[] = "*";

enum { MAX_SIZE = 4 << 20 };

/* Born under the shared inventory lock: the collector never sees it without its own lock. */
int lease_take(const struct store *store, struct lease *ret, teu_error **err)
{
	_cleanup_close_ int inventory = -EBADF;
	char name[STORE_NAME_MAX];
	int r;

	*ret = LEASE_INIT;
	r = store_new_name("leases/", name, err);
	if (r == 0)
		r = store_lock(store, LOCK_SHARED, &inventory, err);
	if (r < 0)
		return r;
	ret->name = strdup(name);
	if (!ret->name)
		return err_oom(err);
	ret->store = store;
	r = lock_take(store->root_fd, name, LOCK_EXCLUSIVE, &ret->fd, err);
	if (r < 0)
		lease_done(ret);
	return r;
}

static int add_line(struct lease *lease, const char *text, teu_error **err)
{
	_cleanup_close_ int inventory = -EBADF;
	char line[DIGEST_LEN + 2];
	int len, r = store_lock(lease->store, LOCK_SHARED, &inventory, err);

	if (r < 0)
		return r;
	len = snprintf(line, sizeof(line), "%s\n", text);
	/* One write at the end, whatever other threads add. */
	if (fcntl(lease->fd, F_SETFL, O_APPEND) < 0)
		return err_errno(err, errno, "lease %s", lease->name);
	r = fd_write_all(lease->fd, line, (size_t)len);
	return r < 0 ? err_errno(err, -r, "write lease %s", lease->name) : 0;
}

int lease_add(struct lease *lease, const char *digest, teu_error **err)
{
	int r = digest_check(digest, "lease", err);

	return r < 0 ? r : add_line(lease, digest, err);
}

int lease_add_all(struct lease *lease, teu_error **err)
{
	return add_line(lease, ALL, err);
}

void lease_done(struct lease *lease)
{
	/* Unlinked while still locked, so that nobody takes the file for a dead owner's. */
	if (lease->name && lease->fd >= 0) {
		unlinkat(lease->store->root_fd, lease->name, 0);
		close(lease->fd);
	}
	free(lease->name);
	*lease = LEASE_INIT;
}

static int read_one(int dir_fd, const char *name, struct strv *digests, bool *all, teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	char *at, *line;
	int r = fd_read_file(dir_fd, name, MAX_SIZE, &text, NULL, err);

	if (r < 0)
		return r;
	at = text;
	while ((line = strsep(&at, "\n"))) {
		if (strcmp(line, ALL) == 0)
			*all = true;
		else if (digest_is_valid(line))
			strv_add(digests, line);
	}
	return digests->oom ? err_oom(err) : 0;
}

int leases_read(const struct store *store, struct strv *ret_digests, bool *ret_all, teu_error **err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int fd, r;

	*ret_all = false;
	r = fd_open_dir(store->root_fd, "leases", 0710, &fd, err);
	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_oom(err);
	}
	while ((entry = readdir(dir))) {
		_cleanup_error_ teu_error *gone = NULL;

		if (entry->d_name[0] == '.')
			continue;
		if (!lock_is_held(fd, entry->d_name)) {
			unlinkat(fd, entry->d_name, 0);
			continue;
		}
		/* Its owner may end it just now: it holds no inventory lock for that. */
		r = read_one(fd, entry->d_name, ret_digests, ret_all, &gone);
		if (r < 0 && r != TEU_E_NOT_FOUND) {
			if (err)
				*err = TAKE_PTR(gone);
			return r;
		}
	}
	return 0;
}
