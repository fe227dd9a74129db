/* compile: a runtime-spec config becomes a launch plan; the order of everything is here. */
#include "sandbox/compile.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const struct {
	const char *type;
	uint64_t flag;
} namespaces[] = {
	{ "pid", CLONE_NEWPID }, { "network", CLONE_NEWNET }, { "mount", CLONE_NEWNS },	     { "ipc", CLONE_NEWIPC },
	{ "uts", CLONE_NEWUTS }, { "user", CLONE_NEWUSER },   { "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME },
};

static uint64_t namespace_flag(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (strcmp(namespaces[i].type, type) == 0)
			return namespaces[i].flag;
	return 0;
}

uint64_t compile_namespaces(const json *spec)
{
	uint64_t flags = 0;

	json_foreach (ns, json_find(spec, "linux.namespaces"))
		if (!*json_get_text(ns, "path", ""))
			flags |= namespace_flag(json_get_text(ns, "type", ""));
	return flags;
}

static int check_namespaces(const json *spec, teu_error **err)
{
	const char *type, *path;
	uint64_t seen = 0, flag;
	const json *list = NULL;
	char where[32];
	size_t i = 0;
	int r = json_read_array(json_get(spec, "linux"), "linux", "namespaces", &list, err);

	if (r < 0)
		return r;
	json_foreach (ns, list) {
		snprintf(where, sizeof(where), "linux.namespaces[%zu]", i++);
		type = "";
		r = json_read_string(ns, where, "type", &type, err);
		/* A path of another type must not pass for none, nor leave the process in the host's namespace. */
		if (r == 0)
			r = json_read_string(ns, where, "path", &path, err);
		if (r < 0)
			return r;
		flag = namespace_flag(type);
		if (!flag)
			return json_field_error(err, "linux", "namespaces", "unknown type \"%s\"", type);
		if (seen & flag)
			return json_field_error(err, "linux", "namespaces", "type \"%s\" stands twice", type);
		seen |= flag;
	}
	return 0;
}

static struct plan_step *add_batch(struct plan *p, enum plan_list list, enum plan_op op, const struct nl_batch *batch)
{
	plan_off bytes = plan_bytes_add(p, batch->bytes, batch->n_bytes);
	struct plan_step *s = plan_step(p, list, op, NULL);

	s->t1 = bytes;
	s->n1 = batch->n_bytes;
	s->n2 = (uint64_t)batch->protocol;
	s->n3 = batch->pid_at == SIZE_MAX ? UINT64_MAX : batch->pid_at;
	return s;
}

static bool has_bytes(const struct nl_batch *batch)
{
	return batch && batch->n_bytes;
}

/* The monitor's own steps around the first process. */
static void add_host_steps(const struct launch *l, struct plan *p)
{
	if (has_bytes(l->host))
		add_batch(p, PLAN_BORN, OP_NETLINK, l->host);
	if (has_bytes(l->publish))
		add_batch(p, PLAN_BORN, OP_NETLINK, l->publish);
	if (has_bytes(l->unpublish))
		add_batch(p, PLAN_AFTER, OP_NETLINK, l->unpublish);
	if (has_bytes(l->forget))
		add_batch(p, PLAN_AFTER, OP_NETLINK, l->forget);
	if (l->n_ports)
		plan_step(p, PLAN_AFTER, OP_RELEASE_PORTS, NULL)->n1 = l->n_ports;
	if (!l->cgroup || l->cgroup_stays)
		return;
	/* Without a pid namespace of its own the end of the first process leaves others behind. */
	if (!(compile_namespaces(l->spec) & CLONE_NEWPID))
		for (size_t i = 0; i < l->cgroup->dirs.n; i++)
			plan_step(p, PLAN_AFTER, OP_KILL_CGROUP, NULL)->t1 = plan_text_add(p, l->cgroup->dirs.items[i]);
	for (size_t i = 0; i < l->cgroup->dirs.n; i++) {
		plan_off dir = plan_text_add(p, l->cgroup->dirs.items[i]);

		plan_step(p, PLAN_AFTER, OP_RMDIR, NULL)->t1 = dir;
	}
}

static void add_cgroup_join(const char *dir, const char *file, enum plan_list list, struct plan *p)
{
	_cleanup_(strbuf_done) struct strbuf path = STRBUF_INIT;
	plan_off at;

	strbuf_addf(&path, "%s/%s", dir, file);
	p->oom |= path.oom;
	at = plan_text_add(p, path.text);
	plan_step(p, list, OP_JOIN_CGROUP, NULL)->t1 = at;
}

/* On v1 the process enters each controller's folder by itself; on v2 clone3 puts it there, unless it @enters, too. */
static void add_cgroup_joins(const struct cgroup_plan *cgroup, bool enters, enum plan_list list, struct plan *p)
{
	const char *file = cgroup && cgroup->v2 ? "cgroup.procs" : "tasks";

	for (size_t i = 0; cgroup && (!cgroup->v2 || enters) && i < cgroup->dirs.n; i++)
		add_cgroup_join(cgroup->dirs.items[i], file, list, p);
	if (cgroup && cgroup->unified)
		add_cgroup_join(cgroup->unified, "cgroup.procs", list, p);
}

/* resctrl: a class first, then the monitoring group in it. */
static void add_share_joins(const struct launch *l, struct plan *p)
{
	for (size_t i = 0; l->share_tasks && i < l->share_tasks->n; i++) {
		plan_off at = plan_text_add(p, l->share_tasks->items[i]);

		plan_step(p, PLAN_FIRST, OP_JOIN_CGROUP, "linux.intelRdt")->t1 = at;
	}
}

/* Those that the spec joins by path. */
static uint64_t paths_of(const json *spec)
{
	uint64_t flags = 0;

	json_foreach (ns, json_find(spec, "linux.namespaces"))
		if (*json_get_text(ns, "path", ""))
			flags |= namespace_flag(json_get_text(ns, "type", ""));
	return flags;
}

bool compile_in_user_namespace(const json *spec)
{
	return (compile_namespaces(spec) | paths_of(spec)) & CLONE_NEWUSER;
}

bool compile_has_mounts(const json *spec)
{
	return (compile_namespaces(spec) | paths_of(spec)) & CLONE_NEWNS;
}

bool compile_has_cgroups(const json *spec)
{
	return (compile_namespaces(spec) | paths_of(spec)) & CLONE_NEWCGROUP;
}

/*
 * With a user namespace the first process is born into it, and has no right to enter those of others any more, nor to
 * make the new ones for one that is joined: a process before it joins them all, the user namespace last.
 */
static bool joins_between(const json *spec)
{
	uint64_t paths = paths_of(spec);

	/* Links are moved to where the process is, so it has to be there from its birth. */
	if (paths & CLONE_NEWNET && json_count(json_find(spec, "linux.netDevices")))
		return true;
	return paths & (compile_in_user_namespace(spec) ? ~UINT64_C(0) : CLONE_NEWUSER);
}

/*
 * From another container's cgroup namespace the own cgroup is out of reach (cgroup-v2.rst, "Delegation Containment"):
 * the process that joins that one has to be in the cgroup by then, and the first one is born there. In another's mount
 * namespace the cgroup's path would be what that has there.
 */
static bool enters_between(const struct launch *l)
{
	return !l->placed && joins_between(l->spec) && paths_of(l->spec) & (CLONE_NEWCGROUP | CLONE_NEWNS);
}

static const char *path_of(const json *spec, uint64_t flag)
{
	json_foreach (ns, json_find(spec, "linux.namespaces"))
		if (namespace_flag(json_get_text(ns, "type", "")) == flag)
			return json_get_text(ns, "path", "");
	return "";
}

/* @next: the path of a user namespace to be joined behind it; "": none. */
static int add_namespace_join(const json *spec, uint64_t flag, const char *next, struct plan *p, teu_error **err)
{
	static const char *const where = "linux.namespaces";
	const char *path = path_of(spec, flag);
	plan_off at, behind;
	struct plan_step *s;

	if (*path != '/' || (*next && *next != '/'))
		return json_field_error(err, "linux", "namespaces", "path \"%s\" is not absolute",
					*path != '/' ? path : next);
	at = plan_text_add(p, path);
	behind = *next ? plan_text_add(p, next) : 0;
	s = flag == CLONE_NEWPID  ? plan_step(p, PLAN_BEFORE, OP_SETNS_PID, where)
	    : joins_between(spec) ? plan_step(p, PLAN_BEFORE, OP_SETNS, where)
				  : plan_step(p, PLAN_FIRST, OP_SETNS, where);
	s->t1 = at;
	s->n1 = flag == CLONE_NEWPID ? 0 : flag;
	s->t2 = behind;
	s->n2 = behind ? CLONE_NEWUSER : 0;
	return 0;
}

/*
 * The user namespace last, as the right to join others may be lost in it; but an ordinary user has that only there. The
 * mount namespace behind all whose paths are meant here and not in it.
 */
static int add_namespace_joins(const struct launch *l, struct plan *p, teu_error **err)
{
	uint64_t paths = paths_of(l->spec), early = l->rights == IDMAP_USER ? paths & CLONE_NEWUSER : 0;
	uint64_t late = paths & (CLONE_NEWNS | (CLONE_NEWUSER & ~early));
	int r = early ? add_namespace_join(l->spec, early, "", p, err) : 0;

	json_foreach (ns, json_find(l->spec, "linux.namespaces")) {
		uint64_t flag = namespace_flag(json_get_text(ns, "type", ""));

		if (r == 0 && flag & paths & ~(early | late))
			r = add_namespace_join(l->spec, flag, "", p, err);
	}
	if (r == 0 && late & CLONE_NEWNS)
		return add_namespace_join(l->spec, CLONE_NEWNS,
					  late & CLONE_NEWUSER ? path_of(l->spec, CLONE_NEWUSER) : "", p, err);
	return r == 0 && late ? add_namespace_join(l->spec, late, "", p, err) : r;
}

/* time_namespaces(7): a line a clock, "monotonic 5 0". */
static int add_time(const json *spec, uint64_t flags, enum plan_list list, struct plan *p, teu_error **err)
{
	static const char *const clocks[] = { "monotonic", "boottime" };
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	plan_off at;

	if (!(flags & CLONE_NEWTIME))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		const json *offset = json_get(json_find(spec, "linux.timeOffsets"), clocks[i]);
		int64_t seconds = 0, nanoseconds = 0;
		char where[48];
		int r;

		snprintf(where, sizeof(where), "linux.timeOffsets.%s", clocks[i]);
		r = json_read_int(offset, where, "secs", &seconds, err);
		if (r == 0)
			r = json_read_int(offset, where, "nanosecs", &nanoseconds, err);
		if (r < 0)
			return r;
		if (offset)
			strbuf_addf(&text, "%s %" PRId64 " %" PRId64 "\n", clocks[i], seconds, nanoseconds);
	}
	if (text.oom)
		return err_oom(err);
	at = plan_text_add(p, text.text ? text.text : "");
	plan_step(p, list, OP_TIME, "linux.timeOffsets")->t1 = at;
	return 0;
}

