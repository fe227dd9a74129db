/* content: blobs by digest, as an OCI image layout keeps them: blobs/sha256/<hex>. */
#ifndef TEU_STORE_CONTENT_H
#define TEU_STORE_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "store/store.h"

bool content_has(const struct store *store, const char *digest);
/* Opens a blob for reading. TEU_E_NOT_FOUND. */
int content_open(const struct store *store, const char *digest, int *ret_fd, uint64_t *ret_size, teu_error **err);
/* A whole small blob (manifest, config), at most 4 MiB, its digest checked. */
int content_read(const struct store *store, const char *digest, char **ret_text, size_t *ret_len, teu_error **err);
/* As above without the digest's check, for documents that were checked when they came: no hashing on a launch's path.
 */
int content_read_trusted(const struct store *store, const char *digest, char **ret_text, size_t *ret_len,
			 teu_error **err);
/* Stores @len bytes and tells their digest ("sha256:…", for the caller to free). */
int content_put(const struct store *store, const void *bytes, size_t len, char **ret_digest, teu_error **err);

/*
 * A blob being fetched: a file in tmp/ named after the digest it should have, locked by its one writer. What an
 * earlier, broken fetch left is kept: @have bytes are there already. The caller appends to fd and hashes what it
 * appends (and what was there).
 */
struct content_draft {
	const struct store *store; /* borrowed */
	char *digest;		   /* owned; NULL: not known yet */
	char *name;		   /* "tmp/…", owned */
	int fd;			   /* opened for reading and appending, locked; -EBADF: none */
	uint64_t have;
};

/*
 * Waits while another process fetches the same blob, but not after @cancel (NULL: none) was fired; *ret_exists when
 * that process finished it.
 */
int content_begin(const struct store *store, const char *digest, const teu_cancel *cancel, struct content_draft *ret,
		  bool *ret_exists, teu_error **err);
/* A draft of a blob whose digest will be known at its end. */
int content_begin_new(const struct store *store, struct content_draft *ret, teu_error **err);
/* What such a draft turned out to be; then content_commit(). */
int content_draft_name(struct content_draft *draft, const char *digest, teu_error **err);
/* Syncs and publishes it. The caller has verified size and digest. */
int content_commit(struct content_draft *draft, teu_error **err);
/* Throws the bytes away (they were wrong); the draft is empty then and may be filled anew. */
void content_discard(struct content_draft *draft);
/* Closes it; uncommitted bytes stay for the next try until the sweep, if their digest is known. */
void content_draft_done(struct content_draft *draft);

#endif
