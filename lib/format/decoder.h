/* decoder: what compress asks of the libraries behind it. Each has one file of its own. */
#ifndef TEU_FORMAT_DECODER_H
#define TEU_FORMAT_DECODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct decoder_io {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
};

enum decoder_state {
	DECODER_INSIDE, /* of a member or frame: the input must go on */
	DECODER_BETWEEN /* one has ended: so may the input */
};

struct decoder {
	/*
	 * Takes from io->in and gives to io->out what it can, moving both on. Returns the state it stopped in, when the
	 * input is empty, the output full or a member has ended; TEU_E_CORRUPT.
	 */
	int (*step)(struct decoder *decoder, struct decoder_io *io, teu_error **err);
	void (*free)(struct decoder *decoder);
};

/* Each: TEU_E_UNSUPPORTED, its library can't be opened. */
int decoder_isal_new(struct decoder **ret, teu_error **err);
int decoder_zlib_new(struct decoder **ret, teu_error **err);
int decoder_zstd_new(struct decoder **ret, teu_error **err);

#endif
