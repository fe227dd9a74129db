/*
 * spawn: the monitor's part of a launch: its own steps, the first process with all its namespaces in one clone3, and
 * the steps that need its pid.
 */
#include "init/monitor.h"

#include "init/first.h"
#include "init/wire.h"

#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/signal.h>
#include <linux/time.h>
#include <linux/wait.h>

static int born = -1; /* pidfd of the first process */

/* It may not be our child, so its number can be somebody else's when it has died; the folder, once open, is nobody
 * else's. */
int first_open(int pid, const char *file, int flags)
{
	int dir = procfs_of(pid), fd;

	if (dir < 0)
		return dir;
	fd = (int)SYS(pidfd_send_signal, born, 0, 0, 0);
	if (fd >= 0)
		fd = sys_open(dir, file, flags, 0);
	SYS(close, dir);
	return fd;
}

static long write_id_map(const struct plan_header *plan, const struct plan_step *s, int pid)
{
	const char *text = plan_text(plan, s->t2);
	int fd = first_open(pid, plan_text(plan, s->t1), O_WRONLY);
	long r;

	TRY(fd);
	r = SYS(write, fd, text, str_len(text));
	SYS(close, fd);
	return r < 0 ? r : 0;
}

/* The batch stands in the sealed plan: the pid goes into a copy. */
static long send_batch(const struct plan_header *plan, const struct plan_step *s, int pid)
{
	const char *bytes = plan_text(plan, s->t1);
	char *copy;

	if ((int64_t)s->n3 < 0)
		return netlink_send(bytes, s->n1, (int)s->n2);
	copy = sys_alloc(s->n1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, s->n1);
	memcpy(copy + s->n3, &pid, sizeof(pid));
	return netlink_send(copy, s->n1, (int)s->n2);
}

static void sleep_ms(long ms)
{
	struct __kernel_timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	SYS(nanosleep, &t, 0);
}

/* What is left in a cgroup is killed: at once where the kernel can (v2, since 5.14), else process by process until none
 * is there. */
static long kill_cgroup(const struct plan_header *plan, const struct plan_step *s)
{
	int dir = sys_open(AT_FDCWD, plan_text(plan, s->t1), O_PATH | O_DIRECTORY, 0);
	char pids[4096];

	if (dir < 0)
		return 0;
	if (sys_put(dir, "cgroup.kill", "1") < 0)
		for (int tries = 0; tries < 100 && sys_get(dir, "cgroup.procs", pids, sizeof(pids)) > 0; tries++) {
			for (const char *at = pids; *at; at += *at != '\0') {
				uint64_t pid = str_number(at, &at);

				if (pid && *at == '\n')
					SYS(kill, pid, SIGKILL);
			}
			sleep_ms(1);
		}
	SYS(close, dir);
	return 0;
}

