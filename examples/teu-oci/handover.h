/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* handover: the flags that create, run and exec share: who gets the process, and what that gets of ours. */
#ifndef TEU_OCI_HANDOVER_H
#define TEU_OCI_HANDOVER_H

#include "../teu/options.h"

/* The first member of a command's options: the tables' offsets are into it. */
struct handover_options {
	const char *pid_file, *console_socket, *pidfd_socket;
	struct number preserve_fds;
	bool detach, no_subreaper;
};

/* For all of them; for those that may wait for the process; and what is taken, but has no meaning here. */
extern const struct option handover_table[], handover_wait_table[], handover_ignored_table[];

/* The socket that was asked for; NULL: none. */
const char *handover_console_socket(const struct handover_options *o);

/* teu_runtime_create_options and teu_runtime_exec_options have these fields alike. */
#define HANDOVER_FILL(o, to)                                                                                           \
	do {                                                                                                           \
		(to)->pid_file = (o)->pid_file;                                                                        \
		(to)->console_socket = handover_console_socket(o);                                                     \
		(to)->pidfd_socket = (o)->pidfd_socket;                                                                \
		(to)->stdin_fd = STDIN_FILENO;                                                                         \
		(to)->stdout_fd = STDOUT_FILENO;                                                                       \
		(to)->stderr_fd = STDERR_FILENO;                                                                       \
		(to)->preserve_fds = oci_preserve_fds((o)->preserve_fds.value);                                        \
	} while (0)

#endif
