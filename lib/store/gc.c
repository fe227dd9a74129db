/* gc: marks what names, containers and live leases reach, and removes the rest. */
#include "store/gc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/lock.h"
#include "format/json.h"
#include "oci/digest.h"
#include "oci/document.h"
#include "oci/image_config.h"
#include "oci/index.h"
#include "oci/manifest.h"
#include "store/content.h"
#include "store/image_record.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/leases.h"

static const char DRAFT[] = ".draft-", TRASH[] = ".trash-", NEW[] = "new-";

enum { RECORD_MAX = 4 << 20, PATH_MAX_LEN = 384 };

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A damaged document reaches nothing further; a disk that can't be read must not look like that. */
static bool is_damage(int r)
{
	return r == TEU_E_NOT_FOUND || r == TEU_E_CORRUPT || r == TEU_E_INVALID || r == TEU_E_UNSUPPORTED ||
	       r == TEU_E_LIMIT;
}

static int read_document(const struct store *store, const char *digest, json **ret, teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = content_read_trusted(store, digest, &text, &len, err);

	return r < 0 ? r : json_parse(text, len, ret, err);
}

static int mark_manifest(const struct store *store, const json *document, struct strv *marks, teu_error **err)
{
	_cleanup_(manifest_done) struct manifest manifest = { 0 };
	_cleanup_(image_record_done) struct image_record record = { 0 };
	_cleanup_json_ json *config = NULL;
	int r = manifest_read(document, NULL, &manifest, err);

	if (r < 0)
		return r;
	strv_add(marks, manifest.config.digest);
	for (size_t i = 0; i < manifest.n_layers; i++)
		strv_add(marks, manifest.layers[i].digest);
	r = read_document(store, manifest.config.digest, &config, err);
	if (r == 0)
		r = image_record_read(store, manifest.config.digest, config, &record, err);
	if (r < 0)
		return r;
	strv_foreach (chain, &record.chains)
		strv_add(marks, *chain);
	return 0;
}

static int mark_row(const struct store *store, const char *digest, struct strv *marks, teu_error **err)
{
	_cleanup_error_ teu_error *damage = NULL;
	_cleanup_json_ json *document = NULL;
	int r;

	strv_add(marks, digest);
	r = read_document(store, digest, &document, &damage);
	if (r == 0)
		r = mark_manifest(store, document, marks, &damage);
	if (r < 0 && !is_damage(r)) {
		if (err)
			*err = TAKE_PTR(damage);
		return r;
	}
	return marks->oom ? err_oom(err) : 0;
}

static int mark_images(const struct store *store, struct strv *marks, teu_error **err)
{
	_cleanup_(images_done) struct images images = IMAGES_INIT;
	int r = images_read(store, &images, err);

	for (size_t i = 0; r == 0 && i < images.n_rows; i++)
		r = mark_row(store, images.rows[i].manifest, marks, err);
	return r;
}

static int open_folder(const struct store *store, const char *name, DIR **ret, teu_error **err)
{
	int fd, r = fd_open_dir(store->root_fd, name, 0710, &fd, err);

	if (r < 0)
		return r;
	*ret = fdopendir(fd);
	if (*ret)
		return 0;
	close(fd);
	return err_oom(err);
}

