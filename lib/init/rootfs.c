/*
 * rootfs: the steps that build the container's tree. Everything in it is reached through its descriptor with openat2
 * (RESOLVE_IN_ROOT), and mounted by descriptor, so that no link in an image or a shared volume can lead a mount
 * elsewhere. Source: runtime-spec config.md "Mounts", config-linux.md "Default Devices", "Masked Paths", "Readonly
 * Paths".
 */
#include "init/first.h"

#include <linux/major.h>

static long move_to(int tree, int target)
{
	return SYS(move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static long set_attributes(int tree, uint64_t set, uint64_t propagation, bool recursive)
{
	struct mount_attr attr = { .attr_set = set, .propagation = propagation };

	if (set & MOUNT_ATTR__ATIME)
		attr.attr_clr = MOUNT_ATTR__ATIME;
	return SYS(mount_setattr, tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr));
}

/* Everything that a mount can forbid; that one user namespace can lock it for another; and about times. */
enum {
	ATTR_LOCKED = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	ATTR_ALL = ATTR_LOCKED | MOUNT_ATTR_NOSYMFOLLOW,
	ATTR_TIMES = MOUNT_ATTR_NODIRATIME | MOUNT_ATTR__ATIME
};

static long change_attributes(int tree, uint64_t set, uint64_t clear, bool recursive)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	if (set & MOUNT_ATTR__ATIME)
		attr.attr_clr |= MOUNT_ATTR__ATIME;
	return SYS(mount_setattr, tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr));
}

/*
 * @change: what is set, and in the upper half what is cleared. As runc has it, a bind with any such option has these
 * alone, and not what the source's mount forbids besides; what another user namespace has locked stays, unless an
 * option asks for it to go. Times are kept as they were unless an option chooses how.
 */
