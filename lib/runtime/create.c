/*
 * create: from a bundle to a process that waits to be started. The helper makes the namespaces while the cgroup, the
 * files and the plan are made here, as with the engine's start. Source: runtime-spec runtime.md "Lifecycle", steps 2 to
 * 5.
 */
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/proc.h"
#include "runtime/cgroups.h"
#include "runtime/creation.h"
#include "runtime/filter.h"
#include "runtime/hooks.h"
#include "runtime/kill.h"
#include "runtime/mapping.h"
#include "runtime/notify.h"
#include "runtime/shared_mounts.h"
#include "runtime/trace.h"
#include "sandbox/check.h"

void creation_init(struct creation *c, teu_runtime *rt, const char *id, const teu_runtime_create_options *opts)
{
	*c = (struct creation){
		.runtime = rt,
		.opts = opts,
		.record = RECORD_INIT,
		.cgroup_fd = -EBADF,
		.handover = HANDOVER_OF(opts),
		.notify_fd = -EBADF,
		.spawn = SPAWN_INIT,
	};
	c->record.id = id;
}

void creation_done(struct creation *c)
{
	bundle_done(&c->bundle);
	record_done(&c->record);
	json_free(c->mounts);
	scope_done(&c->scope);
	resctrl_done(&c->shares);
	cgroup_plan_done(&c->cgroup);
	nl_batch_done(&c->loopback);
	plan_done(&c->plan);
	spawn_done(&c->spawn);
	seccomp_filter_done(&c->filter);
	cleanup_close(&c->cgroup_fd);
	handover_done(&c->handover);
	cleanup_close(&c->notify_fd);
	free(c->cgroup_path);
	free(c->start_path);
	free(c->keyring);
	free(c->head);
	free(c->tails[0]);
	free(c->tails[1]);
}

/* sd_listen_fds(3): the command is process 1 of its namespace, or has no way to be told its number beforehand. */
static int add_listen_env(struct creation *c, teu_error **err)
{
	json *process = json_get_mutable(c->bundle.spec, "process");
	_cleanup_(strv_done) struct strv env = STRV_INIT;
	int r = json_read_strings(process, "process", "env", &env, err);

	if (r < 0)
		return r;
	strv_addf(&env, "LISTEN_FDS=%d", c->opts->listen_fds);
	strv_add(&env, "LISTEN_PID=1");
	return env.oom || !json_add(process, "env", json_strings(env.items)) ? err_oom(err) : 0;
}

/* The documents of hooks inside, cut where the pid goes. */
static int write_states(struct creation *c, teu_error **err)
{
	static const char *const statuses[] = { "creating", "created" };
	static const char cut[] = "\"pid\":0,";

	for (int i = 0; i < 2; i++) {
		_cleanup_json_ json *state = record_state(&c->record, statuses[i], 0);
		_cleanup_free_ char *text = state ? json_print(state) : NULL;
		char *at = text ? strstr(text, cut) : NULL;

		if (!at)
			return err_oom(err);
		c->tails[i] = strdup(at + sizeof(cut) - 2);
		at[sizeof(cut) - 3] = '\0';
		if (!c->head)
			c->head = TAKE_PTR(text);
		if (!c->tails[i])
			return err_oom(err);
	}
	return 0;
}

/* Its number where it has no name: the files of users are not everywhere. */
static const char *owner_name(char *name, size_t cap)
{
	struct passwd entry, *found = NULL;
	char buffer[1024];

	if (geteuid() == 0)
		return "root";
	if (getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found)
		snprintf(name, cap, "%s", found->pw_name);
	else
		snprintf(name, cap, "#%u", (unsigned)geteuid());
	return name;
}

/* What the streams are, as saved images name them. */
static bool add_descriptors(const struct creation *c, json *doc)
{
	const int fds[] = { c->opts->stdin_fd, c->opts->stdout_fd, c->opts->stderr_fd };
	json *list = json_add_array(doc, "descriptors");

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		char path[64], to[PATH_MAX];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[i]);
		n = fds[i] < 0 ? -1 : readlink(path, to, sizeof(to) - 1);
		to[n < 0 ? 0 : n] = '\0';
		if (!json_append_string(list, n < 0 ? "/dev/null" : to))
			return false;
	}
	return true;
}

