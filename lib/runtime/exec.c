/* exec: a further process in a container: in its namespaces, its cgroup and behind its filter. */
#include "runtime/exec.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/proc.h"
#include "runtime/bundle.h"
#include "runtime/cgroups.h"
#include "runtime/filter.h"
#include "runtime/handover.h"
#include "runtime/kill.h"
#include "runtime/merge.h"
#include "runtime/record.h"
#include "runtime/shares.h"
#include "runtime/trace.h"
#include "sandbox/check.h"
#include "sandbox/compile.h"
#include "sandbox/spawn.h"

enum { JOIN_MS = 2000 };

struct exec {
	teu_runtime *runtime;
	const teu_runtime_exec_options *opts;
	struct record record;
	json *spec, *process; /* owned */
	struct cgroup_plan cgroup;
	struct strv shares; /* what resctrl has of it */
	struct handover handover;
	struct seccomp_filter filter;
	struct launch launch;
	struct plan plan;
	struct spawn spawn;
	char root[32], *keyring, *state;
	int pidfd, cgroup_fd;
};

static void exec_done(struct exec *e)
{
	record_done(&e->record);
	json_free(e->spec);
	json_free(e->process);
	cgroup_plan_done(&e->cgroup);
	strv_done(&e->shares);
	handover_done(&e->handover);
	plan_done(&e->plan);
	spawn_done(&e->spawn);
	free(e->keyring);
	free(e->state);
	cleanup_close(&e->pidfd);
	cleanup_close(&e->cgroup_fd);
	seccomp_filter_done(&e->filter);
}

static int open_target(struct exec *e, const char *id, teu_error **err)
{
	int r = record_open(e->runtime, id, false, &e->record, err);
	enum status status;

	if (r == 0)
		r = record_status(&e->record, &status, err);
	if (r < 0)
		return r;
	if (status == STATUS_STOPPED)
		return err_set(err, TEU_E_CONFLICT, "cannot exec in a stopped container");
	if (status == STATUS_PAUSED && !e->opts->ignore_paused)
		return err_set(err, TEU_E_CONFLICT,
			       "cannot exec in a paused container (use --ignore-paused to override)");
	r = proc_open(e->record.pid, e->record.start, &e->pidfd, err);
	if (r == 0)
		r = bundle_reopen(e->record.dir_fd, &e->spec, err);
	return r < 0 ? r : filter_reopen(e->record.dir_fd, e->spec, &e->filter, err);
}

/* As runc: a process document without one has the container's. */
static int add_default_affinity(struct exec *e, teu_error **err)
{
	static const char key[] = "execCPUAffinity";
	const json *own = json_get(json_get(e->spec, "process"), key);

	if (!own || json_get(e->process, key))
		return 0;
	return json_add(e->process, key, json_copy(own)) ? 0 : err_oom(err);
}

static int read_process(struct exec *e, const char *text, teu_error **err)
{
	_cleanup_(check_done) struct check check = { 0 };
	_cleanup_json_ json *given = NULL;
	int r = json_parse_given(text, strlen(text), "process", &given, err);

	if (r < 0)
		return r;
	if (!json_is_object(given))
		return err_set(err, TEU_E_INVALID, "process: expected an object");
	r = check_respell_process(given, err);
	if (r < 0)
		return r;
	e->process = e->opts->merge ? merge_process(json_get(e->spec, "process"), given) : TAKE_PTR(given);
	if (!e->process)
		return err_oom(err);
	r = add_default_affinity(e, err);
	if (r < 0)
		return r;
	check_process(e->process, &check);
	strv_foreach (warning, &check.warnings)
		runtime_log(e->runtime, TEU_LOG_WARNING, "%s", *warning);
	return check_result(&check, err);
}

/* Is @dir the folder of one of the controllers before the colon of @sub, "cpu,memory:PATH"? */
static bool is_named(const char *dir, const char *sub)
{
	const char *name = strncmp(dir, "/sys/fs/cgroup/", 15) == 0 ? dir + 15 : dir;
	const char *colon = strchr(sub, ':');
	size_t len = strcspn(name, "/");

	for (const char *at = sub; colon && at < colon; at += strcspn(at, ",:") + 1)
		if (strcspn(at, ",:") == len && strncmp(at, name, len) == 0)
			return true;
	return false;
}

