/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handover.h"

#define AT(field) offsetof(struct handover_options, field)

const struct option handover_table[] = {
	{ "console-socket", 0, OPT_TEXT, AT(console_socket), "Unix socket that gets the terminal", NULL },
	{ "pid-file", 0, OPT_TEXT, AT(pid_file), "File that gets the process's number", NULL },
	{ "pidfd-socket", 0, OPT_TEXT, AT(pidfd_socket), "Unix socket that gets a pidfd of the process", NULL },
	{ "preserve-fds", 0, OPT_INT, AT(preserve_fds), "Descriptors from 3 on for the command", NULL },
	{ 0 },
};

const struct option handover_wait_table[] = {
	{ "detach", 'd', OPT_BOOL, AT(detach), "Don't wait for the end of the command", NULL },
	{ 0 },
};

const struct option handover_ignored_table[] = {
	{ "no-subreaper", 0, OPT_BOOL, AT(no_subreaper), "No effect: nothing is reaped here", NULL },
	{ 0 },
};

const char *handover_console_socket(const struct handover_options *o)
{
	return o->console_socket && *o->console_socket ? o->console_socket : NULL;
}
