/* child: starts a program that gets three descriptors and nothing else of ours. Source: posix_spawn(3). */
#ifndef TEU_BASE_CHILD_H
#define TEU_BASE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	const char *program;
	bool search; /* in PATH */
	char *const *argv, *const *env;
	const char *cwd;  /* NULL: ours */
	int in, out, err; /* what becomes 0, 1, 2; -1: /dev/null */
};

/* No other descriptor, and no blocked or ignored signal, reaches it. 0 or an errno value. */
int child_spawn(const struct child *c, pid_t *ret_pid);

#endif
