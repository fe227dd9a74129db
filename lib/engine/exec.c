/* exec: a further process in a running container: its spec's process with another command, in the same namespaces,
 * cgroup and filter. */
#include "engine/exec.h"

#include <fcntl.h>
#include <string.h>

#include "base/proc.h"
#include "engine/process.h"
#include "engine/start.h"
#include "kernel/caps.h"
#include "kernel/syscalls.h"
#include "sandbox/compile.h"
#include "sandbox/spawn.h"
#include "store/state.h"

struct exec {
	teu_container *container; /* borrowed */
	json *config;		  /* the create body, owned */
	json *process;		  /* owned */
	const json *spec;	  /* borrowed */
	struct cgroup_plan cgroup;
	struct plan plan;
	pid_t pid; /* of the container's first process */
	int pidfd, cgroup_fd, cache_fd;
};

static void exec_done(struct exec *e)
{
	json_free(e->config);
	json_free(e->process);
	cgroup_plan_done(&e->cgroup);
	plan_done(&e->plan);
	if (e->pidfd >= 0)
		close(e->pidfd);
	if (e->cgroup_fd >= 0)
		close(e->cgroup_fd);
	if (e->cache_fd >= 0)
		close(e->cache_fd);
}

static int merge_env(struct exec *e, teu_error **err)
{
	_cleanup_(strv_done) struct strv env = STRV_INIT, more = STRV_INIT;
	int r = json_read_strings(e->process, "process", "env", &env, err);

	if (r == 0)
		r = json_read_strings(e->config, "", "Env", &more, err);
	if (r < 0)
		return r;
	if (json_get_truth(e->config, "Tty", false) && !strv_getenv(&env, "TERM"))
		strv_add(&env, "TERM=xterm");
	strv_foreach (item, &more)
		strv_setenv(&env, *item);
	if (env.oom || !json_add(e->process, "env", json_strings(env.items)))
		return err_oom(err);
	return 0;
}

/* --privileged: every capability; the container's filter stays, as with docker. */
static int add_all_caps(json *process, teu_error **err)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };
	json *caps = json_add_object(process, "capabilities");
	uint64_t all = caps_all();

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		json *set = json_add_array(caps, sets[i]);

		for (int n = 0; caps_name(n); n++)
			if (all & (1ull << n) && !json_append_string(set, caps_name(n)))
				return err_oom(err);
	}
	return 0;
}

static int build_process(struct exec *e, teu_error **err)
{
	_cleanup_(strv_done) struct strv args = STRV_INIT;
	const char *user = "", *cwd = "";
	bool tty = false, privileged = false;
	int r = json_read_strings(e->config, "", "Cmd", &args, err);

	if (r == 0)
		r = json_read_string(e->config, "", "User", &user, err);
	if (r == 0)
		r = json_read_string(e->config, "", "WorkingDir", &cwd, err);
	if (r == 0)
		r = json_read_bool(e->config, "", "Tty", &tty, err);
	if (r == 0)
		r = json_read_bool(e->config, "", "Privileged", &privileged, err);
	if (r < 0)
		return r;
	if (!args.n)
		return json_field_error(err, "", "Cmd", "no command given");
	if (*cwd && *cwd != '/')
		return json_field_error(err, "", "WorkingDir", "\"%s\" is not absolute", cwd);
	e->process = json_copy(json_get(e->spec, "process"));
	json_remove(e->process, "consoleSize");
	if (!json_add(e->process, "args", json_strings(args.items)) || !json_add_bool(e->process, "terminal", tty) ||
	    (*cwd && !json_add_string(e->process, "cwd", cwd)))
		return err_oom(err);
	if (*user && !json_add_string(json_add_object(e->process, "user"), "username", user))
		return err_oom(err);
	r = merge_env(e, err);
	return r == 0 && privileged ? add_all_caps(e->process, err) : r;
}

