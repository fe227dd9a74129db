/* image: the object behind teu_image: a snapshot of one image in the store. */
#ifndef TEU_ENGINE_IMAGE_H
#define TEU_ENGINE_IMAGE_H

#include <stdatomic.h>
#include <stdint.h>

#include <teu/image.h>

#include "base/strv.h"
#include "engine/engine.h"
#include "format/json.h"
#include "store/images.h"

struct teu_image {
	atomic_int refs;
	teu_engine *engine;  /* counted */
	char *id;	     /* "sha256:…" of the config document */
	char *digest;	     /* "sha256:…" of the manifest */
	struct strv names;   /* normalized references with a tag */
	struct strv digests; /* "docker.io/library/busybox@sha256:…": what registries call it */
	struct strv chains;  /* chainIDs "sha256:…", lowest layer first: layers_path() gives each one's tree */
	json *config;	     /* the image config document (image-spec config.md) */
	json *manifest;
	uint64_t size; /* unpacked bytes */
	int64_t created;
};

DEFINE_CLEANUP(teu_image *, teu_image_unref)

/* teu_image_find() without the checks of api/. */
int image_find(teu_engine *engine, const char *name, teu_image **ret, teu_error **err);

/* A list of images; each entry is counted. */
struct teu_image_list {
	atomic_int refs;
	teu_image **items; /* owned */
	size_t n;
};

DEFINE_CLEANUP(teu_image_list *, teu_image_list_unref)

int image_list_new(teu_image_list **ret, teu_error **err);
/* Takes a reference of its own. */
int image_list_add(teu_image_list *list, teu_image *image, teu_error **err);

/* How a name was understood. */
struct image_match {
	const struct image_row *row; /* borrowed from the images */
	bool by_id;		     /* by an id or a prefix of it */
};

/* What @name means among @images. TEU_E_INVALID, TEU_E_NOT_FOUND, TEU_E_CONFLICT as teu_image_find(). */
int image_resolve(const struct images *images, const char *name, struct image_match *ret, teu_error **err);
/* The object for a row. */
int image_load(teu_engine *engine, const struct images *images, const struct image_row *row, teu_image **ret,
	       teu_error **err);

int image_list_all(teu_engine *engine, teu_image_list **ret, teu_error **err);
int image_tag(teu_engine *engine, const char *name, const char *reference, teu_error **err);
/* @ret_removed may be NULL. */
int image_remove(teu_engine *engine, const char *name, bool force, char **ret_removed, teu_error **err);
int image_inspect(teu_image *image, char **ret_json, teu_error **err);
int image_import(teu_engine *engine, int fd, const char *reference, const teu_import_options *opts, teu_image **ret,
		 teu_error **err);
int image_save(teu_engine *engine, const char *const *names, size_t n_names, int fd, const teu_save_options *opts,
	       teu_error **err);
int image_load_archive(teu_engine *engine, int fd, const teu_load_options *opts, teu_image_list **ret, teu_error **err);

/*
 * Gives the manifest @manifest_digest the name @name and returns the image. Its blobs and layers are in the store, and
 * a lease of the caller keeps them there (store/leases.h). An image that had the name loses it.
 *
 * @name: normalized (reference_normalize()), with tag or digest; NULL: no name, found by id only
 * @registry_digest: what the registry answered to @name with, the digest of an index or of the manifest: the image is
 * found as "repository@digest" too; NULL: it comes from no registry
 *
 * TEU_E_CORRUPT: manifest and config don't fit each other, or a layer is missing.
 */
int image_store(teu_engine *engine, const char *manifest_digest, const char *name, const char *registry_digest,
		teu_image **ret, teu_error **err);

#endif
