/* pause: the processes of a container, held and listed, by its cgroup. */
#include "runtime/pause.h"

#include "kernel/cgroup.h"
#include "runtime/members.h"
#include "runtime/record.h"

static int find_group(const struct record *rec, teu_cgroup **ret, teu_error **err)
{
	if (!rec->cgroup)
		return err_set(err, TEU_E_UNSUPPORTED,
			       "container %s has no cgroup, and pausing takes one: an ordinary user gets one where a "
			       "cgroup v2 "
			       "subtree is delegated to him",
			       rec->id);
	return cgroup_find(rec->cgroup, ret, err);
}

int runtime_set_paused(teu_runtime *rt, const char *id, bool paused, teu_error **err)
{
	_cleanup_(record_done) struct record rec = RECORD_INIT;
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	int r = record_open(rt, id, true, &rec, err);
	enum status status;

	if (r == 0)
		r = record_status(&rec, &status, err);
	if (r < 0)
		return r;
	if (paused && status != STATUS_RUNNING && status != STATUS_CREATED)
		return err_set(err, TEU_E_CONFLICT, "container not running");
	if (!paused && status != STATUS_PAUSED)
		return err_set(err, TEU_E_CONFLICT, "container not paused");
	r = find_group(&rec, &group, err);
	return r < 0 ? r : cgroup_set_frozen(group, paused, err);
}

int runtime_processes(teu_runtime *rt, const char *id, json **ret, teu_error **err)
{
	_cleanup_(record_done) struct record rec = RECORD_INIT;
	_cleanup_json_ json *list = json_array();
	_cleanup_free_ pid_t *pids = NULL;
	size_t n = 0;
	enum status status;
	int r = record_open(rt, id, false, &rec, err);

	if (r < 0)
		return r;
	/* One that has stopped has none, also when its cgroup is gone. */
	r = record_status(&rec, &status, err);
	if (r == 0 && status != STATUS_STOPPED)
		r = members_read(&rec, &pids, &n, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (!json_append(list, json_int(pids[i])))
			return err_oom(err);
	*ret = TAKE_PTR(list);
	return *ret ? 0 : err_oom(err);
}