static int propagation_flag(const char *name, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t flag;
	} table[] = {
		{ "shared", MS_SHARED },	 { "rshared", MS_REC | MS_SHARED },
		{ "slave", MS_SLAVE },		 { "rslave", MS_REC | MS_SLAVE },
		{ "private", MS_PRIVATE },	 { "rprivate", MS_REC | MS_PRIVATE },
		{ "unbindable", MS_UNBINDABLE }, { "runbindable", MS_REC | MS_UNBINDABLE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].name, name) == 0) {
			*ret = table[i].flag;
			return 0;
		}
	return -1;
}

/* Which id of the host is the container's 0? */
static uint64_t host_root(const json *spec, const char *mappings)
{
	json_foreach (m, json_find(spec, mappings))
		if (json_get_number(m, "containerID", -1) == 0)
			return (uint64_t)json_get_number(m, "hostID", 0);
	return 0;
}

static void add_overlay(const struct launch *l, plan_off root, struct plan *p)
{
	bool mapped = compile_namespaces(l->spec) & CLONE_NEWUSER;
	plan_off lowers = (plan_off)p->bytes.len, upper, work;
	struct plan_step *s;

	/* overlayfs names the topmost layer first. */
	for (size_t i = l->layers->n; i-- > 0;)
		plan_text_add(p, l->layers->items[i]);
	plan_text_add(p, "");
	upper = plan_text_add(p, l->upper);
	work = plan_text_add(p, l->work);
	s = mapped ? plan_step(p, PLAN_BORN, OP_OVERLAY_MAPPED, "root.path")
		   : plan_step(p, PLAN_FIRST, OP_OVERLAY, "root.path");
	s->t1 = lowers;
	s->t2 = upper;
	s->t3 = work;
	s->t4 = mapped ? 0 : root;
	s->n1 = l->volatile_upper;
	if (!mapped)
		return;
	s->n2 = host_root(l->spec, "linux.uidMappings");
	s->n3 = host_root(l->spec, "linux.gidMappings");
	plan_step(p, PLAN_FIRST, OP_RECEIVE_ROOTFS, "root.path")->t4 = root;
}

