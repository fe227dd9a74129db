/* namespace: everything in teu/namespace.h. */
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <teu/namespace.h>

#include "api/options.h"
#include "init/wire.h"
#include "sandbox/compile.h"
#include "sandbox/spawn.h"

extern char **environ;

static const struct {
	uint32_t public_flag;
	uint64_t flag;
} flags[] = {
	{ TEU_NS_MOUNT, CLONE_NEWNS },	    { TEU_NS_UTS, CLONE_NEWUTS },     { TEU_NS_IPC, CLONE_NEWIPC },
	{ TEU_NS_PID, CLONE_NEWPID },	    { TEU_NS_NETWORK, CLONE_NEWNET }, { TEU_NS_USER, CLONE_NEWUSER },
	{ TEU_NS_CGROUP, CLONE_NEWCGROUP },
};

void(teu_namespace_options_init)(teu_namespace_options *opts, size_t size)
{
	static const teu_namespace_options defaults = { .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };

	options_fill(opts, size, &defaults, sizeof(defaults));
}

static int read_flags(uint32_t given, uint64_t *ret, teu_error **err)
{
	*ret = 0;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (given & flags[i].public_flag) {
			*ret |= flags[i].flag;
			given &= ~flags[i].public_flag;
		}
	return given ? err_set(err, TEU_E_INVALID, "unknown namespaces 0x%x", given) : 0;
}

static void copy_vector(const char *const *from, struct strv *to)
{
	for (; from && *from; from++)
		strv_add(to, *from);
}

int teu_namespace_run(const char *const *argv, const teu_namespace_options *opts, int32_t *ret_pid, int *ret_waitfd,
		      teu_error **err)
{
	_cleanup_(strv_done) struct strv args = STRV_INIT, env = STRV_INIT;
	_cleanup_(plan_done) struct plan plan = { 0 };
	struct spawn_fds fds = { .alive = -EBADF, .join = -EBADF, .cgroup = -EBADF };
	_cleanup_close_ int wire = -EBADF;
	struct bare bare = { .argv = &args, .env = &env };
	teu_namespace_options own;
	int32_t pid;
	int r;

	if (opts)
		r = options_take(&own, opts, "teu_namespace_options", err);
	else
		r = (teu_namespace_options_init(&own), 0);
	if (r == 0)
		r = read_flags(own.namespaces, &bare.namespaces, err);
	if (r < 0)
		return r;
	copy_vector(argv, &args);
	copy_vector(own.env ? own.env : (const char *const *)environ, &env);
	if (args.oom || env.oom)
		return err_oom(err);
	if (!args.n)
		return err_set(err, TEU_E_INVALID, "no command given");
	if (own.hostname && !(own.namespaces & TEU_NS_UTS))
		return err_set(err, TEU_E_INVALID, "a hostname needs TEU_NS_UTS");
	bare.hostname = own.hostname;
	bare.cwd = own.cwd;
	r = compile_bare(&bare, &plan, err);
	if (r < 0)
		return r;
	fds.stdio[0] = own.stdin_fd;
	fds.stdio[1] = own.stdout_fd;
	fds.stdio[2] = own.stderr_fd;
	r = spawn_launch(&plan, &fds, 0, &wire, &pid, err);
	if (r < 0)
		return r;
	if (ret_pid)
		*ret_pid = pid;
	*ret_waitfd = TAKE_FD(wire);
	return 0;
}

int teu_namespace_wait(int waitfd, int32_t *ret_status, teu_error **err)
{
	struct wire_header m;
	ssize_t n;
	int eno;

	n = wire_receive(waitfd, &m, sizeof(m), 0);
	eno = errno;
	close(waitfd);
	if (n < 0)
		return err_errno(err, eno, "wait for the command");
	*ret_status = n >= (ssize_t)sizeof(m) && m.type == WIRE_EXIT ? m.n1 : 137;
	return 0;
}
