/*
 * pivot: the rootfs becomes the container's "/", and nothing of the host's tree stays in reach. Source: pivot_root(2),
 * mount_namespaces(7), umount2(2).
 */
#include "init/first.h"

/*
 * mount_namespaces(7): whoever joins a mount namespace gets its root, not that of a chroot in it. So in a chroot we
 * leave that first: else an exec would end up in the host's root. Its mounts are not ours to take off, only our copies.
 */
static long leave_chroot(void)
{
	int ns = sys_open(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY, 0);
	struct statx before, after;
	long r;

	TRY(ns);
	r = SYS(statx, AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &before);
	if (r == 0)
		r = SYS(setns, ns, CLONE_NEWNS);
	SYS(close, ns);
	if (r == 0)
		r = SYS(statx, AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &after);
	TRY(r);
	if (before.stx_mnt_id == after.stx_mnt_id && before.stx_ino == after.stx_ino)
		return 0;
	/* What lies outside of the chroot was not made a slave yet. */
	return SYS(mount, 0, "/", 0, MS_REC | MS_SLAVE, 0);
}

/* For a root that can't be pivoted from, the initramfs: what is mounted there is hidden, not taken off. */
static long move_root(void)
{
	TRY(SYS(mount, ".", "/", 0, MS_MOVE, 0));
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
	return SYS(umount2, ".", 2 /* MNT_DETACH */);
}

long step_pivot(struct first *f, const struct plan_step *s)
{
	TRY(leave_chroot());
	TRY(SYS(fchdir, f->root));
	TRY(s->n1 ? move_root() : swap_root(s->n2));
	TRY(SYS(chdir, "/"));
	SYS(close, f->root);
	f->root = sys_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	return f->root < 0 ? f->root : 0;
}

long step_root_propagation(struct first *f, const struct plan_step *s)
{
	(void)f;
	return SYS(mount, 0, "/", 0, s->n1, 0);
}
