/* spawn: the caller's side of a launch: the helper in a sealed memfd, started so that the host program's size and
 * threads don't matter. */
#ifndef TEU_SANDBOX_SPAWN_H
#define TEU_SANDBOX_SPAWN_H

#include <sys/types.h>

#include "sandbox/plan.h"

struct spawn_fds {
	int alive;	 /* -EBADF: none */
	int join;	 /* pidfd; -EBADF: none */
	int cgroup;	 /* -EBADF: none */
	int stdio[3];	 /* with PLAN_STDIO; -EBADF: /dev/null */
	int console;	 /* with PLAN_CONSOLE; -EBADF: none */
	const int *more; /* with PLAN_KEEP_SHIFT: what the command gets as 3…; else what must stay open as long as the
			    process runs */
	size_t n_more;
};

/* A launch between its two halves. */
struct spawn {
	int wire;    /* the caller's end (SOCK_SEQPACKET, init/wire.h) */
	int plan_fd; /* where the helper will find its plan */
	/* With PLAN_PLACED: moves the new process @pid to where it is to live. */
	int (*place)(void *data, int32_t pid, teu_error **err);
	/* Runs the caller's hooks for the process @pid when the plan has OP_HOST_HOOKS. */
	int (*hooks)(void *data, int32_t pid, teu_error **err);
	/* Writes the id maps of the process @pid when the plan has OP_CALLER_MAPS. */
	int (*maps)(void *data, int32_t pid, teu_error **err);
	void *data; /* of both */
};

#define SPAWN_INIT                                                                                                     \
	(struct spawn)                                                                                                 \
	{                                                                                                              \
		.wire = -EBADF, .plan_fd = -EBADF                                                                      \
	}

/*
 * Starts the helper, which makes the first process and waits for its plan. @want: WIRE_WANT_… of the caller. The
 * descriptors stay the caller's. Blocks only until the helper has been executed.
 */
int spawn_begin(const struct plan_birth *birth, const struct spawn_fds *fds, uint32_t want, struct spawn *ret,
		teu_error **err);
/* Gives the helper the finished plan @p, and waits until the command runs. @ret_wire: the caller's end. */
int spawn_finish(struct spawn *s, const struct plan *p, int *ret_wire, int32_t *ret_pid, teu_error **err);
/* Gives up what was begun and not finished, and waits until nothing of it is left. */
void spawn_done(struct spawn *s);

/* Both halves at once. */
int spawn_launch(struct plan *p, const struct spawn_fds *fds, uint32_t want, int *ret_wire, int32_t *ret_pid,
		 teu_error **err);

/*
 * @why: the first process could not be born in its cgroup, which has children with controllers (a systemd inside makes
 * some), is threaded, or gone. What joins a container goes where that one's first process is then, as with runc.
 */
bool spawn_cgroup_refused(const teu_error *why);

/* recv(2) of one packet from a monitor, which may have ended meanwhile: 0 or -1 only when nothing is left to read. */
ssize_t wire_receive(int wire, void *packet, size_t size, int flags);

#endif
