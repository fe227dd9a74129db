/* handover: what passes between who creates a process and that process, or those who wait for it: descriptors to keep,
 * the terminal, the pid. */
#ifndef TEU_RUNTIME_HANDOVER_H
#define TEU_RUNTIME_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HANDOVER_MAX_KEPT = 512 };

struct handover {
	/* asked for, borrowed; see the options in teu/runtime.h */
	const char *console_socket, *pid_file, *pidfd_socket;
	int given_console, preserve_fds;
	/* opened by handover_open() */
	int console; /* -EBADF: none */
	int kept[HANDOVER_MAX_KEPT];
	size_t n_kept;
};

/* What create and exec are asked for alike: @o is the options of either. */
#define HANDOVER_OF(o)                                                                                                 \
	{                                                                                                              \
		.console_socket = (o)->console_socket, .given_console = (o)->console_fd, .pid_file = (o)->pid_file,    \
		.pidfd_socket = (o)->pidfd_socket, .preserve_fds = (o)->preserve_fds, .console = -EBADF                \
	}

/* @terminal: the process has one, which then has to go somewhere. */
int handover_open(struct handover *h, bool terminal, teu_error **err);
/* Tells those who wait for the process. */
int handover_pid(const struct handover *h, int32_t pid, teu_error **err);
void handover_done(struct handover *h);

#endif
