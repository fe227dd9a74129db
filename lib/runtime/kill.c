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

/* As proc_open(); *@ret_pidfd stays as it is for one that has ended. */
static int open_living(pid_t pid, uint64_t start, int *ret_pidfd, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	int r = pid ? proc_open(pid, start, ret_pidfd, &why) : 0;

	return r == TEU_E_NOT_FOUND ? 0 : err_pass(err, r, &why);
}

/* As cgroup_find(); *@ret NULL: it has none, or that is gone. */
static int find_group(const struct record *rec, teu_cgroup **ret, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	int r = rec->cgroup ? cgroup_find(rec->cgroup, ret, &why) : 0;

	return r == TEU_E_NOT_FOUND ? 0 : err_pass(err, r, &why);
}

int kill_process(pid_t pid, uint64_t start, teu_error **err)
{
	_cleanup_close_ int pidfd = -EBADF;
	int r = open_living(pid, start, &pidfd, err);

	if (r < 0 || pidfd < 0)
		return r;
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0)
		return errno == ESRCH ? 0 : err_errno(err, errno, "kill process %d", (int)pid);
	return await_end(pidfd, pid, err);
}

int kill_container(const struct record *rec, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	_cleanup_close_ int pidfd = -EBADF;
	int r = open_living(rec->pid, rec->start, &pidfd, err);

	if (r == 0)
		r = find_group(rec, &group, err);
	if (r < 0)
		return r;
	if (pidfd >= 0)
		pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	if (group)
		r = cgroup_kill_all(group, err);
	return r == 0 && pidfd >= 0 ? await_end(pidfd, rec->pid, err) : r;
}

/* Without a pid namespace of its own the end of the first process leaves the others: SIGKILL means all of them. */
static int kills_all(const struct record *rec, int signal, bool *ret, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	size_t n = 0;
	int r;

	*ret = false;
	if (signal != SIGKILL || !json_get_truth(rec->doc, "sharesPids", false))
		return 0;
	r = find_group(rec, &group, err);
	if (r == 0 && group)
		r = cgroup_read_pids(group, &pids, &n, err);
	*ret = n > 0;
	return r;
}

/* Who ends meanwhile needs no signal. */
static int signal_all(const struct record *rec, int signal, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	size_t n = 0;
	/* systemd takes a cgroup away with its last process. */
	int r = find_group(rec, &group, err);

	/* As with runc, to signal all of nobody is no error. */
	if (r == 0 && !group) {
		r = proc_runs(rec->pid, rec->start, err);
		if (r <= 0)
			return r;
	}
	if (r < 0)
		return r;
	if (group && signal == SIGKILL)
		return cgroup_kill_all(group, err);
	r = members_read(rec, &pids, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (kill(pids[i], signal) < 0 && errno != ESRCH)
			r = err_errno(err, errno, "signal process %d", (int)pids[i]);
	return r;
}

/* On cgroup v1 who is frozen is killed when it is thawed, and nobody could want it to wait for that. */
static int thaw(const struct record *rec, int pidfd, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	_cleanup_error_ teu_error *why = NULL;
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	int r = cgroup_find(rec->cgroup, &group, &why);

	if (r == 0)
		r = cgroup_set_frozen(group, false, &why);
	/* Who has ended may have been deleted meanwhile. */
	return r < 0 && poll(&end, 1, 0) <= 0 ? err_pass(err, r, &why) : 0;
}

int runtime_kill(teu_runtime *rt, const char *id, int signal, bool all, teu_error **err)
{
	_cleanup_(record_done) struct record rec = RECORD_INIT;
	_cleanup_close_ int pidfd = -EBADF;
	enum status status;
	int r = record_open(rt, id, false, &rec, err);

	if (r == 0 && !all)
		r = kills_all(&rec, signal, &all, err);
	if (r < 0)
		return r;
	/* Others of it may live on without the first: --all reaches them. */
	if (all)
		return signal_all(&rec, signal, err);
	r = record_status(&rec, &status, err);
	if (r == 0 && status != STATUS_STOPPED)
		r = open_living(rec.pid, rec.start, &pidfd, err);
	if (r < 0)
		return r;
	if (pidfd >= 0 && pidfd_send_signal(pidfd, signal, NULL, 0) == 0)
		return signal == SIGKILL && status == STATUS_PAUSED ? thaw(&rec, pidfd, err) : 0;
	return pidfd < 0 || errno == ESRCH ? err_set(err, TEU_E_CONFLICT, "container not running")
					   : err_errno(err, errno, "signal process %d", (int)rec.pid);
}
