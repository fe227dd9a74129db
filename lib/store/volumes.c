/* volumes: folders that outlive containers. */
#include "store/volumes.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/lock.h"
#include "store/containers.h"
#include "store/name.h"

#define REMOVING ".removing-"

enum { PATH_LEN = NAME_MAX_LEN + 64 };

char *volumes_path(const struct store *store, const char *name)
{
	char *path;

	return asprintf(&path, "%s/volumes/%s/_data", store->root, name) < 0 ? NULL : path;
}

/* What the folder does not say itself. */
static int write_record(const struct store *store, const char *name, bool anonymous, teu_error **err)
{
	_cleanup_json_ json *record = json_object();
	_cleanup_free_ char *text = NULL;
	char path[PATH_LEN], now[CLOCK_TEXT_MAX];

	clock_format(clock_now_ns(), now);
	if (!json_add_string(record, "Name", name) || !json_add_string(record, "CreatedAt", now) ||
	    !json_add_bool(record, "Anonymous", anonymous))
		return err_oom(err);
	text = json_print(record);
	if (!text)
		return err_oom(err);
	snprintf(path, sizeof(path), "volumes/%s/volume.json", name);
	return fd_replace_file(store->root_fd, path, text, strlen(text), 0600, FD_NO_SYNC, err);
}

int volumes_create(const struct store *store, const char *name, bool anonymous, teu_error **err)
{
	char path[PATH_LEN];
	bool made;

	if (!name_ok(name))
		return err_set(
			err, TEU_E_INVALID,
			"invalid volume name \"%s\": only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, and at least two of "
			"them; a host folder begins with /",
			name);
	snprintf(path, sizeof(path), "volumes/%s", name);
	made = mkdirat(store->root_fd, path, 0711) == 0;
	if (!made && errno != EEXIST)
		return err_errno(err, errno, "make folder %s", path);
	snprintf(path, sizeof(path), "volumes/%s/_data", name);
	if (mkdirat(store->root_fd, path, 0755) < 0 && errno != EEXIST)
		return err_errno(err, errno, "make folder %s", path);
	return made ? write_record(store, name, anonymous, err) : 0;
}

int volumes_read(const struct store *store, const char *name, json **ret, teu_error **err)
{
	_cleanup_json_ json *volume = json_object(), *record = NULL;
	_cleanup_free_ char *text = NULL, *mountpoint = volumes_path(store, name);
	char path[PATH_LEN], created[CLOCK_TEXT_MAX];
	struct stat st;
	size_t len;
	bool ok;

	if (!volume || !mountpoint)
		return err_oom(err);
	snprintf(path, sizeof(path), "volumes/%s", name);
	if (!name_ok(name) || fstatat(store->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, TEU_E_NOT_FOUND, "no such volume: %s", name);
	/* Its maker may have died before it wrote the record: the folder's own time serves then. */
	snprintf(path, sizeof(path), "volumes/%s/volume.json", name);
	if (fd_read_file(store->root_fd, path, JSON_MAX_SIZE, &text, &len, NULL) == 0)
		json_parse(text, len, &record, NULL);
	clock_format(st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec, created);
	ok = json_add_string(volume, "CreatedAt", json_get_text(record, "CreatedAt", created)) &&
	     json_add_string(volume, "Driver", "local") && json_add(volume, "Labels", json_object()) &&
	     json_add_string(volume, "Mountpoint", mountpoint) && json_add_string(volume, "Name", name) &&
	     json_add(volume, "Options", json_object()) && json_add_string(volume, "Scope", "local");
	if (ok && json_get_truth(record, "Anonymous", false))
		ok = json_add_string(json_get_mutable(volume, "Labels"), "com.docker.volume.anonymous", "");
	if (!ok)
		return err_oom(err);
	*ret = TAKE_PTR(volume);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Calls @each for every entry of volumes/. */
static int walk(const struct store *store, void (*each)(const struct store *store, const char *entry, void *data),
		void *data, teu_error **err)
{
	int fd = openat(store->root_fd, "volumes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		int eno = errno;

		if (fd >= 0)
			close(fd);
		return err_errno(err, eno, "open folder volumes");
	}
	while ((entry = readdir(dir)))
		each(store, entry->d_name, data);
	return 0;
}

static void add_name(const struct store *store, const char *entry, void *data)
{
	(void)store;
	if (name_ok(entry))
		strv_add(data, entry);
}

int volumes_list(const struct store *store, struct strv *ret, teu_error **err)
{
	int r = walk(store, add_name, ret, err);

	if (r < 0)
		return r;
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), by_name);
	return ret->oom ? err_oom(err) : 0;
}

/* Does the record of container @id mount volume @name? The text is searched first: most records are never parsed. */
static bool used_by(const struct store *store, const char *id, const char *name)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *record = NULL;
	char path[PATH_LEN];
	size_t len;

	snprintf(path, sizeof(path), "containers/%s/container.json", id);
	if (fd_read_file(store->root_fd, path, JSON_MAX_SIZE, &text, &len, NULL) < 0 || !strstr(text, name) ||
	    json_parse(text, len, &record, NULL) < 0)
		return false;
	json_foreach (mount, json_get(record, "Mounts"))
		if (strcmp(json_get_text(mount, "Type", ""), "volume") == 0 &&
		    strcmp(json_get_text(mount, "Name", ""), name) == 0)
			return true;
	return false;
}

static int check_unused(const struct store *store, const char *name, teu_error **err)
{
	_cleanup_(strv_done) struct strv ids = STRV_INIT;
	int r = containers_list(store, false, &ids, err);

	if (r < 0)
		return r;
	strv_foreach (id, &ids)
		if (used_by(store, *id, name))
			return err_set(err, TEU_E_CONFLICT, "volume %s is in use by container %.12s: remove that first",
				       name, *id);
	return 0;
}

/* Makes it disappear at once; the tree goes after. */
static int set_aside(const struct store *store, const char *name, char aside[PATH_LEN], teu_error **err)
{
	char path[PATH_LEN];
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_errno(err, errno, "getrandom");
	snprintf(path, sizeof(path), "volumes/%s", name);
	snprintf(aside, PATH_LEN, "volumes/" REMOVING "%016" PRIx64, random);
	if (renameat(store->root_fd, path, store->root_fd, aside) < 0) {
		if (errno == ENOENT)
			return err_set(err, TEU_E_NOT_FOUND, "no such volume: %s", name);
		return err_errno(err, errno, "remove volume %s", name);
	}
	return 0;
}

int volumes_remove(const struct store *store, const char *name, teu_error **err)
{
	char aside[PATH_LEN];
	int r;

	if (!name_ok(name))
		return err_set(err, TEU_E_NOT_FOUND, "no such volume: %s", name);
	{
		/* A container that takes up the volume does so under the shared lock, until its record is visible. */
		_cleanup_close_ int lock_fd = -EBADF;

		r = lock_take(store->root_fd, "lock", LOCK_EXCLUSIVE, &lock_fd, err);
		if (r == 0)
			r = check_unused(store, name, err);
		if (r == 0)
			r = set_aside(store, name, aside, err);
	}
	return r < 0 ? r : fd_remove_tree(store->root_fd, aside, err);
}

static void sweep_entry(const struct store *store, const char *entry, void *data)
{
	char path[PATH_LEN];

	(void)data;
	if (strncmp(entry, REMOVING, strlen(REMOVING)) != 0)
		return;
	snprintf(path, sizeof(path), "volumes/%s", entry);
	fd_remove_tree(store->root_fd, path, NULL);
}

int volumes_sweep(const struct store *store, teu_error **err)
{
	return walk(store, sweep_entry, NULL, err);
}
