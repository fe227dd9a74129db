/* decoder_zlib: gzip by zlib, where there is no ISA-L. Source: its zlib.h. */
#include "format/decoder.h"

#include <limits.h>
#include <stdbool.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/library.h"

static struct {
	int (*init)(z_stream *, int, const char *, int);
	int (*reset)(z_stream *);
	int (*inflate)(z_stream *, int);
	int (*end)(z_stream *);
} zlib;

static const struct library_symbol symbols[] = {
	{ "inflateInit2_", &zlib.init },
	{ "inflateReset", &zlib.reset },
	{ "inflate", &zlib.inflate },
	{ "inflateEnd", &zlib.end },
};

static struct library libz = {
	.soname = "libz.so.1",
	.package = "zlib1g",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

enum { GZIP_ONLY = 16 + MAX_WBITS }; /* zlib.h, inflateInit2: expect a gzip header, check its trailer */

struct zlib_decoder {
	struct decoder decoder;
	z_stream stream;
	bool ended; /* the last member was read to its end */
};

static int step(struct decoder *decoder, struct decoder_io *io, teu_error **err)
{
	struct zlib_decoder *d = (struct zlib_decoder *)decoder;
	uInt in_len = io->in_len > UINT_MAX ? UINT_MAX : (uInt)io->in_len;
	uInt out_len = io->out_len > UINT_MAX ? UINT_MAX : (uInt)io->out_len;
	int r;

	if (d->ended)
		zlib.reset(&d->stream);
	d->ended = false;
	d->stream.next_in = (Bytef *)io->in;
	d->stream.avail_in = in_len;
	d->stream.next_out = io->out;
	d->stream.avail_out = out_len;
	r = zlib.inflate(&d->stream, Z_NO_FLUSH);
	if (r == Z_MEM_ERROR)
		return err_oom(err);
	/* Z_BUF_ERROR only says that this step could do nothing. */
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
		return err_set(err, TEU_E_CORRUPT, "damaged gzip stream (%s)",
			       d->stream.msg ? d->stream.msg : "invalid data");
	io->in = d->stream.next_in;
	io->in_len -= in_len - d->stream.avail_in;
	io->out = d->stream.next_out;
	io->out_len -= out_len - d->stream.avail_out;
	d->ended = r == Z_STREAM_END;
	return d->ended ? DECODER_BETWEEN : DECODER_INSIDE;
}

static void done(struct decoder *decoder)
{
	struct zlib_decoder *d = (struct zlib_decoder *)decoder;

	zlib.end(&d->stream);
	free(d);
}

int decoder_zlib_new(struct decoder **ret, teu_error **err)
{
	_cleanup_free_ struct zlib_decoder *d = NULL;
	int r = library_open(&libz, err);

	if (r < 0)
		return r;
	d = calloc(1, sizeof(*d));
	if (!d)
		return err_oom(err);
	d->decoder = (struct decoder){ .step = step, .free = done };
	if (zlib.init(&d->stream, GZIP_ONLY, ZLIB_VERSION, (int)sizeof(d->stream)) != Z_OK)
		return err_oom(err);
	*ret = &TAKE_PTR(d)->decoder;
	return 0;
}
