/* image: the object behind teu_image: a snapshot of one image in the store. */
#ifndef TEU_ENGINE_IMAGE_H
#define TEU_ENGINE_IMAGE_H

#include <stdatomic.h>
#include <stdint.h>

#include <teu/image.h>

#include "base/strv.h"
#include "engine/engine.h"
#include "format/json.h"

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
