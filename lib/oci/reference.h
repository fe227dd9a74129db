/*
 * reference: the names of images, "[host[:port]/]path[:tag][@digest]", by Docker's rules.
 * Source: the grammar of distribution's reference package as distribution-spec, "Pulling manifests", restricts it.
 */
#ifndef TEU_OCI_REFERENCE_H
#define TEU_OCI_REFERENCE_H

#include "base/cleanup.h"

struct reference {
	char *host;   /* "docker.io", "localhost:5000"; owned, as are the others */
	char *path;   /* "library/busybox" */
	char *tag;    /* NULL only when there is a digest and no tag was given */
	char *digest; /* NULL: none */
};

/*
 * No host means docker.io, one path element there means library/, neither tag nor digest means the tag "latest".
 * TEU_E_INVALID names what is wrong; *ret is untouched then.
 */
int reference_parse(const char *text, struct reference *ret, teu_error **err);
void reference_done(struct reference *ref);

/* "docker.io/library/busybox:latest", or with a digest "docker.io/library/busybox@sha256:…" (the tag says nothing
 * then). This is the form that names have in index.json. For the caller to free; NULL: no memory. */
char *reference_format(const struct reference *ref);
/* "docker.io/library/busybox" */
char *reference_repository(const struct reference *ref);
/* "busybox:latest": reference_format() without what Docker takes for granted about the host. */
char *reference_familiar(const struct reference *ref);

/* reference_parse() and reference_format() in one. */
int reference_normalize(const char *text, char **ret, teu_error **err);
/* A normalized name as people write it, borrowed from it: "busybox:latest". */
const char *reference_shorten(const char *normalized);

#endif
