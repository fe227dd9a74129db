/* copy: a tree into an empty one, for new volumes and for tmpfs that keep what they hide. Owners, modes, times and
 * xattrs are kept. */
#include "init/first.h"

#include <linux/time.h>

struct entry { /* getdents64(2) */
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

bool folder_is_empty(int fd)
{
	char buffer[1024];
	long n = SYS(getdents64, fd, buffer, sizeof(buffer));
	bool empty = true;

	for (long at = 0; at < n; at += ((struct entry *)(buffer + at))->len)
		empty &= is_dots(((struct entry *)(buffer + at))->name);
	SYS(lseek, fd, 0, 0);
	return n >= 0 && empty;
}

static long copy_bytes(int from, int to)
{
	long n;

	do
		n = SYS(copy_file_range, from, 0, to, 0, 1 << 30, 0);
	while (n > 0);
	if (n == 0)
		return 0;
	/* Between filesystems that can't do that: through the page cache. */
	do
		n = SYS(sendfile, to, from, 0, 1 << 30);
	while (n > 0);
	return n;
}

static void copy_xattrs(int from, int to)
{
	char names[4096], value[4096];
	long n = SYS(flistxattr, from, names, sizeof(names)), len;

	for (long at = 0; at < n; at += (long)str_len(names + at) + 1) {
		if (str_starts(names + at, "trusted.overlay."))
			continue;
		len = SYS(fgetxattr, from, names + at, value, sizeof(value));
		if (len >= 0)
			SYS(fsetxattr, to, names + at, value, len, 0);
	}
}

/* Owner before mode: a change of owner takes the setuid bit away. Times last. */
static long copy_status(int from, int to, const struct statx *st)
{
	struct __kernel_timespec times[2] = {
		{ st->stx_atime.tv_sec, st->stx_atime.tv_nsec },
		{ st->stx_mtime.tv_sec, st->stx_mtime.tv_nsec },
	};

	TRY(SYS(fchown, to, st->stx_uid, st->stx_gid));
	TRY(SYS(fchmod, to, st->stx_mode & 07777));
	copy_xattrs(from, to);
	return SYS(utimensat, to, 0, times, 0);
}

static long copy_file(int from_dir, int to_dir, const char *name, const struct statx *st)
{
	int from = sys_open(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0), to;
	long r;

	TRY(from);
	to = sys_open(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	r = to < 0 ? to : copy_bytes(from, to);
	if (r == 0)
		r = copy_status(from, to, st);
	SYS(close, from);
	if (to >= 0)
		SYS(close, to);
	return r;
}

static long copy_folder(int from_dir, int to_dir, const char *name)
{
	int from = sys_open(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0), to = -1;
	long r;

	TRY(from);
	r = SYS(mkdirat, to_dir, name, 0700);
	if (r == 0)
		r = to = sys_open(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (to >= 0)
		r = copy_tree(from, to);
	SYS(close, from);
	if (to >= 0)
		SYS(close, to);
	return r;
}

static long copy_link(int from_dir, int to_dir, const char *name, const struct statx *st)
{
	char target[SYS_PATH_MAX];
	long n = SYS(readlinkat, from_dir, name, target, sizeof(target) - 1);

	TRY(n);
	target[n] = '\0';
	TRY(SYS(symlinkat, target, to_dir, name));
	return SYS(fchownat, to_dir, name, st->stx_uid, st->stx_gid, AT_SYMLINK_NOFOLLOW);
}

/* The kernel's packing, as mknod(2) takes it. */
static uint64_t device_number(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | (major << 8) | ((uint64_t)(minor & ~0xffu) << 12);
}

static long copy_entry(int from_dir, int to_dir, const char *name)
{
	struct statx st;
	uint32_t type;

	TRY(SYS(statx, from_dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st));
	if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) /* what is mounted in it is not of the tree: procfs, say */
		return 0;
	type = st.stx_mode & S_IFMT;
	if (type == S_IFDIR)
		return copy_folder(from_dir, to_dir, name);
	if (type == S_IFREG)
		return copy_file(from_dir, to_dir, name, &st);
	if (type == S_IFLNK)
		return copy_link(from_dir, to_dir, name, &st);
	if (type == S_IFSOCK)
		return 0;
	TRY(SYS(mknodat, to_dir, name, st.stx_mode, device_number(st.stx_rdev_major, st.stx_rdev_minor)));
	return SYS(fchownat, to_dir, name, st.stx_uid, st.stx_gid, AT_SYMLINK_NOFOLLOW);
}

long copy_tree(int from, int to)
{
	char buffer[2048];
	struct statx st;
	long n;

	while ((n = SYS(getdents64, from, buffer, sizeof(buffer))) > 0)
		for (long at = 0; at < n; at += ((struct entry *)(buffer + at))->len) {
			struct entry *e = (struct entry *)(buffer + at);

			if (!is_dots(e->name))
				TRY(copy_entry(from, to, e->name));
		}
	TRY(n);
	TRY(SYS(statx, from, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st));
	return copy_status(from, to, &st);
}
