/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* progress: how far a pull, load or import is: a line a layer on a terminal, plain lines elsewhere. */
#ifndef TEU_CLI_PROGRESS_H
#define TEU_CLI_PROGRESS_H

#include <stdio.h>

#include "cli.h"

struct progress_line;

struct progress {
	FILE *out; /* NULL: says nothing */
	bool terminal;
	struct progress_line *lines; /* in the order they came up */
	size_t n;
	size_t drawn;	  /* lines on the screen now */
	int64_t drawn_ns; /* when */
};

void progress_init(struct progress *progress, FILE *out);
/* A teu_progress_cb; @data is the struct progress. */
int progress_report(const teu_progress *step, void *data);
/* Draws the last state and releases everything. */
void progress_done(struct progress *progress);

#endif
