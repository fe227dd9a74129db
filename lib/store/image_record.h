/*
 * image_record: images/<id hex>.json: the chainIDs and the size of an image, so that a launch need not hash for them.
 * It can always be made again from the image's config, so it is neither synced nor missed.
 */
#ifndef TEU_STORE_IMAGE_RECORD_H
#define TEU_STORE_IMAGE_RECORD_H

#include <stdint.h>

#include "base/strv.h"
#include "format/json.h"
#include "store/store.h"

struct image_record {
	struct strv chains; /* chainIDs, lowest layer first */
	uint64_t size;	    /* unpacked bytes of its layers */
};

/* @config: the image's config document. Makes the record where there is none. TEU_E_CORRUPT: a layer is missing. */
int image_record_read(const struct store *store, const char *id, const json *config, struct image_record *ret,
		      teu_error **err);
void image_record_done(struct image_record *record);

#endif
