/* images: names are given and taken, images listed. */
#include "engine/image.h"

#include <stdio.h>
#include <string.h>

#include "oci/digest.h"
#include "oci/image_config.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "store/content.h"
#include "store/layers.h"

static int check_blobs(const struct store *store, const struct manifest *manifest, teu_error **err)
{
	for (size_t i = 0; i < manifest->n_layers; i++)
		if (!content_has(store, manifest->layers[i].digest))
			return err_set(err, TEU_E_CORRUPT, "blob %s is not in the store", manifest->layers[i].digest);
	return 0;
}

static int check_layers(const struct store *store, const struct strv *diff_ids, teu_error **err)
{
	_cleanup_(strv_done) struct strv chains = STRV_INIT;
	int r = image_config_chains(diff_ids, &chains, err);

	for (size_t i = 0; r == 0 && i < chains.n; i++)
		if (!layers_has(store, chains.items[i]))
			return err_set(err, TEU_E_CORRUPT, "layer %s is not in the store", chains.items[i]);
	return r;
}

/* Reads manifest and config with their digests checked, and what they speak of. @row gets what index.json needs. */
static int check_image(const struct store *store, const char *manifest_digest, struct image_row *row, teu_error **err)
{
	_cleanup_(manifest_done) struct manifest manifest = { 0 };
	_cleanup_(image_config_done) struct image_config config = { 0 };
	_cleanup_free_ char *text = NULL, *config_text = NULL;
	size_t len, config_len;
	int r = content_read(store, manifest_digest, &text, &len, err);

	if (r == 0)
		r = manifest_parse(text, len, NULL, &manifest, err);
	if (r == 0)
		r = content_read(store, manifest.config.digest, &config_text, &config_len, err);
	if (r == 0)
		r = image_config_parse(config_text, config_len, &config, err);
	if (r < 0)
		return r;
	if (config.diff_ids.n != manifest.n_layers)
		return err_set(err, TEU_E_CORRUPT, "the manifest has %zu layers, the config %zu", manifest.n_layers,
			       config.diff_ids.n);
	r = check_blobs(store, &manifest, err);
	if (r == 0)
		r = check_layers(store, &config.diff_ids, err);
	if (r < 0)
		return r;
	row->size = len;
	row->id = TAKE_PTR(manifest.config.digest);
	row->media_type = TAKE_PTR(manifest.media_type);
	return 0;
}

/* "repository@digest" for a name; NULL: no memory. */
static char *digest_name(const char *name, const char *digest)
{
	const char *end = strchr(name, '@');
	char *text;

	/* The host may have a port, so the tag's colon is the last one. */
	if (!end)
		end = strrchr(name, ':');
	return asprintf(&text, "%.*s@%s", (int)(end - name), name, digest) < 0 ? NULL : text;
}

static int set_names(struct images *images, struct image_row *row, const char *name, const char *registry_digest,
		     teu_error **err)
{
	_cleanup_free_ char *by_digest = NULL;
	int r;

	if (name && registry_digest) {
		r = digest_check(registry_digest, "digest", err);
		if (r < 0)
			return r;
		by_digest = digest_name(name, registry_digest);
		if (!by_digest)
			return err_oom(err);
		row->name = by_digest;
		r = images_set(images, row, err);
		if (r < 0)
			return r;
	}
	row->name = (char *)name;
	return images_set(images, row, err);
}

int image_store(teu_engine *engine, const char *manifest_digest, const char *name, const char *registry_digest,
		teu_image **ret, teu_error **err)
{
	_cleanup_(images_done) struct images images = IMAGES_INIT;
	_cleanup_free_ char *id = NULL, *media_type = NULL;
	struct image_row row = { .manifest = (char *)manifest_digest };
	int r = check_image(&engine->store, manifest_digest, &row, err);

	id = row.id;
	media_type = row.media_type;
	if (r < 0)
		return err_wrap(err, r, "image %s", name ? reference_shorten(name) : manifest_digest);
	r = images_begin(&engine->store, &images, err);
	if (r == 0)
		r = set_names(&images, &row, name, registry_digest, err);
	if (r == 0)
		r = images_commit(&images, err);
	if (r < 0)
		return r;
	return image_load(engine, &images, name ? images_find(&images, name) : images_find_id(&images, id), ret, err);
}

