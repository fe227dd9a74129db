/*
 * cgroup_group: a cgroup that is there: its processes, freezing, killing, removing. The hierarchies differ little here.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "kernel/cgroup_impl.h"
#include "kernel/syscalls.h"

enum {
	FREEZE_MS = 10000,
	KILL_FREEZE_MS = 500,
	KILL_MS = 10000,
	UNFROZEN_ROUND_MS = 20,
	REMOVE_MS = 2000,
	REMOVE_LIVE_MS = 200
};
enum { MAX_DEPTH = 32, PIDFDS = 128 };

teu_cgroup *cgroup_ref(teu_cgroup *g)
{
	if (g)
		atomic_fetch_add(&g->refs, 1);
	return g;
}

void cgroup_unref(teu_cgroup *g)
{
	if (!g || atomic_fetch_sub(&g->refs, 1) != 1)
		return;
	for (int c = 0; c < CG_N; c++)
		free(g->dirs[c]);
	free(g->path);
	free(g);
}

/* 1: there is such a folder; 0: there is none. */
static int is_dir(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return S_ISDIR(st.st_mode);
}

static int find_dirs(teu_cgroup *g)
{
	static const enum cgroup_controller order[] = { CG_FREEZER, CG_PIDS, CG_MEMORY, CG_CPU };

	for (int c = 0; c < CG_N; c++) {
		const char *mount = g->m->v2 ? g->m->root : g->m->mounts[c];
		int there;

		if (g->dirs[c] || !mount)
			continue;
		if (asprintf(&g->dirs[c], "%s%s", mount, g->path) < 0) {
			g->dirs[c] = NULL;
			return -ENOMEM;
		}
		there = is_dir(g->dirs[c]);
		if (there <= 0) {
			free(g->dirs[c]);
			g->dirs[c] = NULL;
		}
		if (there < 0)
			return there;
	}
	g->main_dir = NULL;
	for (size_t i = 0; !g->main_dir && i < ARRAY_SIZE(order); i++)
		g->main_dir = g->dirs[order[i]];
	for (int c = 0; !g->main_dir && c < CG_N; c++)
		g->main_dir = g->dirs[c];
	return 0;
}

int cgroup_find(const char *path, teu_cgroup **ret, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return err_oom(err);
	g->refs = 1;
	r = cgroup_machine_get(&g->m, err);
	if (r < 0)
		return r;
	g->path = path_clean(path);
	if (!g->path)
		return err_oom(err);
	r = find_dirs(g);
	if (r < 0)
		return err_errno(err, -r, "look for cgroup %s", g->path);
	if (!g->main_dir)
		return err_set(err, TEU_E_NOT_FOUND, "no cgroup %s", g->path);
	*ret = TAKE_PTR(g);
	return 0;
}

static int write_pid(const char *dir, pid_t pid)
{
	_cleanup_free_ char *file = NULL;
	char text[16];

	if (asprintf(&file, "%s/cgroup.procs", dir) < 0) {
		file = NULL;
		return -ENOMEM;
	}
	snprintf(text, sizeof(text), "%d", pid);
	return fd_write_value(AT_FDCWD, file, text);
}

int cgroup_add(const teu_cgroup *g, pid_t pid, teu_error **err)
{
	for (int c = 0; c < CG_N; c++) {
		int r = g->dirs[c] ? write_pid(g->dirs[c], pid) : 0;

		if (r == -ESRCH)
			return err_set(err, TEU_E_NOT_FOUND, "no process %d to move into cgroup %s", pid, g->path);
		if (r < 0)
			return err_errno(err, -r, "move process %d into %s", pid, g->dirs[c]);
		if (g->m->v2)
			break;
	}
	return 0;
}

struct pids {
	pid_t *items; /* owned */
	size_t n;
};

static void pids_done(struct pids *p)
{
	free(p->items);
}

/* Then it is not known who is there, and nobody may think that it is empty. */
static bool lacks_means(int eno)
{
	return eno == EMFILE || eno == ENFILE || eno == ENOMEM;
}

