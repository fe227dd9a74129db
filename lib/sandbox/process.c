/* process: the spec's "process" and what else the first process does to itself, as steps. Source: runtime-spec
 * config.md "Process". */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/path.h"
#include "kernel/apparmor.h"
#include "kernel/caps.h"
#include "kernel/seccomp.h"
#include "sandbox/compile.h"

static const struct {
	const char *name;
	int number;
} rlimits[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};

int process_rlimit(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rlimits); i++)
		if (strcmp(rlimits[i].name, name) == 0)
			return rlimits[i].number;
	return -1;
}

/* -1 means no limit, as the largest number does. */
static bool read_limit(const json *v, const char *key, uint64_t *ret)
{
	if (json_unsigned(json_get(v, key), ret))
		return true;
	*ret = RLIM_INFINITY;
	return json_get_number(v, key, 0) == -1;
}

static int add_rlimits(const json *process, const char *place, struct plan *p, teu_error **err)
{
	const json *list = NULL;
	int r = json_read_array(process, place, "rlimits", &list, err);

	if (r < 0)
		return r;
	json_foreach (v, list) {
		const char *type = json_get_text(v, "type", "");
		int number = process_rlimit(type);
		struct plan_step *s;

		if (number < 0)
			return json_field_error(err, place, "rlimits", "unknown type \"%s\"", type);
		s = plan_step(p, PLAN_FIRST, OP_RLIMIT, "process.rlimits");
		s->n1 = (uint64_t)number;
		if (!read_limit(v, "soft", &s->n2) || !read_limit(v, "hard", &s->n3))
			return json_field_error(err, place, "rlimits", "%s: expected numbers \"soft\" and \"hard\"",
						type);
		if (s->n2 > s->n3)
			return json_field_error(err, place, "rlimits", "%s: soft is above hard", type);
	}
	return 0;
}

/* Groups by name (annotation, separated by commas) and by number, as texts for the lookup. */
static void more_groups(const json *spec, const json *gids, struct strv *ret)
{
	const char *names = json_get_text(json_get(spec, "annotations"), "teu.groups", "");

	while (*names) {
		size_t n = strcspn(names, ",");

		if (n)
			strv_addf(ret, "%.*s", (int)n, names);
		names += n + (names[n] == ',');
	}
	json_foreach (v, gids)
		strv_addf(ret, "%lld", (long long)json_number(v, 0));
}

/* A user by name is looked up inside the container, when its files are in place. */
static int add_user_name(const json *spec, const char *name, const json *gids, struct plan *p, teu_error **err)
{
	_cleanup_(strv_done) struct strv groups = STRV_INIT;
	plan_off text, list;
	struct plan_step *s;

	more_groups(spec, gids, &groups);
	text = plan_text_add(p, name);
	list = plan_list_add(p, &groups);
	s = plan_step(p, PLAN_FIRST, OP_USER_NAME, "process.user");
	s->t1 = text;
	s->t2 = list;
	return groups.oom ? err_oom(err) : 0;
}

static int add_user_ids(const char *place, int64_t uid, int64_t gid, const json *gids, struct plan *p, teu_error **err)
{
	uint32_t groups[PLAN_MAX_GROUPS];
	size_t n = 0;
	struct plan_step *s;
	plan_off list;

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return json_field_error(err, place, "user", "ids go from 0 to 4294967294");
	if (json_count(gids) > ARRAY_SIZE(groups))
		return json_field_error(err, place, "user", "more than %zu groups", ARRAY_SIZE(groups));
	json_foreach (v, gids)
		groups[n++] = (uint32_t)json_number(v, 0);
	list = plan_bytes_add(p, groups, n * sizeof(groups[0]));
	s = plan_step(p, PLAN_FIRST, OP_USER, "process.user");
	s->n1 = (uint64_t)uid;
	s->n2 = (uint64_t)gid;
	s->t1 = list;
	s->n3 = n;
	return 0;
}

