/*
 * ring: bytes from one writing thread to one or more reading ones, in a fixed number of buffers: memory stays bounded,
 * and the slowest reader holds the writer back.
 */
#ifndef TEU_BASE_RING_H
#define TEU_BASE_RING_H

#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"

enum { RING_MAX_READERS = 2 };

struct ring;

/* @slots buffers of @slot_size bytes each; every one of @n_readers gets every byte. */
int ring_new(size_t slots, size_t slot_size, size_t n_readers, struct ring **ret, teu_error **err);

/* The next buffer to fill, once all readers have left it. NULL: the ring was stopped. */
void *ring_space(struct ring *ring);

/* Hands that buffer over with @len bytes in it; 0: the end. */
void ring_put(struct ring *ring, size_t len);

/* Leaves the reader's last buffer and waits for the next: its length, 0 at the end, -ECANCELED once it was stopped. */
ssize_t ring_get(struct ring *ring, size_t reader, const void **ret);

/* Wakes everybody up, now and for good. Any thread. */
void ring_stop(struct ring *ring);
void ring_free(struct ring *ring);
DEFINE_CLEANUP(struct ring *, ring_free)

#endif
