/*
 * reaper: --init. Our process stays as pid 1: it passes signals on to the command, reaps what is orphaned, and ends as
 * the command ends.
 */
#include "init/first.h"

#include <linux/prctl.h>
#include <linux/signal.h>
#include <linux/wait.h>

static const uint64_t all_signals = ~0ull;

static void wait_loop(int child) __attribute__((noreturn));

static void wait_loop(int child)
{
	for (;;) {
		int signal = (int)SYS(rt_sigtimedwait, &all_signals, 0, 0, sizeof(all_signals)), status;
		long pid;

		if (signal < 0)
			continue;
		if (signal != SIGCHLD) {
			SYS(kill, child, signal);
			continue;
		}
		while ((pid = SYS(wait4, -1, &status, WNOHANG, 0)) > 0)
			if (pid == child)
				SYS(exit_group, status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff);
	}
}

/* Returns 0 in the process that becomes the command; pid 1 stays here for good. All signals are blocked in both. */
long reaper_start(struct first *f)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	static const struct __user_cap_data_struct none[2];
	long child = SYS(clone, SIGCHLD, 0, 0, 0, 0);

	TRY(child);
	if (child == 0)
		return SYS(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* An execve would take them away. */
	if (f->uid)
		SYS(capset, &header, none);
	SYS(prctl, PR_SET_NAME, "teu-init", 0, 0, 0);
	/* The change of ids has cleared it. */
	SYS(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	SYS(close_range, 0, ~0u, 0);
	wait_loop((int)child);
}
