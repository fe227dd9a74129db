/* tree: a folder being filled under names that a stranger chose. */
#include "layerfs/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/path.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

int tree_errno(teu_error **err, int eno, const char *doing)
{
	switch (eno) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case EEXIST:
	case ELOOP:
	case ENAMETOOLONG:
	case EINVAL:
	case EXDEV:
		return err_set(err, TEU_E_CORRUPT, "%s: %s", doing, strerrordesc_np(eno));
	default:
		return err_errno(err, eno, "%s", doing);
	}
}

int tree_clean(const char *name, char ret[PATH_MAX], teu_error **err)
{
	size_t len = 0, depth = 0;

	if (*name == '/')
		return err_set(err, TEU_E_CORRUPT, "absolute name");
	if (*name == '\0')
		return err_set(err, TEU_E_CORRUPT, "empty name");
	while (*name) {
		size_t part = strcspn(name, "/");

		if (part == 2 && name[0] == '.' && name[1] == '.')
			return err_set(err, TEU_E_CORRUPT, "\"..\" in the name");
		if (part > NAME_MAX || len + part + 2 > PATH_MAX)
			return err_set(err, TEU_E_CORRUPT, "the name is too long");
		if (part && !(part == 1 && *name == '.')) {
			if (++depth > TREE_MAX_DEPTH)
				return err_set(err, TEU_E_LIMIT, "more than %d folders in one another", TREE_MAX_DEPTH);
			if (len)
				ret[len++] = '/';
			memcpy(ret + len, name, part);
			len += part;
		}
		name += part;
		name += *name == '/';
	}
	ret[len] = '\0';
	return 0;
}

int tree_set_opaque(int fd, teu_error **err)
{
	if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0)
		return err_errno(err, errno, "set trusted.overlay.opaque");
	return 0;
}

/*
 * A chain of links into folders can lead deeper than any single name does: /proc tells where it ended. The root's own
 * path counts along, which a margin allows for.
 */
static int check_depth(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t len;
	int depth = 0;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	if (len < 0)
		return -errno;
	for (ssize_t i = 0; i < len; i++)
		depth += path[i] == '/';
	return len == sizeof(path) || depth > TREE_MAX_DEPTH + 32 ? -ENAMETOOLONG : 0;
}

