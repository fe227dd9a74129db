/*
 * progress: the caller's progress callback during one unpacking: its answer stops the work as a cancel token does.
 */
#ifndef TEU_ENGINE_PROGRESS_H
#define TEU_ENGINE_PROGRESS_H

#include <stdbool.h>

#include "engine/unpack.h"

struct progress {
	teu_progress_cb report; /* NULL: none */
	void *data;
	const teu_cancel *cancel; /* the caller's, borrowed */
	teu_cancel *own;	  /* fired for the callback where the caller has none; owned */
	teu_progress now;	  /* id and action are borrowed */
	bool stopped;		  /* the callback said so */
};

#define PROGRESS_INIT                                                                                                  \
	(struct progress)                                                                                              \
	{                                                                                                              \
		0                                                                                                      \
	}

int progress_begin(struct progress *progress, teu_progress_cb report, void *data, const teu_cancel *cancel,
		   teu_error **err);
/* What the next reports are about. */
void progress_subject(struct progress *progress, const char *id, const char *action, uint64_t total);
void progress_report(struct progress *progress, uint64_t done);
/* @r, or TEU_E_CANCELLED when the callback or the token stopped the call. */
int progress_check(struct progress *progress, int r, teu_error **err);
struct unpack_options progress_unpack_options(struct progress *progress, uint64_t max_size);
void progress_done(struct progress *progress);

#endif
