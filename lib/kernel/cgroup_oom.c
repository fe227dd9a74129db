/*
 * cgroup_oom: being told when a group runs out of memory. Source: cgroup-v1/memory.rst, "OOM Control": an eventfd for
 * memory.oom_control; cgroup-v2.rst, "memory.events": a file whose changes inotify(7) tells.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "base/fd.h"
#include "kernel/cgroup_impl.h"

static int watch_v1(const char *dir, int *ret_fd)
{
	_cleanup_close_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), control = -EBADF;
	_cleanup_free_ char *path = NULL, *registry = NULL;
	char line[32];
	int r;

	if (event < 0)
		return -errno;
	if (asprintf(&path, "%s/memory.oom_control", dir) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (asprintf(&registry, "%s/cgroup.event_control", dir) < 0) {
		registry = NULL;
		return -ENOMEM;
	}
	control = open(path, O_RDONLY | O_CLOEXEC);
	if (control < 0)
		return -errno;
	snprintf(line, sizeof(line), "%d %d", event, control);
	r = fd_write_value(AT_FDCWD, registry, line);
	if (r == 0)
		*ret_fd = TAKE_FD(event);
	return r;
}

static int watch_v2(const char *dir, int *ret_fd)
{
	_cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	_cleanup_free_ char *path = NULL;

	if (fd < 0)
		return -errno;
	if (asprintf(&path, "%s/memory.events", dir) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (inotify_add_watch(fd, path, IN_MODIFY) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static uint64_t kills(const teu_cgroup *g)
{
	int64_t n = 0;

	cgroup_read_key(g->dirs[CG_MEMORY], "memory.events", "oom_kill", &n);
	return (uint64_t)n;
}

int cgroup_oom_watch(const teu_cgroup *g, int *ret_fd, uint64_t *ret_seen, teu_error **err)
{
	const char *dir = g->dirs[CG_MEMORY];
	int r;

	if (!dir)
		return err_set(err, TEU_E_UNSUPPORTED, "cgroup %s has no memory controller to be told by", g->path);
	*ret_seen = g->m->v2 ? kills(g) : 0;
	r = g->m->v2 ? watch_v2(dir, ret_fd) : watch_v1(dir, ret_fd);
	return r < 0 ? err_errno(err, -r, "watch the memory of cgroup %s", dir) : 0;
}

/* v1 tells at once, v2 also of what is no end of memory: the count says. */
uint64_t cgroup_oom_read(const teu_cgroup *g, int fd, uint64_t *seen)
{
	char events[4096];
	uint64_t n = 0, before = *seen;

	if (!g->m->v2)
		return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
	while (read(fd, events, sizeof(events)) > 0)
		;
	*seen = kills(g);
	return *seen > before ? *seen - before : 0;
}
