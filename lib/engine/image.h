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
	teu_engine *engine; /* counted */
	char *id;	    /* "sha256:…" of the config document */
	char *digest;	    /* "sha256:…" of the manifest */
	struct strv names;  /* normalized references */
	struct strv chains; /* chainIDs "sha256:…", lowest layer first: layers_path() gives each one's tree */
	json *config;	    /* the image config document (image-spec config.md) */
	json *manifest;
	uint64_t size; /* unpacked bytes */
	int64_t created;
};

DEFINE_CLEANUP(teu_image *, teu_image_unref)

/* teu_image_find() without the checks of api/. */
int image_find(teu_engine *engine, const char *name, teu_image **ret, teu_error **err);

#endif
