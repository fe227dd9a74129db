/*
 * image_remove: takes names away, and the image with the last one, by Docker's rules: what a container uses or what has
 * several names goes only when forced, what a running container uses not even then.
 */
#include "engine/image.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/lock.h"
#include "oci/digest.h"
#include "oci/reference.h"
#include "store/gc.h"

enum { RECORD_MAX = 4 << 20, PATH_MAX_LEN = 384 };

/* The containers that rely on an image; "" where there is none. */
struct users {
	char any[NAME_MAX + 1];
	char running[NAME_MAX + 1];
};

static bool uses(int containers_fd, const char *container, const char *image_id)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *record = NULL;
	char path[PATH_MAX_LEN];
	size_t len;

	snprintf(path, sizeof(path), "%s/container.json", container);
	return fd_read_file(containers_fd, path, RECORD_MAX, &text, &len, NULL) == 0 &&
	       json_parse(text, len, &record, NULL) == 0 && strcmp(json_get_text(record, "Image", ""), image_id) == 0;
}

static int find_users(const struct store *store, const char *image_id, struct users *ret, teu_error **err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	char path[PATH_MAX_LEN];
	int fd, r;

	*ret = (struct users){ "", "" };
	r = fd_open_dir(store->root_fd, "containers", 0710, &fd, err);
	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_oom(err);
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !uses(fd, entry->d_name, image_id))
			continue;
		strcpy(ret->any, entry->d_name);
		snprintf(path, sizeof(path), "containers/%s/alive", entry->d_name);
		if (lock_is_held(store->run_fd, path))
			strcpy(ret->running, entry->d_name);
	}
	return 0;
}

/* One removal under way. */
struct removal {
	struct images images;
	char *id;	      /* of the image; owned */
	char *name;	      /* the name to be taken away, owned; NULL: the image was given by id */
	struct strv names;    /* of the image, all of them */
	struct strv untagged; /* that were taken away */
	struct users users;
	bool deleted; /* the image goes */
};

static void removal_done(struct removal *rm)
{
	images_done(&rm->images);
	free(rm->id);
	free(rm->name);
	strv_done(&rm->names);
	strv_done(&rm->untagged);
}

static size_t repository_length(const char *name)
{
	const char *at = strchr(name, '@');

	return (size_t)((at ? at : strrchr(name, ':')) - name);
}

static bool same_repository(const char *a, const char *b)
{
	size_t len = repository_length(a);

	return len == repository_length(b) && strncmp(a, b, len) == 0;
}

/* At most one tag, and digests of the same repository only: then name and image are one thing to the user. */
static bool has_single_name(const struct removal *rm)
{
	size_t tags = 0;

	strv_foreach (name, &rm->names) {
		tags += !strchr(*name, '@');
		if (!same_repository(*name, rm->names.items[0]))
			return false;
	}
	return tags <= 1;
}

static int check_by_name(const struct removal *rm, const char *asked, bool force, teu_error **err)
{
	char image[DIGEST_SHORT_MAX];

	if (force || !has_single_name(rm) || !rm->users.any[0])
		return 0;
	digest_short(rm->id, image);
	return err_set(err, TEU_E_CONFLICT,
		       "conflict: unable to remove repository reference \"%s\" (must force) - container %.12s is using "
		       "its referenced image %s",
		       asked, rm->users.any, image);
}

static int check_by_id(const struct removal *rm, bool force, teu_error **err)
{
	char image[DIGEST_SHORT_MAX];

	digest_short(rm->id, image);
	if (rm->users.running[0])
		return err_set(
			err, TEU_E_CONFLICT,
			"conflict: unable to delete %s (cannot be forced) - image is being used by running container "
			"%.12s",
			image, rm->users.running);
	if (!force && !has_single_name(rm))
		return err_set(err, TEU_E_CONFLICT,
			       "conflict: unable to delete %s (must be forced) - image is referenced in multiple "
			       "repositories",
			       image);
	if (!force && rm->users.any[0])
		return err_set(
			err, TEU_E_CONFLICT,
			"conflict: unable to delete %s (must be forced) - image is being used by stopped container "
			"%.12s",
			image, rm->users.any);
	return 0;
}