static long set_own_attributes(int tree, uint64_t change)
{
	uint64_t set = (uint32_t)change, clear = change >> 32;
	long r;

	if (!change)
		return 0;
	if ((clear & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME || set & MOUNT_ATTR_NODIRATIME)
		clear |= ATTR_TIMES & ~set;
	else
		clear &= ~(uint64_t)ATTR_TIMES;
	r = change_attributes(tree, set, (ATTR_ALL & ~set) | clear, false);
	return r == -EPERM ? change_attributes(tree, set, (MOUNT_ATTR_NOSYMFOLLOW & ~set) | clear, false) : r;
}

static long set_propagation(int tree, uint64_t propagation)
{
	for (int half = 32; half >= 0; half -= 32) {
		uint32_t one = (uint32_t)(propagation >> half);

		if (one)
			TRY(set_attributes(tree, 0, one & ~(uint32_t)MS_REC, one & MS_REC));
	}
	return 0;
}

static bool is_folder(int fd)
{
	struct statx st;

	return SYS(statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) == 0 && (st.stx_mode & S_IFMT) == S_IFDIR;
}

int rootfs_parent(int root, const char *path, const char **ret_name)
{
	char parent[SYS_PATH_MAX] = "";
	size_t cut = str_len(path);

	while (cut && path[cut - 1] != '/')
		cut--;
	*ret_name = path + cut;
	if (cut >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, cut);
	parent[cut] = '\0';
	if (cut == 0 || str_eq(parent, "/"))
		return sys_open_in(root, "/", O_PATH | O_DIRECTORY, 0, 0);
	parent[cut - 1] = '\0';
	return rootfs_target(root, parent, 0, 0);
}

enum { MAX_LINKS = 40 };

static int target(int root, const char *path, int file_mode, uint64_t resolve, int links);

/* @name in @path's folder is a link to what is not there yet: that is made instead. */
static int link_target(int root, const char *path, int parent, const char *name, int file_mode, int links)
{
	char to[SYS_PATH_MAX], whole[SYS_PATH_MAX] = "";
	long n = SYS(readlinkat, parent, name, to, sizeof(to) - 1);
	size_t cut = (size_t)(name - path);

	if (n <= 0 || links == MAX_LINKS)
		return n == -EINVAL ? -ENOENT : -ELOOP;
	to[n] = '\0';
	if (to[0] != '/') {
		memcpy(whole, path, cut);
		whole[cut] = '\0';
	}
	if (!str_add(whole, sizeof(whole), to))
		return -ENAMETOOLONG;
	return target(root, whole, file_mode, 0, links + 1);
}

static int target(int root, const char *path, int file_mode, uint64_t resolve, int links)
{
	const char *name;
	long r;
	int fd = sys_open_in(root, path, O_PATH, 0, resolve), parent;

	if (fd != -ENOENT)
		return fd;
	parent = rootfs_parent(root, path, &name);
	if (parent < 0)
		return parent;
	if (file_mode) {
		r = SYS(openat, parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file_mode);
		if (r >= 0)
			SYS(close, r);
	} else {
		r = SYS(mkdirat, parent, name, 0755);
	}
	fd = r == -EEXIST && !resolve ? link_target(root, path, parent, name, file_mode, links) : -ENOENT;
	SYS(close, parent);
	if (fd != -ENOENT || (r < 0 && r != -EEXIST))
		return fd != -ENOENT ? fd : (int)r;
	return sys_open_in(root, path, O_PATH, 0, resolve);
}

int rootfs_target(int root, const char *path, int file_mode, uint64_t resolve)
{
	return target(root, path, file_mode, resolve, 0);
}

/* The nearest folder above that is a mount. */
static long make_private(const char *path)
{
	char at[SYS_PATH_MAX] = "";
	long r;

	if (!str_add(at, sizeof(at), path))
		return -ENAMETOOLONG;
	for (size_t n = str_len(at);; n--) {
		r = SYS(mount, 0, n ? at : "/", 0, MS_PRIVATE, 0);
		if (r != -EINVAL || !n)
			return r;
		while (n && at[n - 1] != '/')
			n--;
		if (n)
			at[n - 1] = '\0';
		else
			n = 1;
	}
}

long step_propagation(struct first *f, const struct plan_step *s)
{
	TRY(SYS(mount, 0, plan_text(f->plan, s->t1), 0, s->n1, 0));
	return s->t2 ? make_private(plan_text(f->plan, s->t2)) : 0;
}

/*
 * The lower folders are opened and then named by their descriptors, relative to /proc/self/fd: mount(2) takes one page
 * of options, and 128 layers would not fit by their paths.
 */
static long overlay_options(struct first *f, const struct plan_step *s, char *options, size_t cap)
{
	const char *lower = plan_text(f->plan, s->t1);
	const char *const dirs[] = { plan_text(f->plan, s->t2), plan_text(f->plan, s->t3) };
	static const char *const keys[] = { ",upperdir=", ",workdir=" };
	bool fits = str_add(options, cap, "lowerdir=");

	for (bool more = false; *lower; lower = list_next(lower), more = true) {
		int fd = sys_open(AT_FDCWD, lower, O_PATH | O_DIRECTORY, 0);

		TRY(fd);
		if (more)
			fits &= str_add(options, cap, ":");
		fits &= str_add_number(options, cap, fd);
	}
	for (int i = 0; i < 2; i++) {
		int fd = sys_open(AT_FDCWD, dirs[i], O_PATH | O_DIRECTORY, 0);

		TRY(fd);
		fits &= str_add(options, cap, keys[i]) && str_add_number(options, cap, fd);
	}
	if (s->n1)
		fits &= str_add(options, cap, ",volatile");
	return fits ? 0 : -E2BIG;
}

long step_overlay(struct first *f, const struct plan_step *s)
{
	const char *target = plan_text(f->plan, s->t4);
	char options[SYS_PATH_MAX] = "";

	TRY(overlay_options(f, s, options, sizeof(options)));
	TRY(SYS(chdir, "/proc/self/fd"));
	TRY(SYS(mount, "overlay", target, "overlay", 0, options));
	TRY(SYS(chdir, "/"));
	/* The layers' descriptors have served; nothing else was opened since but sync, go and stdio, which are lower.
	 */
	f->root = sys_open(AT_FDCWD, target, O_PATH | O_DIRECTORY, 0);
	return f->root < 0 ? f->root : 0;
}

/* In a user namespace the overlay is mounted by the monitor, which has the rights over the layers' filesystem
 * (mapped.c). */
long step_receive_rootfs(struct first *f, const struct plan_step *s)
{
	char byte;
	int tree = -1, target = sys_open(AT_FDCWD, plan_text(f->plan, s->t4), O_PATH | O_DIRECTORY, 0);
	long r = pass_receive(f->sync, &byte, 1, &tree);

	TRY(target);
	TRY(r);
	if (tree < 0)
		return -EPIPE;
	TRY(move_to(tree, target));
	SYS(close, target);
	SYS(close, tree);
	f->root = sys_open(AT_FDCWD, plan_text(f->plan, s->t4), O_PATH | O_DIRECTORY, 0);
	return f->root < 0 ? f->root : 0;
}

/* A plain folder as rootfs: pivot_root wants a mount, so it is bound to itself. */
long step_rootfs(struct first *f, const struct plan_step *s)
{
	const char *path = plan_text(f->plan, s->t1);
	long tree = SYS(open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	TRY(tree);
	TRY(SYS(move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH));
	/* Not by its path: "/" stays what it is to who has it as root already. */
	f->root = (int)tree;
	return 0;
}

static long configure(int fs, const char *option)
{
	char key[256] = "";
	size_t n = 0;

	while (option[n] && option[n] != '=')
		n++;
	if (!option[n])
		return SYS(fsconfig, fs, FSCONFIG_SET_FLAG, option, 0, 0);
	if (n >= sizeof(key))
		return -EINVAL;
	memcpy(key, option, n);
	key[n] = '\0';
	return SYS(fsconfig, fs, FSCONFIG_SET_STRING, key, option + n + 1, 0);
}

/* "mode=755" of the folder at @path; "" when there is none. */
static void mode_of(int root, const char *path, char option[16])
{
	int fd = sys_open_in(root, path, O_PATH | O_DIRECTORY, 0, 0);
	struct statx st;

	option[0] = '\0';
	if (fd < 0)
		return;
	if (SYS(statx, fd, "", AT_EMPTY_PATH, STATX_MODE, &st) == 0) {
		str_add(option, 16, "mode=");
		for (int shift = 9; shift >= 0; shift -= 3)
			str_add_number(option, 16, st.stx_mode >> shift & 7);
	}
	SYS(close, fd);
}

/* A new filesystem as a detached tree. @first: one more option, before the others; "": none. */
static long new_tree(const char *type, const char *source, const char *first, const char *options, uint64_t attributes)
{
	long fs = SYS(fsopen, type, FSOPEN_CLOEXEC), r;

	TRY(fs);
	r = *source ? SYS(fsconfig, fs, FSCONFIG_SET_STRING, "source", source, 0) : 0;
	if (r >= 0 && *first)
		r = configure((int)fs, first);
	for (; r >= 0 && *options; options = list_next(options))
		r = configure((int)fs, options);
	if (r >= 0)
		r = SYS(fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
	if (r >= 0)
		r = SYS(fsmount, fs, FSMOUNT_CLOEXEC, attributes);
	SYS(close, fs);
	return r;
}

static bool same_place(int a, int b)
{
	struct statx x, y;

	return SYS(statx, a, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &x) == 0 &&
	       SYS(statx, b, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &y) == 0 && x.stx_mnt_id == y.stx_mnt_id &&
	       x.stx_ino == y.stx_ino;
}

bool same_mount(int a, int b)
{
	struct statx x, y;

	return SYS(statx, a, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) == 0 &&
	       SYS(statx, b, "", AT_EMPTY_PATH, STATX_MNT_ID, &y) == 0 && x.stx_mnt_id == y.stx_mnt_id;
}

/*
 * What is mounted over a file in /proc would take what we, or whoever writes there after us, mean for the kernel. The
 * plan says where that is allowed; a link may lead there from any other place.
 */
static long check_proc(struct first *f, int tree, int target, uint32_t flags)
{
	bool within;
	int fd;

	if (flags & PLAN_MOUNT_PROC)
		return procfs_is_root(tree) ? 0 : -EXDEV;
	if (flags & PLAN_MOUNT_IN_PROC || !procfs_holds(target))
		return 0;
	fd = sys_open_in(f->root, "/proc", O_PATH, 0, 0);
	TRY(fd);
	within = same_mount(fd, target);
	SYS(close, fd);
	return within ? -EXDEV : 0;
}

/* Over the root a mount would be the root of whoever joins the container, and of nobody else. */
static long check_place(struct first *f, int tree, int target, uint32_t flags)
{
	return f->root >= 0 && same_place(f->root, target) ? -EBUSY : check_proc(f, tree, target, flags);
}

static long attach(struct first *f, int tree, const struct plan_step *s, bool folder)
{
	uint64_t resolve = s->n3 & PLAN_MOUNT_NO_SYMLINK ? RESOLVE_NO_SYMLINKS : 0;
	int target = rootfs_target(f->root, plan_text(f->plan, s->t4), folder ? 0 : 0644, resolve);
	long r;

	TRY(target);
	r = check_place(f, tree, target, (uint32_t)s->n3);
	if (r == 0 && is_folder(target) != folder)
		r = folder ? -ENOTDIR : -EISDIR;
	if (r == 0)
		r = move_to(tree, target);
	SYS(close, target);
	return r;
}

/* Filled while it is still detached from the tree, and from the image only: a link in that may lead into procfs, whose
 * files we could read and the container not. */
static long copy_up(struct first *f, int tree, const struct plan_step *s)
{
	int from = sys_open_in(f->root, plan_text(f->plan, s->t4), O_RDONLY | O_DIRECTORY, 0, 0);
	int to = sys_open(tree, ".", O_RDONLY | O_DIRECTORY, 0);
	long r = 0;

	/* Several launches may fill one volume: the first does, the others wait for it. */
	if (to >= 0)
		SYS(flock, to, 2 /* LOCK_EX */);
	if (from >= 0 && to >= 0 && same_mount(from, f->root) && folder_is_empty(to))
		r = copy_tree(from, to);
	if (from >= 0)
		SYS(close, from);
	if (to >= 0)
		SYS(close, to);
	return r;
}

long step_mount(struct first *f, const struct plan_step *s)
{
	static const char none[1] = "";
	char mode[16] = "";
	long tree, r = 0;

	if (s->n3 & PLAN_MOUNT_INHERIT_MODE)
		mode_of(f->root, plan_text(f->plan, s->t4), mode);
	tree = new_tree(plan_text(f->plan, s->t1), s->t2 ? plan_text(f->plan, s->t2) : none, mode,
			s->t3 ? plan_text(f->plan, s->t3) : none, s->n1);
	TRY(tree);
	if (s->n3 & PLAN_MOUNT_TMPCOPYUP)
		r = copy_up(f, (int)tree, s);
	if (r == 0)
		r = attach(f, (int)tree, s, true);
	if (r == 0)
		r = set_propagation((int)tree, s->n2);
	SYS(close, tree);
	return r;
}

static long clone_tree(const char *path, bool recursive)
{
	return SYS(open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0));
}

long step_bind_source(struct first *f, const struct plan_step *s)
{
	long tree = clone_tree(plan_text(f->plan, s->t1), s->n2);

	TRY(tree);
	f->sources[s->n1] = (int)tree;
	return 0;
}

/* A link that a container has put there may lead over its procfs to the host's root. */
static long clone_beneath(const char *path)
{
	int place = sys_open_in(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_SYMLINKS);
	long tree;

	TRY(place);
	tree = SYS(open_tree, place, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	SYS(close, place);
	return tree;
}

/*
 * A copy of a mount in another mount namespace, which is entered for it: there the path means what it means to its
 * processes, and no link of theirs leads out. setns moves our root: it is put back.
 */
static long tree_elsewhere(const char *namespace, const char *path)
{
	int there = sys_open(AT_FDCWD, namespace, O_RDONLY, 0);
	int back = sys_open(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY, 0);
	int root = sys_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	long tree = there < 0 ? there : back < 0 ? back : root;

	if (tree >= 0)
		tree = SYS(setns, there, CLONE_NEWNS);
	if (tree >= 0)
		tree = clone_beneath(path);
	if (SYS(setns, back, CLONE_NEWNS) < 0 || SYS(fchdir, root) < 0 || SYS(chroot, ".") < 0)
		tree = tree < 0 ? tree : -EPERM;
	SYS(close, there);
	SYS(close, back);
	SYS(close, root);
	return tree;
}

long step_bind(struct first *f, const struct plan_step *s)
{
	const char *source = plan_text(f->plan, s->t1);
	long tree = s->t2   ? f->sources[s->t2 - 1]
		    : s->t3 ? tree_elsewhere(plan_text(f->plan, s->t3), source)
			    : clone_tree(source, s->n3 & PLAN_MOUNT_RECURSIVE);
	long r = 0;

	TRY(tree);
	if (s->n3 & PLAN_MOUNT_COPYUP)
		r = copy_up(f, (int)tree, s);
	if (r == 0)
		r = set_propagation((int)tree, s->n2);
	if (r == 0)
		r = set_own_attributes((int)tree, s->n1);
	if (r == 0 && s->n4)
		r = change_attributes((int)tree, (uint32_t)s->n4, s->n4 >> 32, true);
	if (r == 0)
		r = attach(f, (int)tree, s, is_folder((int)tree));
	SYS(close, tree);
	return r;
}

/* One folder a controller (v1): a tmpfs that holds a bind of the container's own cgroup folder for each. */
static long bind_controllers(struct first *f, int top, const struct plan_step *s)
{
	char name[64];

	for (const char *item = plan_text(f->plan, s->t1); *item; item = list_next(item)) {
		size_t n = 0;
		long tree, r;
		int target;

		while (item[n] && item[n] != '=')
			n++;
		if (!item[n] || n >= sizeof(name))
			return -EINVAL;
		memcpy(name, item, n);
		name[n] = '\0';
		r = SYS(mkdirat, top, name, 0755);
		if (r < 0 && r != -EEXIST)
			return r;
		tree = SYS(open_tree, AT_FDCWD, item + n + 1, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		TRY(tree);
		target = sys_open(top, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		r = target < 0 ? target : set_attributes((int)tree, s->n1, MS_PRIVATE, false);
		if (r == 0)
			r = move_to((int)tree, target);
		SYS(close, tree);
		if (target >= 0)
			SYS(close, target);
		TRY(r);
	}
	return 0;
}

long step_cgroup_mount(struct first *f, const struct plan_step *s)
{
	static const char options[] = "mode=755\0";
	long tree = s->n4 ? SYS(open_tree, AT_FDCWD, plan_text(f->plan, s->t1), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
			  : new_tree("tmpfs", "tmpfs", "", options, s->n1 & ~(uint64_t)MOUNT_ATTR_RDONLY);
	long r;
	int top;

	TRY(tree);
	if (s->n4) {
		r = set_attributes((int)tree, s->n1, MS_PRIVATE, false);
		if (r == 0)
			r = attach(f, (int)tree, s, true);
		SYS(close, tree);
		return r;
	}
	r = attach(f, (int)tree, s, true);
	top = r < 0 ? -1 : sys_open(tree, ".", O_RDONLY | O_DIRECTORY, 0);
	if (r == 0)
		r = top < 0 ? top : bind_controllers(f, top, s);
	if (r == 0)
		r = set_attributes((int)tree, s->n1, 0, false);
	if (top >= 0)
		SYS(close, top);
	SYS(close, tree);
	return r;
}

/* @type: with S_IFMT alone; @device: as mknod(2) takes it. */
static bool is_device(int fd, uint64_t type, uint64_t device)
{
	struct statx st;

	if (SYS(statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) != 0 || (st.stx_mode & S_IFMT) != type)
		return false;
	return ((st.stx_rdev_minor & 0xff) | (uint64_t)st.stx_rdev_major << 8 |
		(uint64_t)(st.stx_rdev_minor & ~0xffu) << 12) == device;
}

/* In a user namespace mknod is refused: the host's own node is bound instead, if it is the one that is meant. */
static long bind_device(int parent, const char *name, const char *path, const struct plan_step *s)
{
	long tree = SYS(open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), r;
	int target;

	TRY(tree);
	if (!is_device((int)tree, s->n1 & S_IFMT, s->n2)) {
		SYS(close, tree);
		return -ENXIO;
	}
	r = SYS(mknodat, parent, name, S_IFREG | 0666, 0);
	target = r < 0 && r != -EEXIST ? (int)r : sys_open(parent, name, O_PATH | O_NOFOLLOW, 0);
	r = target < 0 ? target : move_to((int)tree, target);
	SYS(close, tree);
	if (target >= 0)
		SYS(close, target);
	return r;
}

/* What stands where a device is to be: of the rootfs it goes, elsewhere (the host's /dev, a volume) it is not ours to
 * take away. True: it is that device. */
static bool clear_place(struct first *f, int parent, const char *name, const struct plan_step *s)
{
	int fd = sys_open(parent, name, O_PATH | O_NOFOLLOW, 0);
	bool own = same_mount(parent, f->root), right = !own && is_device(fd, s->n1 & S_IFMT, s->n2);

	if (own && !is_folder(fd))
		SYS(unlinkat, parent, name, 0);
	if (fd >= 0)
		SYS(close, fd);
	return right;
}

long step_device(struct first *f, const struct plan_step *s)
{
	const char *path = plan_text(f->plan, s->t4), *name;
	int parent = rootfs_parent(f->root, path, &name);
	uint32_t uid = (uint32_t)s->n3, gid = (uint32_t)(s->n3 >> 32);
	bool there = false;
	long r;

	TRY(parent);
	r = SYS(mknodat, parent, name, s->n1, s->n2);
	if (r == -EEXIST) {
		there = clear_place(f, parent, name, s);
		r = there ? 0 : SYS(mknodat, parent, name, s->n1, s->n2);
	}
	/* What stands there still is bound over. */
	if (r == -EPERM || r == -EEXIST)
		r = bind_device(parent, name, s->t2 ? plan_text(f->plan, s->t2) : path, s);
	else if (r == 0 && !there && (uid || gid))
		r = SYS(fchownat, parent, name, uid, gid, AT_SYMLINK_NOFOLLOW);
	SYS(close, parent);
	return r;
}

long step_symlink(struct first *f, const struct plan_step *s)
{
	const char *name;
	int parent = rootfs_parent(f->root, plan_text(f->plan, s->t4), &name);
	long r;

	TRY(parent);
	r = SYS(symlinkat, plan_text(f->plan, s->t1), parent, name);
	SYS(close, parent);
	return r == -EEXIST ? 0 : r;
}

bool is_null(int fd)
{
	struct statx st;

	return SYS(statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) == 0 && (st.stx_mode & S_IFMT) == S_IFCHR &&
	       st.stx_rdev_major == MEM_MAJOR && st.stx_rdev_minor == 3;
}

/*
 * The mask must be a real null device (CVE-2025-31133): the container's own, if what stands there is one, as a chmod of
 * the mask reaches the node behind it. Else the host's. Read-only in any case: it can be written to, not changed.
 */
static long open_null(struct first *f)
{
	int fd = sys_open_in(f->root, "/dev/null", O_PATH, 0, RESOLVE_NO_SYMLINKS);

	if (fd < 0 || !is_null(fd)) {
		if (fd >= 0)
			SYS(close, fd);
		fd = sys_open(AT_FDCWD, "/dev/null", O_PATH, 0);
		TRY(fd);
		if (!is_null(fd))
			return -ENODEV;
	}
	f->null = fd;
	return 0;
}

/* A clone of the node itself each time: before Linux 6.15 a tree that is not attached can't be cloned. */
static long null_tree(struct first *f)
{
	long tree, r = f->null < 0 ? open_null(f) : 0;

	TRY(r);
	tree = SYS(open_tree, f->null, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	TRY(tree);
	r = set_attributes((int)tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, false);
	if (r == 0)
		return tree;
	SYS(close, tree);
	return r;
}

static long empty_tree(struct first *f)
{
	static const char options[] = "size=0k\0";
	long fd;

	if (f->empty < 0) {
		fd = new_tree("tmpfs", "tmpfs", "", options,
			      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
		TRY(fd);
		f->empty = (int)fd;
		return fd;
	}
	return SYS(open_tree, f->empty, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

long step_mask(struct first *f, const struct plan_step *s)
{
	int target = sys_open_in(f->root, plan_text(f->plan, s->t4), O_PATH, 0, 0);
	long tree, r;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	TRY(target);
	tree = is_folder(target) ? empty_tree(f) : null_tree(f);
	r = tree < 0 ? tree : move_to((int)tree, target);
	if (tree >= 0 && tree != f->empty)
		SYS(close, tree);
	SYS(close, target);
	return r;
}

/* By its folder: a file can't be the working folder, and the container's /proc can't be trusted to name descriptors. */
long step_unmount(struct first *f, const struct plan_step *s)
{
	const char *path = plan_text(f->plan, s->t4);
	size_t cut = str_len(path);
	char folder[SYS_PATH_MAX];
	int fd;

	while (cut > 1 && path[cut - 1] != '/')
		cut--;
	if (cut >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, cut);
	folder[cut] = '\0';
	fd = sys_open_in(f->root, folder, O_PATH | O_DIRECTORY, 0, 0);
	TRY(fd);
	TRY(SYS(fchdir, fd));
	SYS(close, fd);
	return SYS(umount2, path + cut, 2 | 8 /* MNT_DETACH | UMOUNT_NOFOLLOW */);
}

long step_late_readonly(struct first *f, const struct plan_step *s)
{
	int target = sys_open_in(f->root, plan_text(f->plan, s->t4), O_PATH | O_DIRECTORY, 0, 0);
	long r;

	TRY(target);
	r = set_attributes(target, MOUNT_ATTR_RDONLY, 0, false);
	SYS(close, target);
	return r;
}

long step_readonly(struct first *f, const struct plan_step *s)
{
	int target = sys_open_in(f->root, plan_text(f->plan, s->t4), O_PATH, 0, 0);
	long tree, r;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	TRY(target);
	tree = SYS(open_tree, target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	r = tree < 0 ? tree : set_attributes((int)tree, MOUNT_ATTR_RDONLY, 0, false);
	if (r == 0)
		r = move_to((int)tree, target);
	if (tree >= 0)
		SYS(close, tree);
	SYS(close, target);
	return r;
}

long step_root_readonly(struct first *f, const struct plan_step *s)
{
	(void)s;
	return set_attributes(f->root, MOUNT_ATTR_RDONLY, 0, false);
}
