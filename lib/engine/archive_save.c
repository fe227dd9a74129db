/*
 * archive_save: images as a docker-archive (configs, plain layers, manifest.json) or as an OCI archive (the blobs as
 * they are, with an index.json of their own). Sources: Docker's image specification v1.2; image-spec image-layout.md.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cancel.h"
#include "base/fd.h"
#include "engine/image.h"
#include "format/compress.h"
#include "format/tar.h"
#include "oci/digest.h"
#include "oci/index.h"
#include "oci/manifest.h"
#include "oci/media_type.h"
#include "oci/reference.h"
#include "store/content.h"
#include "store/leases.h"

enum { CHUNK = 256 << 10, NAME_LEN = 96 };

/* One image of the archive and the names it was asked for by. */
struct target {
	teu_image *image;
	struct manifest manifest;
	struct strv diff_ids;
	struct strv names; /* none for who was asked for by id */
};

struct saving {
	teu_engine *engine;
	const teu_save_options *opts;
	struct lease lease;
	struct target *targets; /* owned */
	size_t n_targets;
	struct tar_writer *tar;
	struct strv written; /* names in the archive: images share layers */
	char *buffer;	     /* CHUNK, owned */
	int fd;
};

static void saving_done(struct saving *s)
{
	for (size_t i = 0; i < s->n_targets; i++) {
		teu_image_unref(s->targets[i].image);
		manifest_done(&s->targets[i].manifest);
		strv_done(&s->targets[i].diff_ids);
		strv_done(&s->targets[i].names);
	}
	free(s->targets);
	tar_writer_free(s->tar);
	strv_done(&s->written);
	lease_done(&s->lease);
	free(s->buffer);
}

static int write_out(void *data, const void *bytes, size_t len, teu_error **err)
{
	struct saving *s = data;
	int r = cancel_check(s->opts->cancel, err);

	if (r < 0)
		return r;
	r = fd_write_all(s->fd, bytes, len);
	return r < 0 ? err_errno(err, -r, "write the archive") : 0;
}

/* True the first time only. */
static bool is_new(struct saving *s, const char *name)
{
	if (strv_has(&s->written, name))
		return false;
	strv_add(&s->written, name);
	return true;
}

static int begin_file(struct saving *s, const char *name, uint64_t size, teu_error **err)
{
	struct tar_entry entry = { .kind = TAR_FILE, .name = name, .mode = 0644, .size = size };

	return tar_writer_add(s->tar, &entry, err);
}

static int put_folder(struct saving *s, const char *name, teu_error **err)
{
	struct tar_entry entry = { .kind = TAR_DIR, .name = name, .mode = 0755 };

	return tar_writer_add(s->tar, &entry, err);
}

static int put_bytes(struct saving *s, const char *name, const void *bytes, size_t len, teu_error **err)
{
	int r;

	if (!is_new(s, name))
		return 0;
	r = begin_file(s, name, len, err);
	return r < 0 ? r : tar_writer_data(s->tar, bytes, len, err);
}

static int put_json(struct saving *s, const char *name, const json *document, teu_error **err)
{
	_cleanup_free_ char *text = document ? json_print(document) : NULL;

	return text ? put_bytes(s, name, text, strlen(text), err) : err_oom(err);
}

/* A blob as it is. */
static int put_blob(struct saving *s, const char *name, const char *digest, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	uint64_t size;
	ssize_t n;
	int r;

	if (!is_new(s, name))
		return 0;
	r = content_open(&s->engine->store, digest, &fd, &size, err);
	if (r == 0)
		r = begin_file(s, name, size, err);
	if (r < 0)
		return r;
	while ((n = fd_read_full(fd, s->buffer, CHUNK)) > 0) {
		r = tar_writer_data(s->tar, s->buffer, (size_t)n, err);
		if (r < 0)
			return r;
	}
	return n < 0 ? err_errno(err, (int)-n, "read blob %s", digest) : 0;
}

/* --- docker-archives --- */

struct blob {
	int fd;
	char *buffer; /* CHUNK, owned */
	struct inflate *inflate;
};

static void blob_done(struct blob *blob)
{
	inflate_free(blob->inflate);
	free(blob->buffer);
	cleanup_close(&blob->fd);
}

static ssize_t read_blob(void *data, const void **ret_bytes, teu_error **err)
{
	struct blob *blob = data;
	ssize_t n = fd_read_full(blob->fd, blob->buffer, CHUNK);

	*ret_bytes = blob->buffer;
	return n < 0 ? err_errno(err, (int)-n, "read blob") : n;
}