/* A folder without a record is half made: it relies on nothing yet. */
static int mark_container(int containers_fd, const char *id, struct strv *marks, teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *record = NULL;
	char path[PATH_MAX_LEN];
	size_t len;
	int r;

	snprintf(path, sizeof(path), "%s/container.json", id);
	if (faccessat(containers_fd, path, F_OK, 0) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(err, errno, "open containers/%s", path);
	r = fd_read_file(containers_fd, path, RECORD_MAX, &text, &len, err);
	if (r == 0)
		r = json_parse(text, len, &record, err);
	/* What it relies on is not known, so nothing at all may go. */
	if (r < 0)
		return err_wrap(err, r, "containers/%s", path);
	strv_add(marks, json_get_text(record, "Image", ""));
	json_foreach (layer, json_get(record, "Layers"))
		strv_add(marks, json_text(layer, ""));
	return marks->oom ? err_oom(err) : 0;
}

static int mark_containers(const struct store *store, struct strv *marks, teu_error **err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int r = open_folder(store, "containers", &dir, err);

	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = mark_container(dirfd(dir), entry->d_name, marks, err);
	return r;
}

/* The parents of layers that stand alone in a lease. The vector grows under the loop. */
static int mark_parents(const struct store *store, struct strv *marks, teu_error **err)
{
	for (size_t i = 0; i < marks->n; i++) {
		_cleanup_(layer_done) struct layer layer = { 0 };

		if (!layers_has(store, marks->items[i]) || layers_read(store, marks->items[i], &layer, NULL) < 0)
			continue;
		if (layer.parent && !strv_has(marks, layer.parent))
			strv_add(marks, layer.parent);
	}
	return marks->oom ? err_oom(err) : 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int gc_mark(const struct store *store, struct gc_marks *ret, teu_error **err)
{
	_cleanup_(gc_marks_done) struct gc_marks marks = { 0 };
	int r = leases_read(store, &marks.digests, &marks.all, err);

	if (r == 0)
		r = mark_parents(store, &marks.digests, err);
	if (r == 0)
		r = mark_images(store, &marks.digests, err);
	if (r == 0)
		r = mark_containers(store, &marks.digests, err);
	if (r < 0)
		return r;
	if (marks.digests.n)
		qsort(marks.digests.items, marks.digests.n, sizeof(char *), compare);
	*ret = marks;
	marks = (struct gc_marks){ 0 };
	return 0;
}

bool gc_is_marked(const struct gc_marks *marks, const char *digest)
{
	return marks->all ||
	       (marks->digests.n && bsearch(&digest, marks->digests.items, marks->digests.n, sizeof(char *), compare));
}

void gc_marks_done(struct gc_marks *marks)
{
	strv_done(&marks->digests);
	*marks = (struct gc_marks){ 0 };
}

/* "<hex>" or "<hex>.json" -> is "sha256:<hex>" reached? What has another name is nobody's. */
static bool name_is_marked(const struct gc_marks *marks, const char *name)
{
	char digest[DIGEST_LEN + 1];

	snprintf(digest, sizeof(digest), "sha256:%.*s", (int)strcspn(name, "."), name);
	return marks->all || (digest_is_valid(digest) && gc_is_marked(marks, digest));
}

static int remove_files(const struct store *store, const char *folder, const struct gc_marks *marks, teu_error **err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int r = open_folder(store, folder, &dir, err);

	while (r == 0 && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    name_is_marked(marks, entry->d_name))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0 && errno != ENOENT)
			return err_errno(err, errno, "remove %s/%s", folder, entry->d_name);
	}
	return r;
}

/* Out of sight at once; the files go after the lock is given back. */
static int to_trash(int layers_fd, const char *name, teu_error **err)
{
	char trash[STORE_NAME_MAX];
	int r = store_new_name(TRASH, trash, err);

	if (r < 0)
		return r;
	if (renameat(layers_fd, name, layers_fd, trash) < 0 && errno != ENOENT)
		return err_errno(err, errno, "remove layer %s", name);
	return 0;
}

static bool draft_is_dead(int layers_fd, const char *name)
{
	char path[PATH_MAX_LEN];

	snprintf(path, sizeof(path), "%s/lock", name);
	return !lock_is_held(layers_fd, path);
}

static int remove_layer(int fd, const char *name, enum gc_scope scope, const struct gc_marks *marks,
			struct strv *removed, teu_error **err)
{
	if (name[0] == '.') {
		if (scope == GC_LEFTOVERS && begins(name, DRAFT) && draft_is_dead(fd, name))
			return to_trash(fd, name, err);
		return 0;
	}
	if (name_is_marked(marks, name))
		return 0;
	if (removed)
		strv_addf(removed, "sha256:%s", name);
	return to_trash(fd, name, err);
}

static int remove_layers(const struct store *store, enum gc_scope scope, const struct gc_marks *marks,
			 struct strv *removed, teu_error **err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int r = open_folder(store, "layers", &dir, err);

	while (r == 0 && (entry = readdir(dir)))
		r = remove_layer(dirfd(dir), entry->d_name, scope, marks, removed, err);
	return r;
}

/*
 * Those in tmp/ whose names begin with @prefix. A draft whose writer is alive is locked; who waits for the lock looks
 * again whether the file is still named.
 */
static int remove_drafts(const struct store *store, const char *prefix, teu_error **err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int r = open_folder(store, "tmp", &dir, err);

	while (r == 0 && (entry = readdir(dir))) {
		_cleanup_close_ int lock = -EBADF;

		if (entry->d_name[0] == '.' || !begins(entry->d_name, prefix) ||
		    lock_try(dirfd(dir), entry->d_name, LOCK_EXCLUSIVE, &lock, NULL) < 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0 && errno != ENOENT)
			return err_errno(err, errno, "remove tmp/%s", entry->d_name);
	}
	return r;
}