static int add_user(const json *spec, const json *process, const char *place, struct plan *p, teu_error **err)
{
	const char *name = json_get_text(json_get(spec, "annotations"), "teu.user", NULL);
	const json *user = NULL, *gids = NULL;
	int64_t uid = 0, gid = 0, umask = 022;
	int r = json_read_object(process, place, "user", &user, err);

	if (r == 0)
		r = json_read_string(user, "process.user", "username", &name, err);
	if (r == 0)
		r = json_read_int(user, "process.user", "uid", &uid, err);
	if (r == 0)
		r = json_read_int(user, "process.user", "gid", &gid, err);
	if (r == 0)
		r = json_read_int(user, "process.user", "umask", &umask, err);
	if (r == 0)
		r = json_read_array(user, "process.user", "additionalGids", &gids, err);
	if (r < 0)
		return r;
	json_foreach (v, gids)
		if (json_number(v, -1) < 0 || json_number(v, -1) >= UINT32_MAX)
			return json_field_error(err, "process.user", "additionalGids", "ids go from 0 to 4294967294");
	if (umask < 0 || umask > 0777)
		return json_field_error(err, "process.user", "umask", "expected 0 to 0777");
	plan_step(p, PLAN_FIRST, OP_UMASK, NULL)->n1 = (uint64_t)umask;
	return name ? add_user_name(spec, name, gids, p, err) : add_user_ids(place, uid, gid, gids, p, err);
}

static int read_caps(const json *process, const char *set, uint64_t *ret, teu_error **err)
{
	_cleanup_(strv_done) struct strv names = STRV_INIT;
	int r = json_read_strings(json_get(process, "capabilities"), "process.capabilities", set, &names, err);

	if (r < 0)
		return r;
	*ret = 0;
	strv_foreach (item, &names) {
		int number = caps_number(*item);

		/* What this kernel does not have, or nobody knows, can't be given, and is no error (runtime-spec: "MUST
		 * be logged as a warning"): check does that. */
		*ret |= number < 0 ? 0 : 1ull << number;
	}
	*ret &= caps_all();
	return 0;
}

static void add_filter(const struct seccomp_filter *filter, const char *field, struct plan *p)
{
	plan_off at = plan_bytes_add(p, filter->bpf, filter->n_bytes);
	struct plan_step *s = plan_step(p, PLAN_FIRST, OP_SECCOMP, field);

	s->t1 = at;
	s->n1 = filter->n_bytes / 8; /* struct sock_filter */
	s->n2 = filter->flags;
}

static int add_seccomp(const struct launch *l, uint64_t caps, struct plan *p, teu_error **err)
{
	static const char field[] = "linux.seccomp";
	const char *which = json_get_text(json_get(l->spec, "annotations"), "teu.seccomp", "");
	const json *profile = json_find(l->spec, field);
	struct seccomp_filter filter = { 0 };
	int r;

	if (strcmp(which, "default") == 0)
		r = seccomp_default(caps, l->seccomp_cache_fd, &filter, err);
	else if (profile && !l->filter)
		r = seccomp_compile(profile, field, l->seccomp_cache_fd, &filter, err);
	else
		r = 0;
	if (r == 0 && (filter.bpf || profile))
		add_filter(filter.bpf ? &filter : l->filter, profile ? field : NULL, p);
	seccomp_filter_done(&filter);
	return r;
}

static void add_label(const json *process, const char *key, enum plan_op op, struct plan *p)
{
	const char *label = json_get_text(process, key, "");
	struct plan_step *s;
	plan_off at;

	if (!*label)
		return;
	at = plan_text_add(p, label);
	s = plan_step(p, PLAN_FIRST, op, key);
	s->t1 = at;
	s->n1 = op == OP_APPARMOR && strcmp(label, APPARMOR_DEFAULT) == 0;
}

/* @make: by root, before it becomes the user: a folder that is missing is root's, as with docker. */
static int add_cwd(const json *process, const char *place, bool make, struct plan *p, teu_error **err)
{
	const char *cwd = "/";
	_cleanup_free_ char *clean = NULL;
	struct plan_step *s;
	plan_off at;
	int r = json_read_string(process, place, "cwd", &cwd, err);

	if (r < 0)
		return r;
	if (*cwd != '/')
		return json_field_error(err, place, "cwd", "\"%s\" is not absolute", cwd);
	clean = path_clean(cwd);
	if (!clean)
		return err_oom(err);
	at = plan_text_add(p, clean);
	s = plan_step(p, PLAN_FIRST, OP_CWD, "process.cwd");
	s->t1 = at;
	s->n1 = make;
	return 0;
}

