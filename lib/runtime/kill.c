/* kill: signals to a container's processes. Source: runtime-spec runtime.md "Kill". */
#include "runtime/kill.h"

#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>

#include "base/proc.h"
#include "runtime/cgroups.h"
#include "runtime/members.h"

enum { KILL_MS = 10000 };

static int await_end(int pidfd, pid_t pid, teu_error **err)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, KILL_MS);
	while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : err_set(err, TEU_E_TIMEOUT, "process %d did not end within %d s", (int)pid, KILL_MS / 1000);
}

int kill_process(pid_t pid, uint64_t start, teu_error **err)
{
	_cleanup_close_ int pidfd = -EBADF;

	if (!pid || proc_open(pid, start, &pidfd, NULL) < 0)
		return 0;
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0)
		return errno == ESRCH ? 0 : err_errno(err, errno, "kill process %d", (int)pid);
	return await_end(pidfd, pid, err);
}

int kill_container(const struct record *rec, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	_cleanup_close_ int pidfd = -EBADF;
	int r = 0;

	if (rec->pid)
		proc_open(rec->pid, rec->start, &pidfd, NULL);
	if (pidfd >= 0)
		pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	if (rec->cgroup && cgroup_find(rec->cgroup, &group, NULL) == 0)
		r = cgroup_kill_all(group, err);
	return r == 0 && pidfd >= 0 ? await_end(pidfd, rec->pid, err) : r;
}

/* Without a pid namespace of its own the end of the first process leaves the others: SIGKILL means all of them. */
static bool kills_all(const struct record *rec, int signal)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	size_t n = 0;

	if (signal != SIGKILL || !json_get_truth(rec->doc, "sharesPids", false) || !rec->cgroup)
		return false;
	return cgroup_find(rec->cgroup, &group, NULL) == 0 && cgroup_read_pids(group, &pids, &n, NULL) == 0 && n > 0;
}

/* Who ends meanwhile needs no signal. */
static int signal_all(const struct record *rec, int signal, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	size_t n = 0;
	int r;

	/* systemd takes a cgroup away with its last process. */
	if (rec->cgroup)
		cgroup_find(rec->cgroup, &group, NULL);
	/* As with runc, to signal all of nobody is no error. */
	if (!group && !proc_runs(rec->pid, rec->start))
		return 0;
	if (group && signal == SIGKILL)
		return cgroup_kill_all(group, err);
	r = members_read(rec, &pids, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (kill(pids[i], signal) < 0 && errno != ESRCH)
			r = err_errno(err, errno, "signal process %d", (int)pids[i]);
	return r;
}

int runtime_kill(teu_runtime *rt, const char *id, int signal, bool all, teu_error **err)
{
	_cleanup_(record_done) struct record rec = RECORD_INIT;
	_cleanup_close_ int pidfd = -EBADF;
	int r = record_open(rt, id, false, &rec, err);

	if (r < 0)
		return r;
	/* Others of it may live on without the first: --all reaches them. */
	if (all || kills_all(&rec, signal))
		return signal_all(&rec, signal, err);
	if (record_status(&rec) == STATUS_STOPPED || proc_open(rec.pid, rec.start, &pidfd, NULL) < 0)
		return err_set(err, TEU_E_CONFLICT, "container not running");
	if (pidfd_send_signal(pidfd, signal, NULL, 0) < 0)
		return errno == ESRCH ? err_set(err, TEU_E_CONFLICT, "container not running")
				      : err_errno(err, errno, "signal process %d", (int)rec.pid);
	return 0;
}
