/*
 * reaper: --init. Our process stays as pid 1: it passes signals on to the command, reaps what is orphaned, and ends as
 * the command ends.
 */
#include "init/first.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/signal.h>
#include <linux/wait.h>
#include <stddef.h>

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#endif

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

/*
 * The command's filter may refuse what wait_loop() needs, and process 1 without any would be a way round it: with this
 * one it can do nothing else. What else it has to do is done before.
 */
static void confine(void)
{
	static const struct sock_filter only[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_rt_sigtimedwait, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_wait4, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_kill, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit_group, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1 /* EPERM */),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct {
		unsigned short n;
		const struct sock_filter *steps;
	} program = { sizeof(only) / sizeof(only[0]), only };

	/* A kernel without seccomp has no other filter to go round. */
	SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

/* Returns 0 in the process that becomes the command; pid 1 stays here for good. All signals are blocked in both. */
long reaper_start(struct first *f, uint64_t effective, uint64_t permitted)
{
	long child = SYS(clone, SIGCHLD, 0, 0, 0, 0);

	TRY(child);
	if (child == 0)
		return SYS(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* Of another user than root an execve would take them away. */
	TRY(f->uid ? set_caps(0, 0, 0) : set_caps(effective, permitted, 0));
	TRY(SYS(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SYS(prctl, PR_SET_NAME, "teu-init", 0, 0, 0);
	/* The change of ids has cleared it. */
	SYS(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	SYS(close_range, 0, ~0u, 0);
	confine();
	wait_loop((int)child);
}
