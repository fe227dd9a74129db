/* process: what is done to and asked about the processes of a running container. All is read from /proc and the cgroup;
 * no program of the image runs. */
#include "engine/process.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/proc.h"
#include "store/state.h"

static int running_state(teu_container *c, struct container_state *ret, teu_error **err)
{
	int r = state_read(&c->engine->store, c->id, ret, err);

	if (r < 0)
		return r;
	return ret->pid ? 0 : err_set(err, TEU_E_CONFLICT, "container %s is not running", c->name);
}

int container_cgroup(teu_container *c, teu_cgroup **ret, teu_error **err)
{
	const json *spec;
	int r = container_spec(c, &spec, err);

	if (r < 0)
		return r;
	return cgroup_find(json_get_text(json_get(spec, "linux"), "cgroupsPath", ""), ret, err);
}

int container_set_paused(teu_container *c, bool paused, teu_error **err)
{
	teu_cgroup *cgroup = NULL;
	struct container_state s;
	char path[96];
	int r = running_state(c, &s, err);

	if (r < 0)
		return r;
	if ((s.state == TEU_STATE_PAUSED) == paused)
		return err_set(err, TEU_E_CONFLICT, "container %s is %s", c->name,
			       paused ? "already paused" : "not paused");
	r = container_cgroup(c, &cgroup, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "containers/%s/paused", c->id);
	r = cgroup_set_frozen(cgroup, paused, err);
	if (r == 0 && paused)
		r = fd_replace_file(c->engine->store.run_fd, path, "", 0, 0600, FD_NO_SYNC, err);
	else if (r == 0)
		unlinkat(c->engine->store.run_fd, path, 0);
	teu_cgroup_unref(cgroup);
	return r < 0 ? err_wrap(err, r, "%s container %s", paused ? "pause" : "unpause", c->name) : 0;
}

/* The command line with blanks between its parts; kernel style "[name]" without one. */
static void read_command(pid_t pid, const char *stat, char *text, size_t cap)
{
	char path[32];
	_cleanup_close_ int fd = -EBADF;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : fd_read_full(fd, text, cap - 1);
	for (ssize_t i = 0; i < n - 1; i++)
		if (!text[i])
			text[i] = ' ';
	if (n > 0) {
		text[n] = '\0';
		return;
	}
	stat = strchr(stat, '(');
	snprintf(text, cap, "[%.*s]", stat ? (int)strcspn(stat + 1, ")") : 0, stat ? stat + 1 : "");
}

static unsigned owner_of(pid_t pid)
{
	char path[32], text[4096];
	const char *line;
	_cleanup_close_ int fd = -EBADF;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : fd_read_full(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	line = strstr(text, "\nUid:");
	return line ? (unsigned)strtoul(line + 5, NULL, 10) : 0;
}

static int64_t boot_time(void)
{
	struct timespec up;

	clock_gettime(CLOCK_BOOTTIME, &up);
	return clock_now_ns() / 1000000000 - up.tv_sec;
}

/* UID PID PPID C STIME TTY TIME CMD, as ps -ef. */
static int add_process(json *list, pid_t pid, teu_error **err)
{
	long hz = sysconf(_SC_CLK_TCK);
	char stat[1024], *fields, text[8][4096];
	char *columns[9] = { text[0], text[1], text[2], text[3], text[4], text[5], text[6], text[7], NULL };
	uint64_t ticks, tty;
	_cleanup_error_ teu_error *why = NULL;
	time_t began;
	struct tm tm;
	int r;

	r = proc_read(pid, stat, sizeof(stat), &fields, &why);
	if (r == TEU_E_NOT_FOUND) /* it has just ended */
		return 0;
	if (r < 0)
		return err_pass(err, r, &why);
	ticks = proc_field(fields, 14) + proc_field(fields, 15);
	tty = proc_field(fields, 7);
	began = (time_t)(boot_time() + (int64_t)(proc_field(fields, 22) / (uint64_t)hz));
	localtime_r(&began, &tm);
	snprintf(text[0], sizeof(text[0]), "%u", owner_of(pid));
	snprintf(text[1], sizeof(text[1]), "%d", (int)pid);
	snprintf(text[2], sizeof(text[2]), "%llu", (unsigned long long)proc_field(fields, 4));
	snprintf(text[3], sizeof(text[3]), "0");
	snprintf(text[4], sizeof(text[4]), "%02d:%02d", tm.tm_hour, tm.tm_min);
	if (tty)
		snprintf(text[5], sizeof(text[5]), "pts/%llu", (unsigned long long)(tty & 0xff));
	else
		snprintf(text[5], sizeof(text[5]), "?");
	ticks /= (uint64_t)hz;
	snprintf(text[6], sizeof(text[6]), "%02llu:%02llu:%02llu", (unsigned long long)ticks / 3600,
		 (unsigned long long)ticks / 60 % 60, (unsigned long long)ticks % 60);
	read_command(pid, stat, text[7], sizeof(text[7]));
	return json_append(list, json_strings(columns)) ? 0 : err_oom(err);
}

int container_top(teu_container *c, json **ret, teu_error **err)
{
	static char *const titles[] = { "UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD", NULL };
	_cleanup_json_ json *top = json_object();
	_cleanup_free_ pid_t *pids = NULL;
	teu_cgroup *cgroup = NULL;
	struct container_state s;
	json *list;
	size_t n = 0;
	int r = running_state(c, &s, err);

	if (r == 0)
		r = container_cgroup(c, &cgroup, err);
	if (r == 0)
		r = cgroup_read_pids(cgroup, &pids, &n, err);
	teu_cgroup_unref(cgroup);
	if (r < 0)
		return r;
	if (!json_add(top, "Titles", json_strings(titles)))
		return err_oom(err);
	list = json_add_array(top, "Processes");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_process(list, pids[i], err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(top);
	return 0;
}

int container_stats(teu_container *c, json **ret, teu_error **err)
{
	teu_cgroup *cgroup = NULL;
	struct container_state s;
	int r = running_state(c, &s, err);

	if (r == 0)
		r = container_cgroup(c, &cgroup, err);
	if (r == 0)
		r = cgroup_read_stats(cgroup, ret, err);
	teu_cgroup_unref(cgroup);
	return r;
}