static int add_rootfs(const struct launch *l, struct plan *p, uint64_t *ret_propagation, teu_error **err)
{
	const char *path = NULL, *propagation = NULL;
	struct plan_step *s;
	plan_off at, root;
	int r;

	r = json_read_string(json_get(l->spec, "root"), "root", "path", &path, err);
	if (r < 0)
		return r;
	if (!path)
		return json_field_error(err, "root", "path", "is missing");
	r = json_read_string(json_get(l->spec, "linux"), "linux", "rootfsPropagation", &propagation, err);
	if (r < 0)
		return r;
	if (propagation && *propagation && propagation_flag(propagation, ret_propagation) < 0)
		return json_field_error(err, "linux", "rootfsPropagation", "unknown propagation \"%s\"", propagation);

	/* Nothing mounted from here on may reach the host; what the host mounts may still come in where a bind asks for
	 * it. */
	at = plan_text_add(p, "/");
	root = plan_text_add(p, path);
	if (!compile_has_mounts(l->spec)) {
		/* In the caller's own: only what is mounted in the rootfs is ours to change. */
		plan_step(p, PLAN_FIRST, OP_ROOTFS, "root.path")->t1 = root;
		s = plan_step(p, PLAN_FIRST, OP_PROPAGATION, NULL);
		s->t1 = root;
		s->n1 = MS_REC | MS_PRIVATE;
		return 0;
	}
	s = plan_step(p, PLAN_FIRST, OP_PROPAGATION, NULL);
	s->t1 = at;
	/* A shared root is for volumes that show the host what is mounted in them. */
	s->n1 = *ret_propagation & MS_SHARED ? *ret_propagation : MS_REC | MS_SLAVE;
	s->t2 = *ret_propagation & MS_SHARED ? root : 0;
	if (!l->layers) {
		plan_step(p, PLAN_FIRST, OP_ROOTFS, "root.path")->t1 = root;
		return 0;
	}
	add_overlay(l, root, p);
	return 0;
}