/* The path for @dir: what names its controller counts more than a "PATH" for all. NULL: none. */
static const char *sub_path(const struct exec *e, const char *dir)
{
	const char *found = NULL;

	for (const char *const *sub = e->opts->cgroups; *sub; sub++) {
		const char *colon = strchr(*sub, ':');

		if (colon && (e->cgroup.v2 || is_named(dir, *sub)))
			return colon + 1;
		if (!colon)
			found = *sub;
	}
	return found;
}

static int check_sub_cgroup(const struct exec *e, const char *sub, teu_error **err)
{
	if (strstr(sub, ".."))
		return err_set(err, TEU_E_INVALID, "bad sub cgroup path: %s", sub);
	if (!strchr(sub, ':') || e->cgroup.v2)
		return 0;
	strv_foreach (dir, &e->cgroup.dirs)
		if (is_named(*dir, sub))
			return 0;
	return err_set(err, TEU_E_INVALID, "unknown controller in %s", sub);
}

static int enter_sub_cgroups(struct exec *e, teu_error **err)
{
	for (const char *const *sub = e->opts->cgroups; *sub; sub++) {
		int r = check_sub_cgroup(e, *sub, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < e->cgroup.dirs.n; i++) {
		char **dir = &e->cgroup.dirs.items[i], *joined;
		const char *sub = sub_path(e, *dir);

		if (!sub || strcmp(sub, "/") == 0)
			continue;
		if (asprintf(&joined, "%s/%s", *dir, sub) < 0)
			return err_oom(err);
		free(*dir);
		*dir = joined;
		if (access(joined, F_OK) < 0)
			return err_errno(err, errno, "exec: adding pid to cgroup %s", joined);
	}
	return 0;
}

static bool open_dir(struct exec *e, const char *dir)
{
	cleanup_close(&e->cgroup_fd);
	e->cgroup_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return e->cgroup_fd >= 0;
}

/*
 * Where an init of the container's own divides the cgroup (systemd does), nobody may be in the group itself any more
 * (cgroup-v2.rst, "No Internal Process Constraint"); or the first process has left it, and it is gone. As runc: what
 * is not told where to go goes where that process is.
 */
static bool open_init_cgroup(struct exec *e)
{
	_cleanup_free_ char *dir = e->opts->cgroups ? NULL : cgroup_dir_of(e->record.pid);

	/* The number is still its own: it lives. */
	return dir && pidfd_send_signal(e->pidfd, 0, NULL, 0) == 0 && open_dir(e, dir);
}

static int open_cgroup(struct exec *e, teu_error **err)
{
	int r;

	if (!e->record.cgroup)
		return 0;
	r = cgroups_reopen(e->runtime, e->record.cgroup, e->spec, &e->cgroup, err);
	if (r == 0 && e->opts->cgroups)
		r = enter_sub_cgroups(e, err);
	if (r < 0 || !e->cgroup.v2 || !e->cgroup.dirs.n || open_dir(e, e->cgroup.dirs.items[0]))
		return r;
	r = errno;
	return r == ENOENT && open_init_cgroup(e) ? 0 : err_errno(err, r, "open cgroup %s", e->cgroup.dirs.items[0]);
}

static int fill_launch(struct exec *e, bool stays, teu_error **err)
{
	struct launch *l = &e->launch;

	*l = (struct launch){
		.spec = e->spec,
		.cgroup = e->cgroup.dirs.n ? &e->cgroup : NULL,
		.filter = &e->filter,
		.seccomp_cache_fd = -1,
		.flags = PLAN_STDIO | (stays ? 0 : PLAN_LEAVE) | (e->handover.console >= 0 ? PLAN_CONSOLE : 0),
		.n_keep = (unsigned)e->handover.n_kept,
		.rights = e->runtime->rights,
		.groups_denied = idmap_groups_denied(e->record.pid),
		.share_tasks = &e->shares,
		.join_root = e->root,
	};

	if (asprintf(&e->keyring, "_ses.%s", e->record.id) < 0)
		return err_oom(err);
	l->keyring = e->keyring;
	snprintf(e->root, sizeof(e->root), "/proc/%d/root", (int)e->record.pid);
	if (listener_wanted(e->spec)) {
		_cleanup_json_ json *state = record_state(&e->record, "running", e->record.pid);

		e->state = state ? json_print(state) : NULL;
		if (!e->state)
			return err_oom(err);
		l->state = e->state;
	}
	return 0;
}

/*
 * exec holds no lock, so the container may end at any moment. Of a process on its way out nothing can be joined any
 * more, a little before it has ended.
 */
static int failed(const struct exec *e, int r, teu_error *why, teu_error **err)
{
	_cleanup_error_ teu_error *owned = why;
	struct pollfd end = { .fd = e->pidfd, .events = POLLIN };
	const char *step = teu_error_detail(why, "step");

	if (poll(&end, 1, step && strncmp(step, "join-", 5) == 0 ? JOIN_MS : 0) > 0)
		return err_set(err, TEU_E_CONFLICT, "cannot exec in a stopped container");
	if (err && !*err)
		*err = TAKE_PTR(owned);
	return r;
}

static int begin_spawn(struct exec *e, teu_error **err)
{
	struct plan_birth birth = compile_exec_birth(&e->launch, e->process);
	struct spawn_fds fds = {
		.alive = -EBADF,
		.join = e->pidfd,
		.cgroup = e->cgroup_fd,
		.stdio = { e->opts->stdin_fd, e->opts->stdout_fd, e->opts->stderr_fd },
		.console = e->handover.console,
		.more = e->handover.kept,
		.n_more = e->handover.n_kept,
	};

	return spawn_begin(&birth, &fds, 0, &e->spawn, err);
}

/* The helper starts while the plan is made. */
static int try_launch(struct exec *e, int *ret_wire, int32_t *ret_pid, teu_error **err)
{
	int r = begin_spawn(e, err);

	if (r == 0)
		r = compile_exec(&e->launch, e->process, &e->plan, err);
	if (r < 0)
		return r;
	trace_helper(e->runtime, "joins the namespaces", &e->plan);
	trace_plan(e->runtime, &e->plan);
	return spawn_finish(&e->spawn, &e->plan, ret_wire, ret_pid, err);
}

static bool cgroup_refused(const struct exec *e, const teu_error *why)
{
	return e->cgroup_fd >= 0 && spawn_cgroup_refused(why);
}

/* Nobody will hear of it. It may have failed for want of descriptors, and this takes some. */
static void end_started(struct exec *e, pid_t pid)
{
	int *const fds[] = { &e->pidfd, &e->cgroup_fd };
	uint64_t start;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		cleanup_close(fds[i]);
		*fds[i] = -EBADF;
	}
	handover_done(&e->handover);
	record_done(&e->record);
	if (proc_start_time(pid, &start, NULL) == 0)
		kill_process(pid, start, NULL);
}

