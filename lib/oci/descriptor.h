/* descriptor: media type, digest and size of a blob. Source: image-spec descriptor.md. */
#ifndef TEU_OCI_DESCRIPTOR_H
#define TEU_OCI_DESCRIPTOR_H

#include <stdint.h>

#include "format/json.h"

struct descriptor {
	char *media_type; /* owned; "" when the document gives none */
	char *digest;	  /* owned; valid */
	uint64_t size;
};

/*
 * Reads @object, which stands at @where ("layers[2]"). TEU_E_INVALID: a field is missing or malformed (the digest was
 * checked: it may become a path); TEU_E_UNSUPPORTED: not sha256. "urls" are passed over: nothing is fetched from there.
 */
int descriptor_read(const json *object, const char *where, struct descriptor *ret, teu_error **err);
void descriptor_done(struct descriptor *d);
/* As a JSON object; NULL: no memory. */
json *descriptor_json(const char *media_type, const char *digest, uint64_t size);

#endif
