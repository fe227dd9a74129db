/*
 * image_config: the document whose digest is the image's id: how to run it, and the diffIDs of its layers.
 * Source: image-spec config.md; layer.md for the chainID.
 */
#ifndef TEU_OCI_IMAGE_CONFIG_H
#define TEU_OCI_IMAGE_CONFIG_H

#include <stdint.h>

#include "base/strv.h"
#include "format/json.h"
#include "oci/platform.h"

struct image_config {
	struct platform platform;
	struct strv diff_ids; /* lowest layer first, each a valid digest */
	int64_t created;      /* UTC nanoseconds; 0: it doesn't say */
};

/* TEU_E_INVALID, TEU_E_LIMIT or TEU_E_UNSUPPORTED name the field. Also checks the types inside "config". */
int image_config_read(const json *document, struct image_config *ret, teu_error **err);
int image_config_parse(const char *text, size_t len, struct image_config *ret, teu_error **err);
void image_config_done(struct image_config *config);

/* The chainID of each stack, lowest first: chain(1) = diffID(1), chain(n) = sha256(chain(n-1) + " " + diffID(n)). */
int image_config_chains(const struct strv *diff_ids, struct strv *ret, teu_error **err);
/* One step of it; @parent NULL: the lowest layer. */
int image_config_chain(const char *parent, const char *diff_id, char **ret, teu_error **err);

/*
 * A new document for an image of one layer, as text for the caller to free. @config: the "config" object (NULL: empty);
 * @created: UTC nanoseconds.
 */
int image_config_print(const struct platform *platform, const char *diff_id, const json *config, int64_t created,
		       const char *message, char **ret, teu_error **err);

#endif
