/* containers: their records on disk. The order of the steps is in the header. */
#include "store/containers.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/lock.h"
#include "store/name.h"
#include "store/volumes.h"

#define DRAFT ".draft-"
#define REMOVING ".removing-"
#define REMOVING_VOLUMES ".removing-volumes-"

enum { PATH_LEN = NAME_MAX_LEN + 64 };

static bool is_id(const char *text)
{
	return strlen(text) == CONTAINER_ID_LEN && strspn(text, "0123456789abcdef") == CONTAINER_ID_LEN;
}

static bool exists(int dir_fd, const char *path)
{
	return faccessat(dir_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool record_exists(const struct store *store, const char *id)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "containers/%s", id);
	return exists(store->root_fd, path);
}

/* Whose name is it? False: nobody's. */
static bool name_owner(const struct store *store, const char *name, char id[CONTAINER_ID_LEN + 1])
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

/* Takes the name away if it is still that of @id. */
static void drop_name(const struct store *store, const char *name, const char *id)
{
	char owner[CONTAINER_ID_LEN + 1], path[PATH_LEN];

	if (!name_owner(store, name, owner) || strcmp(owner, id) != 0)
		return;
	snprintf(path, sizeof(path), "names/%s", name);
	unlinkat(store->root_fd, path, 0);
}

static void drop_lock(const struct store *store, const char *id)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "locks/%s", id);
	unlinkat(store->run_fd, path, 0);
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

/* The name of a container whose maker or remover died: takes it away so that it can be given anew. */
static bool free_dangling_name(const struct store *store, const char *name)
{
	_cleanup_close_ int lock_fd = -EBADF;
	char owner[CONTAINER_ID_LEN + 1];

	if (!name_owner(store, name, owner))
		return true;
	if (record_exists(store, owner) || lock_live(store, owner, false, &lock_fd, NULL) < 0)
		return false;
	if (!record_exists(store, owner)) {
		drop_name(store, name, owner);
		drop_lock(store, owner);
		return true;
	}
	return false;
}

static int take_name(const struct store *store, const char *name, const char *id, teu_error **err)
{
	char path[PATH_LEN], owner[CONTAINER_ID_LEN + 1] = "";

	snprintf(path, sizeof(path), "names/%s", name);
	for (int tries = 0; tries < 3; tries++) {
		if (symlinkat(id, store->root_fd, path) == 0)
			return 0;
		if (errno != EEXIST)
			return err_errno(err, errno, "make %s", path);
		if (!free_dangling_name(store, name))
			break;
	}
	name_owner(store, name, owner);
	return err_set(err, TEU_E_CONFLICT,
		       "the container name \"/%s\" is already in use by container \"%s\": remove that container, or "
		       "choose another name",
		       name, owner);
}

int containers_begin(const struct store *store, const char *id, const char *name, struct container_draft *ret,
		     teu_error **err)
{
	_cleanup_(containers_draft_done) struct container_draft draft = CONTAINER_DRAFT_INIT;
	char path[PATH_LEN];
	int r;

	if (!name_ok(name))
		return err_set(err, TEU_E_INVALID,
			       "invalid container name \"%s\": only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, and at "
			       "least two of them",
			       name);
	draft.store = store;
	strcpy(draft.id, id);
	r = lock_live(store, id, true, &draft.lock_fd, err);
	if (r < 0)
		return r;
	r = take_name(store, name, id, err);
	if (r < 0)
		return r;
	draft.name = strdup(name);
	if (!draft.name) {
		drop_name(store, name, id);
		return err_oom(err);
	}
	snprintf(path, sizeof(path), "containers/" DRAFT "%s", id);
	if (mkdirat(store->root_fd, path, 0710) < 0)
		return err_errno(err, errno, "make folder %s", path);
	draft.dir_fd = openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (draft.dir_fd < 0)
		return err_errno(err, errno, "open folder %s", path);
	*ret = draft;
	draft = CONTAINER_DRAFT_INIT;
	return 0;
}

