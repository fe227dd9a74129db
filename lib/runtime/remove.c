/* remove: takes back what create made. Source: runtime-spec runtime.md "Delete", "Lifecycle" steps 11 to 13. */
#include "runtime/remove.h"

#include <limits.h>

#include "base/fd.h"
#include "runtime/bundle.h"
#include "runtime/cgroups.h"
#include "runtime/hooks.h"
#include "runtime/kill.h"
#include "runtime/record.h"
#include "runtime/scope.h"
#include "runtime/shared_mounts.h"
#include "runtime/shares.h"

/* *@ret NULL: there is none, or no whole one. */
static int reopen_config(const struct record *rec, json **ret, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	int r = bundle_reopen(rec->dir_fd, ret, &why);

	return r == TEU_E_NOT_FOUND || r == TEU_E_CORRUPT || r == TEU_E_LIMIT ? 0 : err_pass(err, r, &why);
}

/* Of a create that never came to an end only its file tells the cgroup: one of systemd's would have a record. What the
 * config asked for may be others'. */
static int remove_unfinished(teu_runtime *rt, const struct record *rec, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	_cleanup_free_ char *path = NULL;
	size_t len;
	int r = fd_read_file(rec->dir_fd, OWN_CGROUP, PATH_MAX, &path, &len, &why);

	if (r == TEU_E_NOT_FOUND)
		r = 0;
	else if (r < 0)
		return err_pass(err, r, &why);
	if (path && len)
		r = cgroups_remove(path, err);
	return r < 0 ? r : record_remove(rt, rec, err);
}

static int remove_cgroup(const struct record *rec, teu_error **err)
{
	_cleanup_(scope_done) struct scope scope = { 0 };
	int r = scope_of(rec, &scope, err);

	if (r == 0)
		r = scope_stop(&scope, err);
	return r == 0 && rec->cgroup ? cgroups_remove(rec->cgroup, err) : r;
}

int remove_container(teu_runtime *rt, struct record *rec, teu_error **err)
{
	_cleanup_json_ json *spec = NULL;
	int r = remove_cgroup(rec, err);

	if (r == 0)
		shares_remove(rec->doc);
	if (r == 0)
		shared_mounts_remove(json_get(rec->doc, "mounts"), json_get_text(rec->doc, "rootfs", ""));
	if (r == 0 && json_get_truth(rec->doc, "poststop", false))
		r = reopen_config(rec, &spec, err);
	if (r == 0)
		r = record_remove(rt, rec, err);
	if (r == 0 && spec)
		hooks_try(rt, spec, "poststop", rec, "stopped", 0);
	return r;
}

int runtime_delete(teu_runtime *rt, const char *id, bool force, teu_error **err)
{
	_cleanup_(record_done) struct record rec = RECORD_INIT;
	_cleanup_error_ teu_error *why = NULL;
	enum status status;
	int r = record_open_any(rt, id, &rec, &why);

	if (r == TEU_E_NOT_FOUND && force)
		return record_sweep(rt, err);
	if (r < 0)
		return err_pass(err, r, &why);
	if (!rec.doc)
		return remove_unfinished(rt, &rec, err);
	r = record_status(&rec, &status, err);
	if (r < 0)
		return r;
	if (!force && status != STATUS_STOPPED)
		return err_set(err, TEU_E_CONFLICT, "cannot delete container %s that is not stopped: %s", id,
			       status_name(status));
	if (status != STATUS_STOPPED)
		r = kill_container(&rec, err);
	return r < 0 ? r : remove_container(rt, &rec, err);
}
