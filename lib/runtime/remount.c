/*
 * remount: mounts added to a running container, and taken off, by a process that enters its mounts as an exec does.
 * Sources are opened on the host before that, destinations walked inside as at create. Source: crun(1), "mounts".
 */
#include "runtime/remount.h"

#include <stdio.h>
#include <string.h>

#include "base/proc.h"
#include "init/wire.h"
#include "kernel/idmap.h"
#include "runtime/bundle.h"
#include "runtime/record.h"
#include "sandbox/check.h"
#include "sandbox/compile.h"
#include "sandbox/spawn.h"

struct remount {
	struct record record;
	json *spec, *change; /* owned; the latter has "mounts" alone */
	int pidfd;
	struct plan plan;
};

static void remount_done(struct remount *m)
{
	record_done(&m->record);
	json_free(m->spec);
	json_free(m->change);
	plan_done(&m->plan);
	cleanup_close(&m->pidfd);
}

static int open_target(struct remount *m, teu_runtime *rt, const char *id, teu_error **err)
{
	enum status status;
	int r = record_open(rt, id, true, &m->record, err);

	if (r == 0)
		r = record_status(&m->record, &status, err);
	if (r < 0)
		return r;
	if (status == STATUS_STOPPED)
		return err_set(err, TEU_E_CONFLICT, "container not running");
	r = proc_open(m->record.pid, m->record.start, &m->pidfd, err);
	return r < 0 ? r : bundle_reopen(m->record.dir_fd, &m->spec, err);
}

/* The array alone, or an object that has it. */
static int read_change(struct remount *m, const char *text, teu_error **err)
{
	_cleanup_(check_done) struct check check = { 0 };
	_cleanup_json_ json *given = NULL;
	const json *mounts;
	int r = json_parse_given(text, strlen(text), "mounts", &given, err);

	if (r < 0)
		return r;
	mounts = json_is_array(given) ? given : json_get(given, "mounts");
	m->change = json_object();
	if (!json_add_string(m->change, "ociVersion", RUNTIME_SPEC_VERSION) ||
	    (mounts && !json_add(m->change, "mounts", json_copy(mounts))))
		return err_oom(err);
	if (!json_count(json_get(m->change, "mounts")))
		return err_set(err, TEU_E_INVALID, "mounts: expected an array of mounts");
	check_config(m->change, CHECK_DOCUMENT, &check);
	r = check_result(&check, err);
	return r < 0 ? r : mounts_resolve(m->change, m->record.bundle, err);
}

static int run(struct remount *m, teu_error **err)
{
	struct spawn_fds fds = {
		.alive = -EBADF,
		.join = m->pidfd,
		.cgroup = -EBADF,
		.stdio = { -EBADF, -EBADF, -EBADF },
		.console = -EBADF,
	};
	_cleanup_close_ int wire = -EBADF;
	struct wire_header end;
	int32_t pid;
	int r = spawn_launch(&m->plan, &fds, 0, &wire, &pid, err);

	if (r < 0)
		return r;
	if (wire_receive(wire, &end, sizeof(end), 0) != (ssize_t)sizeof(end) || end.type != WIRE_EXIT || end.n1 != 0)
		return err_set(err, TEU_E_LAUNCH, "the process that mounts was killed");
	return 0;
}

int runtime_remount(teu_runtime *rt, const char *id, const char *mounts_json, bool remove, teu_error **err)
{
	_cleanup_(remount_done) struct remount m = { .record = RECORD_INIT, .pidfd = -EBADF };
	struct launch l = { .seccomp_cache_fd = -1, .rights = rt->rights };
	char root[32];
	int r = open_target(&m, rt, id, err);

	if (r == 0)
		r = read_change(&m, mounts_json, err);
	if (r < 0)
		return r;
	snprintf(root, sizeof(root), "/proc/%d/root", (int)m.record.pid);
	l.spec = m.spec;
	l.join_root = root;
	l.groups_denied = idmap_groups_denied(m.record.pid);
	r = compile_remount(&l, json_get(m.change, "mounts"), remove, &m.plan, err);
	return r < 0 ? r : run(&m, err);
}