int image_tag(teu_engine *engine, const char *name, const char *reference, teu_error **err)
{
	_cleanup_(images_done) struct images images = IMAGES_INIT;
	_cleanup_(reference_done) struct reference ref = { 0 };
	_cleanup_free_ char *normalized = NULL, *manifest = NULL, *id = NULL, *media_type = NULL;
	struct image_match match;
	struct image_row row;
	int r = reference_parse(reference, &ref, err);

	if (r < 0)
		return r;
	if (ref.digest)
		return err_set(err, TEU_E_INVALID, "refusing to create a tag with a digest reference: %s", reference);
	normalized = reference_format(&ref);
	if (!normalized)
		return err_oom(err);
	r = images_begin(&engine->store, &images, err);
	if (r == 0)
		r = image_resolve(&images, name, &match, err);
	if (r < 0)
		return r;
	/* The match is borrowed, and the rows move. */
	manifest = strdup(match.row->manifest);
	media_type = strdup(match.row->media_type);
	id = match.row->id ? strdup(match.row->id) : NULL;
	if (!manifest || !media_type)
		return err_oom(err);
	row = (struct image_row){ normalized, manifest, id, media_type, match.row->size };
	r = images_set(&images, &row, err);
	return r < 0 ? r : images_commit(&images, err);
}

int image_list_new(teu_image_list **ret, teu_error **err)
{
	teu_image_list *list = calloc(1, sizeof(*list));

	if (!list)
		return err_oom(err);
	list->refs = 1;
	*ret = list;
	return 0;
}

int image_list_add(teu_image_list *list, teu_image *image, teu_error **err)
{
	teu_image **grown = reallocarray(list->items, list->n + 1, sizeof(*grown));

	if (!grown)
		return err_oom(err);
	list->items = grown;
	list->items[list->n++] = teu_image_ref(image);
	return 0;
}

teu_image_list *teu_image_list_ref(teu_image_list *list)
{
	if (list)
		atomic_fetch_add(&list->refs, 1);
	return list;
}

void teu_image_list_unref(teu_image_list *list)
{
	if (!list || atomic_fetch_sub(&list->refs, 1) != 1)
		return;
	for (size_t i = 0; i < list->n; i++)
		teu_image_unref(list->items[i]);
	free(list->items);
	free(list);
}

static int newest_first(const void *a, const void *b)
{
	const teu_image *one = *(teu_image *const *)a, *other = *(teu_image *const *)b;

	if (one->created != other->created)
		return one->created < other->created ? 1 : -1;
	return strcmp(one->id, other->id);
}

int image_list_all(teu_engine *engine, teu_image_list **ret, teu_error **err)
{
	_cleanup_(images_done) struct images images = IMAGES_INIT;
	_cleanup_(teu_image_list_unrefp) teu_image_list *list = NULL;
	int r = images_read(&engine->store, &images, err);

	if (r == 0)
		r = image_list_new(&list, err);
	for (size_t i = 0; r == 0 && i < images.n_rows; i++) {
		_cleanup_(teu_image_unrefp) teu_image *image = NULL;
		_cleanup_error_ teu_error *damage = NULL;

		/* One entry an image, whatever its number of rows. */
		if (images.rows[i].id && images_find_id(&images, images.rows[i].id) != &images.rows[i])
			continue;
		/* A damaged image must not hide the others. */
		if (image_load(engine, &images, &images.rows[i], &image, &damage) < 0) {
			engine_log(engine, TEU_LOG_WARNING, "%s", teu_error_message(damage));
			continue;
		}
		r = image_list_add(list, image, err);
	}
	if (r < 0)
		return r;
	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), newest_first);
	*ret = TAKE_PTR(list);
	return 0;
}