static int open_target(struct exec *e, teu_error **err)
{
	teu_container *c = e->container;
	struct container_state s;
	int r = state_read(&c->engine->store, c->id, &s, err);

	if (r < 0)
		return r;
	if (s.state == TEU_STATE_PAUSED)
		return err_set(err, TEU_E_CONFLICT, "container %s is paused, unpause it first", c->name);
	if (!s.pid)
		return err_set(err, TEU_E_CONFLICT, "container %s is not running", c->name);
	e->pid = s.pid;
	r = proc_open(s.pid, s.pid_start, &e->pidfd, err);
	if (r < 0)
		return err_wrap(err, r, "container %s", c->name);
	return 0;
}

static int open_cgroup(struct exec *e, teu_error **err)
{
	const json *lx = json_get(e->spec, "linux");
	const char *path = json_get_text(lx, "cgroupsPath", NULL);
	int r;

	if (!path)
		return 0;
	r = cgroup_compile(path, json_get(lx, "resources"), "linux.resources", &e->cgroup, err);
	if (r < 0 || !e->cgroup.v2)
		return r;
	e->cgroup_fd = open(e->cgroup.dirs.items[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	return e->cgroup_fd < 0 ? err_errno(err, errno, "open cgroup %s", e->cgroup.dirs.items[0]) : 0;
}

/* As runtime/exec.c. */
static bool open_init_cgroup(struct exec *e)
{
	_cleanup_free_ char *dir = cgroup_dir_of(e->pid);

	if (!dir || sys_pidfd_send_signal(e->pidfd, 0) < 0)
		return false;
	cleanup_close(&e->cgroup_fd);
	e->cgroup_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return e->cgroup_fd >= 0;
}

static int launch(struct exec *e, uint32_t want, int *ret_wire, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	struct spawn_fds fds = { .alive = -EBADF, .join = e->pidfd, .cgroup = e->cgroup_fd, .stdio = { -1, -1, -1 } };
	int32_t pid;
	int r = spawn_launch(&e->plan, &fds, want, ret_wire, &pid, &why);

	if (r < 0 && e->cgroup_fd >= 0 && spawn_cgroup_refused(why) && open_init_cgroup(e)) {
		fds.cgroup = e->cgroup_fd;
		return spawn_launch(&e->plan, &fds, want, ret_wire, &pid, err);
	}
	if (r < 0 && err && !*err)
		*err = TAKE_PTR(why);
	return r;
}

static int compile(struct exec *e, const teu_attach_options *attach, bool attached, teu_error **err)
{
	bool in = json_get_truth(e->config, "AttachStdin", false) && attached;
	struct launch l = {
		.spec = e->spec,
		.cgroup = e->cgroup.dirs.n ? &e->cgroup : NULL,
		.seccomp_cache_fd = e->cache_fd,
		.flags = in ? PLAN_STDIN | PLAN_STDIN_ONCE : 0,
		.rows = attach ? attach->rows : 0,
		.columns = attach ? attach->columns : 0,
	};

	return compile_exec(&l, e->process, &e->plan, err);
}

int container_exec(teu_container *c, const char *config_json, const teu_attach_options *attach, teu_attach **ret_attach,
		   teu_error **err)
{
	_cleanup_(
		exec_done) struct exec e = { .container = c, .pidfd = -EBADF, .cgroup_fd = -EBADF, .cache_fd = -EBADF };
	_cleanup_close_ int wire = -EBADF;
	_cleanup_json_ json *spec = NULL;
	int r = json_parse(config_json, strlen(config_json), &e.config, err);

	if (r == 0)
		r = open_target(&e, err);
	if (r == 0)
		r = start_resolve(c, &spec, err);
	e.spec = spec;
	if (r == 0)
		r = build_process(&e, err);
	if (r == 0)
		r = open_cgroup(&e, err);
	if (r < 0)
		return r;
	e.cache_fd = openat(c->engine->store.root_fd, "cache/seccomp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = compile(&e, attach, ret_attach != NULL, err);
	if (r == 0)
		r = launch(&e, ret_attach ? attach_wants(attach) : 0, &wire, err);
	if (r < 0 || !ret_attach)
		return r;
	return attach_new(c, TAKE_FD(wire), false, ret_attach, err);
}
