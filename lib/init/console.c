/* console: a pty out of the container's own devpts; the monitor gets the other side. Source: runtime-spec config.md
 * "process.terminal"; pty(7). */
#include "init/first.h"

#include <asm/ioctls.h>
#include <asm/statfs.h>
#include <asm/termios.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/socket.h>

/* What stands there is covered: where the host's /dev is bound, it is not ours to take away. Only a link of the image
 * is replaced, and none is followed. */
static int console_place(struct first *f, int parent, const char *name)
{
	int there = sys_open(parent, name, O_PATH | O_NOFOLLOW, 0);
	struct statx st;

	if (there >= 0 && SYS(statx, there, "", AT_EMPTY_PATH, STATX_TYPE, &st) == 0 &&
	    (st.stx_mode & S_IFMT) != S_IFLNK)
		return there;
	if (there >= 0) {
		SYS(close, there);
		if (!same_mount(parent, f->root))
			return -ELOOP;
		SYS(unlinkat, parent, name, 0);
	}
	return sys_open(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

static long bind_console(struct first *f)
{
	const char *name;
	int parent = rootfs_parent(f->root, "/dev/console", &name), target;
	long tree, r;

	TRY(parent);
	target = console_place(f, parent, name);
	SYS(close, parent);
	TRY(target);
	tree = SYS(open_tree, f->tty, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	r = tree < 0 ? tree : SYS(move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	if (tree >= 0)
		SYS(close, tree);
	SYS(close, target);
	return r;
}

/* Who copies it to a terminal of his own has that make of line ends what it needs. */
static void keep_line_ends(int tty)
{
	struct termios t;

	if (SYS(ioctl, tty, TCGETS, &t) < 0)
		return;
	t.c_oflag &= ~(tcflag_t)ONLCR;
	SYS(ioctl, tty, TCSETS, &t);
}

/* At an exec the container had the time to put something else there, which is not to be the caller's terminal
 * (CVE-2025-52565): what is no pty multiplexer is not even opened. */
static int open_master(struct first *f)
{
	struct statfs fs;
	struct statx st;
	int place = sys_open_in(f->root, "/dev/pts/ptmx", O_PATH, 0, 0), fd;
	bool right;

	if (place < 0)
		return place;
	right = SYS(fstatfs, place, &fs) == 0 && fs.f_type == DEVPTS_SUPER_MAGIC &&
		SYS(statx, place, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) == 0 &&
		(st.stx_mode & S_IFMT) == S_IFCHR && st.stx_rdev_major == TTYAUX_MAJOR && st.stx_rdev_minor == 2;
	SYS(close, place);
	if (!right)
		return -ENODEV;
	fd = sys_open_in(f->root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, 0, 0);
	if (fd < 0)
		return fd;
	if (SYS(fstatfs, fd, &fs) == 0 && fs.f_type == DEVPTS_SUPER_MAGIC) {
		SYS(fcntl, fd, 4 /* F_SETFL */, O_RDWR);
		return fd;
	}
	SYS(close, fd);
	return -ENODEV;
}

/* Of the terminal that the caller is on: who copies this one there wants the command to see its size from the start. */
static void take_size(const struct first *f, struct winsize *size)
{
	for (int i = 0; i < 3; i++)
		if (SYS(ioctl, f->stdio[i], TIOCGWINSZ, size) == 0)
			return;
}

long console_open(struct first *f, const struct plan_step *s)
{
	struct winsize size = { .ws_row = (unsigned short)s->n1, .ws_col = (unsigned short)s->n2 };
	struct first_message hello = { .kind = FIRST_PTY };
	int master = open_master(f), unlock = 0;
	long r;

	TRY(master);
	TRY(SYS(ioctl, master, TIOCSPTLCK, &unlock));
	f->tty = (int)SYS(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	TRY(f->tty);
	if (!s->n1 || !s->n2)
		take_size(f, &size);
	if (size.ws_row && size.ws_col)
		SYS(ioctl, f->tty, TIOCSWINSZ, &size);
	if (s->n4)
		keep_line_ends(f->tty);
	r = s->n3 ? bind_console(f) : 0;
	if (r == 0)
		r = pass_send(f->sync, &hello, sizeof(hello), master);
	SYS(close, master);
	for (int i = 0; i < 3; i++)
		f->stdio[i] = f->tty;
	return r < 0 ? r : 0;
}
