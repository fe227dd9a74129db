/* compress: streams of gzip and zstd, told apart by their first bytes; members and frames joined into one stream. */
#include "format/compress.h"

#include <stdbool.h>
#include <string.h>

#include "format/decoder.h"

struct inflate {
	compress_read_cb read;
	void *data;
	enum compression kind;
	struct decoder *decoder;	 /* owned; NULL: plain */
	uint8_t head[COMPRESSION_MAGIC]; /* a first piece shorter than the magic is collected here */
	struct decoder_io io;		 /* in: what is left of the piece that @read gave last */
	const uint8_t *next;		 /* a piece that waits behind head */
	size_t next_len;
	bool told;    /* kind is known */
	bool at_end;  /* @read has no more */
	bool padding; /* only zeros may follow */
	int state;    /* enum decoder_state */
};

enum compression compression_of(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	if (len >= 2 && b[0] == 0x1f && b[1] == 0x8b)
		return COMPRESSION_GZIP;
	/* RFC 8878, 3.1: a frame; 3.1.2: a skippable frame, which may come first. */
	if (len >= 4 && ((b[0] == 0x28 && b[1] == 0xb5) || (b[0] & 0xf0) == 0x50) &&
	    (b[0] == 0x28 ? b[2] == 0x2f && b[3] == 0xfd : b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18))
		return COMPRESSION_ZSTD;
	return COMPRESSION_NONE;
}

/* The next piece into io.in; leaves it empty at the end. */
static int refill(struct inflate *in, teu_error **err)
{
	const void *bytes = NULL;
	ssize_t n;

	if (in->next_len) {
		in->io.in = in->next;
		in->io.in_len = in->next_len;
		in->next_len = 0;
		return 0;
	}
	if (in->at_end)
		return 0;
	n = in->read(in->data, &bytes, err);
	if (n < 0)
		return (int)n;
	in->at_end = n == 0;
	in->io.in = bytes;
	in->io.in_len = (size_t)n;
	return 0;
}

static int new_decoder(struct inflate *in, teu_error **err)
{
	if (in->kind == COMPRESSION_ZSTD)
		return decoder_zstd_new(&in->decoder, err);
	if (in->kind == COMPRESSION_GZIP && decoder_isal_new(&in->decoder, NULL) < 0)
		return decoder_zlib_new(&in->decoder, err);
	return 0;
}

/* Collects the first bytes, however small the pieces are, and opens the decoder for them. */
static int tell(struct inflate *in, teu_error **err)
{
	size_t n = 0;
	int r;

	while (n < sizeof(in->head)) {
		size_t take;

		r = refill(in, err);
		if (r < 0)
			return r;
		if (in->io.in_len == 0)
			break;
		take = sizeof(in->head) - n < in->io.in_len ? sizeof(in->head) - n : in->io.in_len;
		memcpy(in->head + n, in->io.in, take);
		n += take;
		in->next = in->io.in + take;
		in->next_len = in->io.in_len - take;
		if (in->next_len)
			break;
	}
	in->io.in = in->head;
	in->io.in_len = n;
	in->kind = compression_of(in->head, n);
	in->told = true;
	in->state = DECODER_BETWEEN;
	return new_decoder(in, err);
}

int inflate_new(compress_read_cb read, void *data, struct inflate **ret, teu_error **err)
{
	struct inflate *in = calloc(1, sizeof(*in));

	if (!in)
		return err_oom(err);
	in->read = read;
	in->data = data;
	*ret = in;
	return 0;
}

static void copy(struct decoder_io *io)
{
	size_t n = io->in_len < io->out_len ? io->in_len : io->out_len;

	memcpy(io->out, io->in, n);
	io->in += n;
	io->in_len -= n;
	io->out += n;
	io->out_len -= n;
}

/* gzip(1): a file may be padded with zeros behind its last member. */
static int skip_padding(struct inflate *in, teu_error **err)
{
	for (; in->io.in_len; in->io.in++, in->io.in_len--)
		if (*in->io.in)
			return err_set(err, TEU_E_CORRUPT, "something else follows the gzip stream");
	return 0;
}

static int step(struct inflate *in, teu_error **err)
{
	if (!in->decoder) {
		copy(&in->io);
		return 0;
	}
	if (in->kind == COMPRESSION_GZIP && in->state == DECODER_BETWEEN && in->io.in[0] == 0)
		in->padding = true;
	if (in->padding)
		return skip_padding(in, err);
	in->state = in->decoder->step(in->decoder, &in->io, err);
	return in->state < 0 ? in->state : 0;
}

ssize_t inflate_read(struct inflate *in, void *to, size_t len, teu_error **err)
{
	int r = in->told ? 0 : tell(in, err);

	in->io.out = to;
	in->io.out_len = len;
	while (r == 0 && in->io.out_len) {
		size_t room = in->io.out_len;

		/* A decoder may hold back output that its last step had no room for, so an empty input still steps. */
		if (in->io.in_len == 0)
			r = refill(in, err);
		if (r < 0)
			break;
		if (in->io.in_len == 0 && (in->state == DECODER_BETWEEN || !in->decoder))
			break;
		r = step(in, err);
		if (r == 0 && in->at_end && in->io.out_len == room && in->state == DECODER_INSIDE)
			return err_set(err, TEU_E_CORRUPT, "the %s stream ends early",
				       in->kind == COMPRESSION_GZIP ? "gzip" : "zstd");
	}
	return r < 0 ? r : (ssize_t)(len - in->io.out_len);
}

enum compression inflate_kind(const struct inflate *in)
{
	return in->kind;
}

void inflate_free(struct inflate *in)
{
	if (!in)
		return;
	if (in->decoder)
		in->decoder->free(in->decoder);
	free(in);
}