static int add_names(const json *spec, uint64_t flags, struct plan *p, teu_error **err)
{
	static const struct {
		const char *key;
		enum plan_op op;
	} names[] = { { "hostname", OP_HOSTNAME }, { "domainname", OP_DOMAINNAME } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *name = NULL;
		plan_off at;
		int r = json_read_string(spec, "", names[i].key, &name, err);

		if (r < 0)
			return r;
		if (!name || !*name)
			continue;
		if (!((flags | paths_of(spec)) & CLONE_NEWUTS))
			return json_field_error(err, "", names[i].key, "needs a uts namespace");
		if (strlen(name) > 64)
			return json_field_error(err, "", names[i].key, "is longer than 64 bytes");
		at = plan_text_add(p, name);
		plan_step(p, PLAN_FIRST, names[i].op, names[i].key)->t1 = at;
	}
	return 0;
}

static int add_sysctls(const json *spec, struct plan *p, teu_error **err)
{
	char path[256];

	json_foreach_member (v, json_find(spec, "linux.sysctl")) {
		const char *key = json_key(v), *value = json_text(v, NULL);
		plan_off name, text;
		struct plan_step *s;

		if (!value)
			return json_field_error(err, "linux.sysctl", key, "expected a string");
		if (strlen(key) >= sizeof(path) || strstr(key, "..") || *key == '/')
			return json_field_error(err, "linux.sysctl", key, "is no name of a sysctl");
		/* "net.ipv4.conf.eth0/1.x": as sysctl(8), a slash in a dotted name stands for a dot. */
		for (size_t i = 0; i <= strlen(key); i++)
			path[i] = key[i] == '.' ? '/' : key[i] == '/' && strchr(key, '.') ? '.' : key[i];
		name = plan_text_add(p, path);
		text = plan_text_add(p, value);
		s = plan_step(p, PLAN_FIRST, OP_SYSCTL, "linux.sysctl");
		s->t1 = name;
		s->t2 = text;
	}
	return 0;
}

