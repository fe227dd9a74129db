/*
 * archive_spool: the files of an image archive, read once from a stream that can't be sought. Small ones stay in
 * memory, large ones become blobs at once, because they are layers: the names that lead to them come last in what
 * docker writes.
 */
#ifndef TEU_ENGINE_ARCHIVE_SPOOL_H
#define TEU_ENGINE_ARCHIVE_SPOOL_H

#include "engine/progress.h"
#include "store/store.h"

struct spool_file {
	char *path;   /* "/manifest.json", cleaned; owned, as are the others */
	char *link;   /* path of another file, for links within the archive; NULL: a file */
	char *bytes;  /* of a small file; NULL: it is a blob */
	char *digest; /* of the blob; NULL: a small file */
	uint64_t size;
};

struct spool {
	const struct store *store; /* borrowed */
	struct spool_file *files;  /* owned */
	size_t n_files;
	size_t memory; /* bytes kept in it */
};

/*
 * Reads the tar (plain, gzip or zstd) at @fd to its end. The caller has a lease on everything. TEU_E_CORRUPT;
 * TEU_E_LIMIT: too many files, or one larger than @max_size (0: 64 GiB).
 */
int spool_read(struct spool *spool, const struct store *store, int fd, uint64_t max_size, struct progress *progress,
	       teu_error **err);
bool spool_has(const struct spool *spool, const char *path);
/* A document, at most 4 MiB; for the caller to free. TEU_E_CORRUPT: it is not there; TEU_E_LIMIT. */
int spool_text(const struct spool *spool, const char *path, char **ret, size_t *ret_len, teu_error **err);
/* Makes the file a blob. @digest: what it must be, NULL: what it is. TEU_E_CORRUPT. */
int spool_blob(const struct spool *spool, const char *path, const char *digest, char **ret_digest, uint64_t *ret_size,
	       teu_error **err);
void spool_done(struct spool *spool);

#endif