static int add_pids(const char *dir, struct pids *to)
{
	_cleanup_free_ char *text = cgroup_read_long(dir, "cgroup.procs");
	char *save = NULL;

	if (!text && lacks_means(errno))
		return -errno;
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		pid_t *grown = reallocarray(to->items, to->n + 1, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		to->items = grown;
		grown[to->n++] = (pid_t)strtol(line, NULL, 10);
	}
	return 0;
}

/* Those of the groups below too: a container may make some for itself. */
static int add_tree_pids(const char *dir, struct pids *to, int depth)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *e;
	int eno = d ? 0 : errno, r = add_pids(dir, to);

	if (r == 0 && lacks_means(eno))
		return -eno;
	while (r == 0 && d && depth < MAX_DEPTH && (e = readdir(d))) {
		_cleanup_free_ char *child = NULL;

		if (e->d_type != DT_DIR || strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (asprintf(&child, "%s/%s", dir, e->d_name) < 0) {
			child = NULL;
			return -ENOMEM;
		}
		r = add_tree_pids(child, to, depth + 1);
	}
	return r;
}

static int read_pids(const teu_cgroup *g, struct pids *to, teu_error **err)
{
	int r = add_tree_pids(g->main_dir, to, 0);

	return r < 0 ? err_errno(err, -r, "read the processes of cgroup %s", g->path) : 0;
}

int cgroup_read_pids(const teu_cgroup *g, pid_t **ret, size_t *ret_n, teu_error **err)
{
	_cleanup_(pids_done) struct pids pids = { 0 };
	int r = read_pids(g, &pids, err);

	if (r < 0)
		return r;
	*ret = TAKE_PTR(pids.items);
	*ret_n = pids.n;
	return 0;
}

/* Below a controller that the group used no folder of, nobody is limited yet: its processes move there. */
static int move_into_new(teu_cgroup *g, const struct cgroup_plan *plan, teu_error **err)
{
	strv_foreach (dir, &plan->dirs) {
		_cleanup_(pids_done) struct pids pids = { 0 };
		bool known = false;
		int r;

		for (int c = 0; c < CG_N; c++)
			known |= g->dirs[c] && strcmp(g->dirs[c], *dir) == 0;
		if (known)
			continue;
		r = add_pids(g->main_dir, &pids);
		if (r < 0)
			return err_errno(err, -r, "read the processes of cgroup %s", g->path);
		for (size_t i = 0; i < pids.n; i++) {
			r = write_pid(*dir, pids.items[i]);
			if (r < 0 && r != -ESRCH)
				return err_errno(err, -r, "move process %d into %s", pids.items[i], *dir);
		}
	}
	return 0;
}

int cgroup_set(teu_cgroup *g, const json *resources, const char *where, struct strv *ret_warnings, teu_error **err)
{
	_cleanup_(cgroup_plan_done) struct cgroup_plan plan = { 0 };
	int r = cgroup_compile_on(g->m, g->path, resources, where, true, &plan, err);

	if (r == 0)
		r = cgroup_run(&plan, err);
	if (r == 0)
		r = move_into_new(g, &plan, err);
	if (r < 0)
		return r;
	r = find_dirs(g);
	if (r < 0)
		return err_errno(err, -r, "look for cgroup %s", g->path);
	strv_foreach (line, &plan.warnings)
		if (ret_warnings)
			strv_add(ret_warnings, *line);
	return ret_warnings && ret_warnings->oom ? err_oom(err) : 0;
}

int cgroup_read_limits(const teu_cgroup *g, json **ret, teu_error **err)
{
	_cleanup_json_ json *to = json_object();

	if (!to || (g->m->v2 ? cgroup_v2_limits(g, to) : cgroup_v1_limits(g, to)) < 0)
		return err_oom(err);
	*ret = TAKE_PTR(to);
	return 0;
}

