/* unpack: a compressed blob in the content store becomes a layer; a stream of tar becomes blob and layer at once. */
#ifndef TEU_ENGINE_UNPACK_H
#define TEU_ENGINE_UNPACK_H

#include <stdint.h>

#include "base/cancel.h"
#include "engine/engine.h"

struct unpack_options {
	uint64_t max_size; /* unpacked bytes; 0: 64 GiB */
	const teu_cancel *cancel;
	void (*progress)(uint64_t compressed_bytes,
			 void *data); /* may be called on another thread than the caller's; NULL: none */
	void *progress_data;
};

/*
 * Unpacks blob @digest (gzip, zstd or plain, told by its first bytes) into layer @chain_id below @parent_chain_id
 * (NULL: lowest), and checks @diff_id. Several may run at once on different threads. A layer that is there already is
 * success. TEU_E_CORRUPT: the diffID differs, or not a tar.
 */
int unpack_blob(teu_engine *engine, const char *digest, const char *diff_id, const char *chain_id,
		const char *parent_chain_id, const struct unpack_options *opts, teu_error **err);

/*
 * As above while the blob still arrives: @source gives compressed bytes (count, 0 at the end, negative code with *err
 * set) on the calling thread; inflating, hashing and unpacking go on beside it. Nothing is visible until
 * layers_commit(), which the caller allows by @verify returning 0 (it has compared the compressed digest by then).
 */
typedef ssize_t (*unpack_source_cb)(void *data, const void **ret_bytes, teu_error **err);
int unpack_stream(teu_engine *engine, unpack_source_cb source, int (*verify)(void *data, teu_error **err), void *data,
		  const char *diff_id, const char *chain_id, const char *parent_chain_id,
		  const struct unpack_options *opts, teu_error **err);

/*
 * A plain, gzip or zstd tar from @fd becomes one blob (kept as it came) and one layer; for import and load.
 * @ret_digest, @ret_diff_id: for the caller to free.
 */
int unpack_import(teu_engine *engine, int fd, const struct unpack_options *opts, char **ret_digest,
		  uint64_t *ret_blob_size, const char **ret_media_type, char **ret_diff_id, teu_error **err);

#endif
