/* cgroups: where a container's control group is. Source: runtime-spec config-linux.md "Cgroups Path". */
#include "runtime/cgroups.h"

#include <stdio.h>
#include <string.h>

/*
 * Beside the caller's own group: a v2 group has either processes or limited children, so that nothing below it could
 * be limited. Where that may not be written to, below it.
 */
static char *beside_own(const char *id)
{
	_cleanup_free_ char *own = cgroup_own_path();
	const char *name = own ? strrchr(own, '/') : NULL;
	char *path = NULL;

	if (!name)
		return NULL;
	if (asprintf(&path, "%.*s/%s", (int)(name - own), own, id) < 0)
		return NULL;
	if (cgroup_may_join(path))
		return path;
	free(path);
	return asprintf(&path, "%s/%s", own[1] ? own : "", id) < 0 ? NULL : path;
}

static int find_path(const teu_runtime *rt, const char *given, const char *id, char **ret, teu_error **err)
{
	if (rt->rootless && !given) {
		*ret = beside_own(id);
		if (*ret)
			return 0;
	}
	if (asprintf(ret, "%s%s", given && *given == '/' ? "" : "/", given ? given : id) < 0) {
		*ret = NULL;
		return err_oom(err);
	}
	return 0;
}

/* Rules for devices come with every config, and are no limits. */
static bool asks_for_limits(const json *resources)
{
	json_foreach_member (part, resources)
		if (strcmp(json_key(part), "devices") != 0 && json_count(part))
			return true;
	return false;
}

/* In runc's words, for whose tests look for them. */
static int refuse(const teu_runtime *rt, const char *given, const char *path, const json *resources, teu_error **err)
{
	if (!rt->rootless)
		return err_set(err, TEU_E_PERMISSION,
			       "unable to apply cgroup configuration: make cgroup %s: permission denied: with "
			       "--rootless=true a container that needs none goes "
			       "without",
			       path);
	if (given)
		return json_field_error(err, "linux", "cgroupsPath",
					"unable to apply cgroup configuration: make cgroup %s: permission denied: "
					"leave the field out, or have that cgroup "
					"delegated to you",
					path);
	if (!asks_for_limits(resources))
		return 0;
	return json_field_error(
		err, "linux", "resources",
		"limits need a cgroup, and %s may not be made (rootless needs no limits + no cgrouppath when "
		"no permission is granted for cgroups): leave them out, or have a cgroup v2 subtree delegated "
		"to you, as \"systemd-run --user --scope -p Delegate=yes\" gives one",
		path);
}

static int read_place(const teu_runtime *rt, const json *spec, const char *id, const char **ret_given, char **ret_path,
		      teu_error **err)
{
	const char *given = NULL;
	int r = json_read_string(json_get(spec, "linux"), "linux", "cgroupsPath", &given, err);

	*ret_given = given && *given ? given : NULL;
	return r < 0 ? r : find_path(rt, *ret_given, id, ret_path, err);
}

/* Does @spec name the group at @path? Of a systemd unit's it says another thing. */
static bool is_named(const json *spec, const char *path)
{
	const char *given = json_get_text(json_get(spec, "linux"), "cgroupsPath", "");

	return *given && strcmp(*given == '/' ? path : path + 1, given) == 0;
}

/* An engine that names a group means the whole process to be there, and none of it in the engine's own. */
static int compile_all(const json *spec, const char *path, struct cgroup_plan *ret, teu_error **err)
{
	static const char where[] = "linux.resources";
	const json *resources = json_find(spec, where);

	return is_named(spec, path) ? cgroup_compile_whole(path, resources, where, ret, err)
				    : cgroup_compile(path, resources, where, ret, err);
}

int cgroups_compile(const teu_runtime *rt, const json *spec, const char *id, char **ret_path, struct cgroup_plan *ret,
		    teu_error **err)
{
	const json *resources = json_find(spec, "linux.resources");
	_cleanup_free_ char *path = NULL;
	const char *given;
	int r = read_place(rt, spec, id, &given, &path, err);

	if (r < 0)
		return r;
	if (rt->rights != IDMAP_ROOT && !cgroup_may_join(path))
		return refuse(rt, given, path, resources, err);
	r = rt->rights == IDMAP_ROOT ? compile_all(spec, path, ret, err)
				     : cgroup_compile_modest(path, resources, "linux.resources", ret, err);
	if (r == 0)
		*ret_path = TAKE_PTR(path);
	return r;
}

int cgroups_reopen(const teu_runtime *rt, const char *path, const json *spec, struct cgroup_plan *ret, teu_error **err)
{
	if (rt->rights == IDMAP_ROOT)
		return compile_all(spec, path, ret, err);
	*ret = (struct cgroup_plan){ 0 };
	return cgroup_may_join(path) ? cgroup_compile_modest(path, NULL, "linux.resources", ret, err) : 0;
}

int cgroups_remove(const char *path, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	int r = cgroup_find(path, &group, &why);

	if (r == TEU_E_NOT_FOUND)
		return 0;
	if (r == 0)
		r = cgroup_kill_all(group, &why);
	if (r == 0)
		r = cgroup_rmdir(group, &why);
	if (r < 0 && err && !*err)
		*err = TAKE_PTR(why);
	return r;
}
