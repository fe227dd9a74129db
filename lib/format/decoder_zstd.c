/* decoder_zstd: zstd by libzstd. Source: its zstd.h, "Streaming decompression". */
#include "format/decoder.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "base/cleanup.h"
#include "base/library.h"

static struct {
	ZSTD_DCtx *(*new)(void);
	size_t (*free)(ZSTD_DCtx *);
	size_t (*set)(ZSTD_DCtx *, ZSTD_dParameter, int);
	size_t (*decompress)(ZSTD_DCtx *, ZSTD_outBuffer *, ZSTD_inBuffer *);
	unsigned (*is_error)(size_t);
	ZSTD_ErrorCode (*code)(size_t);
	const char *(*name)(size_t);
} zstd;

static const struct library_symbol symbols[] = {
	{ "ZSTD_createDCtx", &zstd.new },	 { "ZSTD_freeDCtx", &zstd.free },
	{ "ZSTD_DCtx_setParameter", &zstd.set }, { "ZSTD_decompressStream", &zstd.decompress },
	{ "ZSTD_isError", &zstd.is_error },	 { "ZSTD_getErrorCode", &zstd.code },
	{ "ZSTD_getErrorName", &zstd.name },
};

static struct library libzstd = {
	.soname = "libzstd.so.1",
	.package = "libzstd1",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

enum { MAX_WINDOW_LOG = 27 }; /* 128 MiB, what zstd(1) itself takes without being told more */

struct zstd_decoder {
	struct decoder decoder;
	ZSTD_DCtx *ctx;
};

static int fail(size_t r, teu_error **err)
{
	switch (zstd.code(r)) {
	case ZSTD_error_memory_allocation:
		return err_oom(err);
	case ZSTD_error_frameParameter_windowTooLarge:
		return err_set(err, TEU_E_LIMIT, "zstd stream wants a window of more than %d MiB",
			       1 << (MAX_WINDOW_LOG - 20));
	default:
		return err_set(err, TEU_E_CORRUPT, "damaged zstd stream (%s)", zstd.name(r));
	}
}

static int step(struct decoder *decoder, struct decoder_io *io, teu_error **err)
{
	struct zstd_decoder *d = (struct zstd_decoder *)decoder;
	ZSTD_inBuffer in = { .src = io->in, .size = io->in_len };
	ZSTD_outBuffer out = { .dst = io->out, .size = io->out_len };
	size_t r = zstd.decompress(d->ctx, &out, &in);

	if (zstd.is_error(r))
		return fail(r, err);
	io->in += in.pos;
	io->in_len -= in.pos;
	io->out += out.pos;
	io->out_len -= out.pos;
	return r == 0 ? DECODER_BETWEEN : DECODER_INSIDE;
}

static void done(struct decoder *decoder)
{
	struct zstd_decoder *d = (struct zstd_decoder *)decoder;

	zstd.free(d->ctx);
	free(d);
}

int decoder_zstd_new(struct decoder **ret, teu_error **err)
{
	_cleanup_free_ struct zstd_decoder *d = NULL;
	int r = library_open(&libzstd, err);

	if (r < 0)
		return r;
	d = calloc(1, sizeof(*d));
	if (!d)
		return err_oom(err);
	d->decoder = (struct decoder){ .step = step, .free = done };
	d->ctx = zstd.new();
	if (!d->ctx)
		return err_oom(err);
	zstd.set(d->ctx, ZSTD_d_windowLogMax, MAX_WINDOW_LOG);
	*ret = &TAKE_PTR(d)->decoder;
	return 0;
}