static uint32_t birth_flags(const struct launch *l, const json *process)
{
	return l->flags | l->n_keep << PLAN_KEEP_SHIFT | (l->start_path ? PLAN_AWAIT : 0) |
	       (json_get_truth(process, "terminal", false) ? PLAN_TTY : 0) |
	       (l->placed		     ? PLAN_PLACED
		: l->cgroup && l->cgroup->v2 ? PLAN_INTO_CGROUP
					     : 0);
}

struct plan_birth compile_birth(const struct launch *l)
{
	uint64_t flags = compile_namespaces(l->spec);
	/* What comes before the process can't be done when that is made early. */
	bool before = joins_between(l->spec) || paths_of(l->spec) & CLONE_NEWPID ||
		      (flags & CLONE_NEWTIME && l->rights != IDMAP_USER);

	uint32_t inherited = enters_between(l) ? PLAN_INTO_CGROUP : 0;

	return (struct plan_birth){
		.clone_flags = (uint32_t)(flags & ~(uint64_t)(CLONE_NEWCGROUP | CLONE_NEWTIME)),
		.flags = (birth_flags(l, json_get(l->spec, "process")) & ~inherited) | (before ? 0 : PLAN_EARLY) |
			 (joins_between(l->spec) ? PLAN_BETWEEN : 0),
	};
}

static void set_header(const struct launch *l, struct plan_birth birth, struct plan *p)
{
	plan_off texts[9];
	const char *const from[9] = { l->state_path, l->exit_path,  l->socket_path, l->log_path, l->stopped_path,
				      l->library,    l->state_root, l->run_root,    l->id };
	plan_off oom = l->cgroup ? plan_text_add(p, l->cgroup->oom_file) : 0;
	struct plan_header *h;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		texts[i] = plan_text_add(p, from[i]);
	h = plan_header(p);
	h->birth = birth;
	h->state_path = texts[0];
	h->exit_path = texts[1];
	h->socket_path = texts[2];
	h->log_path = texts[3];
	h->stopped_path = texts[4];
	h->library = texts[5];
	h->state_root = texts[6];
	h->run_root = texts[7];
	h->id = texts[8];
	h->oom_path = oom;
	h->restart = l->restart;
	h->restart_max = l->restart_max;
	h->restart_count = l->restart_count;
	h->restart_delay_ms = l->restart_delay_ms;
}

static void add_console(const struct launch *l, const json *process, bool inside, struct plan *p)
{
	const json *size = json_get(process, "consoleSize");
	struct plan_step *s;

	if (!json_get_truth(process, "terminal", false))
		return;
	s = plan_step(p, PLAN_FIRST, OP_CONSOLE, NULL);
	s->n1 = l->rows ? (uint64_t)l->rows : (uint64_t)json_get_number(size, "height", 0);
	s->n2 = l->columns ? (uint64_t)l->columns : (uint64_t)json_get_number(size, "width", 0);
	s->n3 = !inside;
	/* As runc: the caller copies it to its own terminal. */
	s->n4 = l->flags & PLAN_CONSOLE && !(l->flags & PLAN_LEAVE);
}

/* A compilation under way. */
struct work {
	const struct launch *launch;
	const json *spec, *process;
	uint64_t flags;	      /* CLONE_NEW… of new namespaces */
	uint64_t propagation; /* of the root; 0: as it is */
	bool readonly, terminal;
	struct net_devices links; /* owned */
	struct plan *plan;
};

static void work_done(struct work *w)
{
	net_devices_done(&w->links);
}

static int read_top(struct work *w, teu_error **err)
{
	int r = json_read_object(w->spec, "", "process", &w->process, err);

	if (r < 0)
		return r;
	if (!w->process)
		return json_field_error(err, "", "process", "is missing");
	r = check_namespaces(w->spec, err);
	if (r == 0)
		r = json_read_bool(json_get(w->spec, "root"), "root", "readonly", &w->readonly, err);
	if (r == 0)
		r = json_read_bool(w->process, "process", "terminal", &w->terminal, err);
	w->flags = compile_namespaces(w->spec);
	return r;
}

