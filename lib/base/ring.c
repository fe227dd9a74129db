/* ring: bytes from one writing thread to one or more reading ones. */
#include "base/ring.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct ring {
	size_t slots, slot_size, n_readers;
	char *bytes;  /* owned, slots * slot_size */
	size_t *lens; /* owned, of each slot */
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	uint64_t written;		 /* buffers handed over so far */
	uint64_t left[RING_MAX_READERS]; /* buffers that each reader has left */
	bool holds[RING_MAX_READERS];	 /* the reader is in buffer left[i] */
	bool stopped;
};

int ring_new(size_t slots, size_t slot_size, size_t n_readers, struct ring **ret, teu_error **err)
{
	_cleanup_(ring_freep) struct ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return err_oom(err);
	pthread_mutex_init(&ring->lock, NULL);
	pthread_cond_init(&ring->filled, NULL);
	pthread_cond_init(&ring->emptied, NULL);
	ring->slots = slots;
	ring->slot_size = slot_size;
	ring->n_readers = n_readers;
	ring->bytes = malloc(slots * slot_size);
	ring->lens = calloc(slots, sizeof(*ring->lens));
	if (!ring->bytes || !ring->lens)
		return err_oom(err);
	*ret = TAKE_PTR(ring);
	return 0;
}

static bool is_full(const struct ring *ring)
{
	for (size_t i = 0; i < ring->n_readers; i++)
		if (ring->written - ring->left[i] >= ring->slots)
			return true;
	return false;
}

void *ring_space(struct ring *ring)
{
	void *space = NULL;

	pthread_mutex_lock(&ring->lock);
	while (!ring->stopped && is_full(ring))
		pthread_cond_wait(&ring->emptied, &ring->lock);
	if (!ring->stopped)
		space = ring->bytes + ring->written % ring->slots * ring->slot_size;
	pthread_mutex_unlock(&ring->lock);
	return space;
}

void ring_put(struct ring *ring, size_t len)
{
	pthread_mutex_lock(&ring->lock);
	ring->lens[ring->written % ring->slots] = len;
	ring->written++;
	pthread_cond_broadcast(&ring->filled);
	pthread_mutex_unlock(&ring->lock);
}

/* The end is a buffer that a reader never leaves: so it reads as the end again and again. */
static ssize_t enter(struct ring *ring, size_t reader, const void **ret)
{
	size_t slot = ring->left[reader] % ring->slots;

	if (ring->stopped)
		return -ECANCELED;
	ring->holds[reader] = ring->lens[slot] > 0;
	*ret = ring->bytes + slot * ring->slot_size;
	return (ssize_t)ring->lens[slot];
}

ssize_t ring_get(struct ring *ring, size_t reader, const void **ret)
{
	ssize_t n;

	pthread_mutex_lock(&ring->lock);
	if (ring->holds[reader]) {
		ring->holds[reader] = false;
		ring->left[reader]++;
		pthread_cond_signal(&ring->emptied);
	}
	while (!ring->stopped && ring->left[reader] == ring->written)
		pthread_cond_wait(&ring->filled, &ring->lock);
	n = enter(ring, reader, ret);
	pthread_mutex_unlock(&ring->lock);
	return n;
}

void ring_stop(struct ring *ring)
{
	pthread_mutex_lock(&ring->lock);
	ring->stopped = true;
	pthread_cond_broadcast(&ring->filled);
	pthread_cond_broadcast(&ring->emptied);
	pthread_mutex_unlock(&ring->lock);
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	pthread_mutex_destroy(&ring->lock);
	pthread_cond_destroy(&ring->filled);
	pthread_cond_destroy(&ring->emptied);
	free(ring->bytes);
	free(ring->lens);
	free(ring);
}
