/*
 * document: is this JSON a manifest or an index? It must not be both, and what it says must agree with what the
 * registry said: otherwise two tools could see two images under one digest (CVE-2021-41190).
 */
#ifndef TEU_OCI_DOCUMENT_H
#define TEU_OCI_DOCUMENT_H

#include "format/json.h"
#include "oci/media_type.h"

/*
 * @content_type: what the registry or the descriptor called it; NULL: nothing said. *ret is MEDIA_MANIFEST or
 * MEDIA_INDEX. TEU_E_CORRUPT: ambiguous or contradicting; TEU_E_UNSUPPORTED: Docker's schema 1, or something else.
 */
int document_kind(const json *document, const char *content_type, enum media_kind *ret, teu_error **err);

#endif
