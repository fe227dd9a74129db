/* layers: unpacked trees by chainID. */
#include "store/layers.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/lock.h"
#include "format/json.h"
#include "oci/digest.h"

enum { NAME_MAX_LEN = 128, RECORD_MAX = 4096 };

char *layers_path(const struct store *store, const char *chain_id)
{
	char *path;

	if (!digest_is_valid(chain_id))
		return NULL;
	return asprintf(&path, "%s/layers/%s/fs", store->root, digest_hex(chain_id)) < 0 ? NULL : path;
}

bool layers_has(const struct store *store, const char *chain_id)
{
	char path[NAME_MAX_LEN];

	if (!digest_is_valid(chain_id))
		return false;
	snprintf(path, sizeof(path), "layers/%s/layer.json", digest_hex(chain_id));
	return faccessat(store->root_fd, path, F_OK, 0) == 0;
}

int layers_read(const struct store *store, const char *chain_id, struct layer *ret, teu_error **err)
{
	_cleanup_(layer_done) struct layer layer = { 0 };
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *record = NULL;
	const char *parent;
	char path[NAME_MAX_LEN];
	size_t len;
	int r = digest_check(chain_id, "layer", err);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "layers/%s/layer.json", digest_hex(chain_id));
	r = fd_read_file(store->root_fd, path, RECORD_MAX, &text, &len, err);
	if (r == 0)
		r = json_parse(text, len, &record, err);
	if (r < 0)
		return err_wrap(err, r, "layer %s", chain_id);
	parent = json_get_text(record, "parent", NULL);
	layer.diff_id = strdup(json_get_text(record, "diffID", ""));
	layer.parent = parent ? strdup(parent) : NULL;
	layer.size = (uint64_t)json_get_number(record, "size", 0);
	if (!layer.diff_id || (parent && !layer.parent))
		return err_oom(err);
	if (!digest_is_valid(layer.diff_id) || (parent && !digest_is_valid(parent)))
		return err_set(err, TEU_E_CORRUPT, "layer %s: layer.json is damaged", chain_id);
	*ret = layer;
	layer = (struct layer){ 0 };
	return 0;
}

void layer_done(struct layer *layer)
{
	free(layer->diff_id);
	free(layer->parent);
	*layer = (struct layer){ 0 };
}

/* The root of the tree must be open to the container's users, whatever the caller's umask. */
static int open_tree_root(struct layer_draft *draft, teu_error **err)
{
	char path[NAME_MAX_LEN];
	int r;

	snprintf(path, sizeof(path), "layers/%s/fs", draft->name);
	r = fd_open_dir(draft->store->root_fd, path, 0755, &draft->fs_fd, err);
	if (r == 0 && fchmod(draft->fs_fd, 0755) < 0)
		return err_errno(err, errno, "set the mode of %s", path);
	return r;
}

/* Under the shared inventory lock: the sweep never sees a draft before its own lock is taken. */
int layers_begin(const struct store *store, struct layer_draft *ret, teu_error **err)
{
	_cleanup_(layers_draft_done) struct layer_draft draft = { .store = store, .fs_fd = -EBADF, .lock_fd = -EBADF };
	_cleanup_close_ int inventory = -EBADF;
	char name[STORE_NAME_MAX], path[NAME_MAX_LEN];
	int r;

	*ret = (struct layer_draft){ .fs_fd = -EBADF, .lock_fd = -EBADF };
	r = store_new_name(".draft-", name, err);
	if (r == 0)
		r = store_lock(store, LOCK_SHARED, &inventory, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "layers/%s", name);
	if (mkdirat(store->root_fd, path, 0710) < 0)
		return err_errno(err, errno, "make folder %s", path);
	draft.name = strdup(name);
	if (!draft.name) {
		unlinkat(store->root_fd, path, AT_REMOVEDIR);
		return err_oom(err);
	}
	snprintf(path, sizeof(path), "layers/%s/lock", name);
	r = lock_take(store->root_fd, path, LOCK_EXCLUSIVE, &draft.lock_fd, err);
	if (r == 0)
		r = open_tree_root(&draft, err);
	if (r < 0)
		return r;
	*ret = draft;
	draft = (struct layer_draft){ .fs_fd = -EBADF, .lock_fd = -EBADF };
	return 0;
}

static int write_record(const struct layer_draft *draft, const char *diff_id, const char *parent, uint64_t size,
			teu_error **err)
{
	_cleanup_json_ json *record = json_object();
	_cleanup_free_ char *text = NULL;
	char path[NAME_MAX_LEN];

	if (!json_add_string(record, "diffID", diff_id) || !json_add_string(record, "parent", parent) ||
	    !json_add_int(record, "size", (int64_t)size) || !(text = json_print(record)))
		return err_oom(err);
	snprintf(path, sizeof(path), "layers/%s/layer.json", draft->name);
	return fd_replace_file(draft->store->root_fd, path, text, strlen(text), 0644, FD_NO_SYNC, err);
}

/* Gives the draft its name; under the shared inventory lock, because it stands there unlocked for a moment. */
static int publish(struct layer_draft *draft, const char *chain_id, teu_error **err)
{
	_cleanup_close_ int inventory = -EBADF, folder = -EBADF;
	char lock[NAME_MAX_LEN];
	int r = store_lock(draft->store, LOCK_SHARED, &inventory, err);

	if (r < 0)
		return r;
	folder = openat(draft->store->root_fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return err_errno(err, errno, "open folder layers");
	snprintf(lock, sizeof(lock), "%s/lock", draft->name);
	unlinkat(folder, lock, 0);
	/* rename(2) replaces no folder that has something in it: who was first stays. */
	if (renameat(folder, draft->name, folder, digest_hex(chain_id)) < 0) {
		if (errno == EEXIST || errno == ENOTEMPTY)
			return 0;
		return err_errno(err, errno, "name layer %s", chain_id);
	}
	free(TAKE_PTR(draft->name));
	if (fsync(folder) < 0)
		return err_errno(err, errno, "sync folder layers");
	return 0;
}

int layers_commit(struct layer_draft *draft, const char *chain_id, const char *diff_id, const char *parent_chain_id,
		  uint64_t size, teu_error **err)
{
	int r = digest_check(chain_id, "layer", err);

	if (r == 0)
		r = write_record(draft, diff_id, parent_chain_id, size, err);
	if (r < 0)
		return r;
	/* One sync for all files of the layer: thousands of fsync() calls would take minutes. */
	if (syncfs(draft->fs_fd) < 0)
		return err_errno(err, errno, "sync layer %s", chain_id);
	return publish(draft, chain_id, err);
}

void layers_draft_done(struct layer_draft *draft)
{
	char path[NAME_MAX_LEN];

	if (draft->store) {
		if (draft->fs_fd >= 0)
			close(draft->fs_fd);
		if (draft->name) {
			/* The lock goes last: without it the rest would look like a dead process's. */
			snprintf(path, sizeof(path), "layers/%s/fs", draft->name);
			fd_remove_tree(draft->store->root_fd, path, NULL);
			snprintf(path, sizeof(path), "layers/%s", draft->name);
			fd_remove_tree(draft->store->root_fd, path, NULL);
		}
		if (draft->lock_fd >= 0)
			close(draft->lock_fd);
	}
	free(draft->name);
	*draft = (struct layer_draft){ .fs_fd = -EBADF, .lock_fd = -EBADF };
}
