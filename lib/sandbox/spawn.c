/*
 * spawn: the caller's side of a launch. Between clone and exec only system calls run, on memory made ready before, so
 * any number of threads in the host do no harm; the address space is shared until exec, so its size costs nothing. The
 * helper is made a grandchild at once: no zombie is left to the host, and a wait() of the host's can't take it away
 * from us.
 */
#include "sandbox/spawn.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/mount.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "init/wire.h"

extern const char teu_init_bytes[] __attribute__((visibility("hidden")));
extern const char teu_init_end[] __attribute__((visibility("hidden")));

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

enum { STACK_SIZE = 32 << 10, MAX_FDS = 1024 };

static pthread_mutex_t helper_lock = PTHREAD_MUTEX_INITIALIZER;
static int helper_memfd = -EBADF; /* made once: its bytes can't change */
static struct stat helper_was;	  /* a host that closes all descriptors may have given its number to another file */

/*
 * Containers see what they are started by as /proc/<pid>/exe, and root of one may open that for writing when nobody
 * executes it any more (CVE-2019-5736): they get it from a mount that is read-only and nobody's. Who has no right to
 * make one has none to the file either.
 */
static int open_readonly(const char *path)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
	char again[32];
	_cleanup_close_ int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return errno == EPERM && geteuid() != 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -1;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", tree);
	return open(again, O_RDONLY | O_CLOEXEC);
}

/* Where the kernel executes no memory (vm.memfd_noexec = 2) an installed copy serves; it must be of this very build. */
static int open_installed(teu_error **err)
{
	static const char path[] = TEU_LIBEXECDIR "/teu-init";
	size_t want = (size_t)(teu_init_end - teu_init_bytes), n;
	_cleanup_close_ int fd = open_readonly(path);
	_cleanup_free_ char *bytes = NULL;
	int r;

	if (fd < 0)
		return err_errno(err, errno, "vm.memfd_noexec forbids to execute the helper from memory, and open %s",
				 path);
	r = fd_read_rest(fd, path, want, &bytes, &n, err);
	if (r < 0)
		return r;
	if (n != want || memcmp(bytes, teu_init_bytes, want) != 0)
		return err_set(err, TEU_E_UNSUPPORTED, "%s is not of this release: install teu anew", path);
	helper_memfd = TAKE_FD(fd);
	return 0;
}

