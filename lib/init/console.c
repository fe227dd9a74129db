/* console: a pty out of the container's own devpts; the monitor gets the other side. Source: runtime-spec config.md
 * "process.terminal"; pty(7). */
#include "init/first.h"

#include <asm/ioctls.h>
#include <asm/termios.h>
#include <linux/socket.h>

/* The slave is bound over /dev/console, made by us; a link of that name in the image is replaced, not followed. */
static long bind_console(struct first *f)
{
	const char *name;
	int parent = rootfs_parent(f->root, "/dev/console", &name), target;
	long tree, r;

	TRY(parent);
	SYS(unlinkat, parent, name, 0);
	target = sys_open(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
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

long console_open(struct first *f, const struct plan_step *s)
{
	struct winsize size = { .ws_row = (unsigned short)s->n1, .ws_col = (unsigned short)s->n2 };
	struct first_message hello = { .kind = FIRST_PTY };
	int master = sys_open_in(f->root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, 0, 0), unlock = 0;
	long r;

	TRY(master);
	TRY(SYS(ioctl, master, TIOCSPTLCK, &unlock));
	f->tty = (int)SYS(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	TRY(f->tty);
	if (s->n1 && s->n2)
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