static bool has_tag_of(const struct removal *rm, const char *repository_of, const char *except)
{
	strv_foreach (name, &rm->names)
		if (!strchr(*name, '@') && strcmp(*name, except) != 0 && same_repository(*name, repository_of))
			return true;
	return false;
}

/* With the last tag of a repository go the digests by which that repository knew the image. */
static bool goes_too(const struct removal *rm, const char *name)
{
	return !strchr(rm->name, '@') && strchr(name, '@') && same_repository(name, rm->name) &&
	       !has_tag_of(rm, rm->name, rm->name);
}

static int remove_names(struct removal *rm, teu_error **err)
{
	int r = 0;

	strv_foreach (name, &rm->names) {
		if (rm->name && strcmp(*name, rm->name) != 0 && !goes_too(rm, *name))
			continue;
		strv_add(&rm->untagged, *name);
		r = images_unname(&rm->images, *name, err);
		if (r < 0)
			return r;
	}
	if (rm->untagged.oom)
		return err_oom(err);
	rm->deleted = rm->untagged.n == rm->names.n && !rm->users.running[0];
	if (rm->deleted)
		images_remove_id(&rm->images, rm->id);
	return 0;
}

static int begin(teu_engine *engine, const char *name, struct removal *rm, teu_error **err)
{
	struct image_match match;
	int r = images_begin(&engine->store, &rm->images, err);

	if (r == 0)
		r = image_resolve(&rm->images, name, &match, err);
	if (r < 0)
		return r;
	/* A damaged image has no id; it can still be removed by name: the manifest stands for it. */
	rm->id = strdup(match.row->id ? match.row->id : match.row->manifest);
	rm->name = match.by_id ? NULL : strdup(match.row->name);
	if (!rm->id || (!match.by_id && !rm->name))
		return err_oom(err);
	for (size_t i = 0; i < rm->images.n_rows; i++) {
		const struct image_row *row = &rm->images.rows[i];

		if (row->name && strcmp(row->id ? row->id : row->manifest, rm->id) == 0)
			strv_add(&rm->names, row->name);
	}
	if (rm->names.oom)
		return err_oom(err);
	return find_users(&engine->store, rm->id, &rm->users, err);
}

static int report(const struct removal *rm, const struct strv *layers, char **ret, teu_error **err)
{
	_cleanup_json_ json *list = json_array();
	bool ok = list;

	strv_foreach (name, &rm->untagged)
		ok = ok && json_add_string(json_append_object(list), "Untagged", reference_shorten(*name));
	if (rm->deleted)
		ok = ok && json_add_string(json_append_object(list), "Deleted", rm->id);
	strv_foreach (layer, layers)
		ok = ok && json_add_string(json_append_object(list), "Deleted", *layer);
	*ret = ok ? json_print(list) : NULL;
	return *ret ? 0 : err_oom(err);
}

int image_remove(teu_engine *engine, const char *name, bool force, char **ret_removed, teu_error **err)
{
	_cleanup_(removal_done) struct removal rm = { .images = IMAGES_INIT };
	_cleanup_(strv_done) struct strv layers = STRV_INIT;
	int r = begin(engine, name, &rm, err);

	if (r == 0)
		r = rm.name ? check_by_name(&rm, name, force, err) : check_by_id(&rm, force, err);
	if (r == 0)
		r = remove_names(&rm, err);
	if (r == 0)
		r = images_commit(&rm.images, err);
	if (r < 0)
		return r;
	/* The collector wants the lock for itself. */
	images_done(&rm.images);
	if (rm.deleted) {
		r = gc_collect(&engine->store, GC_UNREACHED, &layers, err);
		if (r < 0)
			return r;
	}
	return ret_removed ? report(&rm, &layers, ret_removed, err) : 0;
}
