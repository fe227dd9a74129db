/* cgroups: where a container's control group is. Source: runtime-spec config-linux.md "Cgroups Path"; for the systemd
 * form systemd.slice(5): "a-b.slice" is a folder in "a.slice". */
#include "runtime/cgroups.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

static int bad_path(const char *path, teu_error **err)
{
	return json_field_error(err, "linux", "cgroupsPath", "expected \"slice:prefix:name\" for systemd, found \"%s\"",
				path);
}

/* "user-1000.slice" -> "/user.slice/user-1000.slice" */
static void add_slice(struct strbuf *b, const char *slice, size_t len)
{
	if (len == 1 && *slice == '-')
		return;
	for (size_t i = 0; i < len; i++)
		if (slice[i] == '-')
			strbuf_addf(b, "/%.*s.slice", (int)i, slice);
	strbuf_addf(b, "/%.*s.slice", (int)len, slice);
}

static int systemd_path(const char *path, const char *id, char **ret, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf b = STRBUF_INIT;
	const char *first = path ? strchr(path, ':') : NULL, *second = first ? strchr(first + 1, ':') : NULL;
	size_t slice_len = first ? (size_t)(first - path) : 0;
	size_t name_len = second ? strlen(second + 1) : 0;

	if (!path || !*path) {
		strbuf_addf(&b, "/%s/teu-oci-%s.scope", geteuid() ? "user.slice" : "system.slice", id);
		*ret = strbuf_take(&b);
		return *ret ? 0 : err_oom(err);
	}
	if (!second || strchr(second + 1, ':') || strchr(path, '/') || !name_len)
		return bad_path(path, err);
	if (slice_len > 6 && strncmp(first - 6, ".slice", 6) == 0)
		slice_len -= 6;
	if (slice_len)
		add_slice(&b, path, slice_len);
	else
		strbuf_adds(&b, "/system.slice");
	if (name_len > 6 && strcmp(second + 1 + name_len - 6, ".slice") == 0)
		strbuf_addf(&b, "/%s", second + 1);
	else
		strbuf_addf(&b, "/%.*s%s%s.scope", (int)(second - first - 1), first + 1, second - first > 1 ? "-" : "",
			    second + 1);
	*ret = strbuf_take(&b);
	return *ret ? 0 : err_oom(err);
}

int cgroups_path(const teu_runtime *rt, const json *spec, const char *id, char **ret, teu_error **err)
{
	const char *path = NULL;
	int r = json_read_string(json_get(spec, "linux"), "linux", "cgroupsPath", &path, err);

	if (r < 0)
		return r;
	if (rt->systemd_cgroup)
		return systemd_path(path, id, ret, err);
	if (asprintf(ret, "%s%s", path && *path == '/' ? "" : "/", path && *path ? path : id) < 0) {
		*ret = NULL;
		return err_oom(err);
	}
	return 0;
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
