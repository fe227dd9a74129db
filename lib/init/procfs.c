/*
 * procfs: the container's /proc, proved to be one before anything is written to it: an image, a volume or, at an exec,
 * the container itself may have put something else there (CVE-2019-16884, CVE-2025-52881). Source: proc(5), openat2(2).
 */
#include "init/first.h"

#include <asm/statfs.h>
#include <linux/magic.h>

enum { ROOT_INO = 1 }; /* linux/proc_fs.h, PROC_ROOT_INO */

bool procfs_holds(int fd)
{
	struct statfs st;

	return SYS(fstatfs, fd, &st) == 0 && st.f_type == PROC_SUPER_MAGIC;
}

bool procfs_is_root(int fd)
{
	struct statx st;

	return procfs_holds(fd) && SYS(statx, fd, "", AT_EMPTY_PATH, STATX_INO, &st) == 0 && st.stx_ino == ROOT_INO;
}

int procfs_open(int root)
{
	int fd = sys_open_in(root, "/proc", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);

	if (fd < 0 || procfs_is_root(fd))
		return fd;
	SYS(close, fd);
	return -ENODEV;
}

int procfs_of(int pid)
{
	char path[32] = "/proc/";
	int fd;

	str_add_number(path, sizeof(path), pid);
	fd = sys_open(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	if (fd < 0 || procfs_holds(fd))
		return fd;
	SYS(close, fd);
	return -ENODEV;
}

/* Nothing mounted in it may be in the way either. */
static long put(int proc, const char *path, const char *value)
{
	int fd = sys_open_in(proc, path, O_WRONLY, 0, RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	long r;

	TRY(fd);
	r = SYS(write, fd, value, str_len(value));
	SYS(close, fd);
	return r < 0 ? r : 0;
}

long procfs_put(int root, const char *path, const char *value)
{
	int proc = procfs_open(root);
	long r;

	TRY(proc);
	r = put(proc, path, value);
	SYS(close, proc);
	return r;
}

/* It may be the procfs of another pid namespace, where our number is somebody else's: its link knows ours there, if
 * none of the container's is mounted over it. */
static long put_own(int proc, const char *file, const char *value)
{
	int self = sys_open_in(proc, "self", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_XDEV);
	char path[64];
	long n;

	TRY(self);
	n = SYS(readlinkat, self, "", path, 16);
	SYS(close, self);
	TRY(n);
	path[n] = '\0';
	if (!str_add(path, sizeof(path), "/") || !str_add(path, sizeof(path), file))
		return -ENAMETOOLONG;
	return put(proc, path, value);
}

long procfs_put_own(int root, const char *file, const char *value)
{
	int proc = procfs_open(root);
	long r;

	TRY(proc);
	r = put_own(proc, file, value);
	SYS(close, proc);
	return r;
}
