/* update: other limits for a container that is there. Source: runtime-spec config-linux.md "Control groups". */
#include "runtime/update.h"

#include <string.h>

#include "kernel/cgroup.h"
#include "runtime/record.h"
#include "runtime/scope.h"
#include "runtime/shares.h"

static int parse(const char *text, json **ret, teu_error **err)
{
	int r = json_parse_given(text, strlen(text), "linux.resources", ret, err);

	if (r == 0 && !json_is_object(*ret))
		return err_set(err, TEU_E_INVALID, "linux.resources: expected an object");
	return r;
}

/* All that can be wrong with the limits is found before the manager hears of them. */
static int tell_manager(const struct record *rec, json *resources, teu_error **err)
{
	_cleanup_(cgroup_plan_done) struct cgroup_plan plan = { 0 };
	_cleanup_(scope_done) struct scope scope = { 0 };
	int r = scope_of(rec, &scope, err);

	if (r < 0 || !scope.unit)
		return r;
	r = cgroup_compile_update(rec->cgroup, resources, "linux.resources", &plan, err);
	return r < 0 ? r : scope_update(&scope, resources, err);
}

int runtime_update(teu_runtime *rt, const char *id, const char *resources_json, teu_error **err)
{
	_cleanup_(record_done) struct record rec = RECORD_INIT;
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	_cleanup_(strv_done) struct strv warnings = STRV_INIT;
	_cleanup_json_ json *resources = NULL;
	enum status status;
	const json *rdt;
	int r = parse(resources_json, &resources, err);

	if (r == 0)
		r = record_open(rt, id, true, &rec, err);
	if (r == 0)
		r = record_status(&rec, &status, err);
	if (r < 0)
		return r;
	if (status == STATUS_STOPPED)
		return err_set(err, TEU_E_CONFLICT, "container not running");
	if (!rec.cgroup)
		return err_set(
			err, TEU_E_UNSUPPORTED,
			"container %s has no cgroup that could limit it: an ordinary user gets one where a cgroup v2 "
			"subtree is delegated to him",
			id);
	rdt = json_get(resources, "intelRdt");
	r = cgroup_find(rec.cgroup, &group, err);
	if (r == 0 && rdt)
		r = shares_set(rec.doc, rdt, err);
	if (r == 0)
		r = tell_manager(&rec, resources, err);
	if (r == 0)
		r = cgroup_set(group, resources, "linux.resources", &warnings, err);
	strv_foreach (w, &warnings)
		runtime_log(rt, TEU_LOG_WARNING, "%s", *w);
	return r;
}
