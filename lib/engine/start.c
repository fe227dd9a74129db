/*
 * start: a container's launch. Everything the kernel keeps outside the first process (cgroup, address, reserved ports)
 * is made here, by name and so that the sweep finds it; the rest is compiled into the plan that the helper runs.
 */
#include "engine/start.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/lock.h"
#include "engine/finish.h"
#include "engine/ports.h"
#include "engine/start_files.h"
#include "kernel/apparmor.h"
#include "kernel/cgroup.h"
#include "network/endpoint.h"
#include "sandbox/compile.h"
#include "sandbox/spawn.h"
#include "store/containers.h"
#include "store/layers.h"
#include "store/state.h"

/* A launch under way, and what it has made so far. */
struct start {
	teu_container *container; /* borrowed */
	const json *host;	  /* HostConfig, borrowed */
	json *spec;		  /* owned */
	const char *network;	  /* "bridge", "none", "host", "container:…" */
	int lock_fd, alive_fd, cgroup_fd, cache_fd;
	struct cgroup_plan cgroup;
	struct endpoint endpoint;
	bool has_endpoint;
	struct nl_batch host_batch, guest, publish, unpublish, forget;
	struct strv layers;
	struct strv paths; /* owned texts that the launch borrows */
	struct launch launch;
	struct plan plan;
	struct spawn spawn;
	struct container_state before; /* what it was when the start began */
};

static void start_done(struct start *s)
{
	spawn_done(&s->spawn);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	if (s->alive_fd >= 0)
		close(s->alive_fd);
	if (s->cgroup_fd >= 0)
		close(s->cgroup_fd);
	if (s->cache_fd >= 0)
		close(s->cache_fd);
	json_free(s->spec);
	cgroup_plan_done(&s->cgroup);
	endpoint_done(&s->endpoint);
	nl_batch_done(&s->host_batch);
	nl_batch_done(&s->guest);
	nl_batch_done(&s->publish);
	nl_batch_done(&s->unpublish);
	nl_batch_done(&s->forget);
	strv_done(&s->layers);
	strv_done(&s->paths);
	plan_done(&s->plan);
}

static const struct store *store_of(const struct start *s)
{
	return &s->container->engine->store;
}

/* Pid of the container that a mode "container:<id>" names; it must run. */
static int pid_of_other(teu_engine *engine, const char *mode, pid_t *ret, teu_error **err)
{
	_cleanup_(teu_container_unrefp) teu_container *other = NULL;
	struct container_state state;
	int r = container_find(engine, mode + strlen("container:"), &other, err);

	if (r == 0)
		r = state_read(&engine->store, other->id, &state, err);
	if (r < 0)
		return r;
	if (!state.pid)
		return err_set(err, TEU_E_CONFLICT, "container %s, whose namespace is to be shared, is not running",
			       other->name);
	*ret = state.pid;
	return 0;
}

int start_resolve(teu_container *container, json **ret_spec, teu_error **err)
{
	static const struct {
		const char *annotation, *type, *file;
	} shared[] = { { "teu.pid", "pid", "pid" }, { "teu.ipc", "ipc", "ipc" }, { "teu.network", "network", "net" } };
	_cleanup_json_ json *spec = NULL;
	const json *own;
	int r = container_spec(container, &own, err);

	if (r < 0)
		return r;
	spec = json_copy(own);
	if (!spec)
		return err_oom(err);
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		const char *mode = json_get_text(json_get(spec, "annotations"), shared[i].annotation, "");
		char path[64];
		json *ns;
		pid_t pid = 0;

		if (strncmp(mode, "container:", strlen("container:")) != 0)
			continue;
		r = pid_of_other(container->engine, mode, &pid, err);
		if (r < 0)
			return r;
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, shared[i].file);
		if (strcmp(shared[i].type, "ipc") == 0) {
			char mounts[64];

			snprintf(mounts, sizeof(mounts), "/proc/%d/ns/mnt", (int)pid);
			if (!json_add_string(json_get_mutable(spec, "annotations"), "teu.shm", mounts))
				return err_oom(err);
		}
		ns = json_append_object(json_get_mutable(json_get_mutable(spec, "linux"), "namespaces"));
		if (!json_add_string(ns, "type", shared[i].type) || !json_add_string(ns, "path", path))
			return err_oom(err);
	}
	*ret_spec = TAKE_PTR(spec);
	return 0;
}

