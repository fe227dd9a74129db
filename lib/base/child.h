/* child: starts a program that gets three descriptors and nothing else of ours. Source: posix_spawn(3). */
#ifndef TEU_BASE_CHILD_H
#define TEU_BASE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strbuf.h"

struct child {
	const char *program;
	bool search; /* in PATH */
	char *const *argv, *const *env;
	const char *cwd;  /* NULL: ours */
	int in, out, err; /* what becomes 0, 1, 2; -1: /dev/null */
};

/* No other descriptor, and no blocked or ignored signal, reaches it. 0 or an errno value. */
int child_spawn(const struct child *c, pid_t *ret_pid);

/*
 * Waits for its end and reads along what it says into the pipe @out, so that it never waits for us: the first 4 KiB are
 * kept.
 * @deadline: as clock_monotonic_ms(), 0: none; when it is over the child is killed, and the result -ETIMEDOUT.
 */
int child_await(pid_t pid, int out, int64_t deadline, struct strbuf *said, int *ret_status);

#endif