/* 0: it has ended. Without it a process that lives would be taken for an ended one. */
static int find_start(pid_t pid, uint64_t *ret, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	int r = pid ? proc_start_time(pid, ret, &why) : 0;

	return r == TEU_E_NOT_FOUND ? 0 : err_pass(err, r, &why);
}

/* Known from the first moment on: what an end of this process at any point leaves can be found and deleted. */
int creation_record(struct creation *c, pid_t pid, teu_error **err)
{
	const json *annotations = json_get(c->bundle.spec, "annotations");
	json *doc = json_object();
	char created[CLOCK_TEXT_MAX], name[64];
	uint64_t start = 0;
	bool ok;
	int r = find_start(pid, &start, err);

	if (r < 0) {
		json_free(doc);
		return r;
	}
	clock_format(clock_now_ns(), created);
	ok = json_add_string(doc, "id", c->record.id) && json_add_int(doc, "pid", pid) &&
	     json_add_int(doc, "start", (int64_t)start) && json_add_string(doc, "bundle", c->bundle.path) &&
	     json_add_string(doc, "rootfs", c->bundle.rootfs) && json_add_string(doc, "created", created) &&
	     json_add_string(doc, "owner", owner_name(name, sizeof(name)));
	if (ok && c->cgroup_path)
		ok = json_add_string(doc, "cgroup", c->cgroup_path);
	if (ok && c->scope.unit)
		ok = json_add_string(doc, "unit", c->scope.unit) && json_add_bool(doc, "userManager", c->scope.user);
	if (ok && c->cgroup.freeze_dir)
		ok = json_add_string(doc, "freezer", c->cgroup.freeze_dir);
	if (ok && c->opts->notify_socket)
		ok = json_add_string(doc, "notify", c->opts->notify_socket);
	if (ok)
		ok = shares_note(doc, &c->shares);
	if (ok && c->mounts)
		ok = json_add(doc, "mounts", json_copy(c->mounts));
	if (ok && annotations)
		ok = json_add(doc, "annotations", json_copy(annotations));
	if (ok)
		ok = json_add_bool(doc, "sharesPids", !(compile_namespaces(c->bundle.spec) & CLONE_NEWPID)) &&
		     json_add_bool(doc, "poststart", hooks_any(c->bundle.spec, "poststart")) &&
		     json_add_bool(doc, "poststop", hooks_any(c->bundle.spec, "poststop")) && add_descriptors(c, doc);
	if (!ok) {
		json_free(doc);
		return err_oom(err);
	}
	return record_write(&c->record, doc, err);
}

static int write_new(const struct record *rec, const char *name, const char *text, teu_error **err)
{
	_cleanup_close_ int fd = openat(rec->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));

	return r < 0 ? err_errno(err, -r, "write %s of container %s", name, rec->id) : 0;
}

int creation_make_files(struct creation *c, teu_error **err)
{
	int r = write_new(&c->record, "config.json", c->bundle.text, err);

	if (r < 0)
		return r;
	free(TAKE_PTR(c->bundle.text));
	r = filter_keep(c->record.dir_fd, &c->filter, err);
	if (r < 0)
		return r;
	if (c->waits && mkfifoat(c->record.dir_fd, START_FIFO, 0600) < 0)
		return err_errno(err, errno, "make the fifo %s", c->start_path);
	return 0;
}

/* runtime-spec: without SELinux there is nothing that a label would say. */
static const char *mount_label(const struct creation *c)
{
	const char *label = json_get_text(json_get(c->bundle.spec, "linux"), "mountLabel", "");

	if (!*label)
		return NULL;
	if (access("/sys/fs/selinux/enforce", F_OK) == 0)
		return label;
	runtime_log(c->runtime, TEU_LOG_WARNING, "linux.mountLabel: is left out: this machine has no SELinux");
	return NULL;
}