/* A cgroup stays busy for a moment after its last process has been reaped. */
static long remove_cgroup(const struct plan_header *plan, const struct plan_step *s)
{
	const char *path = plan_text(plan, s->t1);
	long r = SYS(unlinkat, AT_FDCWD, path, AT_REMOVEDIR);

	for (int ms = 1; r == -EBUSY && ms < 600; ms *= 2) {
		sleep_ms(ms);
		r = SYS(unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
	}
	return r == -ENOENT ? 0 : r;
}

long join_namespaces(const struct plan_header *plan, const struct plan_step *s)
{
	int fd = sys_open(AT_FDCWD, plan_text(plan, s->t1), O_RDONLY, 0);
	int next = s->t2 ? sys_open(AT_FDCWD, plan_text(plan, s->t2), O_RDONLY, 0) : -1;
	long r = fd < 0 ? fd : s->t2 && next < 0 ? next : SYS(setns, fd, s->n1);

	if (r >= 0 && s->t2)
		r = SYS(setns, next, s->n2);
	if (fd >= 0)
		SYS(close, fd);
	if (next >= 0)
		SYS(close, next);
	return r;
}

static long set_pid_namespace(const struct plan_header *plan, const struct plan_step *s)
{
	int fd = sys_open(AT_FDCWD, plan_text(plan, s->t1), O_RDONLY, 0);
	long r;

	TRY(fd);
	r = SYS(setns, fd, CLONE_NEWPID);
	SYS(close, fd);
	return r;
}

static long await_maps(int pid)
{
	struct wire_header m;

	return wire_send(FD_WIRE, WIRE_MAPS, pid, 0, 0, 0, 0, true) && wire_await(WIRE_GO, &m) ? 0 : -EPIPE;
}

static long run_step(const struct plan_header *plan, const struct plan_step *s, int pid, int sync)
{
	switch (s->op) {
	case OP_NETLINK:
		return send_batch(plan, s, pid);
	case OP_WRITE_ID_MAP:
		return write_id_map(plan, s, pid);
	case OP_CALLER_MAPS:
		return await_maps(pid);
	case OP_OOM_SCORE:
		return put_oom_score(plan, s, AT_FDCWD);
	case OP_JOIN_PROCESS:
		TRY(SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0)); /* as step_join_process() */
		return SYS(setns, FD_JOIN, s->n1);
	case OP_SETNS_PID:
		return set_pid_namespace(plan, s);
	case OP_OVERLAY_MAPPED:
		return overlay_mapped(plan, s, pid, sync);
	case OP_JOIN_CGROUP:
		return sys_put(AT_FDCWD, plan_text(plan, s->t1), "0");
	case OP_SETNS:
		return join_namespaces(plan, s);
	case OP_TIME:
		return make_time_namespace(plan, s);
	case OP_LISTENER:
		return listener_connect(plan, s);
	case OP_AFFINITY:
		return set_affinity(plan, s);
	case OP_KILL_CGROUP:
		return kill_cgroup(plan, s);
	case OP_RELEASE_PORTS:
		return SYS(close_range, FD_FIRST_PORT, FD_FIRST_PORT + (unsigned int)s->n1 - 1, 0);
	case OP_RMDIR:
		return remove_cgroup(plan, s);
	default:
		return -ENOSYS;
	}
}

long run_steps(const struct plan_header *plan, const struct plan_steps *steps, int pid, int sync, uint32_t *ret_step)
{
	const struct plan_step *s = (const struct plan_step *)((const char *)plan + steps->at);

	for (uint32_t i = 0; i < steps->count; i++) {
		*ret_step = i;
		TRY(run_step(plan, &s[i], pid, sync));
	}
	return 0;
}

void run_last_steps(const struct plan_header *plan, int pid)
{
	const struct plan_step *s = (const struct plan_step *)((const char *)plan + plan->after.at);

	for (uint32_t i = 0; i < plan->after.count; i++)
		run_step(plan, &s[i], pid, -1);
}

/* What a failed launch has made is taken back before the caller hears of it. */
static void fail(const struct plan_header *plan, struct child *c, int phase, uint32_t step, long error)
	__attribute__((noreturn));

static void fail(const struct plan_header *plan, struct child *c, int phase, uint32_t step, long error)
{
	struct pollfd end = { c->pidfd, POLLIN, 0 };

	if (c->pid > 0) {
		SYS(kill, c->pid, SIGKILL);
		/* With PLAN_LEAVE it is somebody else's child. */
		sys_poll(&end, 1, -1);
		SYS(wait4, c->pid, 0, __WALL | WNOHANG, 0);
	}
	if (plan)
		run_last_steps(plan, 0);
	wire_send(FD_WIRE, WIRE_FAILED, (int32_t)-error, (int32_t)step, phase, 0, 0, true);
	SYS(exit_group, 1);
	__builtin_unreachable();
}

void spawn_undo(const struct plan_header *plan, struct child *c)
{
	fail(plan, c, WIRE_MONITOR, 0, -EPIPE);
}

/* The two ends of everything between monitor and first process. */
struct links {
	int sync[2];	   /* SEQPACKET */
	int go[2];	   /* pipe */
	int streams[3][2]; /* pipes: [0] read end, [1] write end */
};

static long open_links(const struct plan_birth *birth, struct links *l)
{
	int null = -1;

	for (int i = 0; i < 3; i++)
		l->streams[i][0] = l->streams[i][1] = -1;
	TRY(SYS(socketpair, 1, 5 | O_CLOEXEC, 0, l->sync)); /* AF_UNIX, SOCK_SEQPACKET */
	TRY(SYS(pipe2, l->go, O_CLOEXEC));
	if (birth->flags & (PLAN_TTY | PLAN_STDIO))
		return 0;
	for (int i = 0; i < 3; i++) {
		if (i == 0 && !(birth->flags & PLAN_STDIN)) {
			null = sys_open(AT_FDCWD, "/dev/null", O_RDONLY, 0);
			TRY(null);
			l->streams[0][0] = null;
			continue;
		}
		TRY(SYS(pipe2, l->streams[i], O_CLOEXEC));
	}
	return 0;
}

