/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* signals: those that this program gets while it is attached, read from a pipe where they can be polled for. */
#ifndef TEU_CLI_SIGNALS_H
#define TEU_CLI_SIGNALS_H

#include <stdbool.h>

/*
 * From now on the signals come from signals_next(). @pass_on: those that are meant for the container too; otherwise
 * only the ones that would leave the terminal raw. @resize: also SIGWINCH. False: no descriptors left.
 */
bool signals_open(bool pass_on, bool resize);
/* Polls readable when a signal came; -1: not open. */
int signals_fd(void);
/* The next signal; 0: none is waiting. Never blocks. */
int signals_next(void);
/* Ends this program by @signal, as it would have without us. */
void signals_die(int signal);

#endif