static int fill_launch(struct creation *c, teu_error **err)
{
	struct launch *l = &c->launch;

	if (c->waits && asprintf(&c->start_path, "%s/%s/" START_FIFO, c->runtime->root, c->record.id) < 0)
		return err_oom(err);
	if (!c->opts->no_new_keyring && asprintf(&c->keyring, "_ses.%s", c->record.id) < 0)
		return err_oom(err);
	l->spec = c->bundle.spec;
	l->mount_label = mount_label(c);
	if (compile_namespaces(l->spec) & CLONE_NEWNET) {
		int r = endpoint_loopback_batch(&c->loopback, err);

		if (r < 0)
			return r;
		l->guest = &c->loopback;
	}
	l->cgroup = c->cgroup_path && c->cgroup.dirs.n ? &c->cgroup : NULL;
	l->cgroup_seen = &c->cgroup;
	l->cgroup_stays = true;
	l->rights = c->runtime->rights;
	l->groups_denied = idmap_groups_denied(0);
	l->placed = c->scope.unit;
	l->seccomp_cache_fd = -1;
	l->filter = &c->filter;
	/* Saved with a death signal it would be restored with one. */
	l->flags = PLAN_STDIO | (c->stays ? PLAN_OUTLIVES : PLAN_LEAVE) | (c->handover.console >= 0 ? PLAN_CONSOLE : 0);
	l->start_path = c->start_path;
	l->keyring = c->keyring;
	l->n_keep = (unsigned)c->handover.n_kept;
	l->no_pivot = c->opts->no_pivot;
	return 0;
}

static int compile_states(struct creation *c, teu_error **err)
{
	int r;

	if (!json_get(c->bundle.spec, "hooks") && !listener_wanted(c->bundle.spec) && !c->mounts)
		return 0;
	r = creation_record(c, 0, err);
	if (r == 0)
		r = write_states(c, err);
	c->launch.state_head = c->head;
	c->launch.state_tails[0] = c->tails[0];
	c->launch.state_tails[1] = c->tails[1];
	return r;
}

/*
 * While the process waits before its pivot. prestart is the older name of the same: in runtime-spec 1.0.0 it came after
 * `start`, so that its hooks expect "created".
 */
int creation_run_hooks(void *data, int32_t pid, teu_error **err)
{
	struct creation *c = data;
	int r = creation_record(c, pid, err);

	if (r == 0)
		r = hooks_run(c->bundle.spec, "prestart", &c->record, "created", pid, err);
	return r < 0 ? r : hooks_run(c->bundle.spec, "createRuntime", &c->record, "creating", pid, err);
}

static int write_maps(void *data, int32_t pid, teu_error **err)
{
	const struct creation *c = data;

	return mapping_write(c->bundle.spec, pid, err);
}

/* A scope begins with a process in it: the first one, of which nothing has run yet. Who comes later knows the unit from
 * the record, so that comes first. */
int creation_place(void *data, int32_t pid, teu_error **err)
{
	struct creation *c = data;
	int r = cgroup_check_unused(&c->cgroup, err);

	if (r == 0)
		r = creation_record(c, pid, err);
	if (r < 0)
		return r;
	r = scope_start(&c->scope, c->record.id, pid, c->bundle.spec, &c->cgroup, err);
	c->cgroup_made = r != TEU_E_CONFLICT;
	return r;
}

static int begin_spawn(struct creation *c, teu_error **err)
{
	struct plan_birth birth = compile_birth(&c->launch);
	struct spawn_fds fds = {
		.alive = -EBADF,
		.join = -EBADF,
		.cgroup = c->cgroup_fd,
		.stdio = { c->opts->stdin_fd, c->opts->stdout_fd, c->opts->stderr_fd },
		.console = c->handover.console,
		.more = c->handover.kept,
		.n_more = c->handover.n_kept,
	};
	int r = spawn_begin(&birth, &fds, 0, &c->spawn, err);

	c->spawn.place = creation_place;
	c->spawn.hooks = creation_run_hooks;
	c->spawn.maps = write_maps;
	c->spawn.data = c;
	return r;
}

