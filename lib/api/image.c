/* The functions of include/teu/image.h, but for the pull. */
#include <teu/image.h>

#include <string.h>

#include "api/options.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "oci/reference.h"

static int check_name(const teu_engine *engine, const char *name, teu_error **err)
{
	int r = engine_check(engine, err);

	if (r == 0 && !name)
		return err_set(err, TEU_E_INVALID, "no image name given");
	return r;
}

void(teu_import_options_init)(teu_import_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

void(teu_save_options_init)(teu_save_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

void(teu_load_options_init)(teu_load_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

void(teu_image_remove_options_init)(teu_image_remove_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

int teu_image_find(teu_engine *engine, const char *name, teu_image **ret_image, teu_error **err)
{
	int r = check_name(engine, name, err);

	return r < 0 ? r : image_find(engine, name, ret_image, err);
}

int teu_image_import(teu_engine *engine, int fd, const char *reference, const teu_import_options *opts,
		     teu_image **ret_image, teu_error **err)
{
	teu_import_options own;
	int r = engine_check(engine, err);

	if (r == 0)
		r = options_take(&own, opts, "teu_import_options", err);
	return r < 0 ? r : image_import(engine, fd, reference, &own, ret_image, err);
}

int teu_image_save(teu_engine *engine, const char *const *names, size_t n_names, int fd, const teu_save_options *opts,
		   teu_error **err)
{
	teu_save_options own;
	int r = engine_check(engine, err);

	if (r == 0)
		r = options_take(&own, opts, "teu_save_options", err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_names; i++)
		if (!names || !names[i])
			return err_set(err, TEU_E_INVALID, "no image name given");
	if (own.format != TEU_ARCHIVE_DOCKER && own.format != TEU_ARCHIVE_OCI)
		return err_set(err, TEU_E_INVALID, "teu_save_options.format: %d is not an archive format", own.format);
	return image_save(engine, names, n_names, fd, &own, err);
}

int teu_image_load(teu_engine *engine, int fd, const teu_load_options *opts, teu_image_list **ret_images,
		   teu_error **err)
{
	teu_load_options own;
	int r = engine_check(engine, err);

	if (r == 0)
		r = options_take(&own, opts, "teu_load_options", err);
	return r < 0 ? r : image_load_archive(engine, fd, &own, ret_images, err);
}

int teu_image_list_all(teu_engine *engine, teu_image_list **ret_images, teu_error **err)
{
	int r = engine_check(engine, err);

	return r < 0 ? r : image_list_all(engine, ret_images, err);
}

size_t teu_image_list_count(const teu_image_list *images)
{
	return images->n;
}

teu_image *teu_image_list_get(const teu_image_list *images, size_t i)
{
	return i < images->n ? images->items[i] : NULL;
}

int teu_image_tag(teu_engine *engine, const char *name, const char *reference, teu_error **err)
{
	int r = check_name(engine, name, err);

	if (r == 0)
		r = check_name(engine, reference, err);
	return r < 0 ? r : image_tag(engine, name, reference, err);
}

int teu_image_remove(teu_engine *engine, const char *name, const teu_image_remove_options *opts, char **ret_removed,
		     teu_error **err)
{
	teu_image_remove_options own;
	int r = check_name(engine, name, err);

	if (r == 0)
		r = options_take(&own, opts, "teu_image_remove_options", err);
	return r < 0 ? r : image_remove(engine, name, own.force, ret_removed, err);
}

const char *teu_image_id(const teu_image *image)
{
	return image->id;
}

const char *teu_image_digest(const teu_image *image)
{
	return image->digest;
}

size_t teu_image_name_count(const teu_image *image)
{
	return image->names.n;
}

const char *teu_image_name(const teu_image *image, size_t i)
{
	return i < image->names.n ? image->names.items[i] : NULL;
}

uint64_t teu_image_size(const teu_image *image)
{
	return image->size;
}

int64_t teu_image_created(const teu_image *image)
{
	return image->created;
}

int teu_image_inspect(teu_image *image, char **ret_json, teu_error **err)
{
	return image_inspect(image, ret_json, err);
}

int teu_reference_familiar(const char *reference, char **ret_text, teu_error **err)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	char *text;
	int r;

	if (!reference)
		return err_set(err, TEU_E_INVALID, "no reference given");
	r = reference_parse(reference, &ref, err);
	if (r < 0)
		return r;
	text = reference_familiar(&ref);
	if (!text)
		return err_oom(err);
	*ret_text = text;
	return 0;
}

int teu_reference_normalize(const char *reference, char **ret_text, teu_error **err)
{
	if (!reference)
		return err_set(err, TEU_E_INVALID, "no reference given");
	return reference_normalize(reference, ret_text, err);
}
