/*
 * cgroup_own: the group that this process is in, and which it may join or make: for who does not own the machine's.
 * Source: cgroups(7), "/proc/pid/cgroup"; cgroup-v2.rst, "Delegation Containment".
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "kernel/cgroup_impl.h"

enum { MAX_FILE = 1 << 20, DIR_MAX = 4096 };

bool cgroup_may_write(const char *dir)
{
	char at[DIR_MAX], *slash;

	if ((size_t)snprintf(at, sizeof(at), "%s", dir) >= sizeof(at))
		return false;
	while (access(at, F_OK) < 0 && errno == ENOENT && (slash = strrchr(at, '/')) && slash > at)
		*slash = '\0';
	return access(at, W_OK) == 0;
}

/* Is @c one of the list between the first two colons of "4:cpu,cpuacct:/path"? */
static bool is_line_of(const char *line, const char *name)
{
	const char *list = strchr(line, ':');
	size_t len = strlen(name);

	while (list && *list && (list == strchr(line, ':') || *list == ',')) {
		list++;
		if (strcspn(list, ",:") == len && strncmp(list, name, len) == 0)
			return true;
		list += strcspn(list, ",:");
	}
	return false;
}

/* The path that a line of /proc/self/cgroup tells of controller @name, "" for v2; NULL: none. For free(). */
static char *own_path(const char *text, const char *name)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *path = strchr(line, '/');

		if (path && is_line_of(line, name))
			return strndup(path, strcspn(path, "\n"));
	}
	return NULL;
}

static char *read_file(const char *file)
{
	char *text = NULL;

	return fd_read_file(AT_FDCWD, file, MAX_FILE, &text, NULL, NULL) < 0 ? NULL : text;
}

static char *read_own(void)
{
	return read_file("/proc/self/cgroup");
}

char *cgroup_dir_of(pid_t pid)
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	const struct cgroup_machine *m;
	char file[32], *dir;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	text = read_file(file);
	if (!text || cgroup_machine_get(&m, NULL) < 0 || !m->v2)
		return NULL;
	path = own_path(text, "");
	return !path || asprintf(&dir, "%s%s", m->root, path) < 0 ? NULL : dir;
}

char *cgroup_own_path(void)
{
	static const enum cgroup_controller order[] = { CG_FREEZER, CG_PIDS, CG_MEMORY, CG_CPU, CG_DEVICES };
	_cleanup_free_ char *text = read_own();
	const struct cgroup_machine *m;
	char *path = NULL;

	if (!text || cgroup_machine_get(&m, NULL) < 0)
		return NULL;
	if (m->v2)
		return own_path(text, "");
	for (size_t i = 0; !path && i < ARRAY_SIZE(order); i++)
		path = m->mounts[order[i]] ? own_path(text, cgroup_controller_name(order[i], false)) : NULL;
	return path;
}

int cgroup_own_dirs(struct cgroup_plan *ret, teu_error **err)
{
	_cleanup_free_ char *text = read_own();
	const struct cgroup_machine *m;
	int r = cgroup_machine_get(&m, err);

	*ret = (struct cgroup_plan){ 0 };
	if (r < 0)
		return r;
	ret->v2 = m->v2;
	for (int c = 0; text && c < (m->v2 ? 1 : CG_N); c++) {
		const char *mount = m->v2 ? m->root : m->mounts[c];
		_cleanup_free_ char *path =
			mount ? own_path(text, m->v2 ? "" : cgroup_controller_name((enum cgroup_controller)c, false))
			      : NULL;
		char dir[DIR_MAX];

		if (path && (size_t)snprintf(dir, sizeof(dir), "%s%s", mount, path) < sizeof(dir) &&
		    access(dir, F_OK) == 0 && !strv_has(&ret->dirs, dir))
			strv_add(&ret->dirs, dir);
	}
	return ret->dirs.oom ? err_oom(err) : 0;
}

static size_t common_length(const char *a, const char *b)
{
	size_t n = 0, cut = 0;

	for (; a[n] && a[n] == b[n]; n++)
		if (a[n] == '/')
			cut = n;
	return (!a[n] || a[n] == '/') && (!b[n] || b[n] == '/') ? n : cut;
}

/* Who moves a process needs the right to do so in the nearest group that is above both its old and its new one. */
static bool may_move(const struct cgroup_machine *m, const char *path)
{
	_cleanup_free_ char *text = read_own(), *own = text ? own_path(text, "") : NULL;
	char file[DIR_MAX];

	return own &&
	       (size_t)snprintf(file, sizeof(file), "%s%.*s/cgroup.procs", m->root, (int)common_length(own, path),
				path) < sizeof(file) &&
	       access(file, W_OK) == 0;
}

bool cgroup_may_join(const char *path)
{
	const struct cgroup_machine *m;
	char dir[DIR_MAX];

	if (cgroup_machine_get(&m, NULL) < 0)
		return false;
	for (int c = 0; c < (m->v2 ? 1 : CG_N); c++) {
		const char *mount = m->v2 ? m->root : m->mounts[c];

		if (mount && (size_t)snprintf(dir, sizeof(dir), "%s%s", mount, path) < sizeof(dir) &&
		    cgroup_may_write(dir))
			return !m->v2 || may_move(m, path);
	}
	return false;
}
