/* container_write: records come and go. The order of the steps is in the header. */
#include "store/container_write.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/gc.h"
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

/* Takes the name away if it is still that of @id. */
static void drop_name(const struct store *store, const char *name, const char *id)
{
	char owner[CONTAINER_ID_LEN + 1], path[PATH_LEN];

	if (!containers_name_owner(store, name, owner) || strcmp(owner, id) != 0)
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

/* The name of a container whose maker or remover died: takes it away so that it can be given anew. */
static bool free_dangling_name(const struct store *store, const char *name)
{
	_cleanup_close_ int lock_fd = -EBADF;
	char owner[CONTAINER_ID_LEN + 1];

	if (!containers_name_owner(store, name, owner))
		return true;
	if (containers_has(store, owner) || containers_try_lock(store, owner, &lock_fd, NULL) < 0)
		return false;
	if (!containers_has(store, owner)) {
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
	containers_name_owner(store, name, owner);
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
	r = containers_lock(store, id, &draft.lock_fd, err);
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
	if (draft->lock_fd >= 0 && !containers_has(draft->store, draft->id))
		drop_lock(draft->store, draft->id);
	free(draft->name);
	cleanup_close(&draft->dir_fd);
	cleanup_close(&draft->lock_fd);
	*draft = CONTAINER_DRAFT_INIT;
}

/* Told apart from a disk or a memory that fails at the moment, after which the sweep tries again. */
static bool is_lasting(int r)
{
	return r == TEU_E_NOT_FOUND || r == TEU_E_CONFLICT || r == TEU_E_CORRUPT || r == TEU_E_INVALID ||
	       r == TEU_E_UNSUPPORTED || r == TEU_E_LIMIT;
}

/* What can't be removed for a lasting reason (another container has taken it up) stays. */
static int remove_volumes(const struct store *store, const json *record, teu_error **err)
{
	json_foreach (volume, json_get(record, "AnonymousVolumes")) {
		_cleanup_error_ teu_error *why = NULL;
		int r = volumes_remove(store, json_text(volume, ""), &why);

		if (r == 0 || is_lasting(r))
			continue;
		if (err && !*err)
			*err = TAKE_PTR(why);
		return r;
	}
	return 0;
}

/*
 * The second half of a removal, also done by the sweep; @entry is ".removing-…" below containers/. Without a readable
 * record there are no volumes to find, and a dangling name is found by the sweep. @retire: only the record of its tree
 * goes.
 */
static int finish_removal(const struct store *store, const char *entry, bool retire, teu_error **err)
{
	const char *id = entry + strlen(entry) - CONTAINER_ID_LEN;
	_cleanup_error_ teu_error *why = NULL;
	_cleanup_json_ json *record = NULL;
	char path[PATH_LEN];
	int r = containers_read(store, entry, "container.json", &record, &why);

	if (r == 0 && strncmp(entry, REMOVING_VOLUMES, strlen(REMOVING_VOLUMES)) == 0)
		r = remove_volumes(store, record, &why);
	if (r < 0 && !is_lasting(r)) {
		if (err && !*err)
			*err = TAKE_PTR(why);
		return r;
	}
	if (name_ok(json_get_text(record, "Name", "")))
		drop_name(store, json_get_text(record, "Name", ""), id);
	snprintf(path, sizeof(path), "containers/%s%s", entry, retire ? "/container.json" : "");
	r = fd_remove_tree(store->root_fd, path, err);
	/* What can't be collected now is collected by the next sweep. */
	if (r == 0)
		gc_release(store, json_get_text(record, "Image", ""), NULL);
	return r;
}

static int remove_container(const struct store *store, const char *id, bool volumes, bool retire, teu_error **err)
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
	r = finish_removal(store, to + strlen("containers/"), retire, err);
	drop_lock(store, id);
	return r;
}

int containers_remove(const struct store *store, const char *id, bool volumes, teu_error **err)
{
	return remove_container(store, id, volumes, false, err);
}

int containers_retire(const struct store *store, const char *id, teu_error **err)
{
	return remove_container(store, id, true, true, err);
}

/* The volumes that a draft's maker had made already are named in the record, which it writes before them. */
static void sweep_draft(const struct store *store, const char *entry)
{
	_cleanup_json_ json *record = NULL;
	char path[PATH_LEN];
	int r = containers_read(store, entry, "container.json", &record, NULL);

	if (r == 0)
		r = remove_volumes(store, record, NULL);
	if (r < 0 && !is_lasting(r))
		return;
	snprintf(path, sizeof(path), "containers/%s", entry);
	fd_remove_tree(store->root_fd, path, NULL);
}

/* After a power cut the record of a short-lived container, which is not synced, may have no bytes: nobody can use it.
 */
static void sweep_hollow(const struct store *store, const char *id)
{
	_cleanup_close_ int lock_fd = -EBADF;
	char path[PATH_LEN];
	struct stat st;

	snprintf(path, sizeof(path), "containers/%s/container.json", id);
	if (fstatat(store->root_fd, path, &st, 0) == 0 ? st.st_size > 0 : errno != ENOENT)
		return;
	if (containers_try_lock(store, id, &lock_fd, NULL) == 0)
		containers_remove(store, id, true, NULL);
}

static void sweep_entry(const struct store *store, const char *entry)
{
	bool draft = strncmp(entry, DRAFT, strlen(DRAFT)) == 0;
	_cleanup_close_ int lock_fd = -EBADF;
	size_t len = strlen(entry);
	char path[PATH_LEN];
	const char *id;

	if (is_id(entry))
		sweep_hollow(store, entry);
	if (!draft && strncmp(entry, REMOVING, strlen(REMOVING)) != 0)
		return;
	id = len > CONTAINER_ID_LEN ? entry + len - CONTAINER_ID_LEN : "";
	if (!is_id(id) || containers_try_lock(store, id, &lock_fd, NULL) < 0)
		return;
	/* Between the reading of the folder and the lock its owner may have gone on. */
	snprintf(path, sizeof(path), "containers/%s", entry);
	if (faccessat(store->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (draft)
		sweep_draft(store, entry);
	else
		finish_removal(store, entry, false, NULL);
	drop_lock(store, id);
}

static void sweep_lock(const struct store *store, const char *id)
{
	_cleanup_close_ int lock_fd = -EBADF;

	if (!is_id(id) || containers_has(store, id) || containers_try_lock(store, id, &lock_fd, NULL) < 0)
		return;
	if (!containers_has(store, id))
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