int cgroup_read_stats(const teu_cgroup *g, json **ret, teu_error **err)
{
	_cleanup_json_ json *to = json_object();

	if (!to || (g->m->v2 ? cgroup_v2_stats(g, to) : cgroup_v1_stats(g, to)) < 0)
		return err_oom(err);
	*ret = TAKE_PTR(to);
	return 0;
}

int cgroup_read_memory(const teu_cgroup *g, json **ret, teu_error **err)
{
	_cleanup_free_ char *text = g->dirs[CG_MEMORY] ? cgroup_read_long(g->dirs[CG_MEMORY], "memory.stat") : NULL;
	_cleanup_json_ json *to = json_object();
	char *save = NULL;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		char *blank = strchr(line, ' ');

		if (!blank)
			continue;
		*blank = '\0';
		if (!json_add_int(to, line, strtoll(blank + 1, NULL, 10)))
			return err_oom(err);
	}
	if (!to)
		return err_oom(err);
	*ret = TAKE_PTR(to);
	return 0;
}

static int freeze_until(const teu_cgroup *g, bool frozen, int64_t deadline_ms, teu_error **err)
{
	if (g->m->v2)
		return cgroup_v2_freeze(g->main_dir, frozen, deadline_ms, err);
	if (!g->dirs[CG_FREEZER])
		return err_set(err, TEU_E_UNSUPPORTED, "the cgroup controller freezer is not mounted on this machine");
	return cgroup_v1_freeze(g->dirs[CG_FREEZER], frozen, deadline_ms, err);
}

int cgroup_set_frozen(const teu_cgroup *g, bool frozen, teu_error **err)
{
	return freeze_until(g, frozen, clock_monotonic_ms() + FREEZE_MS, err);
}

/* cgroup.kill (Linux 5.14) reaches also what is forking just now. */
static int kill_at_once(const char *dir, int64_t deadline_ms)
{
	_cleanup_free_ char *kill_file = NULL, *events = NULL;
	_cleanup_close_ int fd = -EBADF;
	int64_t populated = 1;
	int r;

	if (asprintf(&kill_file, "%s/cgroup.kill", dir) < 0) {
		kill_file = NULL;
		return -ENOMEM;
	}
	r = fd_write_value(AT_FDCWD, kill_file, "1");
	if (r < 0)
		return r;
	if (asprintf(&events, "%s/cgroup.events", dir) < 0) {
		events = NULL;
		return -ENOMEM;
	}
	fd = open(events, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };

		if (!cgroup_read_key(dir, "cgroup.events", "populated", &populated) || populated == 0)
			return 0;
		if (clock_left_ms(deadline_ms) == 0)
			return -ETIMEDOUT;
		/* A change is only told to a descriptor that has read the state before. */
		if (pread(fd, (char[128]){ 0 }, 128, 0) < 0 ||
		    (poll(&p, 1, clock_left_ms(deadline_ms)) < 0 && errno != EINTR))
			return -errno;
	}
}

static bool has_pid(const struct pids *p, pid_t pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i] == pid)
			return true;
	return false;
}

/*
 * Signals up to PIDFDS of @seen. A number may have got a new owner since it was read, so that a process is held by its
 * pidfd first and then looked for again.
 */
