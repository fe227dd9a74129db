/* pipeline: compressed bytes in, a tree on disk and its diffID out. */
#include "engine/pipeline.h"

#include <signal.h>
#include <string.h>

enum {
	SLOT_SIZE = 256 << 10,
	PACKED_SLOTS = 4,
	PLAIN_SLOTS = 8,
	READER_SUM = 0, /* of the plain ring */
	READER_APPLY = 1,
};

/* The first failure is the cause of the others. */
static void fail(struct pipeline *p, int code, teu_error *error)
{
	pthread_mutex_lock(&p->lock);
	if (!p->failed) {
		p->failed = code;
		p->error = TAKE_PTR(error);
	}
	pthread_mutex_unlock(&p->lock);
	teu_error_unref(error);
	ring_stop(p->packed);
	ring_stop(p->plain);
}

static ssize_t stopped(ssize_t n, teu_error **err)
{
	return n < 0 ? err_set(err, TEU_E_CANCELLED, "another stage failed") : n;
}

static ssize_t read_packed(void *data, const void **ret_bytes, teu_error **err)
{
	struct pipeline *p = data;

	return stopped(ring_get(p->packed, 0, ret_bytes), err);
}

static ssize_t read_plain(void *data, const void **ret_bytes, teu_error **err)
{
	struct pipeline *p = data;

	return stopped(ring_get(p->plain, READER_APPLY, ret_bytes), err);
}

static void *run_inflate(void *data)
{
	struct pipeline *p = data;
	teu_error *error = NULL;
	void *space;
	ssize_t n;

	do {
		space = ring_space(p->plain);
		if (!space)
			return NULL;
		n = inflate_read(p->inflate, space, SLOT_SIZE, &error);
		if (n < 0) {
			fail(p, (int)n, error);
			return NULL;
		}
		ring_put(p->plain, (size_t)n);
	} while (n);
	return NULL;
}

static void *run_sum(void *data)
{
	struct pipeline *p = data;
	const void *bytes;
	ssize_t n;

	while ((n = ring_get(p->plain, READER_SUM, &bytes)) > 0)
		sha256_add(p->sum, bytes, (size_t)n);
	return NULL;
}

static void *run_apply(void *data)
{
	struct pipeline *p = data;
	teu_error *error = NULL;
	int r = apply_layer(p->fs_fd, read_plain, p, &p->options, &p->size, &error);

	if (r < 0)
		fail(p, r, error);
	return NULL;
}

/* Signals are the host program's: a thread takes over the mask of the one that makes it. */
static int start_threads(struct pipeline *p, teu_error **err)
{
	static void *(*const stages[PIPELINE_THREADS])(void *) = { run_inflate, run_sum, run_apply };
	sigset_t all, before;
	int eno = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->n_threads < PIPELINE_THREADS && eno == 0) {
		eno = pthread_create(&p->threads[p->n_threads], NULL, stages[p->n_threads], p);
		p->n_threads += eno == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return eno ? err_errno(err, eno, "start a thread") : 0;
}

int pipeline_start(struct pipeline *p, int fs_fd, const struct apply_options *options, teu_error **err)
{
	int r;

	*p = (struct pipeline){ .fs_fd = fs_fd, .options = *options };
	pthread_mutex_init(&p->lock, NULL);
	r = ring_new(PACKED_SLOTS, SLOT_SIZE, 1, &p->packed, err);
	if (r == 0)
		r = ring_new(PLAIN_SLOTS, SLOT_SIZE, 2, &p->plain, err);
	if (r == 0)
		r = sha256_new(&p->sum, err);
	if (r == 0)
		r = inflate_new(read_packed, p, &p->inflate, err);
	return r < 0 ? r : start_threads(p, err);
}

bool pipeline_feed(struct pipeline *p, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		size_t n;

		if (!p->space)
			p->space = ring_space(p->packed);
		if (!p->space)
			return false;
		n = len < SLOT_SIZE - p->space_len ? len : SLOT_SIZE - p->space_len;
		memcpy(p->space + p->space_len, at, n);
		p->space_len += n;
		at += n;
		len -= n;
		if (p->space_len == SLOT_SIZE) {
			ring_put(p->packed, SLOT_SIZE);
			p->space = NULL;
			p->space_len = 0;
		}
	}
	return true;
}

static void join(struct pipeline *p)
{
	while (p->n_threads)
		pthread_join(p->threads[--p->n_threads], NULL);
}

int pipeline_finish(struct pipeline *p, teu_error **err)
{
	if (p->space_len)
		ring_put(p->packed, p->space_len);
	p->space = NULL;
	p->space_len = 0;
	if (ring_space(p->packed))
		ring_put(p->packed, 0);
	join(p);
	if (p->failed) {
		if (err && !*err)
			*err = TAKE_PTR(p->error);
		return p->failed;
	}
	sha256_text(p->sum, p->diff_id);
	p->kind = inflate_kind(p->inflate);
	return 0;
}

void pipeline_done(struct pipeline *p)
{
	if (p->packed)
		ring_stop(p->packed);
	if (p->plain)
		ring_stop(p->plain);
	join(p);
	inflate_free(p->inflate);
	sha256_free(p->sum);
	ring_free(p->packed);
	ring_free(p->plain);
	teu_error_unref(p->error);
	*p = (struct pipeline){ 0 };
}
