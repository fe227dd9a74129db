/*
 * steps: the first process's steps that are about itself, and the table of all of them. What fails is told to the
 * monitor by its index. Source: runtime-spec runtime.md "Lifecycle", config.md "Process".
 */
#include "init/first.h"

#include <asm/ioctls.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <linux/poll.h>
#include <linux/signal.h>

long await_go(struct first *f)
{
	char word;
	long n;

	do
		n = SYS(read, f->go, &word, 1);
	while (n == -EINTR);
	/* The end of the pipe without a word: the monitor gave up, and nobody wants to hear more. */
	if (n == 0)
		SYS(exit_group, 1);
	return n < 0 ? n : 0;
}

long die_with_monitor(const struct first *f)
{
	if (f->plan->birth.flags & (PLAN_LEAVE | PLAN_OUTLIVES))
		return 0;
	return SYS(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static long step_wait_host(struct first *f, const struct plan_step *s)
{
	(void)s;
	TRY(await_go(f));
	f->waited = true;
	return 0;
}

/*
 * "0" is the writer itself; the v1 file "tasks" and a single thread spare the kernel its lock against forks, which
 * costs milliseconds.
 */
static long step_join_cgroup(struct first *f, const struct plan_step *s)
{
	return sys_put(AT_FDCWD, plan_text(f->plan, s->t1), "0");
}

static long step_setns(struct first *f, const struct plan_step *s)
{
	return join_namespaces(f->plan, s);
}

/* The process lives: it is not another that has got its number meanwhile. */
static long step_enter_root(struct first *f, const struct plan_step *s)
{
	int root = sys_open(AT_FDCWD, plan_text(f->plan, s->t1), O_PATH | O_DIRECTORY, 0);

	TRY(root);
	TRY(SYS(pidfd_send_signal, FD_JOIN, 0, 0, 0));
	TRY(SYS(fchdir, root));
	SYS(close, root);
	return SYS(chroot, ".");
}

/*
 * From here on the container's processes see this one (CVE-2016-9962): an ordinary user's helper is dumpable till then.
 * A user namespace that denies setgroups(2) would leave the caller's groups.
 */
static long step_join_process(struct first *f, const struct plan_step *s)
{
	TRY(SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
	if (s->n1 & CLONE_NEWUSER)
		SYS(setgroups, 0, 0);
	if (s->n1)
		TRY(SYS(setns, FD_JOIN, s->n1));
	f->root = sys_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	return f->root < 0 ? f->root : 0;
}

/*
 * Until now the ids are the caller's, which have no name in the new namespace: nothing could be made under them. The
 * change makes the process undumpable, and then its own /proc files would belong to the host's root; what it holds is
 * no secret to the container, but where it still is may be: who is in a joined namespace could reach the host's files
 * by /proc/<pid>/root.
 */
static long step_namespace_root(struct first *f, const struct plan_step *s)
{
	char word[16];

	f->groups_denied = s->n1 || (s->n2 && sys_get(AT_FDCWD, "/proc/self/setgroups", word, sizeof(word)) > 0 &&
				     str_starts(word, "deny"));
	if (!f->groups_denied)
		TRY(SYS(setgroups, 0, 0));
	TRY(SYS(setresgid, 0, 0, 0));
	TRY(SYS(setresuid, 0, 0, 0));
	f->hidden = s->n3;
	TRY(SYS(prctl, PR_SET_DUMPABLE, !f->hidden, 0, 0, 0));
	return die_with_monitor(f);
}

static long step_unshare(struct first *f, const struct plan_step *s)
{
	(void)f;
	return SYS(unshare, s->n1);
}

static long step_netlink(struct first *f, const struct plan_step *s)
{
	return netlink_send(plan_text(f->plan, s->t1), s->n1, (int)s->n2);
}

static long step_hostname(struct first *f, const struct plan_step *s)
{
	const char *name = plan_text(f->plan, s->t1);

	return SYS(sethostname, name, str_len(name));
}

static long step_domainname(struct first *f, const struct plan_step *s)
{
	const char *name = plan_text(f->plan, s->t1);

	return SYS(setdomainname, name, str_len(name));
}

static long step_sysctl(struct first *f, const struct plan_step *s)
{
	char path[512] = "sys/";

	if (!str_add(path, sizeof(path), plan_text(f->plan, s->t1)))
		return -ENAMETOOLONG;
	return procfs_put(f->root, path, plan_text(f->plan, s->t2));
}

static long step_rlimit(struct first *f, const struct plan_step *s)
{
	struct rlimit64 limit = { .rlim_cur = s->n2, .rlim_max = s->n3 };

	(void)f;
	return SYS(prlimit64, 0, s->n1, &limit, 0);
}

static long step_end(struct first *f, const struct plan_step *s)
{
	(void)f;
	(void)s;
	SYS(exit_group, 0);
	__builtin_unreachable();
}

static long step_session(struct first *f, const struct plan_step *s)
{
	(void)s;
	TRY(SYS(setsid));
	if (f->tty >= 0)
		TRY(SYS(ioctl, f->tty, TIOCSCTTY, 0));
	return 0;
}

static long step_umask(struct first *f, const struct plan_step *s)
{
	(void)f;
	SYS(umask, s->n1);
	return 0;
}

long put_oom_score(const struct plan_header *plan, const struct plan_step *s, int root)
{
	long r = procfs_put_own(root, "oom_score_adj", plan_text(plan, s->t1));

	return s->n1 && (r == -EACCES || r == -EPERM) ? 0 : r;
}

static long step_oom_score(struct first *f, const struct plan_step *s)
{
	return put_oom_score(f->plan, s, f->root);
}

static long put_label(struct first *f, const char *file, const char *before, const char *label)
{
	char text[512] = "";

	if (!str_add(text, sizeof(text), before) || !str_add(text, sizeof(text), label))
		return -ENAMETOOLONG;
	return procfs_put_own(f->root, file, text);
}

/*
 * Where several security modules are on, each has its folder; the files above them are the first one's. A profile that
 * comes with the exec takes PR_SET_PDEATHSIG away, and with it the monitor's hold on the process; but what lets this
 * process go on until then is known of our own profile only.
 */
static long step_apparmor(struct first *f, const struct plan_step *s)
{
	const char *profile = plan_text(f->plan, s->t1);
	const char *file = s->n1 ? "attr/apparmor/current" : "attr/apparmor/exec";
	const char *before = s->n1 ? "changeprofile " : "exec ";
	long r = put_label(f, file, before, profile);

	return r == -ENOENT ? put_label(f, s->n1 ? "attr/current" : "attr/exec", before, profile) : r;
}

static long step_selinux(struct first *f, const struct plan_step *s)
{
	return put_label(f, "attr/exec", "", plan_text(f->plan, s->t1));
}

static long step_user(struct first *f, const struct plan_step *s)
{
	f->uid = (uint32_t)s->n1;
	f->gid = (uint32_t)s->n2;
	f->n_groups = (uint32_t)s->n3;
	if (s->n3)
		memcpy(f->groups, plan_text(f->plan, s->t1), s->n3 * sizeof(uint32_t));
	return 0;
}

static long step_user_name(struct first *f, const struct plan_step *s)
{
	return user_lookup(f, plan_text(f->plan, s->t1), s->t2 ? plan_text(f->plan, s->t2) : "\0");
}

static long step_bounding(struct first *f, const struct plan_step *s)
{
	(void)f;
	for (unsigned cap = 0; cap < 64; cap++) {
		long r;

		if (s->n1 & (1ull << cap))
			continue;
		r = SYS(prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
		if (r == -EINVAL) /* past the last one of this kernel */
			break;
		TRY(r);
	}
	return 0;
}

long set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
	};

	return SYS(capset, &header, data);
}

/* What reads as nothing when the container has no null device. */
static int empty_pipe(void)
{
	int ends[2];

	TRY(SYS(pipe2, ends, O_CLOEXEC));
	SYS(close, ends[1]);
	return ends[0];
}

/*
 * A stream that nobody asked for is the host's /dev/null up to here: a chmod of /dev/stdin would reach the host's
 * node, so the container's own takes its place. Pipes and terminals go to the user, who may open /dev/stdout
 * anew.
 */
static void own_streams(struct first *f)
{
	for (int i = 0; i < 3; i++) {
		int own;

		if (!is_null(f->stdio[i])) {
			if (f->uid)
				SYS(fchown, f->stdio[i], f->uid, -1);
			continue;
		}
		own = sys_open_in(f->root, "/dev/null", O_RDWR | O_NOCTTY | O_NONBLOCK, 0, RESOLVE_NO_SYMLINKS);
		f->stdio[i] = own >= 0 && is_null(own) ? own : empty_pipe();
	}
}

/*
 * Keeping capabilities over the change of ids lets
 * the filter be loaded and the final sets be made after it; the permitted ones that are left become effective again at
 * once.
 */
static long step_become(struct first *f, const struct plan_step *s)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	own_streams(f);
	if (s->n1)
		TRY(SYS(prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0));
	if (s->n2 && !f->groups_denied)
		TRY(SYS(setgroups, f->n_groups, f->groups));
	else if (f->n_groups)
		return -EPERM;
	TRY(SYS(setresgid, f->gid, f->gid, f->gid));
	TRY(SYS(setresuid, f->uid, f->uid, f->uid));
	if (!s->n1)
		return 0;
	TRY(SYS(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	TRY(SYS(capget, &header, data));
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	f->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return SYS(capset, &header, data);
}

/* What the caller itself lacks (a container in a container, a machine that holds a right back) can't be handed on, and
 * is left out. */
static long step_caps(struct first *f, const struct plan_step *s)
{
	uint64_t have = f->permitted;

	TRY(set_caps(s->n1 & have, s->n2 & have, s->n3 & have));
	for (unsigned cap = 0; cap < 64; cap++)
		if (s->n4 & s->n3 & s->n2 & have & (1ull << cap))
			TRY(SYS(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0));
	return 0;
}

static long step_no_new_privs(struct first *f, const struct plan_step *s)
{
	(void)f;
	(void)s;
	return SYS(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static long step_seccomp(struct first *f, const struct plan_step *s)
{
	struct sock_fprog program = {
		.len = (unsigned short)s->n1,
		.filter = (struct sock_filter *)(uintptr_t)plan_text(f->plan, s->t1),
	};

	long fd;

	fd = SYS(seccomp, SECCOMP_SET_MODE_FILTER, s->n2, &program);
	if (fd < 0 || !(s->n2 & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return fd;
	return listener_tell(f, s, (int)fd);
}

/* After the change the folder must be below the root: a leaked descriptor could have led out of it (CVE-2024-21626). */
static long step_cwd(struct first *f, const struct plan_step *s)
{
	const char *path = plan_text(f->plan, s->t1);
	char where[SYS_PATH_MAX];
	long r = SYS(chdir, path);
	int fd;

	if (r == -ENOENT && s->n1) {
		fd = rootfs_target(f->root, path, 0, 0);
		TRY(fd);
		SYS(close, fd);
		r = SYS(chdir, path);
	}
	/* What is not open to this root, who may lack rights over it, may be so to the user. */
	if (r == -EACCES && s->n1)
		return 0;
	TRY(r);
	r = SYS(getcwd, where, sizeof(where));
	TRY(r);
	return where[0] == '/' ? 0 : -ENOENT;
}

static long step_init(struct first *f, const struct plan_step *s)
{
	return reaper_start(f, s->n1 & f->permitted, s->n2 & f->permitted);
}

/* What the steps to come need moves out of the way of the caller's descriptors. */
static long make_room(struct first *f, int end)
{
	int *const needed[] = { &f->sync, &f->go, &f->root, &f->start };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (*needed[i] >= 0) {
			long fd = SYS(fcntl, *needed[i], F_DUPFD_CLOEXEC, end);

			TRY(fd);
			SYS(close, *needed[i]);
			*needed[i] = (int)fd;
		}
	return 0;
}

/*
 * Of a process that waits to be started: whoever waits for the end of the caller's streams must not wait for it, and
 * while nobody watches, what is not open can't be taken over. Here and not at the wait, where a filter may forbid the
 * calls.
 */
static long keep_start_only(struct first *f, int first_free)
{
	TRY(make_room(f, first_free + 2));
	TRY(SYS(dup3, f->start, first_free, O_CLOEXEC));
	TRY(SYS(dup3, f->sync, first_free + 1, O_CLOEXEC));
	f->start = first_free;
	f->sync = first_free + 1;
	f->go = f->root = -1;
	heed_signals();
	return SYS(close_range, first_free + 2, ~0u, 0);
}

/* Whatever is left open but the three streams and what the caller asked to keep ends with execve; so does the plan. */
static long place_descriptors(struct first *f)
{
	int n = (int)(f->plan->birth.flags >> PLAN_KEEP_SHIFT);

	for (int i = 0; i < 3; i++)
		if (f->stdio[i] != i)
			TRY(SYS(dup3, f->stdio[i], i, 0));
	for (int i = 0; i < 3; i++)
		f->stdio[i] = i;
	f->tty = f->tty < 0 ? -1 : 0;
	if (n)
		TRY(make_room(f, FD_FIRST_PORT + n));
	for (int i = 0; i < n; i++) /* the places are lower, so none is overwritten before it was moved */
		TRY(SYS(dup3, FD_FIRST_PORT + i, 3 + i, 0));
	if (f->start >= 0)
		return keep_start_only(f, 3 + n);
	return SYS(close_range, 3 + n, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
}

void unblock_signals(void)
{
	uint64_t none = 0;

	SYS(rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof(none));
}

/* A monitor that died before PR_SET_PDEATHSIG was set sends nothing. */
static bool monitor_is_gone(const struct first *f)
{
	struct pollfd p = { f->sync, 0, 0 };

	return sys_poll(&p, 1, 0) > 0 && p.revents & POLLHUP;
}

/*
 * Before the filter is loaded, as it need not know the calls that this takes. The death signal is set after every
 * change of ids, which clears it: the container ends with its monitor, which holds its streams and its status.
 */
static long step_ready(struct first *f, const struct plan_step *s)
{
	if (s->n1)
		TRY(user_home(f));
	TRY(die_with_monitor(f));
	if (monitor_is_gone(f))
		SYS(exit_group, 128 + SIGKILL);
	return place_descriptors(f);
}

const step_fn first_steps[OP_COUNT] = {
	[OP_OPEN_START] = step_open_start,
	[OP_WAIT_HOST] = step_wait_host,
	[OP_TIME] = step_time,
	[OP_HOST_HOOKS] = step_host_hooks,
	[OP_KEYRING] = step_keyring,
	[OP_JOIN_CGROUP] = step_join_cgroup,
	[OP_SETNS] = step_setns,
	[OP_JOIN_PROCESS] = step_join_process,
	[OP_ENTER_ROOT] = step_enter_root,
	[OP_END] = step_end,
	[OP_UNSHARE] = step_unshare,
	[OP_PROPAGATION] = step_propagation,
	[OP_OVERLAY] = step_overlay,
	[OP_NAMESPACE_ROOT] = step_namespace_root,
	[OP_RECEIVE_ROOTFS] = step_receive_rootfs,
	[OP_ROOTFS] = step_rootfs,
	[OP_MOUNT] = step_mount,
	[OP_BIND_SOURCE] = step_bind_source,
	[OP_FETCH_SOURCE] = step_fetch_source,
	[OP_BIND] = step_bind,
	[OP_CGROUP_MOUNT] = step_cgroup_mount,
	[OP_DEVICE] = step_device,
	[OP_SYMLINK] = step_symlink,
	[OP_MASK] = step_mask,
	[OP_UNMOUNT] = step_unmount,
	[OP_LATE_READONLY] = step_late_readonly,
	[OP_READONLY] = step_readonly,
	[OP_PIVOT] = step_pivot,
	[OP_ROOT_READONLY] = step_root_readonly,
	[OP_ROOT_PROPAGATION] = step_root_propagation,
	[OP_NETLINK_INSIDE] = step_netlink,
	[OP_HOSTNAME] = step_hostname,
	[OP_DOMAINNAME] = step_domainname,
	[OP_SYSCTL] = step_sysctl,
	[OP_RLIMIT] = step_rlimit,
	[OP_OOM_SCORE] = step_oom_score,
	[OP_SESSION] = step_session,
	[OP_CONSOLE] = console_open,
	[OP_SCHEDULER] = step_scheduler,
	[OP_IO_PRIORITY] = step_io_priority,
	[OP_MEMORY_POLICY] = step_memory_policy,
	[OP_PERSONALITY] = step_personality,
	[OP_AFFINITY] = step_affinity,
	[OP_UMASK] = step_umask,
	[OP_APPARMOR] = step_apparmor,
	[OP_SELINUX] = step_selinux,
	[OP_USER] = step_user,
	[OP_USER_NAME] = step_user_name,
	[OP_BOUNDING] = step_bounding,
	[OP_BECOME] = step_become,
	[OP_CAPS] = step_caps,
	[OP_READY] = step_ready,
	[OP_NO_NEW_PRIVS] = step_no_new_privs,
	[OP_SECCOMP] = step_seccomp,
	[OP_CWD] = step_cwd,
	[OP_HOOK] = step_hook,
	[OP_LOOKUP] = step_lookup,
	[OP_AWAIT_START] = step_await_start,
	[OP_INIT] = step_init,
	[OP_EXEC] = step_exec,
};

void first_run(struct first *f)
{
	const struct plan_steps *steps = &f->plan->first;
	const struct plan_step *s = (const struct plan_step *)((const char *)f->plan + steps->at);
	struct first_message failure = { .kind = FIRST_FAILED };

	for (uint32_t i = 0; i < steps->count; i++) {
		long r = s[i].op < OP_COUNT && first_steps[s[i].op] ? first_steps[s[i].op](f, &s[i]) : -ENOSYS;

		if (r >= 0)
			continue;
		failure.step = i;
		failure.error = (int)-r;
		if (f->sync >= 0)
			SYS(write, f->sync, &failure, sizeof(failure));
		else
			start_failed(f, &s[i], failure.error);
		return;
	}
}
