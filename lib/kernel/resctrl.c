#include "kernel/resctrl.h"

#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

enum { MAX_SCHEMATA = 64 << 10 };

static const char where[] = "linux.intelRdt";

int resctrl_find(char **ret_root, teu_error **err)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	*ret_root = NULL;
	while (mounts && (m = getmntent(mounts)))
		if (strcmp(m->mnt_type, "resctrl") == 0) {
			*ret_root = strdup(m->mnt_dir);
			endmntent(mounts);
			return *ret_root ? 0 : err_oom(err);
		}
	if (mounts)
		endmntent(mounts);
	return err_set(err, TEU_E_UNSUPPORTED,
		       "%s: no resctrl is mounted: the processor has no Intel RDT, or `mount -t resctrl resctrl "
		       "/sys/fs/resctrl` was not called",
		       where);
}

/* The lines for the file schemata, in the order that the specification gives them. */
static int wanted_lines(const json *rdt, struct strv *ret, teu_error **err)
{
	static const char *const keys[] = { "l3CacheSchema", "memBwSchema" };
	_cleanup_(strv_done) struct strv more = STRV_INIT;
	int r = json_read_strings(rdt, where, "schemata", &more, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (*json_get_text(rdt, keys[i], ""))
			strv_add(ret, json_get_text(rdt, keys[i], ""));
	strv_foreach (line, &more)
		if (**line)
			strv_add(ret, *line);
	return ret->oom ? err_oom(err) : 0;
}

static int write_file(const char *dir, const char *file, const char *text, teu_error **err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (asprintf(&path, "%s/%s", dir, file) < 0) {
		path = NULL;
		return err_oom(err);
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
	return r < 0 ? err_errno(err, -r, "%s: write \"%.*s\" to %s", where, (int)strcspn(text, "\n"), text, path) : 0;
}

/* A line a write: the kernel takes no more of those behind one that is wrong. */
static int write_lines(const char *dir, const struct strv *lines, teu_error **err)
{
	int r = 0;

	strv_foreach (line, lines) {
		_cleanup_free_ char *text = NULL;

		if (r < 0)
			return r;
		if (asprintf(&text, "%s\n", *line) < 0) {
			text = NULL;
			return err_oom(err);
		}
		r = write_file(dir, "schemata", text, err);
	}
	return r;
}

int resctrl_set(const char *dir, const json *rdt, teu_error **err)
{
	_cleanup_(strv_done) struct strv lines = STRV_INIT;
	int r = wanted_lines(rdt, &lines, err);

	return r < 0 ? r : write_lines(dir, &lines, err);
}

/* The share of one domain, "0=07f": the kernel pads with zeros and blanks. */
static const char *skip_padding(const char *text)
{
	text += strspn(text, " ");
	while (*text == '0' && strspn(text + 1, "0123456789abcdefABCDEF"))
		text++;
	return text;
}

/* Does the line @has, "L3:0=7f;1=7f", give each domain what @wanted does? */
static bool line_fits(const char *has, const char *wanted)
{
	for (const char *at = strchr(wanted, ':'); at && *at; at += strcspn(at, ";")) {
		size_t id = strcspn(++at, "="), len;
		const char *share = skip_padding(at + id + 1), *found = NULL;

		for (const char *h = strchr(has, ':'); h && *h && !found; h += strcspn(h, ";"))
			if (strcspn(++h, "=") == id && strncmp(h, at, id) == 0)
				found = skip_padding(h + id + 1);
		len = strcspn(share, ";");
		if (!found || strcspn(found, ";\n") != len || strncasecmp(found, share, len) != 0)
			return false;
	}
	return true;
}

static bool file_fits(char *text, const char *wanted)
{
	size_t kind = strcspn(wanted, ":");
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		line += strspn(line, " ");
		if (strcspn(line, ":") == kind && strncmp(line, wanted, kind) == 0)
			return line_fits(line, wanted);
	}
	return false;
}

/* A class that others may be in is not changed. */
static int check_lines(const char *dir, const struct strv *lines, teu_error **err)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	int r;

	if (!lines->n)
		return 0;
	if (asprintf(&path, "%s/schemata", dir) < 0) {
		path = NULL;
		return err_oom(err);
	}
	r = fd_read_file(AT_FDCWD, path, MAX_SCHEMATA, &text, NULL, err);
	if (r < 0)
		return r;
	strv_foreach (line, lines) {
		_cleanup_free_ char *copy = strdup(text);

		if (!copy)
			return err_oom(err);
		if (!file_fits(copy, *line))
			return err_set(err, TEU_E_CONFLICT, "%s: \"%s\" is not what %s has: the class is in use", where,
				       *line, path);
	}
	return 0;
}

