/*
 * pipeline: compressed bytes in, a tree on disk and its diffID out. Three threads beside the caller's, which live from
 * pipeline_start() to pipeline_finish() or _done() and take no signals: inflate; SHA-256; apply. Two rings of a few MiB
 * join them, whatever the layer's size.
 */
#ifndef TEU_ENGINE_PIPELINE_H
#define TEU_ENGINE_PIPELINE_H

#include <pthread.h>
#include <stdbool.h>

#include "base/ring.h"
#include "format/compress.h"
#include "format/sha256.h"
#include "layerfs/apply.h"

enum { PIPELINE_THREADS = 3 };

struct pipeline {
	int fs_fd; /* borrowed */
	struct apply_options options;
	struct ring *packed, *plain; /* owned */
	char *space;		     /* of packed, being filled; NULL: none */
	size_t space_len;
	struct sha256 *sum;	 /* owned */
	struct inflate *inflate; /* owned */
	pthread_t threads[PIPELINE_THREADS];
	size_t n_threads;
	pthread_mutex_t lock; /* guards what follows */
	int failed;	      /* code of the first stage that failed */
	teu_error *error;     /* owned */

	/* After a good pipeline_finish(): */
	char diff_id[SHA256_TEXT_MAX];
	uint64_t size; /* of the files */
	enum compression kind;
};

/* @p becomes a pipeline into @fs_fd; it must not be moved. */
int pipeline_start(struct pipeline *p, int fs_fd, const struct apply_options *options, teu_error **err);

/* Hands compressed bytes over; waits while the stages are busy. false: one of them failed, pipeline_finish() tells. */
bool pipeline_feed(struct pipeline *p, const void *bytes, size_t len);

/* No more bytes: waits for the stages. The first failure, if there was one. */
int pipeline_finish(struct pipeline *p, teu_error **err);

/* Stops what runs and frees all. Takes a zeroed one. */
void pipeline_done(struct pipeline *p);

#endif
