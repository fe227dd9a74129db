/*
 * mapped: the overlay of a container in a user namespace. The layers on disk belong to the host's ids and are shared by
 * all containers; they are mounted with the container's ids mapped onto them (mount_setattr(2), MOUNT_ATTR_IDMAP), so
 * nothing is ever chowned. That takes the host's rights, so the monitor does it and hands the detached mount over.
 */
#include "init/first.h"
#include "init/monitor.h"

#include <linux/signal.h>
#include <linux/wait.h>

enum { VALUE_MAX = 256 }; /* what fsconfig(2) takes */

/*
 * A private copy of the mount at @path, ids mapped, put over it: overlayfs takes layers of its mounter's own mount
 * namespace only (a detached tree counts since Linux 6.15), which is why that is a namespace of its own.
 */
static long map_tree(const char *path, int userns)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
	long tree = SYS(open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), r;

	TRY(tree);
	r = SYS(mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr));
	if (r == 0)
		r = SYS(move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
	if (r == 0)
		return tree;
	SYS(close, tree);
	return r;
}

/* Named by descriptor, relative to /proc/self/fd: see rootfs.c. */
static long set_fd(int fs, const char *key, int fd)
{
	char text[16] = "";

	str_add_number(text, sizeof(text), fd);
	return SYS(fsconfig, fs, FSCONFIG_SET_STRING, key, text, 0);
}

/* All in one value where it fits (every kernel), else one by one (since 6.5). */
static long set_lowers(int fs, const char *lower, int userns)
{
	char list[VALUE_MAX] = "";
	bool fits = true, more = false;
	int fds[512];
	int n = 0;

	for (; *lower; lower = list_next(lower), more = true) {
		long tree = n < 512 ? map_tree(lower, userns) : -E2BIG;

		TRY(tree);
		fds[n++] = (int)tree;
		fits = fits && (!more || str_add(list, sizeof(list), ":")) && str_add_number(list, sizeof(list), tree);
	}
	if (fits)
		return SYS(fsconfig, fs, FSCONFIG_SET_STRING, "lowerdir", list, 0);
	for (int i = 0; i < n; i++)
		TRY(set_fd(fs, "lowerdir+", fds[i]));
	return 0;
}

/* upper and work lie in one folder, and must be reached through one mount. */
static long set_writable(int fs, const char *upper, const char *work, int userns)
{
	char folder[SYS_PATH_MAX] = "";
	size_t cut = str_len(upper);
	long tree;
	int fd;

	while (cut && upper[cut - 1] != '/')
		cut--;
	if (!cut || cut >= sizeof(folder) || str_len(work) <= cut)
		return -EINVAL;
	memcpy(folder, upper, cut);
	folder[cut] = '\0';
	tree = map_tree(folder, userns);
	TRY(tree);
	fd = sys_open((int)tree, upper + cut, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	TRY(fd);
	TRY(set_fd(fs, "upperdir", fd));
	fd = sys_open((int)tree, work + cut, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	TRY(fd);
	return set_fd(fs, "workdir", fd);
}

/*
 * The overlay works with the rights of who mounts it, through folders that know the container's ids only: it has to be
 * the container's root to them, with the capabilities that a change of the file-system ids takes away put back.
 */
static long become_owner(uint64_t uid, uint64_t gid)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	SYS(setfsgid, gid);
	SYS(setfsuid, uid);
	TRY(SYS(capget, &header, data));
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	return SYS(capset, &header, data);
}

static long configure(const struct plan_header *plan, const struct plan_step *s, int fs, int userns)
{
	TRY(set_lowers(fs, plan_text(plan, s->t1), userns));
	TRY(set_writable(fs, plan_text(plan, s->t2), plan_text(plan, s->t3), userns));
	if (s->n1)
		TRY(SYS(fsconfig, fs, FSCONFIG_SET_FLAG, "volatile", 0, 0));
	TRY(become_owner(s->n2, s->n3));
	TRY(SYS(fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0));
	return SYS(fsmount, fs, FSMOUNT_CLOEXEC, 0);
}

static long mount_and_send(const struct plan_header *plan, const struct plan_step *s, int pid, int sync)
{
	int userns = first_open(pid, "ns/user", O_RDONLY), fs;
	long tree;

	TRY(userns);
	TRY(SYS(unshare, CLONE_NEWNS));
	TRY(SYS(mount, 0, "/", 0, MS_REC | MS_PRIVATE, 0));
	fs = (int)SYS(fsopen, "overlay", FSOPEN_CLOEXEC);
	TRY(fs);
	TRY(SYS(chdir, "/proc/self/fd"));
	tree = configure(plan, s, fs, userns);
	TRY(tree);
	return pass_send(sync, "", 1, (int)tree);
}

/* In a process of its own, which takes its many descriptors with it. */
long overlay_mapped(const struct plan_header *plan, const struct plan_step *s, int pid, int sync)
{
	long child = SYS(clone, SIGCHLD, 0, 0, 0, 0), r;
	int status = 0;

	TRY(child);
	if (child == 0) {
		r = mount_and_send(plan, s, pid, sync);
		SYS(exit_group, r < 0 ? -r : 0);
	}
	while (SYS(wait4, child, &status, __WALL, 0) == -EINTR)
		;
	return status & 0x7f ? -EIO : -((status >> 8) & 0xff);
}
