/* external: the mounts of a container that are the host's. Source: criu(8), "External resources"; proc(5), mountinfo.
 */
#include "runtime/external.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "format/protobuf.h"
#include "runtime/criu.h"
#include "sandbox/compile.h"

enum { MAX_MOUNTINFO = 16 << 20 };

static const char null_device[] = "/dev/null";

void external_done(struct external *e)
{
	strv_done(&e->paths);
	strv_done(&e->sources);
	strv_done(&e->masked);
}

static bool has_option(const json *mount, const char *name)
{
	json_foreach (v, json_get(mount, "options"))
		if (strcmp(json_text(v, ""), name) == 0)
			return true;
	return false;
}

static bool is_bind(const json *mount)
{
	return strcmp(json_get_text(mount, "type", ""), "bind") == 0 || has_option(mount, "bind") ||
	       has_option(mount, "rbind");
}

static void add(struct external *e, const char *path, const char *source)
{
	_cleanup_free_ char *clean = path_clean(path);

	e->paths.oom |= !clean;
	if (clean) {
		strv_add(&e->paths, clean);
		strv_add(&e->sources, source);
	}
}

/* What OP_CGROUP_MOUNT makes: one bind, or one a controller. */
static void add_cgroup(struct external *e, const json *spec, const char *path, const struct cgroup_plan *group,
		       const char *cgroup_path)
{
	/* One without a cgroup has no path either. */
	size_t tail = group->dirs.n ? strlen(cgroup_path) : 0;

	if (group->v2 && group->dirs.n) {
		const char *dir = group->dirs.items[0];
		_cleanup_free_ char *shown = strndup(dir, compile_cgroup_shown(spec, dir, cgroup_path));

		e->paths.oom |= !shown;
		if (shown)
			add(e, path, shown);
	}
	for (size_t i = 0; !group->v2 && i < group->dirs.n; i++) {
		const char *dir = group->dirs.items[i];
		_cleanup_free_ char *place = NULL, *top = NULL;

		if (strlen(dir) <= tail)
			continue;
		top = strndup(dir, strlen(dir) - tail);
		if (!top || asprintf(&place, "%s/%s", path, strrchr(top, '/') + 1) < 0) {
			place = NULL;
			e->paths.oom = true;
			return;
		}
		add(e, place, dir);
	}
}

/* In a user namespace they are binds of the host's. */
static void add_devices(struct external *e, const json *spec)
{
	static const char *const always[] = { null_device,   "/dev/zero",    "/dev/full",
					      "/dev/random", "/dev/urandom", "/dev/tty" };

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		add(e, always[i], always[i]);
	json_foreach (v, json_find(spec, "linux.devices"))
		if (json_get_text(v, "path", NULL))
			add(e, json_get_text(v, "path", NULL), json_get_text(v, "path", NULL));
}

int external_list(const json *spec, const struct cgroup_plan *group, const char *cgroup_path, struct external *ret,
		  teu_error **err)
{
	json_foreach (v, json_get(spec, "mounts")) {
		const char *path = json_get_text(v, "destination", "");

		if (is_bind(v))
			add(ret, path, json_get_text(v, "source", ""));
		else if (strcmp(json_get_text(v, "type", ""), "cgroup") == 0)
			add_cgroup(ret, spec, path, group, cgroup_path);
	}
	add_devices(ret, spec);
	json_foreach (v, json_find(spec, "linux.maskedPaths"))
		strv_add(&ret->masked, json_text(v, ""));
	return ret->paths.oom || ret->sources.oom || ret->masked.oom ? err_oom(err) : 0;
}

/* The mounts of a process: where each is, and the device of its filesystem. */
struct mounts {
	struct strv points, devices;
	struct strv roots; /* devices of those mounted from their top */
};

static void mounts_done(struct mounts *m)
{
	strv_done(&m->points);
	strv_done(&m->devices);
	strv_done(&m->roots);
}

/* "\040" -> " " */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime …" */
static void add_mount_line(struct mounts *m, char *line)
{
	char *rest = line, *field[5];

	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strsep(&rest, " ");
		if (!field[i])
			return;
	}
	unescape(field[4]);
	strv_add(&m->points, field[4]);
	strv_add(&m->devices, field[2]);
	if (strcmp(field[3], "/") == 0)
		strv_add(&m->roots, field[2]);
}

static int read_mounts(pid_t pid, struct mounts *m, teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	char path[64], *rest;
	size_t len;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	r = fd_read_file(AT_FDCWD, path, MAX_MOUNTINFO, &text, &len, err);
	if (r < 0)
		return r;
	rest = text;
	for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n"))
		add_mount_line(m, line);
	return m->points.oom || m->devices.oom || m->roots.oom ? err_oom(err) : 0;
}

/* The place of a mount in the list, the uppermost where several are; -1: there is none. */
static ssize_t find_mount(const struct mounts *m, const char *point)
{
	for (size_t i = m->points.n; i-- > 0;)
		if (strcmp(m->points.items[i], point) == 0)
			return (ssize_t)i;
	return -1;
}

