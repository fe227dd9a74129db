/*
 * start: the points at which a container's first process waits for others: for the hooks that run on the host, and,
 * once all is made, for the container to be started. Source: runtime-spec runtime.md "Lifecycle", config.md
 * "POSIX-platform Hooks".
 */
#include "init/first.h"
#include "init/wire.h"

#include <linux/signal.h>

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
		TRY(await_go(f));
	TRY(tell(f, FIRST_AT_HOOKS));
	return await_go(f);
}

/* A session keyring of its own: the caller's keys are none of the container's business. Kernels without keyrings have
 * nothing to hide. */
long step_keyring(struct first *f, const struct plan_step *s)
{
	long r = SYS(keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, plan_text(f->plan, s->t1), 0, 0, 0);

	return r == -ENOSYS || r > 0 ? 0 : r;
}

/* struct sigaction as rt_sigaction(2) takes it. */
struct action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

enum { RESTORER = 0x04000000 /* SA_RESTORER */ };

static void end_by(int signal)
{
	for (;;)
		SYS(exit_group, 128 + signal);
}

/*
 * Process 1 of a pid namespace is deaf to what it has no handler for (pid_namespaces(7)), and who has created a
 * container that is never started wants it to end. The handlers end with execve.
 */
void heed_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	/* Nobody returns from the handler; the kernel wants to know the way on some machines. */
	const struct action end = { .handler = end_by, .flags = RESTORER, .restorer = unblock_signals };
	uint64_t blocked = ~0ull;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		SYS(rt_sigaction, signals[i], &end, 0, sizeof(end.mask));
		blocked &= ~(1ull << (signals[i] - 1));
	}
	SYS(rt_sigprocmask, SIG_SETMASK, &blocked, 0, sizeof(blocked));
}

/* The fifo stays open until the command is executed: its end tells `start` that it is. */
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
	return n == 1 ? 0 : -EPIPE;
}

/* To who has started it: the monitor is gone, and with it whoever knows the plan. */
void start_failed(const struct first *f, const struct plan_step *s, int error)
{
	struct start_failure m = { .op = s->op, .error = error, .seconds = s->n3 };

	if (s->field)
		str_add(m.field, sizeof(m.field), plan_text(f->plan, s->field));
	if (s->t1)
		str_add(m.subject, sizeof(m.subject), plan_text(f->plan, s->t1));
	SYS(write, f->start, &m, sizeof(m));
}
