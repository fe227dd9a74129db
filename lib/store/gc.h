/*
 * gc: the collector: marks what names, containers and live leases reach, and removes the rest. It alone deletes blobs
 * and layers, under the exclusive inventory lock. A process that dies in it leaves nothing wrong: only what nobody
 * reaches has gone, and folders that were renamed out of the way go next time.
 */
#ifndef TEU_STORE_GC_H
#define TEU_STORE_GC_H

#include <stdbool.h>

#include "base/strv.h"
#include "store/store.h"

struct gc_marks {
	struct strv digests; /* blobs and layers that are reached, sorted */
	bool all;	     /* a live lease keeps everything */
};

/* The caller holds the inventory lock (any mode). Images and records that can't be read reach what is known of them. */
int gc_mark(const struct store *store, struct gc_marks *ret, teu_error **err);
bool gc_is_marked(const struct gc_marks *marks, const char *digest);
void gc_marks_done(struct gc_marks *marks);

enum gc_scope {
	GC_UNREACHED, /* blobs and layers that nobody reaches */
	GC_LEFTOVERS, /* also what dead processes left: drafts, half-fetched blobs, temporary files */
};

/* @ret_layers: chainIDs of the layers that went; may be NULL. Waits for the inventory lock. */
int gc_collect(const struct store *store, enum gc_scope scope, struct strv *ret_layers, teu_error **err);

/*
 * Removes what dead processes left half-made: drafts of layers, leases, blobs without a digest. Half-fetched blobs stay
 * for the next pull. Takes the inventory lock only where there is something.
 */
int gc_tidy(const struct store *store, teu_error **err);

/* A container of that image has gone: collects if it was the last to keep an image that lost its names by force. */
int gc_release(const struct store *store, const char *image_id, teu_error **err);

#endif