/* Where the links of the container lead; "" when nothing is there. */
static void resolve(int root, const char *path, char to[4096])
{
	_cleanup_close_ int fd = path_open_beneath(root, path, O_PATH, 0);
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = fd < 0 ? -1 : readlink(link, to, 4095);
	to[n < 0 ? 0 : n] = '\0';
}

/* A bind of something in the container itself is no mount of the host's. */
static bool is_foreign(const struct mounts *m, ssize_t at)
{
	return !strv_has(&m->roots, m->devices.items[at]);
}

static void add_saved(const struct external *e, const struct mounts *m, int root, struct strbuf *options)
{
	char point[4096];
	ssize_t at;

	for (size_t i = 0; i < e->paths.n; i++) {
		const char *path = e->paths.items[i];

		resolve(root, path, point);
		at = find_mount(m, point);
		if (at < 0 || (strcmp(path, e->sources.items[i]) == 0 && !is_foreign(m, at)))
			continue;
		criu_add_pair(options, CRIU_EXT_MNT, point, path);
	}
	strv_foreach (path, &e->masked) {
		resolve(root, *path, point);
		at = find_mount(m, point);
		if (at >= 0 && is_foreign(m, at))
			criu_add_pair(options, CRIU_EXT_MNT, point, null_device);
	}
}

int external_add_saved(const struct external *e, pid_t pid, struct strbuf *options, teu_error **err)
{
	_cleanup_(mounts_done) struct mounts m = { 0 };
	_cleanup_close_ int root = -EBADF;
	char path[64];
	int r = read_mounts(pid, &m, err);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_errno(err, errno, "open the root of process %d", pid);
	add_saved(e, &m, root, options);
	return options->oom ? err_oom(err) : 0;
}

int external_add_restored(const struct external *e, struct strbuf *options, teu_error **err)
{
	for (size_t i = 0; i < e->paths.n; i++)
		criu_add_pair(options, CRIU_EXT_MNT, e->paths.items[i], e->sources.items[i]);
	return options->oom ? err_oom(err) : 0;
}

/* The last mount of @spec before @before that @path lies below; NULL: only the rootfs. *@ret_rest: what of @path is
 * below it. */
static const json *mount_above(const json *spec, const json *before, const char *path, const char **ret_rest)
{
	const json *found = NULL;

	*ret_rest = path;
	json_foreach (v, json_get(spec, "mounts")) {
		_cleanup_free_ char *above = NULL;

		if (v == before)
			break;
		above = path_clean(json_get_text(v, "destination", ""));
		if (above && path_is_below(path, above)) {
			found = v;
			*ret_rest = path + strlen(above);
		}
	}
	return found;
}

static bool is_folder(const json *mount)
{
	struct stat st;

	return !is_bind(mount) || stat(json_get_text(mount, "source", ""), &st) < 0 || S_ISDIR(st.st_mode);
}

/* The last part of @path, if it is missing; no link leads out of @root. */
static int make_part(int root, char *path, bool folder)
{
	_cleanup_close_ int there = path_open_beneath(root, path, O_PATH, 0), parent = -EBADF;
	char *name = strrchr(path, '/');
	int fd;

	if (there != -ENOENT)
		return there < 0 ? there : 0;
	*name = '\0';
	parent = path_open_beneath(root, *path ? path : "/", O_PATH | O_DIRECTORY, 0);
	*name = '/';
	if (parent < 0)
		return parent;
	if (folder)
		return mkdirat(parent, name + 1, 0755) < 0 ? -errno : 0;
	fd = openat(parent, name + 1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int make_place(int root, char *path, bool folder)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int r;

		*slash = '\0';
		r = make_part(root, path, true);
		*slash = '/';
		if (r < 0)
			return r;
	}
	return make_part(root, path, folder);
}

static int make_one(const json *spec, const json *mount, const char *rootfs, teu_error **err)
{
	_cleanup_free_ char *path = path_clean(json_get_text(mount, "destination", "")), *rest = NULL;
	_cleanup_close_ int root = -EBADF;
	const char *at, *top = rootfs;
	const json *above = path ? mount_above(spec, mount, path, &at) : NULL;
	int r;

	if (!path)
		return err_oom(err);
	/* What is in a filesystem of the container's own comes back with it. */
	if (above && !is_bind(above))
		return 0;
	if (above)
		top = json_get_text(above, "source", "");
	rest = strdup(*at ? at : "/");
	if (!rest)
		return err_oom(err);
	root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_errno(err, errno, "open %s", top);
	r = make_place(root, rest, is_folder(mount));
	return r < 0 ? err_errno(err, -r, "make the place of the mount %s in %s", path, top) : 0;
}

int external_make_places(const json *spec, const char *rootfs, teu_error **err)
{
	json_foreach (v, json_get(spec, "mounts")) {
		int r = make_one(spec, v, rootfs, err);

		if (r < 0)
			return r;
	}
	return 0;
}
