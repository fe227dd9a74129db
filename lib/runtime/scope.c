/* scope: a container's cgroup as a transient unit of systemd. */
#include "runtime/scope.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "format/gvariant.h"

#define PROPERTY "org.systemd.property."

static bool ends_with(const char *text, size_t len, const char *tail)
{
	size_t n = strlen(tail);

	return len > n && memcmp(text + len - n, tail, n) == 0;
}

static int bad_path(const char *path, const char *why, teu_error **err)
{
	return json_field_error(err, "linux", "cgroupsPath",
				"expected \"slice:prefix:name\" for systemd, found \"%s\"%s", path, why);
}

/* A folder's name must not be taken for a file's: the manager then puts a _ before it. */
static bool is_taken(const char *name, size_t len)
{
	static const char *const owners[] = { "cgroup",	 "memory",  "cpu",	"cpuacct", "cpuset",
					      "io",	 "blkio",   "devices",	"pids",	   "freezer",
					      "hugetlb", "net_cls", "net_prio", "rdma",	   "misc" };

	if (*name == '_' || *name == '.')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		size_t n = strlen(owners[i]);

		if (len > n && memcmp(name, owners[i], n) == 0 && name[n] == '.')
			return true;
	}
	return false;
}

static void add_folder(struct strbuf *b, const char *name, size_t len)
{
	strbuf_addf(b, "/%s%.*s", is_taken(name, len) ? "_" : "", (int)len, name);
}

/* systemd.slice(5): "user-1000.slice" -> "/user.slice/user-1000.slice"; "-.slice" is the root. */
static bool add_slice(struct strbuf *b, const char *slice)
{
	size_t len = strlen(slice);

	if (strcmp(slice, "-.slice") == 0)
		return true;
	if (!ends_with(slice, len, ".slice") || *slice == '-' || slice[len - 7] == '-' || strstr(slice, "--"))
		return false;
	for (size_t i = 0; i < len - 6; i++)
		if (slice[i] == '-') {
			_cleanup_(strbuf_done) struct strbuf parent = STRBUF_INIT;

			strbuf_addf(&parent, "%.*s.slice", (int)i, slice);
			if (parent.oom)
				b->oom = true;
			else
				add_folder(b, parent.text, parent.len);
		}
	add_folder(b, slice, len);
	return true;
}