static int make_folder(const char *dir, struct strv *made, teu_error **err)
{
	if (mkdir(dir, 0755) < 0)
		return err_errno(err, errno, "%s: make the group %s", where, dir);
	strv_add(made, dir);
	return made->oom ? err_oom(err) : 0;
}

/* The class of service: that of closID, or one of its own by the container's id. */
static int enter_class(const json *rdt, struct resctrl *g, struct strv *made, teu_error **err)
{
	bool own = !*json_get_text(rdt, "closID", ""), there = access(g->dir, F_OK) == 0;
	_cleanup_(strv_done) struct strv lines = STRV_INIT;
	int r = wanted_lines(rdt, &lines, err);

	if (r < 0)
		return r;
	if (!own && !there && !lines.n)
		return err_set(err, TEU_E_NOT_FOUND, "%s.closID: there is no class %s, and no schema to make it of",
			       where, g->dir);
	if (there)
		return own ? err_set(err, TEU_E_CONFLICT, "%s: the class %s is there already", where, g->dir)
			   : check_lines(g->dir, &lines, err);
	r = make_folder(g->dir, made, err);
	return r < 0 ? r : write_lines(g->dir, &lines, err);
}

static int add_tasks(const char *dir, struct resctrl *g, teu_error **err)
{
	strv_addf(&g->tasks, "%s/tasks", dir);
	return g->tasks.oom ? err_oom(err) : 0;
}

static int enter_monitoring(const json *rdt, const char *id, struct resctrl *g, teu_error **err)
{
	_cleanup_free_ char *dir = NULL;
	bool wanted = false;
	int r = json_read_bool(rdt, where, "enableMonitoring", &wanted, err);

	if (r < 0 || !wanted)
		return r;
	if (asprintf(&dir, "%s/mon_groups/%s", g->dir, id) < 0) {
		dir = NULL;
		return err_oom(err);
	}
	r = make_folder(dir, &g->made, err);
	return r < 0 ? r : add_tasks(dir, g, err);
}

int resctrl_make(const char *root, const json *rdt, const char *id, struct resctrl *g, teu_error **err)
{
	const char *class = json_get_text(rdt, "closID", "");
	_cleanup_(strv_done) struct strv stays = STRV_INIT;
	bool top = strcmp(class, "/") == 0;
	int r;

	*g = (struct resctrl){ 0 };
	if (asprintf(&g->dir, "%s%s%s", root, top ? "" : "/", top ? "" : *class ? class : id) < 0) {
		g->dir = NULL;
		return err_oom(err);
	}
	/* A class with a name stays, for the next that asks for it. */
	r = enter_class(rdt, g, *class ? &stays : &g->made, err);
	if (r == 0)
		r = add_tasks(g->dir, g, err);
	if (r == 0)
		r = enter_monitoring(rdt, id, g, err);
	if (r < 0) {
		resctrl_remove(&g->made);
		resctrl_remove(&stays);
	}
	return r;
}

void resctrl_remove(const struct strv *made)
{
	for (size_t i = made->n; i-- > 0;)
		rmdir(made->items[i]);
}

void resctrl_done(struct resctrl *g)
{
	free(g->dir);
	strv_done(&g->tasks);
	strv_done(&g->made);
	*g = (struct resctrl){ 0 };
}
