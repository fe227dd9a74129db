/* decoder_isal: gzip by ISA-L, several times as fast as zlib. Source: its igzip_lib.h. */
#include "format/decoder.h"

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/library.h"

#ifdef HAVE_ISA_L_IGZIP_LIB_H
#include <isa-l/igzip_lib.h>

static struct {
	void (*init)(struct inflate_state *);
	void (*reset)(struct inflate_state *);
	int (*inflate)(struct inflate_state *);
} isal;

static const struct library_symbol symbols[] = {
	{ "isal_inflate_init", &isal.init },
	{ "isal_inflate_reset", &isal.reset },
	{ "isal_inflate", &isal.inflate },
};

static struct library libisal = {
	.soname = "libisal.so.2",
	.package = "libisal2",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

struct isal_decoder {
	struct decoder decoder;
	struct inflate_state state;
	bool started; /* the state is inside a member */
};

static int step(struct decoder *decoder, struct decoder_io *io, teu_error **err)
{
	struct isal_decoder *d = (struct isal_decoder *)decoder;
	uint32_t in_len = io->in_len > UINT32_MAX ? UINT32_MAX : (uint32_t)io->in_len;
	uint32_t out_len = io->out_len > UINT32_MAX ? UINT32_MAX : (uint32_t)io->out_len;
	int r;

	if (!d->started) {
		isal.reset(&d->state);
		d->state.crc_flag = ISAL_GZIP;
		d->started = true;
	}
	d->state.next_in = (uint8_t *)io->in;
	d->state.avail_in = in_len;
	d->state.next_out = io->out;
	d->state.avail_out = out_len;
	r = isal.inflate(&d->state);
	if (r != ISAL_DECOMP_OK && r != ISAL_END_INPUT)
		return err_set(err, TEU_E_CORRUPT, "damaged gzip stream (%s)",
			       r == ISAL_INCORRECT_CHECKSUM ? "checksum differs"
			       : r == ISAL_INVALID_WRAPPER  ? "not a gzip header"
							    : "invalid deflate data");
	io->in = d->state.next_in;
	io->in_len -= in_len - d->state.avail_in;
	io->out = d->state.next_out;
	io->out_len -= out_len - d->state.avail_out;
	if (d->state.block_state != ISAL_BLOCK_FINISH)
		return DECODER_INSIDE;
	d->started = false;
	return DECODER_BETWEEN;
}

static void done(struct decoder *decoder)
{
	free(decoder);
}

int decoder_isal_new(struct decoder **ret, teu_error **err)
{
	struct isal_decoder *d;
	int r = library_open(&libisal, err);

	if (r < 0)
		return r;
	d = calloc(1, sizeof(*d));
	if (!d)
		return err_oom(err);
	d->decoder = (struct decoder){ .step = step, .free = done };
	isal.init(&d->state);
	*ret = &d->decoder;
	return 0;
}

#else

int decoder_isal_new(struct decoder **ret, teu_error **err)
{
	(void)ret;
	return err_set(err, TEU_E_UNSUPPORTED, "built without ISA-L");
}

#endif
