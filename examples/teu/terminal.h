/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* terminal: the caller's own terminal: raw and back again, its size, the keys that detach. */
#ifndef TEU_CLI_TERMINAL_H
#define TEU_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/* Standard input becomes raw; put back by terminal_restore() or at exit, whatever comes first. Does nothing when it is
 * no terminal. @line_ends: it goes on to make "\r\n" of the "\n" that is written to it. */
void terminal_raw(bool line_ends);
void terminal_restore(void);

/* The size of the terminal on stdout or stdin; 0, 0 when there is none. */
void terminal_size(int32_t *ret_rows, int32_t *ret_columns);

enum { DETACH_KEYS_SIZE = 32 };

/* "ctrl-p,ctrl-q" (NULL: just that) as the bytes a terminal sends; false: malformed. */
bool terminal_detach_keys(const char *text, char ret_bytes[DETACH_KEYS_SIZE]);

#endif