static int make_helper(teu_error **err)
{
	_cleanup_close_ int fd = memfd_create("teu-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	int r;

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 every memfd can be executed */
		fd = memfd_create("teu-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 && errno == EACCES)
		return open_installed(err);
	if (fd < 0)
		return err_errno(err, errno, "memfd_create");
	r = fd_write_all(fd, teu_init_bytes, (size_t)(teu_init_end - teu_init_bytes));
	if (r < 0)
		return err_errno(err, -r, "write the helper");
	/* A container's root is its owner: not even its mode is to be changed (since Linux 6.3). */
	fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_errno(err, errno, "seal the helper");
	helper_memfd = TAKE_FD(fd);
	return 0;
}

static int helper_open(int *ret_fd, teu_error **err)
{
	struct stat st;
	int r = 0;

	pthread_mutex_lock(&helper_lock);
	if (helper_memfd < 0 || fstat(helper_memfd, &st) < 0 || st.st_ino != helper_was.st_ino ||
	    st.st_dev != helper_was.st_dev) {
		helper_memfd = -EBADF;
		r = make_helper(err);
		if (r == 0 && fstat(helper_memfd, &helper_was) < 0)
			r = err_errno(err, errno, "fstat the helper");
	}
	*ret_fd = helper_memfd;
	pthread_mutex_unlock(&helper_lock);
	return r;
}

/* On a stack of ours: AddressSanitizer can't tell where that ends, and would say so on stderr at each _exit(). */
#define ON_BORROWED_STACK __attribute__((no_sanitize("address")))

/* All that the two children need; nothing is allocated between clone and exec. */
struct birth {
	int fds[MAX_FDS]; /* what becomes FD_PLAN and on */
	int n_fds;
	int helper;
	char *stack; /* of the second child */
	int error;   /* errno of whichever call failed */
};

ON_BORROWED_STACK static int fail(struct birth *b)
{
	b->error = errno;
	_exit(1);
}

/* Moves the descriptors to their places: first out of the way, then down. */
ON_BORROWED_STACK static void place(struct birth *b)
{
	int first_free = FD_PLAN + b->n_fds, null;

	for (int i = 0; i < b->n_fds; i++) {
		b->fds[i] = fcntl(b->fds[i], F_DUPFD_CLOEXEC, first_free);
		if (b->fds[i] < 0)
			fail(b);
	}
	b->helper = fcntl(b->helper, F_DUPFD_CLOEXEC, first_free);
	/* Of a caller without standard streams null would be one itself, and dup2() leave it to be closed by exec. */
	null = fcntl(open("/dev/null", O_RDWR | O_CLOEXEC), F_DUPFD_CLOEXEC, first_free);
	if (b->helper < 0 || null < 0)
		fail(b);
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			fail(b);
	for (int i = 0; i < b->n_fds; i++)
		if (dup2(b->fds[i], FD_PLAN + i) < 0)
			fail(b);
	if (syscall(SYS_close_range, first_free, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		fail(b);
}

ON_BORROWED_STACK static int second_child(void *data)
{
	static const char *const argv[] = { "teu-monitor", NULL };
	static const char *const env[] = { NULL };
	struct birth *b = data;

	place(b);
	syscall(SYS_execveat, b->helper, "", argv, env, AT_EMPTY_PATH);
	return fail(b);
}

ON_BORROWED_STACK static int first_child(void *data)
{
	struct birth *b = data;

	if (clone(second_child, b->stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, b) < 0)
		fail(b);
	_exit(0);
}

static int give_birth(struct birth *b, teu_error **err)
{
	sigset_t all, before;
	char *stacks =
		mmap(NULL, 2 * STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int pid, eno;

	if (stacks == MAP_FAILED)
		return err_oom(err);
	b->stack = stacks;
	/* No handler of the host may run on the borrowed memory. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	/* Exit signal 0: the host gets no SIGCHLD for it, and its wait() does not see it. */
	pid = clone(first_child, stacks + 2 * STACK_SIZE, CLONE_VM | CLONE_VFORK, b);
	eno = errno;
	while (pid > 0 && waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	munmap(stacks, 2 * STACK_SIZE);
	if (pid < 0)
		return err_errno(err, eno, "clone");
	if (b->error == EACCES || b->error == EPERM)
		return err_errno(err, b->error, "execute the helper from memory (is vm.memfd_noexec set?)");
	return b->error ? err_errno(err, b->error, "execute the helper") : 0;
}

static int send_header(int wire, enum wire_type type, uint32_t n1, uint32_t n2, uint32_t n3)
{
	struct wire_header m = { .type = type, .n1 = (int32_t)n1, .n2 = (int32_t)n2, .n3 = (int32_t)n3 };

	return send(wire, &m, sizeof(m), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int gather(struct birth *b, int plan_fd, int wire, const struct spawn_fds *fds, int null, teu_error **err)
{
	const int fixed[] = { plan_fd,	     wire,	    fds->alive,	 fds->join,   fds->stdio[0],
			      fds->stdio[1], fds->stdio[2], fds->cgroup, fds->console };

	if (fds->n_more > MAX_FDS - ARRAY_SIZE(fixed))
		return err_set(err, TEU_E_LIMIT, "more than %zu ports are published", MAX_FDS - ARRAY_SIZE(fixed));
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		b->fds[b->n_fds++] = fixed[i] >= 0 ? fixed[i] : null;
	for (size_t i = 0; i < fds->n_more; i++)
		b->fds[b->n_fds++] = fds->more[i];
	return 0;
}

int spawn_begin(const struct plan_birth *birth, const struct spawn_fds *fds, uint32_t want, struct spawn *ret,
		teu_error **err)
{
	_cleanup_close_ int plan_fd = -EBADF, wire = -EBADF, other = -EBADF, null = -EBADF;
	struct birth b = { 0 };
	int pair[2], r = helper_open(&b.helper, err);

	if (r < 0)
		return r;
	plan_fd = memfd_create("teu-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (plan_fd < 0)
		return err_errno(err, errno, "memfd_create");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return err_errno(err, errno, "open /dev/null");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(err, errno, "socketpair");
	wire = pair[0];
	other = pair[1];
	r = send_header(wire, WIRE_BIRTH, birth->clone_flags, birth->flags, want);
	if (r < 0)
		return err_errno(err, -r, "speak to the helper");
	r = gather(&b, plan_fd, other, fds, null, err);
	if (r == 0)
		r = give_birth(&b, err);
	if (r < 0)
		return r;
	*ret = (struct spawn){ .wire = TAKE_FD(wire), .plan_fd = TAKE_FD(plan_fd) };
	return 0;
}

ssize_t wire_receive(int wire, void *packet, size_t size, int flags)
{
	bool reset = false;
	ssize_t n;

	for (;;) {
		n = recv(wire, packet, size, flags);
		if (n >= 0 || (errno != EINTR && (errno != ECONNRESET || reset)))
			return n;
		/* An end that closed with something unread resets the connection, but what it had sent before is still
		 * to be had. */
		reset |= errno == ECONNRESET;
	}
}

/* What only the caller can do, while the process waits for it. */
static int serve(const struct spawn *s, const struct wire_header *m, teu_error **err)
{
	int (*const work)(void *, int32_t, teu_error **) = m->type == WIRE_PLACE  ? s->place
							   : m->type == WIRE_MAPS ? s->maps
										  : s->hooks;
	int r = work ? work(s->data, m->n1, err) : 0;

	if (r < 0)
		return r;
	r = send_header(s->wire, WIRE_GO, 0, 0, 0);
	return r < 0 ? err_errno(err, -r, "speak to the helper") : 0;
}

static int await(const struct spawn *s, const struct plan *p, int32_t *ret_pid, teu_error **err)
{
	struct wire_header m;
	ssize_t n;

	n = wire_receive(s->wire, &m, sizeof(m), 0);
	while (n == (ssize_t)sizeof(m) && (m.type == WIRE_PLACE || m.type == WIRE_HOOKS || m.type == WIRE_MAPS)) {
		int r = serve(s, &m, err);

		if (r < 0)
			return r;
		n = wire_receive(s->wire, &m, sizeof(m), 0);
	}
	if (n == (ssize_t)sizeof(m) && m.type == WIRE_STARTED) {
		*ret_pid = m.n1;
		return 0;
	}
	if (n == (ssize_t)sizeof(m) && m.type == WIRE_FAILED)
		return plan_failure(p, m.n3, (unsigned)m.n2, m.n1, err);
	return err_set(err, TEU_E_LAUNCH, "the container's monitor was killed during the launch");
}

int spawn_finish(struct spawn *s, const struct plan *p, int *ret_wire, int32_t *ret_pid, teu_error **err)
{
	int r = plan_seal(p, s->plan_fd, err);

	if (r < 0)
		return r;
	close(TAKE_FD(s->plan_fd));
	/* A helper that has failed meanwhile says so. */
	r = send_header(s->wire, WIRE_PLAN, 0, 0, 0);
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return err_errno(err, -r, "speak to the helper");
	r = await(s, p, ret_pid, err);
	if (r == 0)
		*ret_wire = TAKE_FD(s->wire);
	return r;
}

bool spawn_cgroup_refused(const teu_error *why)
{
	const char *step = teu_error_detail(why, "step");
	int eno = teu_error_errno(why);

	return step && strcmp(step, "clone") == 0 && (eno == EBUSY || eno == EOPNOTSUPP || eno == ENODEV);
}

void spawn_done(struct spawn *s)
{
	struct wire_header m;

	if (s->wire >= 0) {
		shutdown(s->wire, SHUT_WR);
		while (wire_receive(s->wire, &m, sizeof(m), 0) > 0)
			;
	}
	cleanup_close(&s->wire);
	cleanup_close(&s->plan_fd);
	*s = SPAWN_INIT;
}

int spawn_launch(struct plan *p, const struct spawn_fds *fds, uint32_t want, int *ret_wire, int32_t *ret_pid,
		 teu_error **err)
{
	_cleanup_(spawn_done) struct spawn s = SPAWN_INIT;
	int r = spawn_begin(&plan_header(p)->birth, fds, want, &s, err);

	return r < 0 ? r : spawn_finish(&s, p, ret_wire, ret_pid, err);
}
