/*
 * fetch: one blob from a registry into its draft in the content store, handed on while it comes. What an earlier fetch
 * left in the draft comes first, the registry is asked for the rest.
 */
#ifndef TEU_ENGINE_FETCH_H
#define TEU_ENGINE_FETCH_H

#include "format/sha256.h"
#include "oci/descriptor.h"
#include "registry/client.h"
#include "store/content.h"

enum {
	FETCH_TRIES = 4,	    /* broken connections in a row … */
	FETCH_PROGRESS = 256 << 10, /* … without so many bytes between them */
	FETCH_PAUSE_MS = 200,	    /* before the second try, doubled before each further one */
	FETCH_REPLAY = 256 << 10,
};

struct fetch {
	struct registry *registry; /* borrowed, as are the next four */
	struct http *http;
	const teu_cancel *cancel;
	const struct descriptor *blob;
	struct content_draft *draft;
	void (*progress)(uint64_t bytes, void *data); /* NULL: none */
	void *progress_data;

	struct sha256 *sum;
	char *replay;	 /* buffer for what the draft has, owned */
	uint64_t offset; /* bytes handed on so far */
	uint64_t skip;	 /* bytes to pass over: the registry knows no ranges */
	uint64_t last_break;
	int breaks;
	bool open; /* a body is being read */
	bool received;
};

/* Fill the borrowed fields first. */
int fetch_begin(struct fetch *f, teu_error **err);

/* The next bytes, good until the next call; 0 at the end. A broken connection is mended; an unpack_source_cb. */
ssize_t fetch_next(void *fetch, const void **ret_bytes, teu_error **err);

/* After the end: TEU_E_CORRUPT if the bytes are not those of the digest. */
int fetch_verify(void *fetch, teu_error **err);
void fetch_done(struct fetch *f);

#endif
