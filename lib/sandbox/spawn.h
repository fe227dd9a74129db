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
	const int *more; /* what must stay open as long as the process runs */
	size_t n_more;
};

/*
 * Starts the helper with the finished plan @p. @ret_wire: the caller's end of the wire (SOCK_SEQPACKET, init/wire.h);
 * @hello: WIRE_WANT_… that it begins with. The descriptors stay the caller's. Blocks only until the helper has been
 * executed.
 */
int spawn_helper(struct plan *p, const struct spawn_fds *fds, uint32_t hello, int *ret_wire, teu_error **err);

/* recv(2) of one packet from a monitor, which may have ended meanwhile: 0 or -1 only when nothing is left to read. */
ssize_t wire_receive(int wire, void *packet, size_t size, int flags);

/* Waits for WIRE_STARTED or WIRE_FAILED. */
int spawn_await(const struct plan *p, int wire, int32_t *ret_pid, teu_error **err);

#endif