/* Three texts, of which the first two may be empty. */
static int parse_path(struct scope *s, const char *path, teu_error **err)
{
	const char *first = strchr(path, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	const char *name = second ? second + 1 : "";
	bool is_slice = ends_with(name, strlen(name), ".slice");
	int n;

	if (!second || strchr(name, ':') || strchr(path, '/') || !*name)
		return bad_path(path, "", err);
	s->slice =
		first == path ? strdup(s->user ? "user.slice" : "system.slice") : strndup(path, (size_t)(first - path));
	if (is_slice)
		n = asprintf(&s->unit, "%s", name);
	else
		n = asprintf(&s->unit, "%.*s%s%s.scope", (int)(second - first - 1), first + 1,
			     second - first > 1 ? "-" : "", name);
	if (n < 0)
		s->unit = NULL;
	return s->slice && s->unit ? 0 : err_oom(err);
}

static int find_cgroup(struct scope *s, const char *given, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf b = STRBUF_INIT;
	bool is_slice = ends_with(s->unit, strlen(s->unit), ".slice");

	strbuf_adds(&b, systemd_root(s->manager));
	if (!add_slice(&b, is_slice ? s->unit : s->slice))
		return bad_path(given, ", whose slice is none (see systemd.slice(5))", err);
	if (!is_slice)
		add_folder(&b, s->unit, strlen(s->unit));
	s->path = strbuf_take(&b);
	return s->path ? 0 : err_oom(err);
}

int scope_find(const teu_runtime *rt, const json *spec, const char *id, struct scope *ret, teu_error **err)
{
	_cleanup_free_ char *usual = NULL;
	const char *path = NULL;
	int r = json_read_string(json_get(spec, "linux"), "linux", "cgroupsPath", &path, err);

	if (r < 0)
		return r;
	if (!path || !*path) {
		if (asprintf(&usual, ":teu-oci:%s", id) < 0) {
			usual = NULL;
			return err_oom(err);
		}
		path = usual;
	}
	ret->user = runtime_is_users(rt->rights);
	r = parse_path(ret, path, err);
	if (r == 0)
		r = systemd_open(ret->user, &ret->manager, err);
	return r < 0 ? r : find_cgroup(ret, path, err);
}

int scope_of(const struct record *rec, struct scope *ret, teu_error **err)
{
	const char *unit = json_get_text(rec->doc, "unit", NULL);

	if (!unit || !rec->cgroup)
		return 0;
	ret->unit = strdup(unit);
	ret->path = strdup(rec->cgroup);
	ret->user = json_get_truth(rec->doc, "userManager", false);
	return ret->unit && ret->path ? systemd_open(ret->user, &ret->manager, err) : err_oom(err);
}

void scope_done(struct scope *s)
{
	free(s->unit);
	free(s->slice);
	free(s->path);
	systemd_close(s->manager);
	*s = (struct scope){ 0 };
}

/* A text of the GVariant form. */
static void add_text(struct strv *to, const char *name, const char *before, const char *text, const char *after)
{
	_cleanup_(strbuf_done) struct strbuf quoted = STRBUF_INIT;

	for (; *text; text++)
		strbuf_addf(&quoted, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
	to->oom |= quoted.oom;
	strv_addf(to, "%s=%s'%s'%s", name, before, quoted.text ? quoted.text : "", after);
}

static void add_own(const struct scope *s, const char *id, pid_t pid, struct strv *to)
{
	static const char *const accounts[] = { "MemoryAccounting", "CPUAccounting", "TasksAccounting" };
	_cleanup_free_ char *about = NULL;

	if (asprintf(&about, "teu-oci container %s", id) < 0) {
		about = NULL;
		to->oom = true;
	}
	add_text(to, "Description", "", about ? about : "", "");
	if (pid) {
		add_text(to, "Slice", "", s->slice, "");
		strv_addf(to, "PIDs=[uint32 %d]", pid);
		strv_add(to, "Delegate=true");
	} else {
		add_text(to, "Wants", "[", s->slice, "]");
	}
	strv_add(to, "DefaultDependencies=false");
	for (size_t i = 0; i < ARRAY_SIZE(accounts); i++)
		strv_addf(to, "%s=true", accounts[i]);
	strv_addf(to, "%s=true", cgroup_is_v2() ? "IOAccounting" : "BlockIOAccounting");
}

static bool read_seconds(const struct gvariant *v, double *ret)
{
	switch (*v->type) {
	case 'i':
		*ret = v->basic.int32;
		return true;
	case 'u':
		*ret = v->basic.uint32;
		return true;
	case 'x':
		*ret = (double)v->basic.int64;
		return true;
	case 't':
		*ret = (double)v->basic.uint64;
		return true;
	case 'd':
		*ret = v->basic.real;
		return true;
	default:
		return false;
	}
}

/* "TimeoutStopSec" is what a unit's file has; over D-Bus it is TimeoutStopUSec, in microseconds. */
static int add_seconds(struct strv *to, const char *name, const char *value, teu_error **err)
{
	_cleanup_(gvariant_done) struct gvariant v = { 0 };
	double seconds;
	int r = gvariant_parse(value, &v, err);

	if (r < 0)
		return err_wrap(err, r, "annotations." PROPERTY "%s", name);
	if (!read_seconds(&v, &seconds) || !(seconds >= 0 && seconds < 1e12))
		return err_set(err, TEU_E_INVALID, "annotations." PROPERTY "%s: \"%.100s\" is no number of seconds",
			       name, value);
	strv_addf(to, "%.*sUSec=uint64 %" PRIu64, (int)strlen(name) - 3, name, (uint64_t)(seconds * 1e6 + 0.5));
	return 0;
}

static int add_annotations(const json *annotations, struct strv *to, teu_error **err)
{
	json_foreach_member (entry, annotations) {
		const char *name = json_key(entry), *value = json_text(entry, "");
		size_t len;

		if (strncmp(name, PROPERTY, sizeof(PROPERTY) - 1) != 0)
			continue;
		name += sizeof(PROPERTY) - 1;
		len = strlen(name);
		if (len < 4 || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")])
			return err_set(err, TEU_E_INVALID,
				       "annotations." PROPERTY "%.100s: that is no property of a unit", name);
		if (ends_with(name, len, "Sec") && name[len - 4] >= 'a' && name[len - 4] <= 'z') {
			int r = add_seconds(to, name, value, err);

			if (r < 0)
				return r;
		} else {
			strv_addf(to, "%s=%s", name, value);
		}
	}
	return 0;
}

/* One that has failed keeps its name taken until somebody says so. */
static int start_unit(const struct scope *s, const struct strv *properties, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	int r = systemd_start(s->manager, s->unit, properties, &why);

	if (r == TEU_E_CONFLICT) {
		systemd_reset(s->manager, s->unit);
		return systemd_start(s->manager, s->unit, properties, err);
	}
	if (r < 0 && err && !*err)
		*err = TAKE_PTR(why);
	return r;
}

/* The manager's properties are less than what a config can say: the rest goes into the files, and again what it rounds.
 */
static int set_limits(const struct scope *s, pid_t pid, const json *resources, const struct cgroup_plan *plan,
		      teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	int r;

	/* v1: the folders of controllers that are none of the manager's are ours to make. */
	r = plan->v2 ? 0 : cgroup_run(plan, err);
	if (!s->user)
		cgroup_unit_delegate(s->path);
	if (r == 0)
		r = cgroup_find(s->path, &group, err);
	if (r == 0)
		r = cgroup_set(group, resources, "linux.resources", NULL, err);
	return r == 0 && pid ? cgroup_add(group, pid, err) : r;
}

/* Rules for devices are root's to set; what the manager would round is rounded in the files as well. */
static int fit_limits(const struct scope *s, json *resources, bool update, teu_error **err)
{
	if (s->user)
		json_remove(resources, "devices");
	return cgroup_unit_fit(s->path, resources, "linux.resources", update, err);
}

int scope_start(const struct scope *s, const char *id, pid_t pid, const json *spec, const struct cgroup_plan *plan,
		teu_error **err)
{
	const json *asked = json_find(spec, "linux.resources");
	_cleanup_json_ json *resources = asked ? json_copy(asked) : json_object();
	_cleanup_(strv_done) struct strv properties = STRV_INIT;
	/* Nobody can be born into a slice: who lives there is brought by hand. */
	bool is_slice = ends_with(s->unit, strlen(s->unit), ".slice");
	int r;

	if (!resources)
		return err_oom(err);
	r = fit_limits(s, resources, false, err);
	add_own(s, id, is_slice ? 0 : pid, &properties);
	if (r == 0)
		r = add_annotations(json_get(spec, "annotations"), &properties, err);
	if (r == 0)
		r = cgroup_unit_properties(s->path, resources, "linux.resources", false, &properties, err);
	if (r == 0 && properties.oom)
		r = err_oom(err);
	if (r == 0)
		r = start_unit(s, &properties, err);
	return r < 0 ? r : set_limits(s, is_slice ? pid : 0, resources, plan, err);
}

int scope_update(const struct scope *s, json *resources, teu_error **err)
{
	_cleanup_(strv_done) struct strv properties = STRV_INIT;
	int r = fit_limits(s, resources, true, err);

	if (r == 0)
		r = cgroup_unit_properties(s->path, resources, "linux.resources", true, &properties, err);
	if (r < 0 || !properties.n)
		return r;
	return systemd_set(s->manager, s->unit, &properties, err);
}

int scope_stop(const struct scope *s, teu_error **err)
{
	return s->unit ? systemd_stop(s->manager, s->unit, err) : 0;
}