/* May it begin? Its policy's next life may if nobody has stopped the container since the last one. */
static int check_idle(struct start *s, bool again, teu_error **err)
{
	bool ours = again && s->before.state == TEU_STATE_RESTARTING && s->before.monitor_pid == getpid();
	char path[96];

	snprintf(path, sizeof(path), "containers/%s/stopped", s->container->id);
	if (again && (!ours || faccessat(store_of(s)->run_fd, path, F_OK, 0) == 0))
		return err_set(err, TEU_E_CONFLICT, "container %s was stopped before its restart", s->container->name);
	if (!ours && container_is_up(&s->before))
		return err_set(err, TEU_E_CONFLICT, "container %s is already running", s->container->name);
	return 0;
}

/* Its folder, and in it the lock that proves that it lives. */
static int open_run_folder(struct start *s, teu_error **err)
{
	char path[96];
	int r = finish_release(s->container->engine, s->container->id, err);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "containers/%s", s->container->id);
	if (mkdirat(store_of(s)->run_fd, path, 0710) < 0 && errno != EEXIST)
		return err_errno(err, errno, "make folder %s/%s", store_of(s)->run_root, path);
	snprintf(path, sizeof(path), "containers/%s/alive", s->container->id);
	return lock_take(store_of(s)->run_fd, path, LOCK_EXCLUSIVE, &s->alive_fd, err);
}

/* The next life has the lock of the last: until its monitor says that it runs, it is found restarting. */
static int take_over(struct start *s, int alive_fd, teu_error **err)
{
	s->alive_fd = fcntl(alive_fd, F_DUPFD_CLOEXEC, 0);
	close(alive_fd);
	if (s->alive_fd < 0)
		return err_errno(err, errno, "duplicate the lock of container %s", s->container->name);
	return finish_life(s->container->engine, s->container->id, err);
}

/* @alive_fd: of the life before, whose state stays until here so that a stop finds it; else 0. */
static int lock_container(struct start *s, int alive_fd, teu_error **err)
{
	int r = containers_lock(store_of(s), s->container->id, &s->lock_fd, err);

	if (r == 0)
		r = state_read(store_of(s), s->container->id, &s->before, err);
	if (r == 0)
		r = check_idle(s, alive_fd > 0, err);
	if (r < 0)
		return r;
	return alive_fd > 0 ? take_over(s, alive_fd, err) : open_run_folder(s, err);
}

/* The machine can do without a limit that Docker only warns of: the warning goes to the log. */
static int compile_cgroup(struct start *s, teu_error **err)
{
	const json *lx = json_get(s->spec, "linux");
	const char *path = json_get_text(lx, "cgroupsPath", NULL);

	if (!path)
		return 0;
	return cgroup_compile(path, json_get(lx, "resources"), "linux.resources", &s->cgroup, err);
}

/* Where it is, for the sweep. */
static int record_cgroup(struct start *s, teu_error **err)
{
	const char *path = json_get_text(json_get(s->spec, "linux"), "cgroupsPath", "");
	char name[96];

	snprintf(name, sizeof(name), "containers/%s/cgroup", s->container->id);
	return fd_replace_file(store_of(s)->run_fd, name, path, strlen(path), 0600, FD_NO_SYNC, err);
}