static int signal_some(const teu_cgroup *g, const struct pids *seen, int fds[PIDFDS], size_t *ret_n, teu_error **err)
{
	_cleanup_(pids_done) struct pids still = { 0 };
	size_t n = 0;
	int r;

	for (; n < seen->n && n < PIDFDS; n++)
		fds[n] = sys_pidfd_open(seen->items[n]);
	*ret_n = n;
	r = read_pids(g, &still, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (fds[i] >= 0 && has_pid(&still, seen->items[i]))
			sys_pidfd_send_signal(fds[i], SIGKILL);
	return r;
}

/*
 * A round kills what is there, stopped by the freezer where there is one, lest it forks away, and waits for the ends.
 * What could not be stopped uses the wait to fork: then it is short.
 */
static int kill_round(const teu_cgroup *g, int64_t deadline_ms, teu_error **err)
{
	_cleanup_(pids_done) struct pids seen = { 0 };
	int64_t freeze_by = clock_monotonic_ms() + KILL_FREEZE_MS;
	bool frozen = freeze_until(g, true, freeze_by, NULL) == 0;
	int64_t round_ms;
	int fds[PIDFDS], r;
	size_t n = 0;

	/* Only now, since many may have come before all stood still. */
	r = read_pids(g, &seen, err);
	round_ms = clock_monotonic_ms() + UNFROZEN_ROUND_MS;
	if (r == 0)
		r = signal_some(g, &seen, fds, &n, err);
	if (frozen)
		freeze_until(g, false, deadline_ms, NULL);
	for (size_t i = 0; i < n; i++) {
		struct pollfd p = { .fd = fds[i], .events = POLLIN };

		if (fds[i] < 0)
			continue;
		while (r == 0 && poll(&p, 1, clock_left_ms(frozen ? deadline_ms : round_ms)) < 0 && errno == EINTR)
			;
		close(fds[i]);
	}
	return r;
}

int cgroup_kill_all(const teu_cgroup *g, teu_error **err)
{
	int64_t deadline_ms = clock_monotonic_ms() + KILL_MS;
	int r = g->m->v2 ? kill_at_once(g->main_dir, deadline_ms) : -ENOENT;

	if (r == 0)
		return 0;
	if (r != -ENOENT && r != -ETIMEDOUT)
		return err_errno(err, -r, "kill the processes of %s", g->main_dir);
	while (r != -ETIMEDOUT) {
		_cleanup_(pids_done) struct pids seen = { 0 };

		r = read_pids(g, &seen, err);
		if (r < 0 || seen.n == 0)
			return r;
		r = kill_round(g, deadline_ms, err);
		if (r < 0)
			return r;
		if (clock_left_ms(deadline_ms) == 0)
			r = -ETIMEDOUT;
	}
	return err_set(err, TEU_E_TIMEOUT, "processes of cgroup %s outlived SIGKILL for %d s: they hang in the kernel",
		       g->path, KILL_MS / 1000);
}

static void remove_children(const char *dir, int depth)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *e;

	while (d && depth < MAX_DEPTH && (e = readdir(d))) {
		_cleanup_free_ char *child = NULL;

		if (e->d_type != DT_DIR || strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (asprintf(&child, "%s/%s", dir, e->d_name) < 0) {
			child = NULL;
			return;
		}
		remove_children(child, depth + 1);
		rmdir(child);
	}
}

static bool has_processes(const char *dir)
{
	char text[16];

	return cgroup_read_text(dir, "cgroup.procs", text, sizeof(text)) && *text;
}

/*
 * A process that has ended is still counted for a moment, until the kernel has put it away. No event tells on v1 (and
 * on v2 "populated" falls before), so this waits in short, growing steps.
 */
static int remove_dir(const char *dir, teu_error **err)
{
	int64_t start = clock_monotonic_ms();

	for (long us = 100;; us = us < 20000 ? us * 2 : us) {
		struct timespec pause = { .tv_nsec = us * 1000 };
		int64_t waited = clock_monotonic_ms() - start;

		if (rmdir(dir) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return err_errno(err, errno, "remove cgroup %s", dir);
		remove_children(dir, 0);
		if (waited > REMOVE_MS || (waited > REMOVE_LIVE_MS && has_processes(dir)))
			return err_set(err, TEU_E_CONFLICT, "remove cgroup %s: processes are in it", dir);
		nanosleep(&pause, NULL);
	}
}

int cgroup_rmdir(const teu_cgroup *g, teu_error **err)
{
	int r = 0;

	for (int c = 0; r == 0 && c < CG_N; c++) {
		if (g->dirs[c])
			r = remove_dir(g->dirs[c], err);
		if (g->m->v2)
			break;
	}
	return r;
}
