/*
 * compress: streams of gzip and zstd, as layers come in. Sources: RFC 1952 (gzip; several members are one stream),
 * RFC 8878 (zstd; several frames are one stream, skippable ones are nothing).
 */
#ifndef TEU_FORMAT_COMPRESS_H
#define TEU_FORMAT_COMPRESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

enum { COMPRESSION_MAGIC = 4 }; /* first bytes that compression_of() wants to see */

/* Told by the first bytes; fewer than COMPRESSION_MAGIC only when the stream has no more. */
enum compression compression_of(const void *bytes, size_t len);

/* Gives the next bytes of a stream: count, 0 at the end, or a negative TEU_E_… with *err set. They live until the next
 * call. */
typedef ssize_t (*compress_read_cb)(void *data, const void **ret_bytes, teu_error **err);

struct inflate; /* a stream being unpacked */

/* @read is called from inflate_read() only. */
int inflate_new(compress_read_cb read, void *data, struct inflate **ret, teu_error **err);

/*
 * The next plain bytes: fills @to up to @len, less only at the end, 0 behind it. TEU_E_CORRUPT: the stream is damaged,
 * ends early, or is followed by something else; TEU_E_LIMIT: zstd wants a window of more than 128 MiB;
 * TEU_E_UNSUPPORTED: no library for it; and what @read said.
 */
ssize_t inflate_read(struct inflate *in, void *to, size_t len, teu_error **err);

/* What the stream turned out to be; known after the first inflate_read(). */
enum compression inflate_kind(const struct inflate *in);
void inflate_free(struct inflate *in);
DEFINE_CLEANUP(struct inflate *, inflate_free)

#endif
