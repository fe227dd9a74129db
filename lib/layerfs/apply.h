/* apply: one layer's tar stream into one folder. Source: image-spec layer.md, "Applying Changesets". */
#ifndef TEU_LAYERFS_APPLY_H
#define TEU_LAYERFS_APPLY_H

#include <stdint.h>
#include <sys/types.h>

#include "base/cancel.h"
#include "base/err.h"

/* Gives the next bytes of the *uncompressed* tar: count, 0 at the end, or a negative TEU_E_… with *err set. */
typedef ssize_t (*apply_read_cb)(void *data, const void **ret_bytes, teu_error **err);

struct apply_options {
	uint64_t max_size;  /* sum of file bytes; 0: 64 GiB */
	uint64_t max_files; /* 0: 4,000,000 */
	const teu_cancel *cancel;
};

/*
 * Unpacks into @root_fd for use as an overlay lower layer: ".wh.x" becomes a 0:0 character device "x", ".wh..wh..opq"
 * the xattr trusted.overlay.opaque. Everything is opened beneath @root_fd; an entry that would leave it is
 * TEU_E_CORRUPT. The stream is read to its end, also behind the tar's end mark (the diffID covers it).
 */
int apply_layer(int root_fd, apply_read_cb read, void *data, const struct apply_options *opts, uint64_t *ret_size,
		teu_error **err);

#endif