int creation_make_cgroup(struct creation *c, teu_error **err)
{
	int r;

	if (!c->cgroup_path || !c->cgroup.dirs.n || c->scope.unit)
		return 0;
	r = cgroup_check_unused(&c->cgroup, err);
	if (r == 0)
		r = write_new(&c->record, OWN_CGROUP, c->cgroup_path, err);
	if (r == 0)
		r = cgroup_run(&c->cgroup, err);
	c->cgroup_made = r == 0;
	if (r == 0 && c->cgroup.v2) {
		c->cgroup_fd = open(c->cgroup.dirs.items[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (c->cgroup_fd < 0)
			r = err_errno(err, errno, "open cgroup %s", c->cgroup.dirs.items[0]);
	}
	return r;
}

/* Those who wait for the container hear of it when all else is done. */
int creation_tell(struct creation *c, teu_error **err)
{
	int r = creation_record(c, c->pid, err);

	return r == 0 ? handover_pid(&c->handover, c->pid, err) : r;
}

static int launch(struct creation *c, int *ret_wire, teu_error **err)
{
	int r = fill_launch(c, err);

	if (r == 0 && c->cgroup.v2)
		r = creation_make_cgroup(c, err);
	if (r == 0 && c->opts->notify_socket)
		r = notify_prepare(c->runtime, &c->record, c->bundle.spec, err);
	if (r == 0 && c->opts->notify_socket && !c->waits)
		r = notify_listen(&c->record, &c->notify_fd, err);
	if (r == 0)
		trace_helper(c->runtime, "makes the namespaces", NULL);
	if (r == 0)
		r = begin_spawn(c, err);
	if (r == 0)
		r = creation_make_files(c, err);
	if (r == 0 && !c->cgroup.v2)
		r = creation_make_cgroup(c, err);
	if (r == 0)
		r = shares_make(c->bundle.spec, c->record.id, &c->shares, err);
	c->launch.share_tasks = &c->shares.tasks;
	if (r == 0)
		r = compile_states(c, err);
	if (r == 0)
		r = compile_launch(&c->launch, &c->plan, err);
	if (r == 0)
		trace_plan(c->runtime, &c->plan);
	if (r == 0)
		r = spawn_finish(&c->spawn, &c->plan, ret_wire, &c->pid, err);
	if (r == 0)
		trace_ready(c->runtime, c->pid);
	return r == 0 ? creation_tell(c, err) : r;
}

static int end_processes(struct creation *c)
{
	uint64_t start = 0;
	int r = find_start(c->pid, &start, NULL), q;

	if (r == 0 && start)
		r = kill_process(c->pid, start, NULL);
	if (c->cgroup_made && c->scope.unit)
		scope_stop(&c->scope, NULL);
	if (!c->cgroup_made)
		return r;
	q = cgroups_remove(c->cgroup_path, NULL);
	return r < 0 ? r : q;
}

/* Nothing of a failed create stays: process, cgroup, folder. What could not be ended stays on record for a delete. */
void creation_take_back(struct creation *c)
{
	int *const fds[] = { &c->cgroup_fd, &c->notify_fd };
	int r;

	spawn_done(&c->spawn);
	/* It may have failed for want of descriptors, and this takes some. */
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		cleanup_close(fds[i]);
		*fds[i] = -EBADF;
	}
	handover_done(&c->handover);
	r = end_processes(c);
	resctrl_remove(&c->shares.made);
	shared_mounts_remove(c->mounts, c->bundle.rootfs);
	if (r == 0 && c->record.lock_fd >= 0)
		record_remove(c->runtime, &c->record, NULL);
}

/* As runc: who names no devices gets the default ones, and not all of the machine's. */
static int add_device_rule(struct creation *c, teu_error **err)
{
	json *lx = json_get_mutable(c->bundle.spec, "linux"), *resources, *rule;

	if (json_count(json_find(c->bundle.spec, "linux.resources.devices")))
		return 0;
	if (!lx)
		lx = json_add_object(c->bundle.spec, "linux");
	resources = json_get_mutable(lx, "resources");
	if (!resources)
		resources = json_add_object(lx, "resources");
	rule = json_append_object(json_add_array(resources, "devices"));
	return json_add_bool(rule, "allow", false) && json_add_string(rule, "access", "rwm") ? 0 : err_oom(err);
}

static int compile_cgroup(struct creation *c, teu_error **err)
{
	const json *spec = c->bundle.spec;
	int r;

	switch (c->runtime->cgroup_manager) {
	case TEU_CGROUP_MANAGER_DISABLED:
		return 0;
	case TEU_CGROUP_MANAGER_CGROUPFS:
		return cgroups_compile(c->runtime, spec, c->record.id, &c->cgroup_path, &c->cgroup, err);
	case TEU_CGROUP_MANAGER_SYSTEMD:
		break;
	}
	r = scope_find(c->runtime, spec, c->record.id, &c->scope, err);
	if (r == 0 && !(c->cgroup_path = strdup(c->scope.path)))
		r = err_oom(err);
	return r < 0 ? r
		     : cgroup_compile(c->cgroup_path, json_find(spec, "linux.resources"), "linux.resources", &c->cgroup,
				      err);
}

/* A cgroup mount shows this very group, whoever has named it; without one what the process stays in. */
static int find_cgroup(struct creation *c, teu_error **err)
{
	int r = add_device_rule(c, err);

	if (r == 0)
		r = compile_cgroup(c, err);
	if (r < 0)
		return r;
	if (!c->cgroup_path) {
		/* In runc's words. */
		if (!(compile_namespaces(c->bundle.spec) & CLONE_NEWPID))
			runtime_log(c->runtime, TEU_LOG_WARNING,
				    "neither a cgroup nor a pid namespace of its own. Such configuration is strongly "
				    "discouraged: "
				    "only the first process can be found and killed");
		return cgroup_own_dirs(&c->cgroup, err);
	}
	return json_add_string(json_get_mutable(c->bundle.spec, "linux"), "cgroupsPath", c->cgroup_path) ? 0
													 : err_oom(err);
}

static void tell_warnings(const struct creation *c, const struct strv *warnings)
{
	strv_foreach (warning, warnings)
		runtime_log(c->runtime, TEU_LOG_WARNING, "%s", *warning);
}

int creation_prepare(struct creation *c, teu_error **err)
{
	_cleanup_(check_done) struct check check = { 0 };
	const json *process;
	int r = record_check_id(c->record.id, err);

	if (r == 0)
		r = bundle_open(c->opts->bundle, c->opts->config, &c->bundle, err);
	if (r < 0)
		return r;
	r = bundle_check(&c->bundle, &check, err);
	tell_warnings(c, &check.warnings);
	if (r == 0 && c->runtime->rights == IDMAP_USER && !compile_in_user_namespace(c->bundle.spec))
		return json_field_error(
			err, "linux", "namespaces",
			"a rootless container requires user namespaces: an ordinary user can make no other one "
			"(\"spec --rootless\" writes a config that has one)");
	if (r == 0)
		r = filter_compile(c->runtime, c->bundle.spec, &c->filter, err);
	if (r == 0)
		r = bundle_note_text(&c->bundle, err);
	if (r == 0)
		r = bundle_find_rootfs(&c->bundle, err);
	if (r == 0 && !compile_has_mounts(c->bundle.spec)) {
		c->mounts = shared_mounts_note(c->bundle.rootfs);
		r = c->mounts ? 0 : err_oom(err);
	}
	if (r == 0)
		r = mounts_resolve(c->bundle.spec, c->bundle.path, err);
	process = json_get(c->bundle.spec, "process");
	if (r == 0)
		r = handover_open(&c->handover, json_get_truth(process, "terminal", false), err);
	if (r == 0 && c->opts->listen_fds > 0)
		r = add_listen_env(c, err);
	if (r == 0)
		r = find_cgroup(c, err);
	tell_warnings(c, &c->cgroup.warnings);
	return r;
}

int runtime_create(teu_runtime *rt, const char *id, const teu_runtime_create_options *opts, bool waits,
		   int32_t *ret_pid, int *ret_wait, teu_error **err)
{
	_cleanup_(creation_done) struct creation c;
	_cleanup_close_ int wire = -EBADF;
	int r;

	creation_init(&c, rt, id, opts);
	c.stays = ret_wait != NULL;
	c.waits = waits;
	r = creation_prepare(&c, err);
	if (r < 0)
		return r;
	r = record_make(rt, id, &c.record, err);
	if (r == 0)
		r = launch(&c, &wire, err);
	if (r == 0 && !waits)
		r = hooks_run(c.bundle.spec, "poststart", &c.record, "running", c.pid, err);
	if (r == 0 && c.notify_fd >= 0)
		r = notify_pass_on(c.notify_fd, &c.record, opts->notify_socket, !c.stays, err);
	if (r < 0) {
		creation_take_back(&c);
		return r;
	}
	if (ret_pid)
		*ret_pid = c.pid;
	if (ret_wait)
		*ret_wait = TAKE_FD(wire);
	return 0;
}