enum { SEEK_END = 2, GET_SEALS = 1034, SEALED = 2 | 8 /* F_SEAL_SHRINK | F_SEAL_WRITE */ };

/* Its size; *ret where it is. */
static long map_plan(const struct plan_header **ret)
{
	long size = SYS(lseek, FD_PLAN, 0, SEEK_END), p;

	TRY(size);
	p = SYS(mmap, 0, size, 1 /* PROT_READ */, 2 /* MAP_PRIVATE */, FD_PLAN, 0);
	if (p < 0 && p > -4096)
		return p;
	SYS(close, FD_PLAN);
	*ret = (const struct plan_header *)p;
	return size;
}

/* What is sealed stays as it has been checked, for the first process, too. */
static long read_plan(const struct plan_birth *birth, const struct plan_header **ret)
{
	long seals = SYS(fcntl, FD_PLAN, GET_SEALS, 0), size;
	const struct plan_step *step;

	TRY(seals);
	size = map_plan(ret);
	TRY(size);
	if ((seals & SEALED) != SEALED || plan_check(*ret, (uint64_t)size, &step) != PLAN_SOUND)
		return -EBADMSG;
	return memcmp(&(*ret)->birth, birth, sizeof(*birth)) == 0 ? 0 : -EBADMSG;
}

static void run_first(const struct plan_birth *birth, const struct plan_header *plan, struct links *l)
	__attribute__((noreturn));

/* What is the monitor's is closed at once: in a user namespace the container's root may look into this process. The
 * links were opened last, so all below them was inherited, but the streams of PLAN_STDIO, what the caller asked to
 * keep, and the process to join. */
static void close_inherited(const struct plan_birth *birth, const struct links *l)
{
	int keep = (int)(birth->flags >> PLAN_KEEP_SHIFT);

	SYS(close, FD_WIRE);
	SYS(close, FD_ALIVE);
	SYS(close, FD_CGROUP);
	SYS(close, FD_CONSOLE);
	SYS(close_range, FD_FIRST_PORT + keep, l->sync[1] - 1, 0);
}

