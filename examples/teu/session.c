/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* session: this program's standard streams joined to those of a process in a container. */
#include "session.h"

#include <signal.h>
#include <stdio.h>

#include "signals.h"

void session_attach_options(const struct session *session, teu_attach_options *opts)
{
	teu_attach_options_init(opts);
	opts->stdin_stream = session->in;
	opts->stdout_stream = session->out;
	opts->stderr_stream = session->err;
	if (session->tty)
		terminal_size(&opts->rows, &opts->columns);
}

bool session_input_fits(bool in, bool tty)
{
	return !in || !tty || isatty(STDIN_FILENO);
}

bool session_prepare(const struct session *session)
{
	return signals_open(session->pass_signals, session->tty);
}

static void resize(teu_attach *attach)
{
	int32_t rows, columns;

	terminal_size(&rows, &columns);
	if (rows && columns)
		teu_attach_resize(attach, rows, columns, NULL);
}

static void serve_signals(const struct session *session, teu_attach *attach)
{
	int signal;

	while ((signal = signals_next())) {
		if (signal == SIGWINCH) {
			resize(attach);
		} else if (session->pass_signals) {
			/* It may just have ended: then the copy is about to learn of it. */
			teu_container_kill(session->container, signal, NULL);
		} else {
			terminal_restore();
			signals_die(signal);
		}
	}
}

bool session_keys(const struct call *call, const char *keys, struct session *session)
{
	if (terminal_detach_keys(keys, session->detach_keys))
		return true;
	cli_usage(call->path, EXIT_USAGE, "invalid argument \"%s\" for --detach-keys: expected keys like ctrl-p,ctrl-q",
		  keys);
	return false;
}

enum session_end { SESSION_ENDED, SESSION_DETACHED, SESSION_FAILED };

static enum session_end copy_streams(const struct session *session, teu_attach *attach, teu_error **err)
{
	teu_copy_options copy;
	int ending, r;

	teu_copy_options_init(&copy);
	copy.stdin_fd = session->in ? STDIN_FILENO : -1;
	copy.stdout_fd = session->out ? STDOUT_FILENO : -1;
	copy.stderr_fd = session->err ? STDERR_FILENO : -1;
	copy.detach_keys = session->tty && session->in ? session->detach_keys : NULL;
	copy.wake_fd = signals_fd();
	if (session->tty && session->in)
		terminal_raw(false);
	do {
		serve_signals(session, attach);
		r = teu_attach_copy(attach, &copy, &ending, err);
	} while (r == 0 && ending == 2);
	terminal_restore();
	return r < 0 ? SESSION_FAILED : ending == 1 ? SESSION_DETACHED : SESSION_ENDED;
}

int session_run(const struct call *call, const struct session *session, teu_attach *attach)
{
	_cleanup_error_ teu_error *err = NULL;
	int32_t status;

	switch (copy_streams(session, attach, &err)) {
	case SESSION_FAILED:
		return cli_error(call, err);
	case SESSION_DETACHED:
		fputs("read escape sequence\n", stderr);
		return 0;
	case SESSION_ENDED:
		break;
	}
	status = teu_attach_exit_status(attach);
	if (status < 0 && teu_container_wait(session->container, NULL, &status, &err) < 0)
		return cli_error(call, err);
	return status;
}