/* Links in the way are followed as if the root were "/", as chroot(2) would. */
static int open_dir(int root_fd, const char *folder)
{
	int fd, r;

	if (!*folder)
		folder = ".";
	fd = path_open_straight(root_fd, folder, O_RDONLY | O_DIRECTORY, 0);
	if (fd != -ELOOP)
		return fd;
	fd = path_open_beneath(root_fd, folder, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	r = check_depth(fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* A new folder @base in @dir_fd; @in_place_of: something was removed for it. */
static int new_dir(int dir_fd, const char *base, mode_t mode, bool in_place_of, int *ret_fd, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (mkdirat(dir_fd, base, mode & 0777) < 0)
		return tree_errno(err, errno, "make folder");
	fd = openat(dir_fd, base, DIR_FLAGS);
	if (fd < 0)
		return tree_errno(err, errno, "open folder");
	if (in_place_of) {
		r = tree_set_opaque(fd, err);
		if (r < 0)
			return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* A missing folder that no entry has named yet. Its own folder keeps its time stamp. */
static int make_hidden(struct tree *tree, int dir_fd, const char *base, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st, at;
	bool whiteout = false;
	int r;

	if (fstat(dir_fd, &st) < 0)
		return err_errno(err, errno, "look at folder");
	if (fstatat(dir_fd, base, &at, AT_SYMLINK_NOFOLLOW) == 0) {
		whiteout = is_whiteout(&at);
		if (!whiteout)
			return err_set(err, TEU_E_CORRUPT, "%s is not a folder, or a link to none", base);
		if (unlinkat(dir_fd, base, 0) < 0)
			return err_errno(err, errno, "remove whiteout");
	}
	r = new_dir(dir_fd, base, 0755, whiteout, &fd, err);
	if (r < 0)
		return r;
	if (fchmod(fd, 0755) < 0 || futimens(dir_fd, (struct timespec[]){ { 0, UTIME_OMIT }, st.st_mtim }) < 0)
		return err_errno(err, errno, "set up folder");
	tree->made++;
	return 0;
}

/* Opens @folder and makes what is missing on the way, from the root down. */
static int open_or_make(struct tree *tree, const char *folder, int *ret_fd, teu_error **err)
{
	char part[PATH_MAX];
	size_t len = 0;
	int fd = open_dir(tree->root_fd, folder);

	while (fd == -ENOENT || fd == -ENOTDIR) {
		_cleanup_close_ int dir_fd = -EBADF;
		char *base;
		int r;

		/* One part further down; what is there already only costs its open. */
		len += folder[len] == '/';
		len += strcspn(folder + len, "/");
		memcpy(part, folder, len);
		part[len] = '\0';
		fd = open_dir(tree->root_fd, part);
		if (fd >= 0) {
			close(fd);
			fd = folder[len] ? -ENOENT : open_dir(tree->root_fd, folder);
			continue;
		}
		base = strrchr(part, '/');
		if (base)
			*base++ = '\0';
		dir_fd = open_dir(tree->root_fd, base ? part : "");
		if (dir_fd < 0)
			return tree_errno(err, -dir_fd, "open folder");
		r = make_hidden(tree, dir_fd, base ? base : part, err);
		if (r < 0)
			return r;
		fd = open_dir(tree->root_fd, folder);
	}
	if (fd < 0)
		return tree_errno(err, -fd, "open folder");
	*ret_fd = fd;
	return 0;
}

static const char *split(const char *name, char folder[PATH_MAX])
{
	const char *slash = strrchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : 0;

	memcpy(folder, name, len);
	folder[len] = '\0';
	return slash ? slash + 1 : name;
}

int tree_enter(struct tree *tree, const char *name, const char **ret_base, teu_error **err)
{
	char folder[PATH_MAX];
	struct stat st;
	int fd = -EBADF, r;

	*ret_base = split(name, folder);
	if (tree->fd >= 0 && strcmp(folder, tree->folder) == 0)
		return 0;
	r = tree_leave(tree, err);
	if (r < 0)
		return r;
	r = open_or_make(tree, folder, &fd, err);
	if (r < 0)
		return r;
	tree->fd = fd;
	strcpy(tree->folder, folder);
	if (fstat(fd, &st) < 0) {
		r = err_errno(err, errno, "look at folder");
		tree_done(tree);
		return r;
	}
	tree->mtime = st.st_mtim;
	return 0;
}

int tree_leave(struct tree *tree, teu_error **err)
{
	int r = 0;

	if (tree->fd >= 0 && futimens(tree->fd, (struct timespec[]){ { 0, UTIME_OMIT }, tree->mtime }) < 0)
		r = err_errno(err, errno, "set time of %.200s", tree->folder);
	tree_done(tree);
	return r;
}

void tree_done(struct tree *tree)
{
	cleanup_close(&tree->fd);
	tree->fd = -EBADF;
}

int tree_find(const struct tree *tree, const char *name, const char **ret_base)
{
	char folder[PATH_MAX];

	*ret_base = split(name, folder);
	return open_dir(tree->root_fd, folder);
}

int tree_clear(const struct tree *tree, const char *base, teu_error **err)
{
	if (unlinkat(tree->fd, base, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return err_errno(err, errno, "replace");
	return fd_remove_tree(tree->fd, base, err);
}

int tree_make_dir(const struct tree *tree, const char *base, mode_t mode, int *ret_fd, teu_error **err)
{
	struct stat st;
	int fd;

	if (fstatat(tree->fd, base, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return tree_errno(err, errno, "look at it");
		return new_dir(tree->fd, base, mode, false, ret_fd, err);
	}
	if (!S_ISDIR(st.st_mode)) {
		if (unlinkat(tree->fd, base, 0) < 0)
			return err_errno(err, errno, "replace");
		return new_dir(tree->fd, base, mode, true, ret_fd, err);
	}
	fd = openat(tree->fd, base, DIR_FLAGS);
	if (fd < 0)
		return tree_errno(err, errno, "open folder");
	*ret_fd = fd;
	return 0;
}
