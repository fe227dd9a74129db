/* runtime: opens the folder of an OCI runtime's containers. */
#include "runtime/runtime.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"

/* runc's choice: /run/<name> for root, the user's own folder otherwise. */
static char *default_root(void)
{
	const char *user = getenv("XDG_RUNTIME_DIR");
	char *path;

	if (geteuid() == 0 || !user || !*user)
		return strdup("/run/teu-oci");
	return asprintf(&path, "%s/teu-oci", user) < 0 ? NULL : path;
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

static int open_root(teu_runtime *rt, const char *given, teu_error **err)
{
	_cleanup_free_ char *cwd = NULL;
	int r;

	if (!given) {
		rt->root = default_root();
	} else if (*given == '/') {
		rt->root = strdup(given);
	} else {
		cwd = getcwd(NULL, 0);
		if (!cwd || asprintf(&rt->root, "%s/%s", cwd, given) < 0)
			rt->root = NULL;
	}
	if (!rt->root)
		return err_oom(err);
	r = make_folders(rt->root);
	if (r < 0)
		return err_errno(err, -r, "make the runtime's folder %s", rt->root);
	rt->root_fd = open(rt->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return rt->root_fd < 0 ? err_errno(err, errno, "open the runtime's folder %s", rt->root) : 0;
}

int runtime_open(const teu_runtime_options *opts, teu_runtime **ret, teu_error **err)
{
	teu_runtime *rt = calloc(1, sizeof(*rt));
	int r;

	if (!rt)
		return err_oom(err);
	rt->refs = 1;
	rt->owner = getpid();
	rt->root_fd = -EBADF;
	rt->systemd_cgroup = opts->systemd_cgroup;
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
