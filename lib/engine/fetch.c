/* fetch: one blob from a registry into its draft. */
#include "engine/fetch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "base/fd.h"

enum { WRITEBACK = 8 << 20 };

int fetch_begin(struct fetch *f, teu_error **err)
{
	/* More than there can be is nothing to go on from. */
	if (f->draft->have > f->blob->size)
		content_discard(f->draft);
	if (f->draft->have) {
		f->replay = malloc(FETCH_REPLAY);
		if (!f->replay)
			return err_oom(err);
	}
	return sha256_new(&f->sum, err);
}

void fetch_done(struct fetch *f)
{
	sha256_free(f->sum);
	free(f->replay);
	f->sum = NULL;
	f->replay = NULL;
}

static ssize_t replay(struct fetch *f, const void **ret_bytes, teu_error **err)
{
	uint64_t left = f->draft->have - f->offset;
	ssize_t n;

	do {
		n = pread(f->draft->fd, f->replay, left < FETCH_REPLAY ? (size_t)left : FETCH_REPLAY, (off_t)f->offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(err, errno, "read what was fetched before");
	if (n == 0)
		return err_set(err, TEU_E_CORRUPT, "what was fetched before became shorter");
	*ret_bytes = f->replay;
	return n;
}

static int open_body(struct fetch *f, teu_error **err)
{
	uint64_t from;
	int r = registry_open_blob(f->registry, f->http, f->blob->digest, f->blob->size, f->offset, &from, err);

	if (r < 0)
		return r;
	f->skip = f->offset - from;
	f->open = true;
	return 0;
}

/* Starts writing to the disk early, so that the sync at the end finds little left to do. */
static void write_back(const struct fetch *f, uint64_t after)
{
	uint64_t begin = f->offset / WRITEBACK * WRITEBACK;

	if (after / WRITEBACK * WRITEBACK > begin)
		sync_file_range(f->draft->fd, (off_t)begin, WRITEBACK, SYNC_FILE_RANGE_WRITE);
}

static int keep(struct fetch *f, const void *bytes, size_t n, teu_error **err)
{
	int r = fd_write_all(f->draft->fd, bytes, n);

	if (r < 0)
		return err_errno(err, -r, "write blob");
	write_back(f, f->offset + n);
	return 0;
}

static ssize_t receive(struct fetch *f, const void **ret_bytes, teu_error **err)
{
	const char *bytes;
	ssize_t n;
	int r;

	if (!f->open) {
		r = open_body(f, err);
		if (r < 0)
			return r;
	}
	do {
		const void *some;

		n = http_read(f->http, &some, err);
		if (n < 0)
			return n;
		bytes = some;
		if (n == 0)
			return err_set(err, TEU_E_NETWORK, "the registry sent %" PRIu64 " of %" PRIu64 " bytes",
				       f->offset, f->blob->size);
		if ((uint64_t)n <= f->skip) {
			f->skip -= (uint64_t)n;
			n = 0;
		}
	} while (n == 0);
	bytes += f->skip;
	n -= (ssize_t)f->skip;
	f->skip = 0;
	if ((uint64_t)n > f->blob->size - f->offset)
		return err_set(err, TEU_E_CORRUPT,
			       "the registry sends more than the %" PRIu64 " bytes of its descriptor", f->blob->size);
	f->received = true;
	r = keep(f, bytes, (size_t)n, err);
	*ret_bytes = bytes;
	return r < 0 ? r : n;
}

/* May what broke off be tried again? Waits a little if so. */
static bool mend(struct fetch *f, int code)
{
	struct pollfd stop = { .fd = cancel_fd(f->cancel), .events = POLLIN };

	f->open = false;
	if (code != TEU_E_NETWORK || !f->received)
		return false;
	if (f->offset - f->last_break >= FETCH_PROGRESS)
		f->breaks = 0;
	f->last_break = f->offset;
	if (++f->breaks >= FETCH_TRIES)
		return false;
	poll(&stop, 1, FETCH_PAUSE_MS << (f->breaks - 1));
	return true;
}

ssize_t fetch_next(void *fetch, const void **ret_bytes, teu_error **err)
{
	struct fetch *f = fetch;
	ssize_t n;

	if (f->offset == f->blob->size)
		return 0;
	if (f->offset < f->draft->have) {
		n = replay(f, ret_bytes, err);
	} else {
		_cleanup_error_ teu_error *why = NULL;

		while ((n = receive(f, ret_bytes, &why)) < 0 && mend(f, (int)n)) {
			teu_error_unref(why);
			why = NULL;
		}
		if (n < 0 && err && !*err)
			*err = TAKE_PTR(why);
	}
	if (n < 0)
		return n;
	sha256_add(f->sum, *ret_bytes, (size_t)n);
	f->offset += (uint64_t)n;
	if (f->progress)
		f->progress(f->offset, f->progress_data);
	return n;
}

int fetch_verify(void *fetch, teu_error **err)
{
	struct fetch *f = fetch;
	char sum[SHA256_TEXT_MAX];

	if (f->offset != f->blob->size)
		return err_set(err, TEU_E_CORRUPT, "%" PRIu64 " of %" PRIu64 " bytes were used", f->offset,
			       f->blob->size);
	sha256_text(f->sum, sum);
	if (strcmp(sum, f->blob->digest) != 0)
		return err_set(err, TEU_E_CORRUPT, "the registry sent bytes with digest %s", sum);
	return 0;
}
