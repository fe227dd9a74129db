/*
 * seccomp_default: the system calls that a container may make. Equal in effect to Docker's default profile of May 2026
 * (moby/profiles, seccomp/default.json, with AF_ALG refused). A change there has
 * to be followed by hand, with SECCOMP_DEFAULT_VERSION counted up.
 *
 * The rule of the table: what changes only the caller's own state or goes through a permission check that knows about
 * namespaces is open to all; what reaches the machine needs the capability that the kernel itself would ask for, so
 * that a bug in a call can only be met by those who were given its right. io_uring, keyring and userfaultfd calls stand
 * in no group: they stay refused.
 */
#include <linux/capability.h>
#include <stdio.h>

#include "kernel/seccomp_impl.h"

enum { ANYBODY = -1 };

/* Names of calls, separated by blanks, and the capability that opens them. */
struct group {
	int cap;
	const char *calls;
};

static const struct group groups[] = {
	/* Files by descriptor. */
	{ ANYBODY, "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek "
		   "close close_range dup dup2 dup3 fcntl fcntl64 ioctl flock "
		   "fsync fdatasync sync syncfs sync_file_range fallocate ftruncate ftruncate64 "
		   "fadvise64 fadvise64_64 readahead copy_file_range sendfile sendfile64 splice tee vmsplice" },
	/* Files by name. */
	{ ANYBODY, "open openat openat2 creat access faccessat faccessat2 truncate truncate64 "
		   "stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx "
		   "statfs statfs64 fstatfs fstatfs64 statmount listmount "
		   "link linkat symlink symlinkat readlink readlinkat unlink unlinkat "
		   "rename renameat renameat2 mkdir mkdirat rmdir mknod mknodat "
		   "chdir fchdir getcwd getdents getdents64 umask name_to_handle_at "
		   "utime utimes utimensat utimensat_time64 futimesat" },
	/* Owners, modes, extended attributes. */
	{ ANYBODY, "chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 "
		   "getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat "
		   "listxattr llistxattr flistxattr listxattrat "
		   "removexattr lremovexattr fremovexattr removexattrat" },
	/* Waiting for descriptors. */
	{ ANYBODY,
	  "select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 "
	  "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 "
	  "eventfd eventfd2 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark "
	  "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64" },
	/* Memory. */
	{ ANYBODY, "brk mmap mmap2 munmap mremap mprotect madvise mincore msync remap_file_pages "
		   "mlock mlock2 mlockall munlock munlockall mseal map_shadow_stack membarrier cachestat "
		   "memfd_create memfd_secret pkey_alloc pkey_free pkey_mprotect process_mrelease" },
	/* Processes and threads; clone has a rule of its own below. */
	{ ANYBODY, "fork vfork execve execveat exit exit_group wait4 waitid waitpid pause prctl seccomp "
		   "getpid getppid gettid getpgid getpgrp getsid setpgid setsid set_tid_address "
		   "get_thread_area set_thread_area get_robust_list set_robust_list rseq restart_syscall uretprobe "
		   "futex futex_time64 futex_wait futex_waitv futex_wake futex_requeue "
		   "pidfd_open pidfd_send_signal landlock_create_ruleset landlock_add_rule landlock_restrict_self "
		   "process_vm_readv process_vm_writev ptrace" },
	/* Signals. */
	{ ANYBODY, "kill tkill tgkill rt_sigaction rt_sigprocmask rt_sigpending rt_sigreturn rt_sigsuspend "
		   "rt_sigtimedwait rt_sigtimedwait_time64 rt_sigqueueinfo rt_tgsigqueueinfo "
		   "sigaltstack sigprocmask sigreturn signalfd signalfd4" },
	/* Who the caller is. */
	{ ANYBODY, "getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 "
		   "getresuid getresuid32 getresgid getresgid32 getgroups getgroups32 "
		   "setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 "
		   "setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 "
		   "setgroups setgroups32 capget capset" },
	/* Scheduling, limits, accounting. */
	{ ANYBODY, "sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr "
		   "sched_getparam sched_setparam sched_getscheduler sched_setscheduler "
		   "sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 "
		   "getpriority setpriority ioprio_get ioprio_set getcpu "
		   "getrlimit ugetrlimit setrlimit prlimit64 getrusage times sysinfo uname getrandom riscv_hwprobe" },
	/* Time; setting it needs CAP_SYS_TIME, which the kernel asks for in adjtimex and clock_adjtime itself. */
	{ ANYBODY,
	  "time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 "
	  "clock_nanosleep clock_nanosleep_time64 nanosleep alarm getitimer setitimer "
	  "adjtimex clock_adjtime clock_adjtime64 "
	  "timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 "
	  "timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64" },
	/* Sockets; socket has a rule of its own below. */
	{ ANYBODY,
	  "socketcall socketpair bind listen accept accept4 connect shutdown getsockname getpeername "
	  "getsockopt setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64" },
	/* Pipes, System V and POSIX queues. */
	{ ANYBODY, "pipe pipe2 ipc shmget shmat shmdt shmctl semget semop semctl semtimedop semtimedop_time64 "
		   "msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_notify mq_getsetattr "
		   "mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64" },
#if defined(__x86_64__)
	{ ANYBODY, "arch_prctl modify_ldt" },
#elif defined(__aarch64__)
	{ ANYBODY, "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls" },
#endif
	{ CAP_DAC_READ_SEARCH, "open_by_handle_at" },
	{ CAP_SYS_ADMIN, "mount umount umount2 open_tree move_mount mount_setattr fsopen fsconfig fsmount fspick "
			 "clone clone3 unshare setns sethostname setdomainname bpf perf_event_open syslog "
			 "fanotify_init lookup_dcookie quotactl quotactl_fd "
			 "lsm_get_self_attr lsm_set_self_attr lsm_list_modules" },
	{ CAP_SYS_BOOT, "reboot" },
	{ CAP_SYS_CHROOT, "chroot" },
	{ CAP_SYS_MODULE, "init_module finit_module delete_module" },
	{ CAP_SYS_PACCT, "acct" },
	{ CAP_SYS_PTRACE, "kcmp pidfd_getfd process_madvise" },
	{ CAP_SYS_RAWIO, "iopl ioperm" },
	{ CAP_SYS_TIME, "settimeofday stime clock_settime clock_settime64" },
	{ CAP_SYS_TTY_CONFIG, "vhangup" },
	{ CAP_SYS_NICE, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node" },
	{ CAP_SYSLOG, "syslog" },
	{ CAP_BPF, "bpf" },
	{ CAP_PERFMON, "perf_event_open" },
};

/* Calls that are open for some values of one argument. */
struct narrowed {
	const char *call;
	unsigned index;
	const char *op;
	int64_t value, value_two;
};

/* CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: none of them may be in clone's flags. */
enum { NAMESPACE_FLAGS = 0x7e020000 };
enum { PER_LINUX32 = 0x8, UNAME26 = 0x20000 };

static const struct narrowed always[] = {
	/*
	 * The families 0 to 63 without 38, AF_ALG (the kernel's crypto, whose bugs are everybody's), and 40, AF_VSOCK
	 * (the hypervisor, past every network namespace). Masks, for the kernel takes the family as an int: of an
	 * argument such as 1<<32 | 38 it sees 38 only, and "greater than 40" would let that pass.
	 */
	{ "socket", 0, "SCMP_CMP_MASKED_EQ", 0xffffffe0, 0 },
	{ "socket", 0, "SCMP_CMP_MASKED_EQ", 0xfffffffc, 32 },
	{ "socket", 0, "SCMP_CMP_MASKED_EQ", 0xfffffffe, 36 },
	{ "socket", 0, "SCMP_CMP_MASKED_EQ", 0xffffffff, 39 },
	{ "socket", 0, "SCMP_CMP_MASKED_EQ", 0xffffffff, 41 },
	{ "socket", 0, "SCMP_CMP_MASKED_EQ", 0xfffffffe, 42 },
	{ "socket", 0, "SCMP_CMP_MASKED_EQ", 0xfffffffc, 44 },
	{ "socket", 0, "SCMP_CMP_MASKED_EQ", 0xfffffff0, 48 },
	{ "personality", 0, "SCMP_CMP_EQ", 0, 0 },
	{ "personality", 0, "SCMP_CMP_EQ", PER_LINUX32, 0 },
	{ "personality", 0, "SCMP_CMP_EQ", UNAME26, 0 },
	{ "personality", 0, "SCMP_CMP_EQ", UNAME26 | PER_LINUX32, 0 },
	{ "personality", 0, "SCMP_CMP_EQ", 0xffffffff, 0 }, /* asks, changes nothing */
};

static const struct narrowed without_sys_admin[] = {
	{ "clone", 0, "SCMP_CMP_MASKED_EQ", NAMESPACE_FLAGS, 0 },
};

static bool holds(uint64_t caps, int cap)
{
	return cap == ANYBODY || caps & UINT64_C(1) << cap;
}

uint64_t seccomp_default_relevant(uint64_t caps)
{
	uint64_t relevant = 0;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i].cap != ANYBODY && holds(caps, groups[i].cap))
			relevant |= UINT64_C(1) << groups[i].cap;
	return relevant;
}

