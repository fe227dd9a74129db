/* image: the object behind teu_image, and how a name leads to it. */
#include "engine/image.h"

#include <string.h>

#include "base/clock.h"
#include "oci/digest.h"
#include "oci/reference.h"
#include "store/content.h"
#include "store/image_record.h"

/* Shorter prefixes of ids are too likely to be meant as names. */
enum { MIN_PREFIX = 4 };

static const char SHA256[] = "sha256:";

static const char *hex_part(const char *name)
{
	return strncmp(name, SHA256, sizeof(SHA256) - 1) == 0 ? name + sizeof(SHA256) - 1 : name;
}

static int find_prefix(const struct images *images, const char *name, const char *hex, struct image_match *ret,
		       teu_error **err)
{
	const struct image_row *found = NULL;
	size_t len = strlen(hex);

	for (size_t i = 0; i < images->n_rows; i++) {
		const struct image_row *row = &images->rows[i];

		if (!row->id || strncmp(digest_hex(row->id), hex, len) != 0)
			continue;
		if (found && strcmp(found->id, row->id) != 0)
			return err_set(err, TEU_E_CONFLICT, "%s: the beginning of several image ids: give more digits",
				       name);
		found = found ? found : row;
	}
	if (!found)
		return err_set(err, TEU_E_NOT_FOUND, "no such image: %s", name);
	*ret = (struct image_match){ found, true };
	return 0;
}

int image_resolve(const struct images *images, const char *name, struct image_match *ret, teu_error **err)
{
	_cleanup_error_ teu_error *malformed = NULL;
	_cleanup_free_ char *normalized = NULL;
	const char *hex = hex_part(name);
	bool id_like = digest_is_hex(hex) && strlen(hex) >= MIN_PREFIX;
	int r;

	/* A whole id is nothing else; less may be a name too, and names come first, as with Docker. */
	if (id_like && strlen(hex) == DIGEST_HEX_LEN)
		return find_prefix(images, name, hex, ret, err);
	r = reference_normalize(name, &normalized, &malformed);
	if (r == 0) {
		const struct image_row *row = images_find(images, normalized);

		if (row) {
			*ret = (struct image_match){ row, false };
			return 0;
		}
	}
	if (id_like)
		return find_prefix(images, name, hex, ret, err);
	if (r < 0) {
		if (err)
			*err = TAKE_PTR(malformed);
		return r;
	}
	return err_set(err, TEU_E_NOT_FOUND, "no such image: %s", reference_shorten(normalized));
}

static int read_document(const struct store *store, const char *digest, json **ret, teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = content_read_trusted(store, digest, &text, &len, err);

	return r < 0 ? r : json_parse(text, len, ret, err);
}

static int collect_names(teu_image *image, const struct images *images, teu_error **err)
{
	for (size_t i = 0; i < images->n_rows; i++) {
		const struct image_row *row = &images->rows[i];

		if (!row->name || !row->id || strcmp(row->id, image->id) != 0)
			continue;
		strv_add(strchr(row->name, '@') ? &image->digests : &image->names, row->name);
	}
	return image->names.oom || image->digests.oom ? err_oom(err) : 0;
}

static int fill(teu_image *image, const struct images *images, teu_error **err)
{
	const struct store *store = &image->engine->store;
	struct image_record record = { 0 };
	int r = read_document(store, image->digest, &image->manifest, err);

	if (r == 0)
		r = read_document(store, image->id, &image->config, err);
	if (r == 0)
		r = image_record_read(store, image->id, image->config, &record, err);
	if (r < 0)
		return r;
	image->chains = record.chains;
	image->size = record.size;
	if (!clock_parse(json_get_text(image->config, "created", ""), &image->created))
		image->created = 0;
	return collect_names(image, images, err);
}

int image_load(teu_engine *engine, const struct images *images, const struct image_row *row, teu_image **ret,
	       teu_error **err)
{
	_cleanup_(teu_image_unrefp) teu_image *image = NULL;
	const char *subject = row->name ? reference_shorten(row->name) : row->manifest;
	int r;

	if (!row->id)
		return err_set(err, TEU_E_CORRUPT, "image %s: its manifest can't be read: pull or load it again",
			       subject);
	image = calloc(1, sizeof(*image));
	if (!image)
		return err_oom(err);
	image->refs = 1;
	image->engine = teu_engine_ref(engine);
	image->id = strdup(row->id);
	image->digest = strdup(row->manifest);
	if (!image->id || !image->digest)
		return err_oom(err);
	r = fill(image, images, err);
	if (r < 0) {
		err_wrap(err, r, "image %s", subject);
		/* The name is there, only its blob is not: that is no wrong name. */
		return r == TEU_E_NOT_FOUND ? TEU_E_CORRUPT : r;
	}
	*ret = TAKE_PTR(image);
	return 0;
}

int image_find(teu_engine *engine, const char *name, teu_image **ret, teu_error **err)
{
	_cleanup_(images_done) struct images images = IMAGES_INIT;
	struct image_match match;
	int r = images_read(&engine->store, &images, err);

	if (r == 0)
		r = image_resolve(&images, name, &match, err);
	return r < 0 ? r : image_load(engine, &images, match.row, ret, err);
}

teu_image *teu_image_ref(teu_image *image)
{
	if (image)
		atomic_fetch_add(&image->refs, 1);
	return image;
}

void teu_image_unref(teu_image *image)
{
	if (!image || atomic_fetch_sub(&image->refs, 1) != 1)
		return;
	free(image->id);
	free(image->digest);
	strv_done(&image->names);
	strv_done(&image->digests);
	strv_done(&image->chains);
	json_free(image->config);
	json_free(image->manifest);
	teu_engine_unref(image->engine);
	free(image);
}