static int blob_open(const struct store *store, const char *digest, struct blob *ret, teu_error **err)
{
	int r = content_open(store, digest, &ret->fd, NULL, err);

	if (r < 0)
		return r;
	ret->buffer = malloc(CHUNK);
	if (!ret->buffer)
		return err_oom(err);
	return inflate_new(read_blob, ret, &ret->inflate, err);
}

/* The size of a layer's tar stands nowhere, and a tar entry begins with it: the first of two readings tells. */
static int plain_size(struct saving *s, const char *digest, uint64_t *ret, teu_error **err)
{
	_cleanup_(blob_done) struct blob blob = { .fd = -EBADF };
	ssize_t n;
	int r = blob_open(&s->engine->store, digest, &blob, err);

	if (r < 0)
		return r;
	*ret = 0;
	while ((n = inflate_read(blob.inflate, s->buffer, CHUNK, err)) > 0) {
		*ret += (uint64_t)n;
		r = cancel_check(s->opts->cancel, err);
		if (r < 0)
			return r;
	}
	return (int)n;
}

static int put_plain(struct saving *s, const char *name, const char *digest, teu_error **err)
{
	_cleanup_(blob_done) struct blob blob = { .fd = -EBADF };
	uint64_t size;
	ssize_t n;
	int r;

	if (!is_new(s, name))
		return 0;
	r = plain_size(s, digest, &size, err);
	if (r == 0)
		r = blob_open(&s->engine->store, digest, &blob, err);
	if (r == 0)
		r = begin_file(s, name, size, err);
	if (r < 0)
		return r;
	while ((n = inflate_read(blob.inflate, s->buffer, CHUNK, err)) > 0) {
		r = tar_writer_data(s->tar, s->buffer, (size_t)n, err);
		if (r < 0)
			return r;
	}
	return (int)n;
}

/* A layer is named by its diffID, which is the digest of the plain tar that is written. */
static int put_docker_image(struct saving *s, const struct target *target, json *list, teu_error **err)
{
	json *object = json_append_object(list), *layers, *tags = NULL;
	char name[NAME_LEN];
	bool ok;
	int r;

	snprintf(name, sizeof(name), "%s.json", digest_hex(target->image->id));
	ok = json_add_string(object, "Config", name);
	r = put_blob(s, name, target->image->id, err);
	if (target->names.n)
		tags = json_add_array(object, "RepoTags");
	else
		ok = ok && json_add_string(object, "RepoTags", NULL);
	strv_foreach (tag, &target->names)
		ok = ok && json_append_string(tags, reference_shorten(*tag));
	layers = json_add_array(object, "Layers");
	for (size_t i = 0; r == 0 && i < target->manifest.n_layers; i++) {
		snprintf(name, sizeof(name), "%s.tar", digest_hex(target->diff_ids.items[i]));
		ok = ok && json_append_string(layers, name);
		r = put_plain(s, name, target->manifest.layers[i].digest, err);
	}
	return r < 0 ? r : ok ? 0 : err_oom(err);
}

static int save_docker(struct saving *s, teu_error **err)
{
	_cleanup_json_ json *list = json_array();
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_targets; i++)
		r = put_docker_image(s, &s->targets[i], list, err);
	return r < 0 ? r : put_json(s, "manifest.json", list, err);
}

/* --- OCI archives --- */

static int put_oci_blob(struct saving *s, const char *digest, teu_error **err)
{
	char name[NAME_LEN];

	snprintf(name, sizeof(name), "blobs/sha256/%s", digest_hex(digest));
	return put_blob(s, name, digest, err);
}

static int put_oci_blobs(struct saving *s, const struct target *target, teu_error **err)
{
	int r = put_oci_blob(s, target->image->digest, err);

	if (r == 0)
		r = put_oci_blob(s, target->image->id, err);
	for (size_t i = 0; r == 0 && i < target->manifest.n_layers; i++)
		r = put_oci_blob(s, target->manifest.layers[i].digest, err);
	return r;
}

static bool add_row(json *rows, const struct target *target, uint64_t size, const char *name)
{
	json *row = descriptor_json(target->manifest.media_type, target->image->digest, size), *annotations;

	if (!json_append(rows, row))
		return false;
	if (!name)
		return true;
	annotations = json_add_object(row, "annotations");
	return json_add_string(annotations, ANNOTATION_IMAGE_NAME, name) &&
	       json_add_string(annotations, ANNOTATION_REF_NAME, name);
}

static int add_rows(struct saving *s, const struct target *target, json *rows, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	uint64_t size;
	int r = content_open(&s->engine->store, target->image->digest, &fd, &size, err);
	bool ok;

	if (r < 0)
		return r;
	ok = target->names.n || add_row(rows, target, size, NULL);
	strv_foreach (name, &target->names)
		ok = ok && add_row(rows, target, size, *name);
	return ok ? 0 : err_oom(err);
}

