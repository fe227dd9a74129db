/* store: the two folders everything is kept in. */
#include "store/store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/parse.h"
#include "base/path.h"

/* Grows with every change that an older release would misread. */
enum { STATE_VERSION = 1, STORE_MODE = 0710 };

static const char *const state_folders[] = {
	"blobs", "blobs/sha256", "layers",  "images", "containers",    "names",
	"tmp",	 "leases",	 "volumes", "cache",  "cache/seccomp",
};
/*
 * The mount points of every container, as a lowest layer that all share: without it each launch would make them in its
 * writable folder, and each removal take them away again.
 */
static const char *const skeleton_folders[] = { "skeleton", "skeleton/dev", "skeleton/etc", "skeleton/proc",
						"skeleton/sys" };
static const char *const skeleton_files[] = { "skeleton/etc/hosts", "skeleton/etc/hostname",
					      "skeleton/etc/resolv.conf" };
static const char *const run_folders[] = { "containers", "addresses", "locks" };

/* image-spec image-layout.md: what makes the state root an OCI image layout that other tools read. */
static const struct {
	const char *name, *text;
} layout_files[] = {
	{ "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}" },
	{ "index.json",
	  "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}" },
};

/* Makes @path and what is missing above it; folders above are everybody's to pass through. */
static int make_path(const char *path, teu_error **err)
{
	_cleanup_free_ char *copy = NULL;
	char *slash;

	if (mkdir(path, STORE_MODE) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return err_errno(err, errno, "make folder %s", path);
	copy = strdup(path);
	if (!copy)
		return err_oom(err);
	for (slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_errno(err, errno, "make folder %s", copy);
		*slash = '/';
	}
	if (mkdir(path, STORE_MODE) < 0 && errno != EEXIST)
		return err_errno(err, errno, "make folder %s", path);
	return 0;
}

static int open_root(const char *what, const char *path, char **ret_path, int *ret_fd, teu_error **err)
{
	_cleanup_free_ char *clean = NULL;
	int fd, r;

	if (path[0] != '/')
		return err_set(err, TEU_E_INVALID, "%s \"%s\" is not an absolute path", what, path);
	clean = path_clean(path);
	if (!clean)
		return err_oom(err);
	r = make_path(clean, err);
	if (r < 0)
		return err_wrap(err, r, "%s", what);
	fd = open(clean, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open %s %s", what, clean);
	*ret_path = TAKE_PTR(clean);
	*ret_fd = fd;
	return 0;
}

static int make_folders(int root_fd, const char *const *names, size_t n, mode_t mode, teu_error **err)
{
	for (size_t i = 0; i < n; i++)
		if (mkdirat(root_fd, names[i], mode) < 0 && errno != EEXIST)
			return err_errno(err, errno, "make folder %s", names[i]);
	return 0;
}

/*
 * ext4 reuses no inode within minutes of its removal, and looks at each such one again for every file it makes: 20,000
 * small files near a layer that was just removed took 17 s instead of 2. As below a top folder of the file system, each
 * layer is to begin in a part of the disk of its own. Other file systems know no such mark, or need none.
 */
static void spread_layers(int root_fd)
{
	_cleanup_close_ int fd = openat(root_fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int flags;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 || flags & FS_TOPDIR_FL)
		return;
	flags |= FS_TOPDIR_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

/* Seen inside containers, so its modes are set whatever the caller's umask is. */
static int make_skeleton(int root_fd, teu_error **err)
{
	int r = make_folders(root_fd, skeleton_folders, ARRAY_SIZE(skeleton_folders), 0755, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(skeleton_folders); i++)
		if (fchmodat(root_fd, skeleton_folders[i], 0755, 0) < 0)
			return err_errno(err, errno, "set the mode of %s", skeleton_folders[i]);
	for (size_t i = 0; i < ARRAY_SIZE(skeleton_files); i++) {
		_cleanup_close_ int fd = openat(root_fd, skeleton_files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		if (fd < 0 || fchmod(fd, 0644) < 0)
			return err_errno(err, errno, "make %s", skeleton_files[i]);
	}
	return 0;
}

/* The file "version" is written last: where it is, all the rest is. *ret is 0 where it is not. */
static int read_version(const struct store *store, uint32_t *ret, teu_error **err)
{
	char text[16];
	ssize_t len;
	_cleanup_close_ int fd = openat(store->root_fd, "version", O_RDONLY | O_CLOEXEC);

	*ret = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(err, errno, "open %s/version", store->root);
	len = fd_read_full(fd, text, sizeof(text) - 1);
	if (len < 0)
		return err_errno(err, (int)-len, "read %s/version", store->root);
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (!parse_u32(text, ret) || *ret == 0)
		return err_set(err, TEU_E_CORRUPT, "%s/version: \"%s\" is not a version", store->root, text);
	if (*ret > STATE_VERSION)
		return err_set(err, TEU_E_UNSUPPORTED,
			       "%s was written by a newer release (state version %u, this one knows %d)", store->root,
			       *ret, STATE_VERSION);
	return 0;
}

static int make_state(const struct store *store, teu_error **err)
{
	_cleanup_close_ int lock = -EBADF;
	char version[16];
	uint32_t found;
	int r = lock_take(store->root_fd, "lock", LOCK_EXCLUSIVE, &lock, err);

	if (r < 0)
		return r;
	/* Another process may have been first; index.json must not be emptied again. */
	r = read_version(store, &found, err);
	if (r < 0 || found)
		return r;
	r = make_folders(store->root_fd, state_folders, ARRAY_SIZE(state_folders), STORE_MODE, err);
	if (r < 0)
		return r;
	spread_layers(store->root_fd);
	r = make_skeleton(store->root_fd, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(layout_files); i++)
		if (faccessat(store->root_fd, layout_files[i].name, F_OK, 0) < 0)
			r = fd_replace_file(store->root_fd, layout_files[i].name, layout_files[i].text,
					    strlen(layout_files[i].text), 0644, FD_SYNC, err);
	if (r < 0)
		return r;
	snprintf(version, sizeof(version), "%d\n", STATE_VERSION);
	r = fd_replace_file(store->root_fd, "version", version, strlen(version), 0644, FD_SYNC, err);
	if (r == 0 && fsync(store->root_fd) < 0)
		return err_errno(err, errno, "sync %s", store->root);
	return r;
}

int store_open(const char *root, const char *run_root, struct store *ret, teu_error **err)
{
	_cleanup_(store_done) struct store store = { .root_fd = -EBADF, .run_fd = -EBADF };
	uint32_t version = 0;
	int r;

	r = open_root("state root", root, &store.root, &store.root_fd, err);
	if (r == 0)
		r = open_root("run root", run_root, &store.run_root, &store.run_fd, err);
	if (r == 0)
		r = read_version(&store, &version, err);
	if (r == 0 && !version)
		r = make_state(&store, err);
	if (r == 0)
		r = make_folders(store.run_fd, run_folders, ARRAY_SIZE(run_folders), STORE_MODE, err);
	if (r < 0)
		return r;
	*ret = store;
	store = (struct store){ .root_fd = -EBADF, .run_fd = -EBADF };
	return 0;
}

void store_done(struct store *store)
{
	if (store->root && store->root_fd >= 0)
		close(store->root_fd);
	if (store->run_root && store->run_fd >= 0)
		close(store->run_fd);
	free(store->root);
	free(store->run_root);
	*store = (struct store){ .root_fd = -EBADF, .run_fd = -EBADF };
}

int store_lock(const struct store *store, enum lock_mode mode, int *ret_fd, teu_error **err)
{
	return lock_take(store->root_fd, "lock", mode, ret_fd, err);
}

int store_new_name(const char *prefix, char name[STORE_NAME_MAX], teu_error **err)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_errno(err, errno, "getrandom");
	snprintf(name, STORE_NAME_MAX, "%s%016" PRIx64, prefix, random);
	return 0;
}
