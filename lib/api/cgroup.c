/* cgroup: the public face of kernel/cgroup. A cgroup hangs off no engine: it is the machine's. */
#include <teu/cgroup.h>

#include <string.h>

#include "kernel/cgroup.h"

int teu_cgroup_open(const char *path, teu_cgroup **ret_cgroup, teu_error **err)
{
	if (!path || !ret_cgroup)
		return err_set(err, TEU_E_INVALID, "teu_cgroup_open: path or ret_cgroup is NULL");
	return cgroup_make(path, ret_cgroup, err);
}

static int missing(const teu_cgroup *cgroup, const char *function, teu_error **err)
{
	return cgroup ? 0 : err_set(err, TEU_E_INVALID, "%s: cgroup is NULL", function);
}

int teu_cgroup_set(teu_cgroup *cgroup, const char *resources_json, teu_error **err)
{
	_cleanup_json_ json *resources = NULL;
	int r = missing(cgroup, __func__, err);

	if (r == 0 && !resources_json)
		return err_set(err, TEU_E_INVALID, "teu_cgroup_set: resources_json is NULL");
	if (r == 0)
		r = json_parse_given(resources_json, strlen(resources_json), "linux.resources", &resources, err);
	return r < 0 ? r : cgroup_set(cgroup, resources, "linux.resources", NULL, err);
}

/* Hands out as text what @read finds. */
static int hand_out(int (*read)(const teu_cgroup *, json **, teu_error **), const teu_cgroup *cgroup, char **ret,
		    teu_error **err)
{
	_cleanup_json_ json *document = NULL;
	int r = read(cgroup, &document, err);

	if (r < 0)
		return r;
	*ret = json_print(document);
	return *ret ? 0 : err_oom(err);
}

int teu_cgroup_get(teu_cgroup *cgroup, char **ret_resources_json, teu_error **err)
{
	int r = missing(cgroup, __func__, err);

	return r < 0 ? r : hand_out(cgroup_read_limits, cgroup, ret_resources_json, err);
}

int teu_cgroup_add(teu_cgroup *cgroup, int32_t pid, teu_error **err)
{
	int r = missing(cgroup, __func__, err);

	if (r == 0 && pid <= 0)
		return err_set(err, TEU_E_INVALID, "teu_cgroup_add: %d is no process", pid);
	return r < 0 ? r : cgroup_add(cgroup, pid, err);
}

int teu_cgroup_stats(teu_cgroup *cgroup, char **ret_json, teu_error **err)
{
	int r = missing(cgroup, __func__, err);

	return r < 0 ? r : hand_out(cgroup_read_stats, cgroup, ret_json, err);
}

int teu_cgroup_freeze(teu_cgroup *cgroup, int frozen, teu_error **err)
{
	int r = missing(cgroup, __func__, err);

	return r < 0 ? r : cgroup_set_frozen(cgroup, frozen != 0, err);
}

int teu_cgroup_kill(teu_cgroup *cgroup, teu_error **err)
{
	int r = missing(cgroup, __func__, err);

	return r < 0 ? r : cgroup_kill_all(cgroup, err);
}

int teu_cgroup_remove(teu_cgroup *cgroup, teu_error **err)
{
	int r = missing(cgroup, __func__, err);

	return r < 0 ? r : cgroup_rmdir(cgroup, err);
}

teu_cgroup *teu_cgroup_ref(teu_cgroup *cgroup)
{
	return cgroup_ref(cgroup);
}

void teu_cgroup_unref(teu_cgroup *cgroup)
{
	cgroup_unref(cgroup);
}