static int make_cgroup(struct start *s, teu_error **err)
{
	int r;

	if (!s->cgroup.dirs.n)
		return 0;
	r = record_cgroup(s, err);
	if (r < 0)
		return r;
	r = cgroup_run(&s->cgroup, err);
	if (r < 0)
		return r;
	if (!s->cgroup.v2)
		return 0;
	s->cgroup_fd = open(s->cgroup.dirs.items[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->cgroup_fd < 0 ? err_errno(err, errno, "open cgroup %s", s->cgroup.dirs.items[0]) : 0;
}

/* Written before the kernel is told anything of it, so that a sweep can take it back. */
static int record_endpoint(struct start *s, teu_error **err)
{
	_cleanup_json_ json *text = endpoint_to_json(&s->endpoint);
	_cleanup_free_ char *bytes = text ? json_print(text) : NULL;
	char path[128];

	if (!bytes)
		return err_oom(err);
	snprintf(path, sizeof(path), "containers/%s/network.json", s->container->id);
	return fd_replace_file(store_of(s)->run_fd, path, bytes, strlen(bytes), 0600, FD_NO_SYNC, err);
}

static int make_batches(struct start *s, teu_error **err)
{
	int r = endpoint_host_batch(&s->endpoint, &s->host_batch, err);

	if (r == 0)
		r = endpoint_guest_batch(&s->endpoint, &s->guest, err);
	if (r == 0)
		r = endpoint_publish_batch(&s->endpoint, &s->publish, err);
	if (r == 0)
		r = endpoint_unpublish_batch(&s->endpoint, &s->unpublish, err);
	return r < 0 ? r : endpoint_forget_batch(&s->endpoint, &s->forget, err);
}

static int open_bridge(struct start *s, teu_error **err)
{
	_cleanup_free_ struct port_mapping *ports = NULL;
	size_t n = 0;
	int r = ports_of(s->host, &ports, &n, err);

	if (r == 0)
		r = endpoint_open(store_of(s), s->container->id, ports, n, &s->endpoint, err);
	if (r < 0)
		return r;
	s->has_endpoint = true;
	r = record_endpoint(s, err);
	return r < 0 ? r : make_batches(s, err);
}

static int open_network(struct start *s, teu_error **err)
{
	if (strcmp(s->network, "bridge") == 0)
		return open_bridge(s, err);
	return strcmp(s->network, "none") == 0 ? endpoint_loopback_batch(&s->guest, err) : 0;
}

static int find_layers(struct start *s, teu_error **err)
{
	_cleanup_free_ char *skeleton = NULL;

	if (asprintf(&skeleton, "%s/skeleton", store_of(s)->root) < 0)
		return err_oom(err);
	/* Lowest of all: the mount points that every container has, so that none is made anew in the writable folder.
	 */
	strv_add(&s->layers, skeleton);
	json_foreach (chain, json_get(s->container->record, "Layers")) {
		_cleanup_free_ char *path = layers_path(store_of(s), json_text(chain, ""));

		if (!path)
			return err_oom(err);
		strv_add(&s->layers, path);
	}
	return s->layers.oom ? err_oom(err) : 0;
}

static const char *keep(struct start *s, const char *root, const char *name)
{
	strv_addf(&s->paths, "%s/containers/%s/%s", root, s->container->id, name);
	return s->paths.oom ? "" : s->paths.items[s->paths.n - 1];
}

static const char *log_path(struct start *s)
{
	strv_addf(&s->paths, "%s/containers/%s/%s-json.log", store_of(s)->root, s->container->id, s->container->id);
	return s->paths.oom ? "" : s->paths.items[s->paths.n - 1];
}

/* The file that address @at is mapped from, as the kernel names it; false: none. */
static bool mapped_file(uintptr_t at, char path[PATH_MAX])
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128];
	uintptr_t begin, end;
	bool found = false;

	while (maps && !found && fgets(line, sizeof(line), maps)) {
		int name = 0;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %*s %n", &begin, &end, &name) < 2 ||
		    at < begin || at >= end || line[name] != '/')
			continue;
		snprintf(path, PATH_MAX, "%.*s", (int)strcspn(line + name, "\n"), line + name);
		found = true;
	}
	if (maps)
		fclose(maps);
	return found;
}

/* Which file is this library? The monitor executes it for what is left to do after the end. The linker knows it by the
 * name that it was loaded by, which may be relative to a folder that the host has left. */
