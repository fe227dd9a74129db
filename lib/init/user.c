/*
 * user: Docker's user strings ("name", "uid", "name:group", "uid:gid") looked up in the container's own /etc/passwd and
 * /etc/group, after its rootfs and volumes are in place. Source: passwd(5), group(5).
 */
#include "init/first.h"

enum { LINE = 4096, MAX_FILE = 16 << 20 };

/* Lines of a small file below the rootfs. */
struct lines {
	int fd;
	size_t begin, end, read;
	char buffer[LINE];
};

/* Absent, or not a plain file: no lines. */
static void lines_open(struct lines *l, int root, const char *path)
{
	struct statx st;

	l->begin = l->end = l->read = 0;
	l->fd = sys_open_in(root, path, O_RDONLY | O_NONBLOCK, 0, 0);
	if (l->fd >= 0 &&
	    (SYS(statx, l->fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0 || (st.stx_mode & S_IFMT) != S_IFREG)) {
		SYS(close, l->fd);
		l->fd = -1;
	}
}

/* The next line, terminated, without its break; NULL at the end. A line longer than the buffer comes in pieces that no
 * lookup takes. */
static char *lines_next(struct lines *l)
{
	long n;

	if (l->fd < 0)
		return NULL;
	for (;;) {
		for (size_t i = l->begin; i < l->end; i++) {
			char *line = l->buffer + l->begin;

			if (l->buffer[i] != '\n')
				continue;
			l->buffer[i] = '\0';
			l->begin = i + 1;
			return line;
		}
		memmove(l->buffer, l->buffer + l->begin, l->end - l->begin);
		l->end -= l->begin;
		l->begin = 0;
		if (l->end == LINE - 1)
			l->end = 0;
		n = l->read > MAX_FILE ? 0 : SYS(read, l->fd, l->buffer + l->end, LINE - 1 - l->end);
		if (n <= 0)
			break;
		l->end += (size_t)n;
		l->read += (size_t)n;
	}
	SYS(close, l->fd);
	l->fd = -1;
	if (!l->end)
		return NULL;
	l->buffer[l->end] = '\0';
	return l->buffer;
}

static void lines_close(struct lines *l)
{
	if (l->fd >= 0)
		SYS(close, l->fd);
	l->fd = -1;
}

/* Cuts "a:b:c" into @n fields; those that are not there are "". */
static void split(char *line, char **fields, int n)
{
	for (int i = 0; i < n; i++) {
		fields[i] = line;
		while (*line && *line != ':')
			line++;
		if (*line)
			*line++ = '\0';
	}
}

static bool is_number(const char *text, uint32_t *ret)
{
	const char *end;
	uint64_t n = str_number(text, &end);

	*ret = (uint32_t)n;
	return *text && !*end && end - text <= 10 && n < UINT32_MAX;
}

/* The entry of @name (or, if that is NULL, of uid f->uid): sets uid, gid and home. */
static bool find_user(struct first *f, const char *name)
{
	char *fields[6], *line;
	struct lines l;
	uint32_t uid, gid;
	bool found = false;

	lines_open(&l, f->root, "/etc/passwd");
	while (!found && (line = lines_next(&l))) {
		split(line, fields, 6);
		if (!is_number(fields[2], &uid) || !is_number(fields[3], &gid))
			continue;
		found = name ? str_eq(fields[0], name) : uid == f->uid;
		if (!found)
			continue;
		f->uid = uid;
		f->gid = gid;
		f->home[0] = '\0';
		str_add(f->home, sizeof(f->home), fields[5]);
	}
	lines_close(&l);
	return found;
}

static bool find_group(struct first *f, const char *name, uint32_t *ret)
{
	char *fields[3], *line;
	struct lines l;
	bool found = false;

	lines_open(&l, f->root, "/etc/group");
	while (!found && (line = lines_next(&l))) {
		split(line, fields, 3);
		found = str_eq(fields[0], name) && is_number(fields[2], ret);
	}
	lines_close(&l);
	return found;
}

static void add_group(struct first *f, uint32_t gid)
{
	for (uint32_t i = 0; i < f->n_groups; i++)
		if (f->groups[i] == gid)
			return;
	if (f->n_groups < PLAN_MAX_GROUPS)
		f->groups[f->n_groups++] = gid;
}

/* Every group that lists @name as a member. */
static void add_memberships(struct first *f, const char *name)
{
	char *fields[4], *line, *member;
	struct lines l;
	uint32_t gid;

	lines_open(&l, f->root, "/etc/group");
	while ((line = lines_next(&l))) {
		split(line, fields, 4);
		if (!is_number(fields[2], &gid))
			continue;
		for (member = fields[3]; *member;) {
			char *next = member;
			bool last;

			while (*next && *next != ',')
				next++;
			last = !*next;
			*next = '\0';
			if (str_eq(member, name))
				add_group(f, gid);
			member = last ? next : next + 1;
		}
	}
	lines_close(&l);
}

static bool name_of_uid(struct first *f, char *name, size_t cap)
{
	char *fields[3], *line;
	struct lines l;
	uint32_t uid;
	bool found = false;

	name[0] = '\0';
	lines_open(&l, f->root, "/etc/passwd");
	while (!found && (line = lines_next(&l))) {
		split(line, fields, 3);
		found = is_number(fields[2], &uid) && uid == f->uid && str_add(name, cap, fields[0]);
	}
	lines_close(&l);
	return found;
}

static long lookup_more_groups(struct first *f, const char *list)
{
	uint32_t gid;

	for (; *list; list = list_next(list)) {
		if (!is_number(list, &gid) && !find_group(f, list, &gid))
			return -ESRCH;
		add_group(f, gid);
	}
	return 0;
}

long user_lookup(struct first *f, const char *spec, const char *more_groups)
{
	char user[256] = "", group[256] = "", name[256];
	size_t n = 0;

	while (spec[n] && spec[n] != ':')
		n++;
	if (n >= sizeof(user) || !str_add(group, sizeof(group), spec[n] ? spec + n + 1 : ""))
		return -EINVAL;
	memcpy(user, spec, n);
	user[n] = '\0';

	f->uid = f->gid = 0;
	f->n_groups = 0;
	if (!*user || is_number(user, &f->uid))
		find_user(f, NULL);
	else if (!find_user(f, user))
		return -ESRCH;
	/* Docker: an explicit group replaces the user's own ones. */
	if (*group) {
		if (!is_number(group, &f->gid) && !find_group(f, group, &f->gid))
			return -ESRCH;
	} else if (name_of_uid(f, name, sizeof(name))) {
		add_memberships(f, name);
	}
	add_group(f, f->gid);
	return lookup_more_groups(f, more_groups);
}

long user_home(struct first *f)
{
	uint32_t gid = f->gid;

	if (!f->home[0] && !find_user(f, NULL))
		f->home[0] = '\0';
	f->gid = gid;
	if (!f->home[0])
		str_add(f->home, sizeof(f->home), "/");
	return 0;
}