static int add_host_side(struct work *w, teu_error **err)
{
	int r = compile_id_maps(w->launch, w->flags, w->plan, err);

	if (r == 0)
		add_host_steps(w->launch, w->plan);
	if (r == 0)
		r = net_devices_compile(w->spec, &w->links, err);
	for (size_t i = 0; r == 0 && i < w->links.n; i++)
		add_batch(w->plan, PLAN_BORN, OP_NETLINK, &w->links.host[i]);
	return r < 0 ? r : compile_listener(w->launch, w->plan, err);
}

static void add_keyring(const struct launch *l, struct plan *p)
{
	plan_off at;

	if (!l->keyring)
		return;
	at = plan_text_add(p, l->keyring);
	plan_step(p, PLAN_FIRST, OP_KEYRING, NULL)->t1 = at;
}

/* The fifo while the process still sees the host's files as the caller does. */
static void add_start(struct work *w)
{
	plan_off at;

	if (w->launch->start_path) {
		at = plan_text_add(w->plan, w->launch->start_path);
		plan_step(w->plan, PLAN_FIRST, OP_OPEN_START, NULL)->t1 = at;
	}
	add_keyring(w->launch, w->plan);
}

static int add_joins(struct work *w, teu_error **err)
{
	/* Where an ordinary user has the right to that. */
	bool inside = w->launch->rights == IDMAP_USER, between = enters_between(w->launch);
	int r = inside ? 0 : add_time(w->spec, w->flags, PLAN_BEFORE, w->plan, err);

	if (r < 0)
		return r;
	add_start(w);
	if (w->flags & CLONE_NEWUSER)
		plan_step(w->plan, PLAN_FIRST, OP_WAIT_HOST, NULL);
	r = inside ? add_time(w->spec, w->flags, PLAN_FIRST, w->plan, err) : 0;
	if (r < 0)
		return r;
	add_cgroup_joins(w->launch->cgroup, between, between ? PLAN_BEFORE : PLAN_FIRST, w->plan);
	add_share_joins(w->launch, w->plan);
	compile_all_cpus(w->plan);
	if (w->flags & CLONE_NEWCGROUP)
		plan_step(w->plan, PLAN_FIRST, OP_UNSHARE, "linux.namespaces")->n1 = CLONE_NEWCGROUP;
	return add_namespace_joins(w->launch, w->plan, err);
}

static int add_root(struct work *w, teu_error **err)
{
	int r = add_rootfs(w->launch, w->plan, &w->propagation, err);
	struct plan_step *s;

	if (r < 0 || !compile_in_user_namespace(w->spec))
		return r;
	r = compile_sources(w->spec, w->plan, err);
	s = plan_step(w->plan, PLAN_FIRST, OP_NAMESPACE_ROOT, NULL);
	s->n2 = 1;
	s->n3 = !(w->flags & CLONE_NEWUSER);
	return r;
}

static int add_tree(struct work *w, teu_error **err)
{
	int r = compile_mounts(w->launch, w->plan, err);

	if (r == 0)
		r = compile_devices(w->spec, w->plan, err);
	if (r < 0)
		return r;
	add_console(w->launch, w->process, false, w->plan);
	r = add_sysctls(w->spec, w->plan, err);
	if (r == 0)
		r = compile_late_mounts(w->spec, w->plan, err);
	return r < 0 ? r : compile_masks(w->spec, w->plan, err);
}

static int add_inside(struct work *w, teu_error **err)
{
	struct plan *p = w->plan;
	struct plan_step *s;
	int r = add_names(w->spec, w->flags, p, err);

	if (r < 0)
		return r;
	if (!(w->flags & CLONE_NEWUSER) && p->n_steps[PLAN_BORN])
		plan_step(p, PLAN_FIRST, OP_WAIT_HOST, NULL);
	if (has_bytes(w->launch->guest))
		add_batch(p, PLAN_FIRST, OP_NETLINK_INSIDE, w->launch->guest);
	for (size_t i = 0; i < w->links.n; i++)
		add_batch(p, PLAN_FIRST, OP_NETLINK_INSIDE, &w->links.inside[i]);
	r = compile_hooks(w->launch, false, p, err);
	if (r < 0)
		return r;
	s = plan_step(p, PLAN_FIRST, OP_PIVOT, NULL);
	s->n1 = !compile_has_mounts(w->spec) ? 2 : w->launch->no_pivot;
	s->n2 = !!(w->propagation & MS_SHARED);
	if (w->propagation)
		plan_step(p, PLAN_FIRST, OP_ROOT_PROPAGATION, "linux.rootfsPropagation")->n1 = w->propagation;
	if (w->readonly)
		plan_step(p, PLAN_FIRST, OP_ROOT_READONLY, "root.readonly");
	return compile_process(w->launch, w->process, "process", p, err);
}

