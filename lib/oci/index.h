/* index: the same image for several platforms, or the images of a layout. Source: image-spec image-index.md. */
#ifndef TEU_OCI_INDEX_H
#define TEU_OCI_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "oci/descriptor.h"
#include "oci/platform.h"

#define ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"
/* What containerd and docker write where the reference name is a tag only. */
#define ANNOTATION_IMAGE_NAME "io.containerd.image.name"

enum { INDEX_MAX_ENTRIES = 1000 };

struct index_entry {
	struct descriptor descriptor;
	bool has_platform;
	struct platform platform;
	char *name; /* ANNOTATION_IMAGE_NAME, else ANNOTATION_REF_NAME; NULL: neither */
};

struct index {
	char *media_type;	     /* owned */
	struct index_entry *entries; /* owned */
	size_t n_entries;
};

int index_read(const json *document, const char *content_type, struct index *ret, teu_error **err);
int index_parse(const char *text, size_t len, const char *content_type, struct index *ret, teu_error **err);
void index_done(struct index *index);

/*
 * The entry that serves @platform best, the first of equals; entries without a platform serve any, last. Only manifests
 * count. TEU_E_NOT_FOUND lists the platforms there are.
 */
int index_choose(const struct index *index, const struct platform *platform, const struct index_entry **ret,
		 teu_error **err);

#endif
