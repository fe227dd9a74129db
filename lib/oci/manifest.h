/* manifest: one image: its config and its layers. Source: image-spec manifest.md; Docker's image manifest schema 2. */
#ifndef TEU_OCI_MANIFEST_H
#define TEU_OCI_MANIFEST_H

#include <stddef.h>

#include "oci/descriptor.h"

enum { MANIFEST_MAX_SIZE = 4 << 20, MANIFEST_MAX_LAYERS = 500 };

struct manifest {
	char *media_type; /* owned; what it calls itself, or the type that its config's type implies */
	struct descriptor config;
	struct descriptor *layers; /* owned, lowest first */
	size_t n_layers;
};

/* TEU_E_CORRUPT, TEU_E_INVALID, TEU_E_LIMIT or TEU_E_UNSUPPORTED name the field. @content_type: as document_kind(). */
int manifest_read(const json *document, const char *content_type, struct manifest *ret, teu_error **err);
int manifest_parse(const char *text, size_t len, const char *content_type, struct manifest *ret, teu_error **err);
void manifest_done(struct manifest *m);

/* A new OCI manifest as text, for the caller to free. */
int manifest_print(const struct descriptor *config, const struct descriptor *layers, size_t n_layers, char **ret,
		   teu_error **err);

#endif
