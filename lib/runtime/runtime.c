/* runtime: opens the folder of an OCI runtime's containers. */
#include "runtime/runtime.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"

bool runtime_is_users(enum idmap_rights rights)
{
	const char *user = getenv("USER");

	return rights == IDMAP_USER || (rights == IDMAP_INNER && !(user && strcmp(user, "root") == 0));
}

/* Where systemd-logind has $XDG_RUNTIME_DIR point to, if that is this user's. */
static const char *users_folder(char *text, size_t cap)
{
	struct stat st;

	snprintf(text, cap, "/run/user/%u", (unsigned)geteuid());
	return lstat(text, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() ? text : NULL;
}

static int default_root(const teu_runtime *rt, char **ret, teu_error **err)
{
	const char *folder = getenv("XDG_RUNTIME_DIR");
	char text[32];

	if (!runtime_is_users(rt->rights) || (rt->rights == IDMAP_INNER && !(folder && *folder))) {
		*ret = strdup("/run/teu-oci");
		return *ret ? 0 : err_oom(err);
	}
	if (!folder || !*folder)
		folder = users_folder(text, sizeof(text));
	if (!folder)
		return err_set(err, TEU_E_INVALID,
			       "no folder for the containers' state: XDG_RUNTIME_DIR is not set, and %s is not there: "
			       "set it to a folder of yours, or name one with --root",
			       text);
	if (asprintf(ret, "%s/teu-oci", folder) < 0) {
		*ret = NULL;
		return err_oom(err);
	}
	return 0;
}

static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0711) < 0 && errno != EEXIST) {
			int eno = errno;

			*slash = '/';
			return -eno;
		}
		*slash = '/';
	}
	return mkdir(path, 0711) < 0 && errno != EEXIST ? -errno : 0;
}

static int choose_root(teu_runtime *rt, const char *given, teu_error **err)
{
	_cleanup_free_ char *cwd = NULL;

	if (!given)
		return default_root(rt, &rt->root, err);
	if (*given == '/') {
		rt->root = strdup(given);
	} else {
		cwd = getcwd(NULL, 0);
		if (!cwd || asprintf(&rt->root, "%s/%s", cwd, given) < 0)
			rt->root = NULL;
	}
	return rt->root ? 0 : err_oom(err);
}

/* What its files say is believed: whose process is to be killed, which cgroup to be removed. */
int runtime_check_owner(int dir_fd, const char *root, const char *id, teu_error **err)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return err_errno(err, errno, "stat %s/%s", root, id);
	if (st.st_uid == geteuid() || (!*id && st.st_uid == 0))
		return 0;
	return err_set(err, TEU_E_PERMISSION,
		       "%s%s%s belongs to user %u, and not to you (%u): its state is not trusted", root, *id ? "/" : "",
		       id, (unsigned)st.st_uid, (unsigned)geteuid());
}

int runtime_open_filters(const teu_runtime *rt)
{
	_cleanup_close_ int fd = -EBADF;

	mkdirat(rt->root_fd, ".seccomp", 0700);
	fd = openat(rt->root_fd, ".seccomp", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && runtime_check_owner(fd, rt->root, ".seccomp", NULL) == 0 ? TAKE_FD(fd) : -EBADF;
}

static int open_root(teu_runtime *rt, const char *given, teu_error **err)
{
	int r = choose_root(rt, given, err);

	if (r < 0)
		return r;
	r = make_folders(rt->root);
	if (r < 0)
		return err_errno(err, -r, "make the runtime's folder %s", rt->root);
	rt->root_fd = open(rt->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rt->root_fd < 0)
		return err_errno(err, errno, "open the runtime's folder %s", rt->root);
	/* XDG Base Directory Specification: what is not sticky there may be removed when it has not been used for
	 * hours. */
	if (!given && rt->rights != IDMAP_ROOT)
		fchmod(rt->root_fd, 01700);
	return runtime_check_owner(rt->root_fd, rt->root, "", err);
}

int runtime_open(const teu_runtime_options *opts, teu_runtime **ret, teu_error **err)
{
	teu_runtime *rt;
	int r;

	if (opts->cgroup_manager < TEU_CGROUP_MANAGER_CGROUPFS || opts->cgroup_manager > TEU_CGROUP_MANAGER_DISABLED)
		return err_set(err, TEU_E_INVALID, "cgroup_manager %d is none of 0, 1, 2", opts->cgroup_manager);
	rt = calloc(1, sizeof(*rt));
	if (!rt)
		return err_oom(err);
	rt->refs = 1;
	rt->owner = getpid();
	rt->root_fd = -EBADF;
	rt->cgroup_manager = (enum teu_cgroup_manager)opts->cgroup_manager;
	rt->rights = idmap_rights();
	rt->rootless = opts->rootless ? opts->rootless == 1 : rt->rights != IDMAP_ROOT;
	rt->log = opts->log;
	rt->log_data = opts->log_data;
	r = open_root(rt, opts->root, err);
	if (r < 0)
		teu_runtime_unref(rt);
	else
		*ret = rt;
	return r;
}

teu_runtime *teu_runtime_ref(teu_runtime *rt)
{
	if (rt)
		atomic_fetch_add(&rt->refs, 1);
	return rt;
}

void teu_runtime_unref(teu_runtime *rt)
{
	if (!rt || atomic_fetch_sub(&rt->refs, 1) != 1)
		return;
	if (rt->root_fd >= 0)
		close(rt->root_fd);
	free(rt->root);
	free(rt);
}

int runtime_check(const teu_runtime *rt, teu_error **err)
{
	if (!rt)
		return err_set(err, TEU_E_INVALID, "the runtime is NULL");
	if (rt->owner != getpid())
		return err_set(err, TEU_E_FORKED,
			       "the runtime was opened before this process was forked: open another");
	return 0;
}

void runtime_log(const teu_runtime *rt, int level, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (!rt->log)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	rt->log(level, text, rt->log_data);
}
