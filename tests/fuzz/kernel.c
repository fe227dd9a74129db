/* kernel: what the helper's system calls meet in a test. */
#include "kernel.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "init/wire.h"

enum { MAX_CALLS = 20000, MAX_MEMORY = 64, MAX_NAMES = 40, FIRST_FD = 20, FDS = 200, GET_SEALS = 1034 };

jmp_buf kernel_end;

static uint32_t state;
static unsigned calls, names;
static void *memory[MAX_MEMORY];
static unsigned n_memory;
static const struct plan_header *plan;
static uint64_t plan_size;
static volatile unsigned sink;

void kernel_begin(uint32_t seed, const struct plan_header *new_plan, uint64_t size)
{
	state = seed * 2654435761u | 1;
	calls = names = n_memory = 0;
	plan = new_plan;
	plan_size = size;
}

void kernel_done(void)
{
	while (n_memory)
		free(memory[--n_memory]);
}

static uint32_t next(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

static void end(void)
{
	longjmp(kernel_end, 1);
}

static void look_at(const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sink += ((const unsigned char *)bytes)[i];
}

static void read_text(long at)
{
	if (at)
		sink += (unsigned)strlen((const char *)(uintptr_t)at);
}

static void read_bytes(long at, uint64_t n)
{
	if (at)
		look_at((const void *)(uintptr_t)at, n);
}

static void read_vector(long at)
{
	for (const char *const *v = (const char *const *)(uintptr_t)at; *v; v++)
		sink += (unsigned)strlen(*v);
}

/* What passwd and mountinfo are made of, more often than what they are not. */
static void fill(long at, uint64_t n)
{
	static const char usual[] = "root:x:0:0:/\n,: 12-deny\n";
	unsigned char *to = (unsigned char *)(uintptr_t)at;

	for (uint64_t i = 0; to && i < n; i++)
		to[i] = next(16) ? (unsigned char)usual[next(sizeof(usual) - 1)] : (unsigned char)next(256);
}

/* A file, of one of the kinds that it may be. */
static long describe(long at)
{
	static const uint16_t modes[] = { S_IFDIR | 0755, S_IFREG | 04644, S_IFCHR | 0666, S_IFLNK | 0777, S_IFIFO, 0 };
	const struct statx st = {
		.stx_mode = modes[next(sizeof(modes) / sizeof(modes[0]))],
		.stx_ino = next(3),
		.stx_rdev_major = next(2) ? 1 : 5,
		.stx_rdev_minor = 2 + next(2),
		.stx_mnt_id = next(3),
		.stx_attributes = next(8) ? 0 : STATX_ATTR_MOUNT_ROOT,
	};

	memcpy((void *)(uintptr_t)at, &st, sizeof(st));
	return 0;
}

static long describe_filesystem(long at)
{
	static const long magics[] = { PROC_SUPER_MAGIC, PROC_SUPER_MAGIC, DEVPTS_SUPER_MAGIC, SYSFS_MAGIC,
				       TMPFS_MAGIC };
	char all[120] = { 0 }; /* struct statfs */

	memcpy(all, &magics[next(sizeof(magics) / sizeof(magics[0]))], sizeof(magics[0]));
	memcpy((void *)(uintptr_t)at, all, sizeof(all));
	return 0;
}

static long some(uint64_t at_most)
{
	return at_most ? (long)next((uint32_t)(at_most < 300 ? at_most + 1 : 300)) : 0;
}

static long filled(long at, uint64_t cap)
{
	long n = some(cap);

	fill(at, (uint64_t)n);
	return n;
}

static long new_fd(void)
{
	return FIRST_FD + next(FDS);
}

/* struct linux_dirent64, two at most; a tree has an end. */
static long list_folder(long at, uint64_t cap)
{
	struct {
		uint64_t ino;
		int64_t off;
		uint16_t len;
		uint8_t type;
		char name[5];
	} entry = { .len = sizeof(entry) };
	uint64_t n = 0;

	while (names < MAX_NAMES && next(2) && n + sizeof(entry) <= cap && n < 2 * sizeof(entry)) {
		names++;
		memcpy(entry.name, next(3) ? "ab" : "..", 3);
		memcpy((char *)(uintptr_t)at + n, &entry, sizeof(entry));
		n += sizeof(entry);
	}
	return (long)n;
}

static long list_attributes(long at, uint64_t cap)
{
	static const char list[] = "user.a\0trusted.overlay.opaque";

	if (cap < sizeof(list))
		return -ERANGE;
	memcpy((void *)(uintptr_t)at, list, sizeof(list));
	return sizeof(list);
}

static long map(uint64_t n, long fd)
{
	if (fd == FD_PLAN)
		return (long)(uintptr_t)plan;
	if (n_memory == MAX_MEMORY || n > 64 << 20)
		return -ENOMEM;
	memory[n_memory] = calloc(1, n ? n : 1);
	return (long)(uintptr_t)memory[n_memory++];
}

static long receive_message(struct msghdr *m)
{
	struct iovec *io = m->msg_iov;
	long n = next(4) ? (long)io->iov_len : some(io->iov_len);

	fill((long)(uintptr_t)io->iov_base, (uint64_t)n);
	/* enum first_kind, and one of the steps */
	if (n >= 8) {
		const uint32_t head[2] = { next(7), next(plan->first.count + 1) };

		memcpy(io->iov_base, head, sizeof(head));
	}
	if (next(4) && m->msg_controllen >= CMSG_SPACE(sizeof(int))) {
		int fd = (int)new_fd();

		memcpy(CMSG_DATA(CMSG_FIRSTHDR(m)), &fd, sizeof(fd));
	} else {
		m->msg_controllen = 0;
	}
	return n;
}

static long send_message(const struct msghdr *m)
{
	for (size_t i = 0; i < m->msg_iovlen; i++)
		look_at(m->msg_iov[i].iov_base, m->msg_iov[i].iov_len);
	look_at(m->msg_control, m->msg_controllen);
	return 1;
}

/* The caller's words come in the order that the helper waits for them. */
static long receive(long fd, long at, uint64_t cap)
{
	struct wire_header m = { .type = next(2) ? WIRE_PLAN : WIRE_GO };

	if (fd != FD_WIRE || cap < sizeof(m))
		return filled(at, cap);
	memcpy((void *)(uintptr_t)at, &m, sizeof(m));
	return sizeof(m);
}

static long poll_all(struct pollfd *p, long n)
{
	for (long i = 0; i < n; i++)
		p[i].revents = (short)(next(2) ? p[i].events : 0);
	return next(3) ? 1 : 0;
}

static long two(long at)
{
	const int pair[2] = { (int)new_fd(), (int)new_fd() };

	memcpy((void *)(uintptr_t)at, pair, sizeof(pair));
	return 0;
}

static long put_int(long at, int value)
{
	if (at)
		memcpy((void *)(uintptr_t)at, &value, sizeof(value));
	return 0;
}

/* Goes on as the child now and then. */
static long birth(void)
{
	return next(3) ? 1000 + (long)next(1000) : 0;
}

static long born(struct clone_args *args)
{
	if (args->pidfd)
		put_int((long)args->pidfd, (int)new_fd());
	return birth();
}

static long load_filter(long at)
{
	const struct {
		unsigned short n;
		const char *steps;
	} *program = (const void *)(uintptr_t)at;

	look_at(program->steps, program->n * 8u);
	return new_fd();
}

static long control(long call, long arg)
{
	if (call == F_DUPFD_CLOEXEC)
		return arg + next(FDS);
	return call == GET_SEALS ? F_SEAL_SHRINK | F_SEAL_WRITE : 0;
}

/* Which arguments are texts, of the calls that ask no more of this kernel; what they return. */
static const struct {
	long nr;
	unsigned texts; /* bit 0: the first argument */
	bool opens;
} plain_calls[] = {
	{ __NR_openat, 2, true },	{ __NR_open_tree, 2, true },   { __NR_mkdirat, 2, false },
	{ __NR_mknodat, 2, false },	{ __NR_unlinkat, 2, false },   { __NR_faccessat, 2, false },
	{ __NR_fchownat, 2, false },	{ __NR_symlinkat, 5, false },  { __NR_renameat2, 10, false },
	{ __NR_move_mount, 10, false }, { __NR_mount, 23, false },     { __NR_chdir, 1, false },
	{ __NR_chroot, 1, false },	{ __NR_pivot_root, 3, false }, { __NR_fsopen, 1, true },
	{ __NR_fsmount, 0, true },	{ __NR_fsconfig, 12, false },
};

static bool is_plain(long nr, const long args[5], long *ret)
{
	for (size_t i = 0; i < sizeof(plain_calls) / sizeof(*plain_calls); i++) {
		if (plain_calls[i].nr != nr)
			continue;
		for (int n = 0; n < 5; n++)
			if (plain_calls[i].texts & 1u << n)
				read_text(args[n]);
		*ret = plain_calls[i].opens ? new_fd() : 0;
		return true;
	}
	return false;
}

/* Files, mounts, namespaces. */
static long of_tree(long nr, long a, long b, long c, long d, long e)
{
	long r = 0;

	if (is_plain(nr, (const long[]){ a, b, c, d, e }, &r))
		return r;
	switch (nr) {
	case __NR_openat2:
		read_text(b);
		read_bytes(c, sizeof(struct open_how));
		return new_fd();
	case __NR_readlinkat:
	case __NR_fgetxattr:
		read_text(b);
		return filled(c, (uint64_t)d);
	case __NR_statx:
		read_text(b);
		return describe(e);
	case __NR_umount2:
		read_text(a);
		return next(2) ? 0 : -EINVAL;
	case __NR_mount_setattr:
		read_text(b);
		read_bytes(d, (uint64_t)e);
		return 0;
	case __NR_statfs:
		read_text(a);
		/* fall through */
	case __NR_fstatfs:
		return describe_filesystem(b);
	case __NR_getdents64:
		return list_folder(b, (uint64_t)c);
	case __NR_flistxattr:
		return list_attributes(b, (uint64_t)c);
	case __NR_fsetxattr:
		read_text(b);
		read_bytes(c, (uint64_t)d);
		return 0;
	case __NR_utimensat:
		read_text(b);
		read_bytes(c, 32);
		return 0;
	default:
		return -ENOSYS;
	}
}

/* Bytes that come and go, and memory. */
static long of_bytes(long nr, long a, long b, long c, long d, long e, long f)
{
	switch (nr) {
	case __NR_read:
		return filled(b, (uint64_t)c);
	case __NR_write:
		read_bytes(b, (uint64_t)c);
		return next(8) ? c : some((uint64_t)c);
	case __NR_sendto:
		read_bytes(b, (uint64_t)c);
		read_bytes(e, (uint64_t)f);
		return c;
	case __NR_recvfrom:
		return receive(a, b, (uint64_t)c);
	case __NR_sendmsg:
		return send_message((const struct msghdr *)(uintptr_t)b);
	case __NR_recvmsg:
		return receive_message((struct msghdr *)(uintptr_t)b);
	case __NR_bind:
	case __NR_connect:
		read_bytes(b, (uint64_t)c);
		return 0;
	case __NR_pipe2:
		return two(a);
	case __NR_socketpair:
		return two(d);
	case __NR_socket:
		return new_fd();
	case __NR_lseek:
		return a == FD_PLAN ? (long)plan_size : 0;
	case __NR_mmap:
		return map((uint64_t)b, e);
	case __NR_fcntl:
		return control(b, c);
	case __NR_ioctl:
		return new_fd();
	case __NR_copy_file_range:
	case __NR_sendfile:
		return 0;
	case __NR_ppoll:
		return poll_all((struct pollfd *)(uintptr_t)a, b);
	default:
		return -ENOSYS;
	}
}

/* What a process is. */
static long of_process(long nr, long a, long b, long c, long d)
{
	switch (nr) {
	case __NR_execve:
		read_text(a);
		read_vector(b);
		read_vector(c);
		return next(2) ? -ENOENT : -EACCES;
	case __NR_clone:
		return birth();
	case __NR_clone3:
		return born((struct clone_args *)(uintptr_t)a);
	case __NR_wait4:
		return put_int(b, (int)next(3) * 256) + 1000;
	case __NR_sethostname:
	case __NR_setdomainname:
		read_bytes(a, (uint64_t)b);
		return 0;
	case __NR_keyctl:
		read_text(b);
		return 1;
	case __NR_setgroups:
		read_bytes(b, (uint64_t)a * 4);
		return 0;
	case __NR_seccomp:
		return load_filter(c);
	case __NR_sched_setattr:
		read_bytes(b, 48);
		return 0;
	case __NR_sched_setaffinity:
		read_bytes(c, (uint64_t)b);
		return 0;
	case __NR_set_mempolicy: /* one bit less than it is told */
		read_bytes(b, c ? ((uint64_t)c - 1 + 63) / 64 * 8 : 0);
		return 0;
	case __NR_prlimit64:
		read_bytes(c, 16);
		return 0;
	case __NR_capget:
		fill(b, 24);
		return 0;
	case __NR_capset:
		read_bytes(b, 24);
		return 0;
	case __NR_getcwd:
		fill(a, (uint64_t)some((uint64_t)b - 1) + 1);
		return 1;
	case __NR_rt_sigaction:
		read_bytes(b, 32);
		return 0;
	case __NR_clock_gettime:
	case __NR_nanosleep:
		read_bytes(nr == __NR_nanosleep ? a : b, 16);
		return 0;
	case __NR_exit_group:
	case __NR_rt_sigtimedwait:
		end();
		/* fall through */
	default:
		return (long)((unsigned long)d & 0);
	}
}

long sys_call(long nr, long a, long b, long c, long d, long e, long f);

long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	static const int errors[] = { ENOENT, EPERM, EINVAL, EEXIST, ENOMEM, EBUSY, EAGAIN, ENOTEMPTY };
	long r;

	if (++calls > MAX_CALLS)
		end();
	if (nr != __NR_exit_group && nr != __NR_mmap && next(16) == 0)
		return -errors[next(sizeof(errors) / sizeof(errors[0]))];
	r = of_tree(nr, a, b, c, d, e);
	if (r == -ENOSYS)
		r = of_bytes(nr, a, b, c, d, e, f);
	return r == -ENOSYS ? of_process(nr, a, b, c, d) : r;
}
