/*
 * source: what a bind mounts, fetched by the monitor for the first process, where that lacks the rights: a source that
 * is seen through an id map (mount_setattr(2), MOUNT_ATTR_IDMAP), or that only stands in the container's mount
 * namespace once others have been mounted. Source: runtime-spec config.md "Mounts", uidMappings.
 */
#include "init/first.h"
#include "init/monitor.h"

#include <linux/signal.h>
#include <linux/wait.h>

/* A child of ours, whose number is its own until it is waited for. */
static long put_of(int child, const char *file, const char *text)
{
	int dir = procfs_of(child);
	long r;

	TRY(dir);
	r = sys_put(dir, file, text);
	SYS(close, dir);
	return r;
}

static int user_namespace_of(int child)
{
	int dir = procfs_of(child), fd;

	if (dir < 0)
		return dir;
	fd = sys_open(dir, "ns/user", O_RDONLY, 0);
	SYS(close, dir);
	return fd;
}

/* A user namespace that nobody lives in, for its maps. */
static int make_map(const char *uids, const char *gids)
{
	long holder = SYS(clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), r;
	int fd = -1;

	TRY(holder);
	if (holder == 0)
		for (;;)
			SYS(ppoll, 0, 0, 0, 0, 0);
	r = put_of((int)holder, "uid_map", uids);
	if (r >= 0)
		r = put_of((int)holder, "gid_map", gids);
	if (r >= 0)
		fd = user_namespace_of((int)holder);
	SYS(kill, holder, SIGKILL);
	while (SYS(wait4, holder, 0, __WALL, 0) == -EINTR)
		;
	return r < 0 ? (int)r : fd;
}

/* An ordinary user's monitor has the right to that only in the user namespace that it belongs to. */
static long enter_mounts(int pid, int ns)
{
	long r = SYS(setns, ns, CLONE_NEWNS);
	int user;

	if (r != -EPERM)
		return r;
	user = first_open(pid, "ns/user", O_RDONLY);
	TRY(user);
	TRY(SYS(setns, user, CLONE_NEWUSER));
	return SYS(setns, ns, CLONE_NEWNS);
}

static long fetch(const struct plan_header *plan, const struct plan_step *s, int pid, int sync)
{
	bool tree_too = s->n2 & PLAN_MOUNT_RECURSIVE;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int ns = first_open(pid, "ns/mnt", O_RDONLY), map = -1;
	long tree;

	TRY(ns);
	if (s->n2 & PLAN_MOUNT_IDMAP) {
		map = s->t2 ? make_map(plan_text(plan, s->t2), plan_text(plan, s->t3))
			    : first_open(pid, "ns/user", O_RDONLY);
		TRY(map);
		attr.userns_fd = (uint64_t)map;
	}
	TRY(enter_mounts(pid, ns));
	tree = SYS(open_tree, AT_FDCWD, plan_text(plan, s->t1),
		   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (tree_too ? AT_RECURSIVE : 0));
	TRY(tree);
	if (map >= 0)
		TRY(SYS(mount_setattr, tree, "", AT_EMPTY_PATH | (s->n2 & PLAN_MOUNT_IDMAP_TREE ? AT_RECURSIVE : 0),
			&attr, sizeof(attr)));
	return pass_send(sync, "", 1, (int)tree);
}

/* In a process of its own, as the mount namespace is entered. */
long source_give(const struct plan_header *plan, const struct plan_step *s, int pid, int sync)
{
	long child = SYS(clone, SIGCHLD, 0, 0, 0, 0), r;
	int status = 0;

	TRY(child);
	if (child == 0) {
		r = fetch(plan, s, pid, sync);
		SYS(exit_group, r < 0 ? -r : 0);
	}
	while (SYS(wait4, child, &status, __WALL, 0) == -EINTR)
		;
	return status & 0x7f ? -EIO : -((status >> 8) & 0xff);
}

long step_fetch_source(struct first *f, const struct plan_step *s)
{
	const struct plan_step *steps = (const struct plan_step *)((const char *)f->plan + f->plan->first.at);
	struct first_message m = { .kind = FIRST_SOURCE, .step = (uint32_t)(s - steps) };
	char byte;

	TRY(pass_send(f->sync, &m, sizeof(m), -1));
	TRY(pass_receive(f->sync, &byte, 1, &f->sources[s->n1]));
	return f->sources[s->n1] < 0 ? -EPIPE : 0;
}
