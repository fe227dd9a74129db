/*
 * client: one repository of one registry, for reading. Source: distribution-spec, "Pull".
 *
 * A struct registry serves many threads, each with a struct http of its own; a token that one of them got serves all.
 */
#ifndef TEU_REGISTRY_CLIENT_H
#define TEU_REGISTRY_CLIENT_H

#include "base/cancel.h"
#include "format/sha256.h"
#include "registry/credentials.h"
#include "registry/http.h"

enum { REGISTRY_MAX_MANIFEST = 4 << 20 };

/* All borrowed. */
struct registry_options {
	const char *host;			     /* as references have it: "docker.io", "localhost:5000" */
	const char *repository;			     /* "library/busybox" */
	const char *username, *password, *auth_file; /* as in teu_pull_options */
	struct http_options http;
};

struct registry;

/*
 * Finds the credentials, and for hosts that may speak plain HTTP (this machine, or insecure ones) out which it speaks:
 * HTTPS first, as docker does.
 * TEU_E_INVALID; TEU_E_NETWORK, TEU_E_TIMEOUT, those of credentials_find().
 */
int registry_open(const struct registry_options *opts, struct http *http, struct registry **ret, teu_error **err);
void registry_free(struct registry *reg);
DEFINE_CLEANUP(struct registry *, registry_free)

/* A manifest or index as received: the bytes that the digest is of. */
struct registry_document {
	char *text; /* owned, terminated */
	size_t len;
	char *media_type; /* of Content-Type; owned; NULL: none */
	char digest[SHA256_TEXT_MAX];
};

/*
 * Gets the manifest @name, a tag or a digest, at most REGISTRY_MAX_MANIFEST bytes. Its digest is compared with @name
 * and with the Docker-Content-Digest header. TEU_E_NOT_FOUND; TEU_E_AUTH; TEU_E_CORRUPT; TEU_E_LIMIT; those of
 * http_open().
 */
int registry_get_manifest(struct registry *reg, struct http *http, const char *name, struct registry_document *ret,
			  teu_error **err);
void registry_document_done(struct registry_document *doc);

/*
 * Begins to get the blob @digest of @size bytes from byte @offset on; http_read() gives them. *@ret_from: where they
 * begin, @offset, or 0 from a registry that knows no ranges. TEU_E_CORRUPT: it announces another size.
 */
int registry_open_blob(struct registry *reg, struct http *http, const char *digest, uint64_t size, uint64_t offset,
		       uint64_t *ret_from, teu_error **err);

/* A whole small blob of exactly @size bytes, its digest checked; for the caller to free. */
int registry_get_blob(struct registry *reg, struct http *http, const char *digest, uint64_t size, char **ret_text,
		      teu_error **err);

#endif