static int save_oci(struct saving *s, teu_error **err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	_cleanup_json_ json *index = json_object();
	json *rows;
	int r;

	if (!json_add_int(index, "schemaVersion", 2) || !json_add_string(index, "mediaType", MEDIA_OCI_INDEX) ||
	    !(rows = json_add_array(index, "manifests")))
		return err_oom(err);
	r = put_bytes(s, "oci-layout", layout, strlen(layout), err);
	if (r == 0)
		r = put_folder(s, "blobs", err);
	if (r == 0)
		r = put_folder(s, "blobs/sha256", err);
	for (size_t i = 0; r == 0 && i < s->n_targets; i++) {
		r = put_oci_blobs(s, &s->targets[i], err);
		if (r == 0)
			r = add_rows(s, &s->targets[i], rows, err);
	}
	return r < 0 ? r : put_json(s, "index.json", index, err);
}

/* --- what to save --- */

static int lease_image(struct saving *s, const struct target *target, teu_error **err)
{
	int r = lease_add(&s->lease, target->image->digest, err);

	if (r == 0)
		r = lease_add(&s->lease, target->image->id, err);
	for (size_t i = 0; r == 0 && i < target->manifest.n_layers; i++)
		r = lease_add(&s->lease, target->manifest.layers[i].digest, err);
	return r;
}

static int new_target(struct saving *s, const struct images *images, const struct image_row *row, struct target **ret,
		      teu_error **err)
{
	struct target *grown = reallocarray(s->targets, s->n_targets + 1, sizeof(*grown)), *target;
	int r;

	if (!grown)
		return err_oom(err);
	s->targets = grown;
	target = &s->targets[s->n_targets++];
	*target = (struct target){ 0 };
	r = image_load(s->engine, images, row, &target->image, err);
	if (r == 0)
		r = manifest_read(target->image->manifest, NULL, &target->manifest, err);
	if (r == 0)
		r = json_read_strings(json_get(target->image->config, "rootfs"), "rootfs", "diff_ids",
				      &target->diff_ids, err);
	if (r < 0)
		return r;
	if (target->diff_ids.n != target->manifest.n_layers)
		return err_set(err, TEU_E_CORRUPT, "image %s: manifest and config differ", target->image->id);
	*ret = target;
	return lease_image(s, target, err);
}

static int add_name(struct saving *s, const struct images *images, const char *name, teu_error **err)
{
	struct target *target = NULL;
	struct image_match match;
	int r = image_resolve(images, name, &match, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < s->n_targets && !target; i++)
		if (match.row->id && strcmp(s->targets[i].image->id, match.row->id) == 0)
			target = &s->targets[i];
	if (!target)
		r = new_target(s, images, match.row, &target, err);
	if (r < 0)
		return r;
	/* A digest is no tag, so no archive can carry it as one. */
	if (!match.by_id && !strchr(match.row->name, '@') && !strv_has(&target->names, match.row->name))
		strv_add(&target->names, match.row->name);
	return target->names.oom ? err_oom(err) : 0;
}

static int find_targets(struct saving *s, const char *const *names, size_t n_names, teu_error **err)
{
	_cleanup_(images_done) struct images images = IMAGES_INIT;
	int r = images_read(&s->engine->store, &images, err);

	for (size_t i = 0; r == 0 && i < n_names; i++)
		r = add_name(s, &images, names[i], err);
	return r;
}

int image_save(teu_engine *engine, const char *const *names, size_t n_names, int fd, const teu_save_options *opts,
	       teu_error **err)
{
	_cleanup_(saving_done) struct saving s = { .engine = engine, .opts = opts, .lease = LEASE_INIT, .fd = fd };
	int r;

	if (n_names == 0)
		return err_set(err, TEU_E_INVALID, "no image named to be saved");
	s.buffer = malloc(CHUNK);
	if (!s.buffer)
		return err_oom(err);
	r = lease_take(&engine->store, &s.lease, err);
	if (r == 0)
		r = find_targets(&s, names, n_names, err);
	if (r == 0)
		r = tar_writer_new(write_out, &s, &s.tar, err);
	if (r == 0)
		r = opts->format == TEU_ARCHIVE_OCI ? save_oci(&s, err) : save_docker(&s, err);
	if (r == 0)
		r = tar_writer_finish(s.tar, err);
	if (r == 0 && s.written.oom)
		return err_oom(err);
	return err_wrap(err, r, "save");
}
