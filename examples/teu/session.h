/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* session: this program's standard streams joined to those of a process in a container. */
#ifndef TEU_CLI_SESSION_H
#define TEU_CLI_SESSION_H

#include "cli.h"
#include "terminal.h"

struct session {
	teu_container *container; /* signals go to it */
	bool tty;		  /* the process has a terminal */
	bool in, out, err;	  /* which streams */
	bool pass_signals;	  /* on to the container; otherwise they end this program */
	char detach_keys[DETACH_KEYS_SIZE];
};

/* What the library is asked for. */
void session_attach_options(const struct session *session, teu_attach_options *opts);

/* Before the process starts, so that no signal is lost while it does. */
bool session_prepare(const struct session *session);

/* Copies until the process ends or the user detaches. Blocks. Returns the exit status: the process's, 0 when detached,
 * or that of an error, which it has told. */
int session_run(const struct call *call, const struct session *session, teu_attach *attach);

/* --detach-keys; false: they are none, which it has told. */
bool session_keys(const struct call *call, const char *keys, struct session *session);

/* Docker refuses a terminal for the process when its input is to come from something else. */
bool session_input_fits(bool in, bool tty);

#endif