bool compile_lacks_home(const json *process)
{
	const char *home = "";

	json_foreach (v, json_get(process, "env"))
		if (strncmp(json_text(v, ""), "HOME=", 5) == 0)
			home = json_text(v, "") + 5;
	return !*home;
}

/* Of entries with one name the last counts, and an empty HOME is none. Programs differ in which of two they take, so
 * that runc passes on only one. */
static bool is_overridden(const struct strv *env, size_t at)
{
	size_t name = strcspn(env->items[at], "=");

	if (strcmp(env->items[at], "HOME=") == 0)
		return true;
	for (size_t i = at + 1; i < env->n; i++)
		if (strncmp(env->items[i], env->items[at], name) == 0 && env->items[i][name] == '=')
			return true;
	return false;
}

int compile_environment(const json *process, const char *place, struct strv *ret, teu_error **err)
{
	_cleanup_(strv_done) struct strv all = STRV_INIT;
	int r = json_read_strings(process, place, "env", &all, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < all.n; i++)
		if (!is_overridden(&all, i))
			strv_add(ret, all.items[i]);
	return ret->oom ? err_oom(err) : 0;
}

static int add_exec(const struct launch *launch, const json *process, const char *place, struct plan *p,
		    teu_error **err)
{
	_cleanup_(strv_done) struct strv argv = STRV_INIT, env = STRV_INIT;
	struct plan_step *s;
	plan_off a, e;
	int r = json_read_strings(process, place, "args", &argv, err);

	if (r == 0)
		r = compile_environment(process, place, &env, err);
	if (r < 0)
		return r;
	if (!argv.n || !*argv.items[0])
		return json_field_error(err, place, "args", "expected a command");
	a = plan_list_add(p, &argv);
	e = plan_list_add(p, &env);
	if (launch->start_path) {
		s = plan_step(p, PLAN_FIRST, OP_LOOKUP, NULL);
		s->t1 = a;
		s->t2 = e;
		s->n3 = env.n;
		plan_step(p, PLAN_FIRST, OP_AWAIT_START, NULL);
	}
	if (process == json_get(launch->spec, "process"))
		r = compile_hooks(launch, true, p, err);
	if (r < 0)
		return r;
	s = plan_step(p, PLAN_FIRST, OP_EXEC, NULL);
	s->t1 = a;
	s->n2 = argv.n;
	s->t2 = e;
	s->n3 = env.n;
	s->n1 = compile_lacks_home(process);
	return 0;
}

/* A process under compilation. */
struct process {
	const struct launch *launch;
	const json *spec, *json;
	const char *place; /* where it stands in its document */
	struct plan *plan;
	bool own; /* the container's first, not an exec */
	bool no_new_privs;
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

static int read_sets(struct process *w, teu_error **err)
{
	const struct {
		const char *name;
		uint64_t *to;
	} sets[] = { { "bounding", &w->bounding },
		     { "effective", &w->effective },
		     { "permitted", &w->permitted },
		     { "inheritable", &w->inheritable },
		     { "ambient", &w->ambient } };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sets); i++)
		r = read_caps(w->json, sets[i].name, sets[i].to, err);
	return r;
}

static int read_process(struct process *w, teu_error **err)
{
	int r = json_read_bool(w->json, w->place, "noNewPrivileges", &w->no_new_privs, err);

	return r < 0 ? r : read_sets(w, err);
}

int compile_oom_score(const struct launch *launch, const json *process, enum plan_list list, struct plan *p,
		      teu_error **err)
{
	struct plan_step *s;
	int64_t score = 0;
	char value[16];
	plan_off text;
	int r = json_read_int(process, "process", "oomScoreAdj", &score, err);

	if (r < 0 || !json_get(process, "oomScoreAdj"))
		return r;
	if (score < -1000 || score > 1000)
		return json_field_error(err, "process", "oomScoreAdj", "expected -1000 to 1000");
	snprintf(value, sizeof(value), "%d", (int)score);
	text = plan_text_add(p, value);
	s = plan_step(p, list, OP_OOM_SCORE, "process.oomScoreAdj");
	s->t1 = text;
	s->n1 = launch->rights != IDMAP_ROOT;
	return 0;
}

