/* images: index.json. */
#include "store/images.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/lock.h"
#include "format/json.h"
#include "oci/digest.h"
#include "oci/index.h"
#include "oci/manifest.h"
#include "oci/media_type.h"
#include "store/content.h"

static const char FILE_NAME[] = "index.json";
static const char ANNOTATION_ID[] = "teu.image.id";

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static void row_done(struct image_row *row)
{
	free(row->name);
	free(row->manifest);
	free(row->id);
	free(row->media_type);
	*row = (struct image_row){ 0 };
}

static int add_row(struct images *images, const struct image_row *row, teu_error **err)
{
	struct image_row *grown = reallocarray(images->rows, images->n_rows + 1, sizeof(*grown));
	struct image_row copy;

	if (!grown)
		return err_oom(err);
	images->rows = grown;
	copy = (struct image_row){
		.name = row->name ? strdup(row->name) : NULL,
		.manifest = strdup(row->manifest),
		.id = row->id ? strdup(row->id) : NULL,
		.media_type = strdup(row->media_type),
		.size = row->size,
	};
	if ((row->name && !copy.name) || !copy.manifest || (row->id && !copy.id) || !copy.media_type) {
		row_done(&copy);
		return err_oom(err);
	}
	images->rows[images->n_rows++] = copy;
	return 0;
}

static int read_row(struct images *images, const json *object, teu_error **err)
{
	const json *annotations = json_get(object, "annotations");
	struct image_row row = {
		.name = (char *)json_get_text(annotations, ANNOTATION_REF_NAME, NULL),
		.manifest = (char *)json_get_text(object, "digest", ""),
		.id = (char *)json_get_text(annotations, ANNOTATION_ID, NULL),
		.media_type = (char *)json_get_text(object, "mediaType", MEDIA_OCI_MANIFEST),
		.size = (uint64_t)json_get_number(object, "size", 0),
	};

	if (!digest_is_valid(row.manifest) || (row.id && !digest_is_valid(row.id)))
		return err_set(err, TEU_E_CORRUPT, "a row has no valid digest");
	return add_row(images, &row, err);
}

/* A row of another tool: the id stands in the manifest. A manifest that can't be read leaves the row without. */
static void complete_row(struct images *images, struct image_row *row)
{
	_cleanup_(manifest_done) struct manifest manifest = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (content_read_trusted(images->store, row->manifest, &text, &len, NULL) == 0 &&
	    manifest_parse(text, len, NULL, &manifest, NULL) == 0)
		row->id = TAKE_PTR(manifest.config.digest);
}

int images_read(const struct store *store, struct images *ret, teu_error **err)
{
	_cleanup_(images_done) struct images images = { .store = store, .lock_fd = -EBADF };
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *index = NULL;
	size_t len;
	int r = fd_read_file(store->root_fd, FILE_NAME, JSON_MAX_SIZE, &text, &len, err);

	if (r == 0)
		r = json_parse(text, len, &index, err);
	json_foreach (object, r == 0 ? json_get(index, "manifests") : NULL) {
		r = read_row(&images, object, err);
		if (r < 0)
			break;
		if (!images.rows[images.n_rows - 1].id)
			complete_row(&images, &images.rows[images.n_rows - 1]);
	}
	if (r < 0)
		return err_wrap(err, r, "%s/%s", store->root, FILE_NAME);
	*ret = images;
	images = IMAGES_INIT;
	return 0;
}

int images_begin(const struct store *store, struct images *ret, teu_error **err)
{
	_cleanup_close_ int lock = -EBADF;
	int r;

	*ret = IMAGES_INIT;
	r = store_lock(store, LOCK_EXCLUSIVE, &lock, err);
	if (r == 0)
		r = images_read(store, ret, err);
	if (r == 0)
		ret->lock_fd = TAKE_FD(lock);
	return r;
}

static bool print_row(json *manifests, const struct image_row *row)
{
	json *object = json_append_object(manifests), *annotations;

	if (!json_add_string(object, "mediaType", row->media_type) ||
	    !json_add_string(object, "digest", row->manifest) || !json_add_int(object, "size", (int64_t)row->size))
		return false;
	if (!row->id && !row->name)
		return true;
	annotations = json_add_object(object, "annotations");
	return (!row->id || json_add_string(annotations, ANNOTATION_ID, row->id)) &&
	       (!row->name || json_add_string(annotations, ANNOTATION_REF_NAME, row->name));
}