static int launch(struct exec *e, int *ret_wire, int32_t *ret_pid, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	int r = try_launch(e, ret_wire, ret_pid, &why);

	if (r < 0 && cgroup_refused(e, why) && open_init_cgroup(e)) {
		spawn_done(&e->spawn);
		plan_done(&e->plan);
		teu_error_unref(TAKE_PTR(why));
		r = try_launch(e, ret_wire, ret_pid, &why);
	}
	if (r < 0 && cgroup_refused(e, why)) {
		int eno = teu_error_errno(why);

		teu_error_unref(TAKE_PTR(why));
		r = err_errno(&why, eno, "exec: adding pid of the process to cgroups: %s", e->cgroup.dirs.items[0]);
	}
	if (r < 0)
		return failed(e, r, TAKE_PTR(why), err);
	trace_ready(e->runtime, *ret_pid);
	r = handover_pid(&e->handover, *ret_pid, err);
	if (r < 0)
		end_started(e, *ret_pid);
	return r;
}

int runtime_exec(teu_runtime *rt, const char *id, const char *process_json, const teu_runtime_exec_options *opts,
		 int32_t *ret_pid, int *ret_wait, teu_error **err)
{
	_cleanup_(exec_done) struct exec e = {
		.runtime = rt,
		.opts = opts,
		.record = RECORD_INIT,
		.handover = HANDOVER_OF(opts),
		.pidfd = -EBADF,
		.cgroup_fd = -EBADF,
		.spawn = SPAWN_INIT,
	};
	_cleanup_close_ int wire = -EBADF;
	int32_t pid;
	int r = open_target(&e, id, err);

	if (r == 0)
		r = read_process(&e, process_json, err);
	if (r == 0)
		r = handover_open(&e.handover, json_get_truth(e.process, "terminal", false), err);
	if (r == 0)
		r = open_cgroup(&e, err);
	if (r == 0)
		r = shares_tasks(e.record.doc, &e.shares, err);
	if (r == 0)
		r = fill_launch(&e, ret_wait != NULL, err);
	if (r == 0)
		r = launch(&e, &wire, &pid, err);
	if (r < 0)
		return r;
	if (ret_pid)
		*ret_pid = pid;
	if (ret_wait)
		*ret_wait = TAKE_FD(wire);
	return 0;
}