/* @plan: NULL when it is there before its plan is; the monitor says when to read that. */
static void run_first(const struct plan_birth *birth, const struct plan_header *plan, struct links *l)
{
	static struct first f;
	struct first_message lost = { .kind = FIRST_FAILED, .step = UINT32_MAX };
	int own = birth->flags & PLAN_STDIO;
	long r;

	SYS(close, l->sync[0]);
	SYS(close, l->go[1]);
	close_inherited(birth, l);
	if (!(birth->flags & (PLAN_LEAVE | PLAN_OUTLIVES)))
		SYS(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	f.sync = l->sync[1];
	f.go = l->go[0];
	f.plan = plan;
	r = await_go(&f);
	if (r >= 0 && !plan)
		r = map_plan(&f.plan);
	if (r < 0) {
		lost.error = (int32_t)-r;
		SYS(write, f.sync, &lost, sizeof(lost));
		SYS(exit_group, 1);
	}
	f.root = AT_FDCWD;
	f.null = f.empty = f.tty = f.start = -1;
	f.stdio[0] = own ? FD_STDIN : l->streams[0][0];
	f.stdio[1] = own ? FD_STDOUT : l->streams[1][1];
	f.stdio[2] = own ? FD_STDERR : l->streams[2][1];
	first_run(&f);
	SYS(exit_group, 1);
	__builtin_unreachable();
}

/* What the process between tells of the first one's birth. */
struct birth_message {
	int pid, pidfd;
	uint32_t step;
	int32_t error;
};

/* Shares the monitor's descriptors, and hands it its child: the first process becomes the monitor's. */
static void run_between(const struct plan_birth *birth, const struct plan_header *plan, struct links *l,
			struct clone_args *args, const int told[2])
{
	struct birth_message m = { 0 };
	long r = run_steps(plan, &plan->before, 0, -1, &m.step);

	if (r >= 0) {
		m.step = UINT32_MAX;
		args->flags |= CLONE_PARENT;
		args->exit_signal = 0;
		args->pidfd = (uint64_t)(uintptr_t)&m.pidfd;
		r = SYS(clone3, args, sizeof(*args));
		if (r == 0) {
			SYS(close, told[0]);
			SYS(close, told[1]);
			run_first(birth, plan, l);
		}
		m.pid = (int)r;
	}
	m.error = r < 0 ? (int32_t)r : 0;
	SYS(write, told[1], &m, sizeof(m));
	SYS(exit_group, 0);
}

static long clone_between(const struct plan_birth *birth, const struct plan_header *plan, struct links *l,
			  struct clone_args *args, struct child *c)
{
	struct birth_message m = { .error = -EIO, .step = UINT32_MAX };
	int told[2];
	long between, r;

	TRY(SYS(pipe2, told, O_CLOEXEC));
	between = SYS(clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	TRY(between);
	if (between == 0)
		run_between(birth, plan, l, args, told);
	while (SYS(wait4, between, 0, __WALL, 0) == -EINTR)
		;
	SYS(close, told[1]);
	r = SYS(read, told[0], &m, sizeof(m));
	SYS(close, told[0]);
	if (r == sizeof(m) && m.error < 0 && m.step != UINT32_MAX)
		fail(plan, c, WIRE_BEFORE, m.step, m.error);
	c->pidfd = m.pidfd;
	return m.error < 0 ? m.error : m.pid;
}

static long clone_first(const struct plan_birth *birth, const struct plan_header *plan, struct links *l,
			struct child *c)
{
	struct clone_args args = {
		.flags = birth->clone_flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&c->pidfd,
		.exit_signal = SIGCHLD,
	};
	long r;

	if (birth->flags & PLAN_INTO_CGROUP) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = FD_CGROUP;
	}
	/* Born as the helper's brother it is at once the child of who will wait for it. */
	if (birth->flags & PLAN_LEAVE && !(birth->flags & PLAN_BETWEEN)) {
		args.flags |= CLONE_PARENT;
		args.exit_signal = 0;
	}
	r = birth->flags & PLAN_BETWEEN ? clone_between(birth, plan, l, &args, c) : SYS(clone3, &args, sizeof(args));
	if (r == 0)
		run_first(birth, plan, l);
	c->pid = r > 0 ? (int)r : 0;
	born = c->pidfd;
	c->started_ns = sys_now_ns();
	return r;
}

bool wire_await(enum wire_type type, struct wire_header *ret)
{
	long n;

	do
		n = SYS(recvfrom, FD_WIRE, ret, sizeof(*ret), 0, 0, 0);
	while (n == -EINTR);
	return n == sizeof(*ret) && ret->type == type;
}

/* The end of the wire instead: the caller gave up, and has nothing to hear. */
static const struct plan_header *await_plan(const struct plan_birth *birth, struct child *c)
{
	const struct plan_header *plan = NULL;
	struct wire_header m;
	long r = wire_await(WIRE_PLAN, &m) ? read_plan(birth, &plan) : -EPIPE;

	if (r < 0)
		fail(NULL, c, WIRE_PLANNED, 0, r);
	return plan;
}

static void say_go(const struct links *l)
{
	SYS(write, l->go[1], "", 1);
}

/* The caller's hooks run now; who doesn't say that they have gave up. */
static void await_hooks(const struct plan_header *plan, struct child *c, const struct links *l)
{
	struct wire_header m;

	if (!wire_send(FD_WIRE, WIRE_HOOKS, c->pid, 0, 0, 0, 0, true) || !wire_await(WIRE_GO, &m))
		fail(plan, c, WIRE_MONITOR, 0, -EPIPE);
	say_go(l);
}

/* Nothing of it has run yet: whatever it does is counted where the caller puts it. */
static void await_place(const struct plan_header *plan, struct child *c)
{
	struct wire_header m;

	if (!wire_send(FD_WIRE, WIRE_PLACE, c->pid, 0, 0, 0, 0, true) || !wire_await(WIRE_GO, &m))
		fail(plan, c, WIRE_MONITOR, 0, -EPIPE);
}

/* What nobody has asked for is not taken: the process is on its way into the container. */
static void take_console(const struct plan_header *plan, struct child *c, int fd)
{
	if (!(plan->birth.flags & PLAN_TTY) || c->has_console) {
		SYS(close, fd);
		return;
	}
	c->has_console = true;
	if (!(plan->birth.flags & PLAN_CONSOLE)) {
		c->out[0] = fd;
		c->in = fd;
		return;
	}
	/* docker's and podman's name for what they get. */
	if (pass_send(FD_CONSOLE, "/dev/ptmx", 9, fd) < 0)
		fail(plan, c, WIRE_MONITOR, 1, -EPIPE);
	SYS(close, fd);
}

static void give_source(const struct plan_header *plan, struct child *c, uint32_t step, int sync)
{
	const struct plan_step *s = (const struct plan_step *)((const char *)plan + plan->first.at) + step;
	bool meant = step < plan->first.count && s->op == OP_FETCH_SOURCE;
	long r = meant ? source_give(plan, s, c->pid, sync) : -EINVAL;

	if (r < 0)
		fail(plan, c, WIRE_FIRST, step, r);
}

static void give_listener(const struct plan_header *plan, struct child *c, uint32_t step, int fd)
{
	long r = listener_give(plan, c->pid, fd);

	if (r < 0)
		fail(plan, c, WIRE_FIRST, step, r);
}

/* What it has said so far, or with @wait until the end: without a word of a failure it has executed its command. */
static void hear_first(const struct plan_header *plan, struct child *c, const struct links *l, bool wait)
{
	struct pollfd p = { l->sync[0], POLLIN, 0 };
	struct first_message m = { 0 };
	long r = 0;
	int fd;

	while ((wait || sys_poll(&p, 1, 0) > 0) && (r = pass_receive(l->sync[0], &m, sizeof(m), &fd)) > 0) {
		if (m.kind == FIRST_FAILED)
			fail(plan, c, WIRE_FIRST, m.step, -m.error);
		if (m.kind == FIRST_AT_HOOKS)
			await_hooks(plan, c, l);
		c->ready |= m.kind == FIRST_READY;
		if (m.kind == FIRST_SOURCE)
			give_source(plan, c, m.step, l->sync[0]);
		if (m.kind == FIRST_LISTENER)
			give_listener(plan, c, m.step, fd);
		if (m.kind == FIRST_PTY && fd >= 0)
			take_console(plan, c, fd);
		else if (m.kind != FIRST_LISTENER && fd >= 0)
			SYS(close, fd);
	}
	if (r < 0 && r != -ECONNRESET)
		fail(plan, c, WIRE_FIRST, UINT32_MAX, r);
}

static void close_others(struct links *l, struct child *c)
{
	SYS(close, l->sync[1]);
	SYS(close, l->go[0]);
	for (int i = 0; i < 3; i++)
		if (l->streams[i][i != 0] >= 0)
			SYS(close, l->streams[i][i != 0]);
	c->in = l->streams[0][1];
	c->out[0] = l->streams[1][0];
	c->out[1] = l->streams[2][0];
}

/* Making the namespaces takes as long as the caller needs for the plan: unless that has steps before it, the two go
 * side by side. */
const struct plan_header *spawn_child(const struct plan_birth *birth, struct child *c)
{
	const struct plan_header *plan = NULL;
	struct links l;
	uint32_t step = 0;
	long r;

	*c = (struct child){ .in = -1, .out = { -1, -1 } };
	if (!plan_check_birth(birth))
		fail(NULL, c, WIRE_PLANNED, 0, -EBADMSG);
	if (!(birth->flags & PLAN_EARLY)) {
		plan = await_plan(birth, c);
		r = birth->flags & PLAN_BETWEEN ? 0 : run_steps(plan, &plan->before, 0, -1, &step);
		if (r < 0)
			fail(plan, c, WIRE_BEFORE, step, r);
	}
	r = open_links(birth, &l);
	if (r < 0)
		fail(plan, c, WIRE_MONITOR, 0, r);
	r = clone_first(birth, plan, &l, c);
	if (r < 0)
		fail(plan, c, WIRE_CLONE, 0, r);
	close_others(&l, c);
	if (!plan)
		plan = await_plan(birth, c);
	if (birth->flags & PLAN_PLACED)
		await_place(plan, c);
	say_go(&l);
	r = run_steps(plan, &plan->born, c->pid, l.sync[0], &step);
	if (r < 0) { /* a first process that has died is the cause, so what it has said of that comes first */
		hear_first(plan, c, &l, false);
		fail(plan, c, WIRE_BORN, step, r);
	}
	say_go(&l);
	hear_first(plan, c, &l, true);
	SYS(close, l.go[1]);
	SYS(close, l.sync[0]);
	if (birth->flags & PLAN_AWAIT && !c->ready)
		fail(plan, c, WIRE_KILLED, 0, -ESRCH);
	return plan;
}