int images_commit(struct images *images, teu_error **err)
{
	_cleanup_json_ json *index = json_object();
	_cleanup_free_ char *text = NULL;
	json *manifests;
	bool ok;
	int r;

	ok = json_add_int(index, "schemaVersion", 2) && json_add_string(index, "mediaType", MEDIA_OCI_INDEX);
	manifests = ok ? json_add_array(index, "manifests") : NULL;
	ok = manifests;
	for (size_t i = 0; ok && i < images->n_rows; i++)
		ok = print_row(manifests, &images->rows[i]);
	text = ok ? json_print(index) : NULL;
	if (!text)
		return err_oom(err);
	if (strlen(text) > JSON_MAX_SIZE)
		return err_set(err, TEU_E_LIMIT, "%s/%s: too many images", images->store->root, FILE_NAME);
	r = fd_replace_file(images->store->root_fd, FILE_NAME, text, strlen(text), 0644, FD_SYNC, err);
	if (r == 0 && fsync(images->store->root_fd) < 0)
		return err_errno(err, errno, "sync %s", images->store->root);
	return r;
}

void images_done(struct images *images)
{
	for (size_t i = 0; i < images->n_rows; i++)
		row_done(&images->rows[i]);
	free(images->rows);
	if (images->lock_fd >= 0)
		close(images->lock_fd);
	*images = IMAGES_INIT;
}

const struct image_row *images_find(const struct images *images, const char *name)
{
	for (size_t i = 0; i < images->n_rows; i++)
		if (same(images->rows[i].name, name))
			return &images->rows[i];
	return NULL;
}

const struct image_row *images_find_id(const struct images *images, const char *id)
{
	for (size_t i = 0; i < images->n_rows; i++)
		if (same(images->rows[i].id, id))
			return &images->rows[i];
	return NULL;
}

static void remove_at(struct images *images, size_t i)
{
	row_done(&images->rows[i]);
	images->n_rows--;
	memmove(&images->rows[i], &images->rows[i + 1], (images->n_rows - i) * sizeof(images->rows[0]));
}

static size_t count_rows(const struct images *images, const struct image_row *of)
{
	size_t n = 0;

	for (size_t i = 0; i < images->n_rows; i++)
		n += same(images->rows[i].id, of->id) || same(images->rows[i].manifest, of->manifest);
	return n;
}

void images_remove(struct images *images, const char *name)
{
	const struct image_row *row = images_find(images, name);

	if (row)
		remove_at(images, (size_t)(row - images->rows));
}

void images_remove_id(struct images *images, const char *id)
{
	for (size_t i = images->n_rows; i-- > 0;)
		if (same(images->rows[i].id ? images->rows[i].id : images->rows[i].manifest, id))
			remove_at(images, i);
}

int images_unname(struct images *images, const char *name, teu_error **err)
{
	const struct image_row *row = images_find(images, name);
	struct image_row nameless;
	size_t i;
	int r = 0;

	if (!row)
		return 0;
	i = (size_t)(row - images->rows);
	if (count_rows(images, row) == 1) {
		nameless = *row;
		nameless.name = NULL;
		r = add_row(images, &nameless, err);
	}
	if (r == 0)
		remove_at(images, i);
	return r;
}

static void remove_nameless(struct images *images, const char *id)
{
	for (size_t i = images->n_rows; i-- > 0;)
		if (!images->rows[i].name && same(images->rows[i].id, id))
			remove_at(images, i);
}

int images_set(struct images *images, const struct image_row *row, teu_error **err)
{
	const struct image_row *old = row->name ? images_find(images, row->name) : NULL;
	int r;

	if (!row->name && images_find_id(images, row->id))
		return 0;
	if (old && same(old->id, row->id)) {
		remove_at(images, (size_t)(old - images->rows));
	} else if (old) {
		r = images_unname(images, row->name, err);
		if (r < 0)
			return r;
	}
	if (row->name)
		remove_nameless(images, row->id);
	return add_row(images, row, err);
}
