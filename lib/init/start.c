/*
 * start: the points at which a container's first process waits for others: for the hooks that run on the host, and,
 * once all is made, for the container to be started. Source: runtime-spec runtime.md "Lifecycle", config.md
 * "POSIX-platform Hooks".
 */
#include "init/first.h"

/* Open for both ways: a read waits then for the first byte instead of ending for want of a writer. Whoever wants to
 * write and finds no reader knows that this process is gone. */
long step_open_start(struct first *f, const struct plan_step *s)
{
	f->start = sys_open(AT_FDCWD, plan_text(f->plan, s->t1), O_RDWR | O_NOFOLLOW, 0);
	return f->start < 0 ? f->start : 0;
}

static long tell(const struct first *f, uint32_t kind)
{
	struct first_message m = { .kind = kind };
	long n = SYS(sendto, f->sync, &m, sizeof(m), 0x4000 /* MSG_NOSIGNAL */, 0, 0);

	return n < 0 ? n : 0;
}

long step_host_hooks(struct first *f, const struct plan_step *s)
{
	(void)s;
	/* The word that the monitor's steps are done comes in any case. */
	if (!f->waited)
		await_go(f);
	TRY(tell(f, FIRST_AT_HOOKS));
	await_go(f);
	return 0;
}

/* A session keyring of its own: the caller's keys are none of the container's business. Kernels without keyrings have
 * nothing to hide. */
long step_keyring(struct first *f, const struct plan_step *s)
{
	long r = SYS(keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, plan_text(f->plan, s->t1), 0, 0, 0);

	return r == -ENOSYS || r > 0 ? 0 : r;
}

long step_await_start(struct first *f, const struct plan_step *s)
{
	char byte;
	long n;

	(void)s;
	TRY(tell(f, FIRST_READY));
	SYS(close, f->sync);
	f->sync = -1;
	do
		n = SYS(read, f->start, &byte, 1);
	while (n == -EINTR);
	SYS(close, f->start);
	f->start = -1;
	return n == 1 ? 0 : -EPIPE;
}
