/* members: found by cgroup, or where an ordinary user's container has none, by the number that the kernel gave its pid
 * namespace. Source: proc(5), "/proc/pid/ns"; pid_namespaces(7). */
#include "runtime/members.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/cgroup.h"

static bool namespace_of(const char *pid, struct stat *ret)
{
	char path[64];

	return (size_t)snprintf(path, sizeof(path), "/proc/%s/ns/pid", pid) < sizeof(path) && stat(path, ret) == 0;
}

static bool add(pid_t pid, pid_t **list, size_t *n)
{
	pid_t *grown = reallocarray(*list, *n + 1, sizeof(*grown));

	if (!grown)
		return false;
	*list = grown;
	grown[(*n)++] = pid;
	return true;
}

static int read_namespace(const struct record *rec, pid_t **list, size_t *n, teu_error **err)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct stat own, other;
	char text[16];
	bool ok = true;

	snprintf(text, sizeof(text), "%d", (int)rec->pid);
	if (!dir || !namespace_of(text, &own))
		return err_errno(err, errno, "read the pid namespace of container %s", rec->id);
	for (struct dirent *e = readdir(dir); ok && e; e = readdir(dir))
		if (isdigit((unsigned char)*e->d_name) && namespace_of(e->d_name, &other) &&
		    other.st_ino == own.st_ino && other.st_dev == own.st_dev)
			ok = add((pid_t)strtol(e->d_name, NULL, 10), list, n);
	return ok ? 0 : err_oom(err);
}

int members_read(const struct record *rec, pid_t **ret, size_t *ret_n, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	_cleanup_free_ pid_t *list = NULL;
	size_t n = 0;
	int r;

	if (rec->cgroup) {
		r = cgroup_find(rec->cgroup, &group, err);
		return r < 0 ? r : cgroup_read_pids(group, ret, ret_n, err);
	}
	r = json_get_truth(rec->doc, "sharesPids", false) ? (add(rec->pid, &list, &n) ? 0 : err_oom(err))
							  : read_namespace(rec, &list, &n, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(list);
	*ret_n = n;
	return 0;
}