/* In the order of the specification's life cycle; see docs/architecture.md, "Launch". */
int compile_launch(const struct launch *l, struct plan *p, teu_error **err)
{
	static int (*const parts[])(struct work *, teu_error **) = { read_top, add_host_side, add_joins,
								     add_root, add_tree,      add_inside };
	_cleanup_(work_done) struct work w = { .launch = l, .spec = l->spec, .plan = p };

	plan_init(p);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int r = parts[i](&w, err);

		if (r < 0)
			return r;
	}
	set_header(l, compile_birth(l), p);
	return plan_finish(p, err);
}

/* The namespaces that a joining process has to enter: those that the container made, or joined by path. */
static uint64_t joined_namespaces(const json *spec)
{
	uint64_t flags = 0;

	json_foreach (ns, json_find(spec, "linux.namespaces"))
		flags |= namespace_flag(json_get_text(ns, "type", ""));
	return flags;
}

static bool joins_user_first(const struct launch *l, uint64_t flags)
{
	return l->rights == IDMAP_USER && flags & CLONE_NEWUSER;
}

/* Before the process is born: its pid namespace; with an ordinary user's rights only by way of the user namespace. */
static uint64_t join_before(const struct launch *l, uint64_t flags, struct plan *p)
{
	uint64_t early = flags & (CLONE_NEWPID | (joins_user_first(l, flags) ? CLONE_NEWUSER : 0));

	if (early)
		plan_step(p, PLAN_BEFORE, OP_JOIN_PROCESS, NULL)->n1 = early;
	return flags & ~early;
}

struct plan_birth compile_exec_birth(const struct launch *l, const json *process)
{
	bool between = joins_user_first(l, joined_namespaces(l->spec));

	return (struct plan_birth){ .flags = birth_flags(l, process) | (between ? PLAN_BETWEEN : 0) };
}

int compile_exec(const struct launch *l, const json *process, struct plan *p, teu_error **err)
{
	uint64_t flags = joined_namespaces(l->spec), late;
	int r;

	plan_init(p);
	r = compile_affinity(process, "initial", PLAN_BEFORE, p, err);
	if (r < 0)
		return r;
	r = compile_oom_score(l, process, joins_user_first(l, flags) ? PLAN_BEFORE : PLAN_FIRST, p, err);
	if (r < 0)
		return r;
	late = join_before(l, flags, p);
	add_keyring(l, p);
	r = compile_listener(l, p, err);
	if (r < 0)
		return r;
	if (p->n_steps[PLAN_BORN])
		plan_step(p, PLAN_FIRST, OP_WAIT_HOST, NULL);
	add_cgroup_joins(l->cgroup, false, PLAN_FIRST, p);
	add_share_joins(l, p);
	r = compile_exec_affinity(process, p, err);
	if (r < 0)
		return r;
	if (!compile_has_mounts(l->spec)) {
		plan_off root = plan_text_add(p, l->join_root);

		plan_step(p, PLAN_FIRST, OP_ENTER_ROOT, NULL)->t1 = root;
	}
	plan_step(p, PLAN_FIRST, OP_JOIN_PROCESS, NULL)->n1 = late;
	if (flags & CLONE_NEWUSER) {
		struct plan_step *s = plan_step(p, PLAN_FIRST, OP_NAMESPACE_ROOT, NULL);

		s->n1 = l->groups_denied;
		s->n3 = 1;
	}
	add_console(l, process, true, p);
	r = compile_process(l, process, "process", p, err);
	if (r < 0)
		return r;
	set_header(l, compile_exec_birth(l, process), p);
	/* The container's limit counter is not this process's. */
	plan_header(p)->oom_path = 0;
	return plan_finish(p, err);
}

