/*
 * main: the helper, run from a sealed memfd with its plan in descriptor 3. It launches one process, stays as its
 * monitor, and ends with it; with PLAN_LEAVE it ends once that is ready. What needs more than system calls (removing,
 * restarting) it leaves to libteu.so, which it executes as a program.
 */
#include "init/first.h"
#include "init/monitor.h"
#include "init/wire.h"

#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/signal.h>
#include <linux/wait.h>

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 60000, HEALTHY_SECONDS = 10 };

/* A host may have ignored signals; exec hands that on, so each is put back. */
static void reset_signals(void)
{
	static const char zero[32]; /* struct kernel_sigaction: SIG_DFL, no flags, empty mask */
	uint64_t all = ~0ull;

	for (int signal = 1; signal <= 64; signal++)
		SYS(rt_sigaction, signal, zero, 0, sizeof(all));
	SYS(rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof(all));
}

/* Gives the process over to libteu.so run as a program; only returns when that fails. A restart keeps the lock that
 * proves it lives: until the job has the container's own lock, whoever stops it must find it restarting. */
static void become_job(const struct plan_header *plan, const char *job, uint32_t count, uint32_t delay_ms)
{
	char count_text[16] = "", delay_text[16] = "";
	const char *argv[] = { "teu-job",
			       job,
			       plan_text(plan, plan->state_root),
			       plan_text(plan, plan->run_root),
			       plan_text(plan, plan->id),
			       count_text,
			       delay_text,
			       NULL };
	const char *env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	uint64_t none = 0;

	str_add_number(count_text, sizeof(count_text), count);
	str_add_number(delay_text, sizeof(delay_text), delay_ms);
	SYS(rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof(none));
	SYS(umask, 022);
	SYS(close_range, 3, FD_ALIVE - (str_eq(job, "restart") ? 1 : 0), 0);
	SYS(close_range, FD_ALIVE + 1, ~0u, 0);
	SYS(execve, plan_text(plan, plan->library), argv, env);
}

static bool wants_restart(const struct plan_header *plan, const struct outcome *outcome)
{
	if (plan->restart == PLAN_RESTART_NO ||
	    SYS(faccessat, AT_FDCWD, plan_text(plan, plan->stopped_path), 0, 0) == 0)
		return false;
	if (plan->restart == PLAN_RESTART_ALWAYS)
		return true;
	return outcome->status != 0 && (!plan->restart_max || plan->restart_count < plan->restart_max);
}

/* Docker's delays: 100 ms, doubled up to a minute, from the start again after ten good seconds. */
static void restart(const struct plan_header *plan, const struct child *c)
{
	uint32_t delay = plan->restart_delay_ms ? plan->restart_delay_ms * 2 : BACKOFF_FIRST_MS;
	struct pollfd none = { -1, 0, 0 };

	if (sys_now_ns() - c->started_ns > HEALTHY_SECONDS * 1000000000ll)
		delay = BACKOFF_FIRST_MS;
	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	sys_poll(&none, 1, (int)delay);
	if (SYS(faccessat, AT_FDCWD, plan_text(plan, plan->stopped_path), 0, 0) != 0)
		become_job(plan, "restart", plan->restart_count + 1, delay);
}

/* Its end is on record in one of both places, so nobody else has removed it. */
static bool still_there(const struct plan_header *plan)
{
	return SYS(faccessat, AT_FDCWD, plan_text(plan, plan->exit_path), 0, 0) == 0 ||
	       SYS(faccessat, AT_FDCWD, plan_text(plan, plan->state_path), 0, 0) == 0;
}

/* The first process is somebody who makes the one that counts, as criu does, and is then gone. Nobody's streams are
 * carried. */
static void await_siblings(const struct child *c)
{
	int status = 0, last = 0;
	bool others = false;
	long pid;

	wire_send(FD_WIRE, WIRE_STARTED, c->pid, 0, 0, 0, 0, true);
	while ((pid = SYS(wait4, -1, &status, __WALL, 0)) > 0 || pid == -EINTR)
		if (pid > 0 && (pid != c->pid || !others)) {
			last = status;
			others |= pid != c->pid;
		}
	last = last & 0x7f ? 128 + (last & 0x7f) : (last >> 8) & 0xff;
	wire_send(FD_WIRE, WIRE_EXIT, last, 0, 0, 0, 0, true);
	SYS(exit_group, 0);
}

void helper_main(void) __attribute__((noreturn));

void helper_main(void)
{
	const struct plan_header *plan;
	struct plan_birth birth;
	struct outcome outcome = { 0 };
	struct child c = { 0 };
	struct wire_header m;
	bool again, owned;

	reset_signals();
	/* An ordinary user's could not write to its child's files in /proc any more; other users, and whoever has
	 * another user namespace, are kept out by the kernel's rules for ptrace(2). */
	if (SYS(geteuid) == 0)
		SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	SYS(prctl, PR_SET_NAME, "teu-monitor", 0, 0, 0);
	SYS(setsid);
	SYS(umask, 0);
	SYS(chdir, "/");
	if (!wire_await(WIRE_BIRTH, &m))
		SYS(exit_group, 125);
	birth = (struct plan_birth){ (uint32_t)m.n1, (uint32_t)m.n2 };
	plan = spawn_child(&birth, &c);
	if (birth.flags & PLAN_LEAVE) {
		if (!wire_send(FD_WIRE, WIRE_STARTED, c.pid, 0, 0, 0, 0, true))
			spawn_undo(plan, &c);
		SYS(exit_group, 0);
	}
	if (birth.flags & PLAN_SIBLINGS)
		await_siblings(&c);
	/* The socket first: who reads that it runs may connect. */
	if (birth.flags & PLAN_RECORD) {
		loop_listen(plan_text(plan, plan->socket_path));
		record_started(plan, &c);
	}
	loop_run(plan, &c, (uint32_t)m.n3, &outcome);

	outcome.oom = oom_seen(plan);
	run_last_steps(plan, c.pid);
	again = wants_restart(plan, &outcome);
	if (birth.flags & PLAN_RECORD)
		record_exit(plan, &c, &outcome, again);
	owned = birth.flags & PLAN_CLEANUP && !again;
	loop_tell_exit(&outcome, owned);
	loop_close();
	if (again)
		restart(plan, &c);
	else if (owned && still_there(plan))
		become_job(plan, "remove", 0, 0);
	else if (owned)
		remove_files(plan);
	SYS(exit_group, 0);
	__builtin_unreachable();
}

/* The kernel enters here; the stack is aligned before the first call. */
#if defined(__x86_64__)
__asm__(".global _start\n_start:\n\txor %ebp, %ebp\n\tand $-16, %rsp\n\tcall helper_main\n");
#elif defined(__aarch64__)
__asm__(".global _start\n_start:\n\tmov x29, #0\n\tmov x30, #0\n\tbl helper_main\n");
#endif
