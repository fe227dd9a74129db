/*
 * hook: a program of the config that runs as a child of the first process, in whatever part of the container is made by
 * then. Source: runtime-spec config.md "POSIX-platform Hooks" (createContainer, startContainer).
 */
#include "init/first.h"

#include <linux/poll.h>
#include <linux/signal.h>
#include <linux/wait.h>

/* In the child; returns only when it can't be executed. What it says goes where the container's own words go: nobody
 * else would tell why it failed. */
static void become_hook(struct first *f, const struct plan_step *s, int in)
{
	const char *file = plan_text(f->plan, s->t1);
	const char **argv = vector(list_next(file), s->n1 - 1), **env = vector(plan_text(f->plan, s->t2), s->n2);

	if (!argv || !env)
		return;
	if (s->n4 == PLAN_HOOK_IN_ROOTFS)
		SYS(fchdir, f->root);
	if (s->n4 == PLAN_HOOK_HOME)
		env[s->n2] = home_entry(f);
	SYS(dup3, in, 0, 0);
	for (int i = 1; i < 3; i++)
		SYS(dup3, f->stdio[i], i, 0);
	SYS(close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
	unblock_signals();
	SYS(execve, file, argv, env);
}

/* The document has to fit into the pipe: a hook need not read it. SIGPIPE is blocked. */
static long write_state(struct first *f, const struct plan_step *s, int out)
{
	const char *head = plan_text(f->plan, s->t3), *tail = plan_text(f->plan, s->t4);
	char pid[16] = "";
	long r;

	/* runtime.md "State": as seen by the container. */
	str_add_number(pid, sizeof(pid), SYS(getpid));
	r = sys_write_all(out, head, str_len(head));
	if (r == 0)
		r = sys_write_all(out, pid, str_len(pid));
	if (r == 0)
		r = sys_write_all(out, tail, str_len(tail));
	return r == -EPIPE ? 0 : r;
}

static long await_hook(long pid, int pidfd, uint64_t seconds)
{
	struct pollfd p = { pidfd, POLLIN, 0 };
	bool late = seconds && sys_poll(&p, 1, seconds > 2000000 ? 2000000000 : (int)seconds * 1000) == 0;
	int status = 0;

	if (late)
		SYS(kill, pid, SIGKILL);
	while (SYS(wait4, pid, &status, __WALL, 0) == -EINTR)
		;
	if (late)
		return -ETIME;
	if (status & 0x7f)
		return -(PLAN_HOOK_STATUS + 128 + (status & 0x7f));
	return status ? -(PLAN_HOOK_STATUS + ((status >> 8) & 0xff)) : 0;
}

long step_hook(struct first *f, const struct plan_step *s)
{
	struct clone_args args = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD };
	int ends[2], pidfd = -1;
	long pid, r;

	TRY(SYS(pipe2, ends, O_CLOEXEC));
	SYS(fcntl, ends[1], 1031 /* F_SETPIPE_SZ */, 1 << 20);
	args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	pid = SYS(clone3, &args, sizeof(args));
	if (pid == 0) {
		become_hook(f, s, ends[0]);
		SYS(exit_group, 127);
	}
	SYS(close, ends[0]);
	r = pid < 0 ? pid : write_state(f, s, ends[1]);
	SYS(close, ends[1]);
	if (pid > 0) {
		long status = await_hook(pid, pidfd, s->n3);

		r = r < 0 ? r : status;
		SYS(close, pidfd);
	}
	return r;
}