int containers_put(const struct container_draft *draft, const char *file, const char *text, enum fd_sync sync,
		   teu_error **err)
{
	_cleanup_close_ int fd = openat(draft->dir_fd, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_errno(err, errno, "make %s of container %.12s", file, draft->id);
	r = fd_write_all(fd, text, strlen(text));
	if (r == 0 && sync == FD_SYNC && fdatasync(fd) < 0)
		r = -errno;
	return r < 0 ? err_errno(err, -r, "write %s of container %.12s", file, draft->id) : 0;
}

int containers_commit(struct container_draft *draft, teu_error **err)
{
	char from[PATH_LEN], to[PATH_LEN];

	snprintf(from, sizeof(from), "containers/" DRAFT "%s", draft->id);
	snprintf(to, sizeof(to), "containers/%s", draft->id);
	if (renameat(draft->store->root_fd, from, draft->store->root_fd, to) < 0)
		return err_errno(err, errno, "publish container %.12s", draft->id);
	free(TAKE_PTR(draft->name));
	close(TAKE_FD(draft->dir_fd));
	close(TAKE_FD(draft->lock_fd));
	return 0;
}

void containers_draft_done(struct container_draft *draft)
{
	char path[PATH_LEN];

	if (draft->name) {
		snprintf(path, sizeof(path), "containers/" DRAFT "%s", draft->id);
		fd_remove_tree(draft->store->root_fd, path, NULL);
		drop_name(draft->store, draft->name, draft->id);
	}
	if (draft->lock_fd >= 0 && !record_exists(draft->store, draft->id))
		drop_lock(draft->store, draft->id);
	free(draft->name);
	cleanup_close(&draft->dir_fd);
	cleanup_close(&draft->lock_fd);
	*draft = CONTAINER_DRAFT_INIT;
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
	if (is_id(name) && record_exists(store, name)) {
		strcpy(id, name);
		return 0;
	}
	if (name_ok(name) && name_owner(store, name, id) && record_exists(store, id))
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

/* The second half of a removal, also done by the sweep; @entry is ".removing-…" below containers/. */
static int finish_removal(const struct store *store, const char *entry, teu_error **err)
{
	const char *id = entry + strlen(entry) - CONTAINER_ID_LEN;
	_cleanup_json_ json *record = NULL;
	char path[PATH_LEN];

	/* Without a readable record there are no volumes to find, and a dangling name is found by the sweep. */
	if (containers_read(store, entry, "container.json", &record, NULL) == 0) {
		if (strncmp(entry, REMOVING_VOLUMES, strlen(REMOVING_VOLUMES)) == 0)
			json_foreach (volume, json_get(record, "AnonymousVolumes"))
				volumes_remove(store, json_text(volume, ""), NULL);
		if (name_ok(json_get_text(record, "Name", "")))
			drop_name(store, json_get_text(record, "Name", ""), id);
	}
	snprintf(path, sizeof(path), "containers/%s", entry);
	return fd_remove_tree(store->root_fd, path, err);
}

int containers_remove(const struct store *store, const char *id, bool volumes, teu_error **err)
{
	char from[PATH_LEN], to[PATH_LEN];
	int r;

	snprintf(from, sizeof(from), "containers/%s", id);
	snprintf(to, sizeof(to), "containers/%s%s", volumes ? REMOVING_VOLUMES : REMOVING, id);
	if (renameat(store->root_fd, from, store->root_fd, to) < 0) {
		if (errno == ENOENT)
			return err_set(err, TEU_E_NOT_FOUND, "no such container: %.12s", id);
		return err_errno(err, errno, "remove container %.12s", id);
	}
	r = finish_removal(store, to + strlen("containers/"), err);
	drop_lock(store, id);
	return r;
}

/* The volumes that a draft's maker had made already are named in the record, which it writes before them. */
static void sweep_draft(const struct store *store, const char *entry)
{
	_cleanup_json_ json *record = NULL;
	char path[PATH_LEN];

	if (containers_read(store, entry, "container.json", &record, NULL) == 0)
		json_foreach (volume, json_get(record, "AnonymousVolumes"))
			volumes_remove(store, json_text(volume, ""), NULL);
	snprintf(path, sizeof(path), "containers/%s", entry);
	fd_remove_tree(store->root_fd, path, NULL);
}

static void sweep_entry(const struct store *store, const char *entry)
{
	bool draft = strncmp(entry, DRAFT, strlen(DRAFT)) == 0;
	_cleanup_close_ int lock_fd = -EBADF;
	size_t len = strlen(entry);
	char path[PATH_LEN];
	const char *id;

	if (!draft && strncmp(entry, REMOVING, strlen(REMOVING)) != 0)
		return;
	id = len > CONTAINER_ID_LEN ? entry + len - CONTAINER_ID_LEN : "";
	if (!is_id(id) || lock_live(store, id, false, &lock_fd, NULL) < 0)
		return;
	/* Between the reading of the folder and the lock its owner may have gone on. */
	snprintf(path, sizeof(path), "containers/%s", entry);
	if (!exists(store->root_fd, path))
		return;
	if (draft)
		sweep_draft(store, entry);
	else
		finish_removal(store, entry, NULL);
	drop_lock(store, id);
}

static void sweep_lock(const struct store *store, const char *id)
{
	_cleanup_close_ int lock_fd = -EBADF;

	if (!is_id(id) || record_exists(store, id) || lock_live(store, id, false, &lock_fd, NULL) < 0)
		return;
	if (!record_exists(store, id))
		drop_lock(store, id);
}

static void sweep_name(const struct store *store, const char *name)
{
	if (name_ok(name))
		free_dangling_name(store, name);
}

static int sweep_folder(const struct store *store, int root_fd, const char *name,
			void (*sweep)(const struct store *store, const char *entry), teu_error **err)
{
	int fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd < 0 && errno == ENOENT)
			return 0;
		if (fd >= 0)
			close(fd);
		return err_errno(err, errno, "open folder %s", name);
	}
	while ((entry = readdir(dir)))
		sweep(store, entry->d_name);
	return 0;
}

int containers_sweep(const struct store *store, teu_error **err)
{
	int r = sweep_folder(store, store->root_fd, "containers", sweep_entry, err);

	if (r == 0)
		r = sweep_folder(store, store->root_fd, "names", sweep_name, err);
	if (r == 0)
		r = sweep_folder(store, store->run_fd, "locks", sweep_lock, err);
	if (r == 0)
		r = volumes_sweep(store, err);
	return r;
}
