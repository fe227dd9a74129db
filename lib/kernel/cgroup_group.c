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

enum { DIR_MAX = 4096, FREEZE_MS = 10000, KILL_MS = 10000, REMOVE_MS = 2000 };

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

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int find_dirs(teu_cgroup *g)
{
	static const enum cgroup_controller order[] = { CG_FREEZER, CG_PIDS, CG_MEMORY, CG_CPU };

	for (int c = 0; c < CG_N; c++) {
		const char *mount = g->m->v2 ? g->m->root : g->m->mounts[c];

		if (g->dirs[c] || !mount)
			continue;
		if (asprintf(&g->dirs[c], "%s%s", mount, g->path) < 0) {
			g->dirs[c] = NULL;
			return -ENOMEM;
		}
		if (!is_dir(g->dirs[c])) {
			free(g->dirs[c]);
			g->dirs[c] = NULL;
		}
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
	if (!g->path || find_dirs(g) < 0)
		return err_oom(err);
	if (!g->main_dir)
		return err_set(err, TEU_E_NOT_FOUND, "no cgroup %s", g->path);
	*ret = TAKE_PTR(g);
	return 0;
}