static const char *library_path(struct start *s)
{
	char path[PATH_MAX] = "";
	Dl_info info;

	if (dladdr((void *)(uintptr_t)teu_version, &info) && info.dli_fname && *info.dli_fname == '/')
		return info.dli_fname;
	mapped_file((uintptr_t)teu_version, path);
	strv_add(&s->paths, path);
	return s->paths.oom ? "" : s->paths.items[s->paths.n - 1];
}

static void restart_policy(const json *host, struct launch *l)
{
	const json *policy = json_get(host, "RestartPolicy");
	const char *name = json_get_text(policy, "Name", "");

	if (strcmp(name, "always") == 0 || strcmp(name, "unless-stopped") == 0)
		l->restart = PLAN_RESTART_ALWAYS;
	else if (strcmp(name, "on-failure") == 0)
		l->restart = PLAN_RESTART_ON_FAILURE;
	l->restart_max = (uint32_t)json_get_number(policy, "MaximumRetryCount", 0);
}

static bool logs(const json *host)
{
	return strcmp(json_get_text(json_get(host, "LogConfig"), "Type", ""), "none") != 0;
}

static void fill_launch(struct start *s, const struct start_request *request)
{
	const json *config = json_get(s->container->record, "Config");
	const char *state = store_of(s)->root, *run = store_of(s)->run_root;
	struct launch *l = &s->launch;
	bool removes = json_get_truth(s->host, "AutoRemove", false);

	l->spec = s->spec;
	l->layers = &s->layers;
	l->upper = keep(s, state, "upper");
	l->work = keep(s, state, "work");
	l->volatile_upper = removes;
	l->cgroup = s->cgroup.dirs.n ? &s->cgroup : NULL;
	l->host = &s->host_batch;
	l->guest = &s->guest;
	l->publish = &s->publish;
	l->unpublish = &s->unpublish;
	l->forget = &s->forget;
	l->n_ports = s->endpoint.n_ports;
	l->seccomp_cache_fd = s->cache_fd;
	l->flags = PLAN_RECORD | (logs(s->host) ? PLAN_LOG : 0) | (removes ? PLAN_CLEANUP : 0);
	if (json_get_truth(config, "OpenStdin", false))
		l->flags |= PLAN_STDIN | (json_get_truth(config, "StdinOnce", false) ? PLAN_STDIN_ONCE : 0);
	if (request->attach) {
		l->rows = request->attach->rows;
		l->columns = request->attach->columns;
	}
	l->id = s->container->id;
	l->state_root = state;
	l->run_root = run;
	l->library = library_path(s);
	l->state_path = keep(s, run, "state");
	l->exit_path = keep(s, state, "exit");
	l->socket_path = keep(s, run, "monitor.sock");
	l->stopped_path = keep(s, run, "stopped");
	l->log_path = log_path(s);
	restart_policy(s->host, l);
	l->restart_count = request->restarts;
	l->restart_delay_ms = request->delay_ms;
}

/* A boot forgets the default profile, and the next kernel may have no AppArmor at all. */
static int load_profile(struct start *s, teu_error **err)
{
	json *process = json_get_mutable(s->spec, "process");

	if (strcmp(json_get_text(process, "apparmorProfile", ""), APPARMOR_DEFAULT) != 0)
		return 0;
	if (apparmor_usable())
		return apparmor_load_default(err);
	json_remove(process, "apparmorProfile");
	return 0;
}