/* What it is to the kernel, while it may still change that. */
static int add_attributes(struct process *w, teu_error **err)
{
	int r = w->own ? compile_oom_score(w->launch, w->json, PLAN_FIRST, w->plan, err) : 0;

	if (r == 0)
		r = compile_schedule(w->spec, w->json, w->plan, err);
	if (r < 0)
		return r;
	add_label(w->json, "apparmorProfile", OP_APPARMOR, w->plan);
	add_label(w->json, "selinuxLabel", OP_SELINUX, w->plan);
	if (w->no_new_privs)
		plan_step(w->plan, PLAN_FIRST, OP_NO_NEW_PRIVS, "process.noNewPrivileges");
	return 0;
}

/* user_namespaces(7), "Mapping user and group ids": with the one own id, set by its owner, setgroups(2) is denied. */
static bool has_no_groups(const struct process *w)
{
	return w->launch->groups_denied ||
	       (w->own && w->launch->rights == IDMAP_USER && compile_namespaces(w->spec) & CLONE_NEWUSER &&
		compile_maps_itself(w->spec, "gidMappings", getegid(), IDMAP_USER));
}

static int check_groups(const struct process *w, teu_error **err)
{
	if (!json_count(json_get(json_get(w->json, "user"), "additionalGids")) || !has_no_groups(w))
		return 0;
	return json_field_error(
		err, "process.user", "additionalGids",
		"cannot set any additional groups in a rootless container whose user namespace denies it: "
		"map more groups than your own (linux.gidMappings)");
}

/* The working folder may be made as root, and is entered as the user. */
static int add_identity(struct process *w, teu_error **err)
{
	struct plan_step *s;
	int r = check_groups(w, err);

	if (r == 0)
		r = add_user(w->spec, w->json, w->place, w->plan, err);
	if (r < 0)
		return r;
	plan_step(w->plan, PLAN_FIRST, OP_BOUNDING, "process.capabilities.bounding")->n1 = w->bounding;
	r = w->own ? add_cwd(w->json, w->place, true, w->plan, err) : 0;
	if (r < 0)
		return r;
	s = plan_step(w->plan, PLAN_FIRST, OP_BECOME, "process.user");
	s->n1 = 1;
	s->n2 = !w->launch->groups_denied;
	r = add_cwd(w->json, w->place, false, w->plan, err);
	if (r < 0)
		return r;
	plan_step(w->plan, PLAN_FIRST, OP_READY, NULL)->n1 = compile_lacks_home(w->json);
	return 0;
}

/* Process 1 of --init has the user and the capabilities of the command, and a filter of its own. */
static void add_init(const struct process *w)
{
	struct plan_step *s;

	if (!w->own || strcmp(json_get_text(json_get(w->spec, "annotations"), "teu.init", ""), "true") != 0)
		return;
	s = plan_step(w->plan, PLAN_FIRST, OP_INIT, NULL);
	s->n1 = w->effective;
	s->n2 = w->permitted;
}

static void add_capabilities(const struct process *w)
{
	struct plan_step *s = plan_step(w->plan, PLAN_FIRST, OP_CAPS, "process.capabilities");

	s->n1 = w->effective;
	s->n2 = w->permitted;
	s->n3 = w->inheritable;
	s->n4 = w->ambient;
}

/* Loading a filter takes CAP_SYS_ADMIN unless no new privileges are to come: before the capabilities go, or after. */
static int add_confinement(struct process *w, teu_error **err)
{
	int r;

	add_init(w);
	/* Of the command, not of process 1; the filter need not know setsid(2). */
	plan_step(w->plan, PLAN_FIRST, OP_SESSION, NULL);
	if (w->no_new_privs)
		add_capabilities(w);
	r = add_seccomp(w->launch, w->bounding, w->plan, err);
	if (r == 0 && !w->no_new_privs)
		add_capabilities(w);
	return r;
}

int compile_process(const struct launch *launch, const json *process, const char *place, struct plan *p,
		    teu_error **err)
{
	static int (*const parts[])(struct process *, teu_error **) = { read_process, add_attributes, add_identity,
									add_confinement };
	struct process w = {
		.launch = launch,
		.spec = launch->spec,
		.json = process,
		.place = place,
		.plan = p,
		.own = process == json_get(launch->spec, "process"),
	};
	int r = add_rlimits(process, place, p, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
		r = parts[i](&w, err);
	if (r < 0)
		return r;
	return add_exec(launch, process, place, p, err);
}