int compile_remount(const struct launch *l, const json *mounts, bool remove, struct plan *p, teu_error **err)
{
	uint64_t flags = joined_namespaces(l->spec) & (CLONE_NEWNS | CLONE_NEWUSER);
	int r;

	plan_init(p);
	r = remove ? 0 : compile_mount_sources(mounts, p, err);
	if (r < 0)
		return r;
	if (!compile_has_mounts(l->spec)) {
		plan_off root = plan_text_add(p, l->join_root);

		plan_step(p, PLAN_FIRST, OP_ENTER_ROOT, NULL)->t1 = root;
	}
	plan_step(p, PLAN_FIRST, OP_JOIN_PROCESS, NULL)->n1 = flags;
	if (flags & CLONE_NEWUSER)
		plan_step(p, PLAN_FIRST, OP_NAMESPACE_ROOT, NULL)->n1 = l->groups_denied;
	r = remove ? compile_mount_removals(mounts, p, err) : compile_mount_changes(mounts, p, err);
	if (r < 0)
		return r;
	plan_step(p, PLAN_FIRST, OP_END, NULL);
	set_header(l, (struct plan_birth){ .flags = PLAN_STDIO }, p);
	return plan_finish(p, err);
}

/* Id 0 inside is the caller; without the right to set groups an unprivileged map would be refused. */
static void add_own_ids(struct plan *p)
{
	static const char *const files[] = { "setgroups", "uid_map", "gid_map" };
	char maps[3][32] = { "deny" };

	snprintf(maps[1], sizeof(maps[1]), "0 %u 1", (unsigned)geteuid());
	snprintf(maps[2], sizeof(maps[2]), "0 %u 1", (unsigned)getegid());
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		plan_off file = plan_text_add(p, files[i]), map = plan_text_add(p, maps[i]);
		struct plan_step *s = plan_step(p, PLAN_BORN, OP_WRITE_ID_MAP, NULL);

		s->t1 = file;
		s->t2 = map;
	}
}

int compile_bare(const struct bare *b, struct plan *p, teu_error **err)
{
	plan_off a, c, d;
	struct plan_step *s;

	plan_init(p);
	if (b->namespaces & CLONE_NEWUSER)
		add_own_ids(p);
	if (b->namespaces & CLONE_NEWUSER)
		plan_step(p, PLAN_FIRST, OP_WAIT_HOST, NULL);
	if (b->namespaces & CLONE_NEWCGROUP)
		plan_step(p, PLAN_FIRST, OP_UNSHARE, NULL)->n1 = CLONE_NEWCGROUP;
	if (b->namespaces & CLONE_NEWNS) {
		a = plan_text_add(p, "/");
		s = plan_step(p, PLAN_FIRST, OP_PROPAGATION, NULL);
		s->t1 = a;
		s->n1 = MS_REC | MS_SLAVE;
	}
	if ((b->namespaces & (CLONE_NEWNS | CLONE_NEWPID)) == (CLONE_NEWNS | CLONE_NEWPID)) {
		a = plan_text_add(p, "proc");
		c = plan_text_add(p, "/proc");
		s = plan_step(p, PLAN_FIRST, OP_MOUNT, NULL);
		s->t1 = s->t2 = a;
		s->t4 = c;
		s->n1 = 2 | 4 | 8; /* MOUNT_ATTR_NOSUID | NODEV | NOEXEC */
		s->n3 = PLAN_MOUNT_PROC;
	}
	if (b->bound) {
		a = plan_text_add(p, b->bound);
		plan_step(p, PLAN_FIRST, OP_ROOTFS, NULL)->t1 = a;
	}
	if (b->hostname) {
		a = plan_text_add(p, b->hostname);
		plan_step(p, PLAN_FIRST, OP_HOSTNAME, NULL)->t1 = a;
	}
	a = plan_text_add(p, b->cwd ? b->cwd : "/");
	plan_step(p, PLAN_FIRST, OP_CWD, NULL)->t1 = a;
	plan_step(p, PLAN_FIRST, OP_READY, NULL);
	c = plan_list_add(p, b->argv);
	d = plan_list_add(p, b->env);
	s = plan_step(p, PLAN_FIRST, OP_EXEC, NULL);
	s->t1 = c;
	s->n2 = b->argv->n;
	s->t2 = d;
	s->n3 = b->env->n;
	plan_header(p)->birth =
		(struct plan_birth){ (uint32_t)b->namespaces & ~(uint32_t)CLONE_NEWCGROUP,
				     PLAN_STDIO | (b->siblings ? PLAN_SIBLINGS : 0) | b->n_keep << PLAN_KEEP_SHIFT };
	return plan_finish(p, err);
}