static int begin(struct start *s, teu_container *container, teu_error **err)
{
	int r;

	s->container = container;
	s->host = json_get(container->record, "HostConfig");
	s->spawn = SPAWN_INIT;
	s->lock_fd = s->alive_fd = s->cgroup_fd = s->cache_fd = -EBADF;
	s->host_batch.pid_at = s->guest.pid_at = s->publish.pid_at = s->unpublish.pid_at = s->forget.pid_at = SIZE_MAX;
	r = start_resolve(container, &s->spec, err);
	if (r < 0)
		return r;
	s->network = json_get_text(json_get(s->spec, "annotations"), "teu.network", "none");
	/* A store that can't be written to has no cache: the filter is compiled each time then. */
	s->cache_fd = openat(store_of(s)->root_fd, "cache/seccomp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = load_profile(s, err);
	return r < 0 ? r : find_layers(s, err);
}

static int compile(struct start *s, teu_error **err)
{
	return s->paths.oom ? err_oom(err) : compile_launch(&s->launch, &s->plan, err);
}

/* The end of the alive lock and of the ports' sockets goes to the monitor; ours close with the start. */
static int begin_spawn(struct start *s, uint32_t wants, teu_error **err)
{
	_cleanup_free_ int *sockets = calloc(s->endpoint.n_ports + 2, sizeof(int));
	struct spawn_fds fds = {
		.alive = s->alive_fd, .join = -EBADF, .cgroup = s->cgroup_fd, .stdio = { -1, -1, -1 }
	};
	struct plan_birth birth = compile_birth(&s->launch);

	if (!sockets)
		return err_oom(err);
	for (size_t i = 0; i < s->endpoint.n_ports; i++)
		if (s->endpoint.ports[i].socket >= 0)
			sockets[fds.n_more++] = s->endpoint.ports[i].socket;
	if (s->endpoint.has_rules_socket)
		sockets[fds.n_more++] = s->endpoint.rules_socket;
	fds.more = sockets;
	return spawn_begin(&birth, &fds, wants, &s->spawn, err);
}

/* Docker's statuses of a container that could not be started: 127, 126, else 128. One that never ran stays created. */
static void record_failure(struct start *s, int code, const char *message)
{
	_cleanup_error_ teu_error *ignored = NULL;
	_cleanup_free_ char *text = NULL;
	char path[96];

	snprintf(path, sizeof(path), "containers/%s/exit", s->container->id);
	if (asprintf(&text, "status %d\noom 0\nstarted %" PRId64 "\nfinished %" PRId64 "\nrestarts 0\nerror %s\n",
		     code == TEU_E_NO_COMMAND	    ? 127
		     : code == TEU_E_NOT_EXECUTABLE ? 126
						    : 128,
		     s->before.started_ns, s->before.finished_ns, message) < 0)
		return;
	fd_replace_file(store_of(s)->root_fd, path, text, strlen(text), 0600, FD_NO_SYNC, &ignored);
}

static void take_back(struct start *s)
{
	_cleanup_error_ teu_error *ignored = NULL;

	spawn_done(&s->spawn);
	close(TAKE_FD(s->alive_fd));
	if (finish_release(s->container->engine, s->container->id, &ignored) < 0)
		engine_log(s->container->engine, TEU_LOG_WARNING, "%s", teu_error_message(ignored));
}

/* It runs already, and clients that it is too late for come through after their next silence. */
static void settle(struct start *s)
{
	_cleanup_error_ teu_error *ignored = NULL;

	if (endpoint_settle(&s->endpoint, &ignored) < 0)
		engine_log(s->container->engine, TEU_LOG_DEBUG, "%s", teu_error_message(ignored));
}

/* What the helper must be born with: on v2 the cgroup, and what belongs to published ports. */
static int prepare_birth(struct start *s, const struct start_request *request, teu_error **err)
{
	int r = compile_cgroup(s, err);

	if (r == 0 && s->cgroup.v2)
		r = make_cgroup(s, err);
	if (r == 0)
		r = open_network(s, err);
	fill_launch(s, request);
	return r;
}

/* While the helper makes the namespaces. */
static int prepare_plan(struct start *s, teu_error **err)
{
	int r = s->cgroup.v2 ? 0 : make_cgroup(s, err);

	if (r == 0)
		r = start_write_files(s->container, s->spec, s->network, s->has_endpoint ? &s->endpoint : NULL, err);
	return r < 0 ? r : compile(s, err);
}

static int run_start(struct start *s, const struct start_request *request, uint32_t wants, int *ret_wire,
		     teu_error **err)
{
	int32_t pid;
	int r = prepare_birth(s, request, err);

	if (r == 0)
		r = begin_spawn(s, wants, err);
	if (r == 0)
		r = prepare_plan(s, err);
	if (r == 0)
		r = spawn_finish(&s->spawn, &s->plan, ret_wire, &pid, err);
	if (r == 0)
		settle(s);
	return r;
}

int container_start(teu_container *container, const struct start_request *request, teu_attach **ret_attach,
		    teu_error **err)
{
	_cleanup_(start_done) struct start s = { 0 };
	bool removes = json_get_truth(json_get(container->record, "HostConfig"), "AutoRemove", false);
	_cleanup_close_ int wire = -EBADF;
	_cleanup_error_ teu_error *own = NULL;
	int r = begin(&s, container, err);

	if (r == 0)
		r = lock_container(&s, request->alive_fd, err);
	if (r < 0)
		return r;
	r = run_start(&s, request, ret_attach ? attach_wants(request->attach) : 0, &wire, &own);
	if (r < 0) {
		take_back(&s);
		record_failure(&s, r, teu_error_message(own));
		if (err && !*err)
			*err = TAKE_PTR(own);
		return r;
	}
	if (!ret_attach)
		return 0;
	return attach_new(container, TAKE_FD(wire), removes, ret_attach, err);
}

static int add_batch(json *list, const char *by, const struct nl_batch *batch)
{
	json *o;

	if (!batch->n_bytes)
		return 0;
	o = json_append_object(list);
	json_add_string(o, "by", by);
	return json_add(o, "netlink", nl_batch_json(batch)) ? 0 : -1;
}

/* A plan takes no address: zeros stand where a start would put the one that it gets. */
static int plan_network(struct start *s, teu_error **err)
{
	_cleanup_free_ struct port_mapping *ports = NULL;
	size_t n = 0;
	int r;

	if (strcmp(s->network, "none") == 0)
		return endpoint_loopback_batch(&s->guest, err);
	if (strcmp(s->network, "bridge") != 0)
		return 0;
	r = ports_of(s->host, &ports, &n, err);
	if (r < 0)
		return r;
	snprintf(s->endpoint.address, sizeof(s->endpoint.address), "0.0.0.0");
	snprintf(s->endpoint.gateway, sizeof(s->endpoint.gateway), "0.0.0.0");
	snprintf(s->endpoint.host_link, sizeof(s->endpoint.host_link), "veth%.8s", s->container->id);
	snprintf(s->endpoint.bridge, sizeof(s->endpoint.bridge), "bridge");
	s->endpoint.prefix_len = 16;
	s->endpoint.ports = TAKE_PTR(ports);
	s->endpoint.n_ports = n;
	return make_batches(s, err);
}

int container_plan(teu_container *container, char **ret_json, teu_error **err)
{
	_cleanup_(start_done) struct start s = { 0 };
	_cleanup_json_ json *top = json_object();
	const struct start_request request = { 0 };
	json *network;
	int r = begin(&s, container, err);

	if (r == 0)
		r = compile_cgroup(&s, err);
	if (r == 0)
		r = plan_network(&s, err);
	fill_launch(&s, &request);
	if (r == 0)
		r = compile(&s, err);
	if (r < 0)
		return r;
	network = json_add_array(top, "network");
	if (!json_add(top, "cgroup", cgroup_plan_json(&s.cgroup)) ||
	    add_batch(network, "monitor, at birth", &s.host_batch) < 0 ||
	    add_batch(network, "monitor, at birth", &s.publish) < 0 || add_batch(network, "container", &s.guest) < 0 ||
	    add_batch(network, "monitor, after", &s.unpublish) < 0 ||
	    add_batch(network, "monitor, after", &s.forget) < 0 || !json_add(top, "steps", plan_to_json(&s.plan)))
		return err_oom(err);
	*ret_json = json_print_pretty(top);
	return *ret_json ? 0 : err_oom(err);
}
