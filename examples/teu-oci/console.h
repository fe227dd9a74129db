/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* console: a foreground process in a container: its terminal copied to ours, our signals passed on, its end awaited. */
#ifndef TEU_OCI_CONSOLE_H
#define TEU_OCI_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

struct console {
	int ends[2]; /* a socket pair: [1] is for the library's console_fd */
	int master;  /* the terminal; -1: none */
};

#define CONSOLE_INIT                                                                                                   \
	(struct console)                                                                                               \
	{                                                                                                              \
		.ends = { -1, -1 }, .master = -1                                                                       \
	}

/* Before the process exists. @terminal: it will have one. False: errno says why. */
bool console_prepare(struct console *console, bool terminal);
/* Takes the terminal that came over the socket. */
bool console_receive(struct console *console);
/* Copies and passes on until the process @pid has ended; its status, 128 + n for signal n. @wait: closed. */
int console_run(struct console *console, int32_t pid, int wait);
/* After a launch that failed: what hooks of the inside wrote to a terminal that was made by then. */
void console_last_words(struct console *console);
void console_done(struct console *console);

#endif
