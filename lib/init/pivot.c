/*
 * pivot: the rootfs becomes the container's "/", and nothing of the host's tree stays in reach. Source: pivot_root(2),
 * mount_namespaces(7), umount2(2).
 */
#include "init/first.h"

#include <linux/prctl.h>

#include <asm/statfs.h>
#include <linux/magic.h>

enum { MOUNTS_MAX = 4 << 20, DETACH = 2, NOFOLLOW = 8 /* umount2(2) */ };

/*
 * mount_namespaces(7): whoever joins a mount namespace gets its root, not that of a chroot in it. So in a chroot we
 * leave that first: else an exec would end up in the host's root. Its mounts are not ours to take off, only our copies.
 */
static long leave_chroot(int rootfs)
{
	int ns = sys_open(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY, 0);
	int here = sys_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	struct statx before, after, top;
	long r;

	TRY(ns);
	TRY(here);
	r = SYS(statx, AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &before);
	if (r == 0)
		r = SYS(setns, ns, CLONE_NEWNS);
	SYS(close, ns);
	if (r == 0)
		r = SYS(statx, AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &after);
	if (r == 0)
		r = SYS(statx, rootfs, "", AT_EMPTY_PATH, STATX_MNT_ID, &top);
	TRY(r);
	/* The rootfs is "/" itself, bound on top of it: it can't be pivoted to from there. */
	if (top.stx_mnt_id == after.stx_mnt_id) {
		TRY(SYS(fchdir, here));
		return SYS(chroot, ".");
	}
	SYS(close, here);
	if (before.stx_mnt_id == after.stx_mnt_id && before.stx_ino == after.stx_ino)
		return 0;
	/* What lies outside of the chroot was not made a slave yet. */
	return SYS(mount, 0, "/", 0, MS_REC | MS_SLAVE, 0);
}

/* One line of /proc/self/mountinfo. Source: proc(5). */
struct mounted {
	uint64_t parent;
	char *path;
	bool view; /* of the kernel itself: procfs or sysfs */
};

/* proc(5): "\\040" is a blank; what is decoded is never longer. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* The next word of @*at, which is cut there. */
static char *word(char **at)
{
	char *begin = *at;

	while (**at && **at != ' ')
		(*at)++;
	if (**at)
		*(*at)++ = '\0';
	return begin;
}

/* "36 35 98:0 /root /path options [tag…] - type source options" */
static void read_line(char *line, struct mounted *ret)
{
	const char *type;

	word(&line);
	ret->parent = str_number(word(&line), NULL);
	word(&line);
	word(&line);
	ret->path = word(&line);
	unescape(ret->path);
	while (*line && !str_eq(word(&line), "-"))
		;
	type = word(&line);
	ret->view = str_eq(type, "proc") || str_eq(type, "sysfs");
}

static char *next_line(char **at)
{
	char *begin = *at;

	while (**at && **at != '\n')
		(*at)++;
	if (**at)
		*(*at)++ = '\0';
	return *begin ? begin : NULL;
}

static bool is_view(const char *path)
{
	struct statfs st;

	return SYS(statfs, path, &st) == 0 && (st.f_type == PROC_SUPER_MAGIC || st.f_type == SYSFS_MAGIC);
}

/* What is shared with the host must not go there too. In a user namespace the host's mounts are locked to each other:
 * then procfs and sysfs are covered. */
static long take_off(const char *path)
{
	SYS(mount, 0, path, 0, MS_REC | MS_SLAVE, 0);
	while (SYS(umount2, path, DETACH | NOFOLLOW) == 0)
		;
	if (!is_view(path))
		return 0;
	return SYS(mount, "tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0k");
}

static long take_off_all(char *mounts, uint64_t root)
{
	struct mounted m;

	for (char *line; (line = next_line(&mounts));) {
		read_line(line, &m);
		if (!str_eq(m.path, "/") && (m.parent == root || m.view))
			TRY(take_off(m.path));
	}
	return 0;
}

/*
 * For a root that can't be pivoted from, the initramfs: it is hidden, and what is mounted on it is taken off. The
 * kernel gives a user namespace made in the container a procfs without our masks as long as there is one anywhere in
 * the mount namespace, be it out of reach (mount_namespaces(7), "Restrictions on mount namespaces").
 */
static long move_root(void)
{
	char *mounts = sys_alloc(MOUNTS_MAX);
	struct statx st;
	long n;

	if (!mounts)
		return -ENOMEM;
	TRY(SYS(statx, AT_FDCWD, "/", 0, STATX_MNT_ID, &st));
	n = sys_get(AT_FDCWD, "/proc/self/mountinfo", mounts, MOUNTS_MAX);
	TRY(n);
	if (n == MOUNTS_MAX - 1)
		return -E2BIG;
	TRY(SYS(mount, ".", "/", 0, MS_MOVE, 0));
	TRY(take_off_all(mounts, st.stx_mnt_id));
	return SYS(chroot, ".");
}

/* pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one and is taken off. */
static long swap_root(bool shared)
{
	int old = shared ? sys_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0) : -1;

	TRY(SYS(pivot_root, ".", "."));
	/* What is shared with the host would be taken off there too. */
	if (shared) {
		TRY(SYS(fchdir, old));
		TRY(SYS(mount, 0, ".", 0, MS_REC | MS_SLAVE, 0));
		SYS(close, old);
	}
	return SYS(umount2, ".", DETACH);
}

/* @how: n1 of OP_PIVOT. */
static long change_root(uint64_t how, bool shared)
{
	switch (how) {
	case 2: /* The mounts are the caller's, too: nothing of its is taken off. */
		return SYS(chroot, ".");
	case 1:
		return move_root();
	default:
		return swap_root(shared);
	}
}

long step_pivot(struct first *f, const struct plan_step *s)
{
	if (s->n1 != 2)
		TRY(leave_chroot(f->root));
	TRY(SYS(fchdir, f->root));
	TRY(change_root(s->n1, s->n2));
	TRY(SYS(chdir, "/"));
	SYS(close, f->root);
	f->root = sys_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	TRY(f->root);
	return f->hidden ? SYS(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0) : 0;
}

long step_root_propagation(struct first *f, const struct plan_step *s)
{
	(void)f;
	return SYS(mount, 0, "/", 0, s->n1, 0);
}