/* ".index.json.<random>" and its like in the state root: a writer died before the rename. All write under our lock. */
static int remove_temporaries(const struct store *store, teu_error **err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int r = open_folder(store, ".", &dir, err);

	while (r == 0 && (entry = readdir(dir)))
		if ((begins(entry->d_name, ".index.json.") || begins(entry->d_name, ".oci-layout.")) &&
		    unlinkat(dirfd(dir), entry->d_name, 0) < 0 && errno != ENOENT)
			return err_errno(err, errno, "remove %s", entry->d_name);
	return r;
}

static int sweep(const struct store *store, enum gc_scope scope, struct strv *removed, teu_error **err)
{
	_cleanup_(gc_marks_done) struct gc_marks marks = { 0 };
	_cleanup_close_ int lock = -EBADF;
	int r = store_lock(store, LOCK_EXCLUSIVE, &lock, err);

	if (r == 0)
		r = gc_mark(store, &marks, err);
	/* Records first: one without its blobs would only be noise, the other way round it would be made again. */
	if (r == 0)
		r = remove_files(store, "images", &marks, err);
	if (r == 0)
		r = remove_files(store, "blobs/sha256", &marks, err);
	if (r == 0)
		r = remove_layers(store, scope, &marks, removed, err);
	if (r == 0 && scope == GC_LEFTOVERS)
		r = remove_drafts(store, "", err);
	if (r == 0 && scope == GC_LEFTOVERS)
		r = remove_temporaries(store, err);
	return r;
}

/* Without the lock: nobody looks for what lies here. Another collector may be at the same folder. */
static int empty_trash(const struct store *store, teu_error **err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int r = open_folder(store, "layers", &dir, err);

	while (r == 0 && (entry = readdir(dir))) {
		_cleanup_error_ teu_error *trouble = NULL;

		if (!begins(entry->d_name, TRASH))
			continue;
		r = fd_remove_tree(dirfd(dir), entry->d_name, &trouble);
		if (r == TEU_E_NOT_FOUND || teu_error_errno(trouble) == ENOTEMPTY)
			r = 0;
		else if (r < 0 && err)
			*err = TAKE_PTR(trouble);
	}
	return r;
}

int gc_collect(const struct store *store, enum gc_scope scope, struct strv *ret_layers, teu_error **err)
{
	int r = sweep(store, scope, ret_layers, err);

	return r < 0 ? r : empty_trash(store, err);
}

int gc_release(const struct store *store, const char *image_id, teu_error **err)
{
	_cleanup_(images_done) struct images images = IMAGES_INIT;
	int r;

	if (!content_has(store, image_id))
		return 0;
	r = images_read(store, &images, err);
	if (r < 0 || images_find_id(&images, image_id))
		return r;
	return gc_collect(store, GC_UNREACHED, NULL, err);
}

static bool is_litter(int layers_fd, const char *name)
{
	return begins(name, TRASH) || (begins(name, DRAFT) && draft_is_dead(layers_fd, name));
}

static bool is_dead_file(int dir_fd, const char *name)
{
	return name[0] != '.' && !lock_is_held(dir_fd, name);
}

static bool is_dead_draft(int tmp_fd, const char *name)
{
	return begins(name, NEW) && is_dead_file(tmp_fd, name);
}

static bool any(const struct store *store, const char *folder, bool (*fits)(int dir_fd, const char *name))
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;

	if (open_folder(store, folder, &dir, NULL) < 0)
		return false;
	while ((entry = readdir(dir)))
		if (fits(dirfd(dir), entry->d_name))
			return true;
	return false;
}

/* Under the lock, where nothing is half born that only looks dead. */
static int tidy_locked(const struct store *store, teu_error **err)
{
	_cleanup_(strv_done) struct strv digests = STRV_INIT;
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_close_ int lock = -EBADF;
	struct dirent *entry;
	bool all;
	int r = store_lock(store, LOCK_EXCLUSIVE, &lock, err);

	if (r == 0)
		r = leases_read(store, &digests, &all, err);
	if (r == 0)
		r = remove_drafts(store, NEW, err);
	if (r == 0)
		r = open_folder(store, "layers", &dir, err);
	while (r == 0 && (entry = readdir(dir)))
		if (begins(entry->d_name, DRAFT) && draft_is_dead(dirfd(dir), entry->d_name))
			r = to_trash(dirfd(dir), entry->d_name, err);
	return r;
}

int gc_tidy(const struct store *store, teu_error **err)
{
	int r;

	if (!any(store, "layers", is_litter) && !any(store, "leases", is_dead_file) &&
	    !any(store, "tmp", is_dead_draft))
		return 0;
	r = tidy_locked(store, err);
	return r < 0 ? r : empty_trash(store, err);
}
