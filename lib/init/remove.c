/*
 * remove: deletes the files of a container that is gone for everybody already (renamed), so that the program which ran
 * it need not wait for the disk. What stays, whatever the cause, is for the library's sweep.
 */
#include "init/monitor.h"

struct dirent64 {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* Folders deeper than MAX_DEPTH are moved up into the top one: the container chose the depth. */
struct removal {
	int top;
	uint32_t moved;
};

enum { MAX_DEPTH = 48 };

static void remove_entry(struct removal *r, int dir, const char *name, int depth);

static void remove_contents(struct removal *r, int dir, int depth)
{
	char entries[2048] __attribute__((aligned(8)));
	long n;

	while ((n = SYS(getdents64, dir, entries, sizeof(entries))) > 0)
		for (long at = 0; at < n;) {
			const struct dirent64 *e = (const struct dirent64 *)(entries + at);

			if (!str_eq(e->name, ".") && !str_eq(e->name, ".."))
				remove_entry(r, dir, e->name, depth);
			at += e->size;
		}
}

static long remove_simple(int dir, const char *name)
{
	long r = SYS(unlinkat, dir, name, 0);

	return r == -EISDIR || r == -EPERM ? SYS(unlinkat, dir, name, AT_REMOVEDIR) : r;
}

static void move_up(struct removal *r, int dir, const char *name)
{
	char to[64] = ".deep-";

	str_add_number(to, sizeof(to), SYS(getpid));
	str_add(to, sizeof(to), "-");
	str_add_number(to, sizeof(to), r->moved++);
	SYS(renameat2, dir, name, r->top, to, 0);
}

static void remove_entry(struct removal *r, int dir, const char *name, int depth)
{
	long result = remove_simple(dir, name);
	int fd;

	if (result != -ENOTEMPTY)
		return;
	if (depth == MAX_DEPTH) {
		move_up(r, dir, name);
		return;
	}
	fd = sys_open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return;
	remove_contents(r, fd, depth + 1);
	SYS(close, fd);
	remove_simple(dir, name);
}

static void remove_tree(const char *path)
{
	struct removal r = { .top = sys_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0) };
	uint32_t before;

	if (r.top < 0)
		return;
	do {
		before = r.moved;
		SYS(lseek, r.top, 0, 0);
		remove_contents(&r, r.top, 0);
	} while (r.moved != before);
	SYS(close, r.top);
	remove_simple(AT_FDCWD, path);
}

/* Who retires a container takes its record away last: where that is still there, its volumes may be, too, and only the
 * record names them. */
static bool is_retired(const char *folder)
{
	char path[SYS_PATH_MAX] = "";

	return str_add(path, sizeof(path), folder) && str_add(path, sizeof(path), "/container.json") &&
	       SYS(faccessat, AT_FDCWD, path, 0) == -ENOENT;
}

void remove_files(const struct plan_header *plan)
{
	char path[SYS_PATH_MAX] = "";

	if (str_add(path, sizeof(path), (const char *)plan + plan->state_root) &&
	    str_add(path, sizeof(path), "/containers/.removing-volumes-") &&
	    str_add(path, sizeof(path), (const char *)plan + plan->id) && is_retired(path))
		remove_tree(path);
}