static bool add_names(json *names, const char *calls)
{
	bool ok = true;
	char name[64];
	int len;

	for (; ok && sscanf(calls, "%63s%n", name, &len) == 1; calls += len)
		ok = json_append_string(names, name);
	return ok;
}

static bool add_narrowed(json *rules, const struct narrowed *n)
{
	json *rule = json_append_object(rules);
	json *names = json_add_array(rule, "names");
	json *arg = json_append_object(json_add_array(rule, "args"));

	return json_append_string(names, n->call) && json_add_string(rule, "action", "SCMP_ACT_ALLOW") &&
	       json_add_int(arg, "index", n->index) && json_add_int(arg, "value", n->value) &&
	       json_add_int(arg, "valueTwo", n->value_two) && json_add_string(arg, "op", n->op);
}

/* clone3 hides its flags in memory, where a filter can't look: ENOSYS makes callers fall back to clone. */
static bool add_clone3(json *rules)
{
	json *rule = json_append_object(rules);
	json *names = json_add_array(rule, "names");

	return json_append_string(names, "clone3") && json_add_string(rule, "action", "SCMP_ACT_ERRNO") &&
	       json_add_int(rule, "errnoRet", ENOSYS);
}

static bool add_rules(json *rules, uint64_t caps)
{
	json *open = json_append_object(rules);
	json *names = json_add_array(open, "names");
	bool ok = json_add_string(open, "action", "SCMP_ACT_ALLOW");

	for (size_t i = 0; ok && i < ARRAY_SIZE(groups); i++)
		if (holds(caps, groups[i].cap))
			ok = add_names(names, groups[i].calls);
	for (size_t i = 0; ok && i < ARRAY_SIZE(always); i++)
		ok = add_narrowed(rules, &always[i]);
	if (holds(caps, CAP_SYS_ADMIN))
		return ok;
	for (size_t i = 0; ok && i < ARRAY_SIZE(without_sys_admin); i++)
		ok = add_narrowed(rules, &without_sys_admin[i]);
	return ok && add_clone3(rules);
}

json *seccomp_default_profile(uint64_t caps)
{
#if defined(__x86_64__)
	static const char *const arches[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", NULL };
#elif defined(__aarch64__)
	static const char *const arches[] = { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", NULL };
#endif
	_cleanup_json_ json *profile = json_object();

	if (!json_add_string(profile, "defaultAction", "SCMP_ACT_ERRNO") ||
	    !json_add_int(profile, "defaultErrnoRet", EPERM) ||
	    !json_add(profile, "architectures", json_strings((char *const *)arches)) ||
	    !add_rules(json_add_array(profile, "syscalls"), caps))
		return NULL;
	return TAKE_PTR(profile);
}
