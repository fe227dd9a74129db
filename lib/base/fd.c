/* fd: whole reads and writes, and files that appear whole. */
#include "base/fd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

int fd_write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_full(int fd, void *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *)bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int fd_read_rest(int fd, const char *what, size_t max, char **ret_text, size_t *ret_len, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	size_t room;
	ssize_t n;

	do {
		char *to;

		/* With the zero behind it the buffer is a power of two. */
		room = text.len ? text.len + 1 : 4095;
		to = strbuf_reserve(&text, room);

		if (!to)
			return err_oom(err);
		n = fd_read_full(fd, to, room);
		if (n < 0)
			return err_errno(err, (int)-n, "read %s", what);
		text.len += (size_t)n;
		if (text.len > max)
			return err_set(err, TEU_E_LIMIT, "%s is larger than %zu bytes", what, max);
	} while ((size_t)n == room); /* less is only read at the end */
	if (ret_len)
		*ret_len = text.len;
	strbuf_add(&text, "", 0);
	*ret_text = strbuf_take(&text);
	return *ret_text ? 0 : err_oom(err);
}

int fd_read_file(int dir_fd, const char *name, size_t max, char **ret_text, size_t *ret_len, teu_error **err)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, errno, "open %s", name);
	return fd_read_rest(fd, name, max, ret_text, ret_len, err);
}

static int write_new(int dir_fd, const char *name, const void *bytes, size_t len, mode_t mode, enum fd_sync sync)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, bytes, len);
	if (r < 0)
		return r;
	if (sync && fsync(fd) < 0)
		return -errno;
	return 0;
}

int fd_replace_file(int dir_fd, const char *name, const void *bytes, size_t len, mode_t mode, enum fd_sync sync,
		    teu_error **err)
{
	const char *base = strrchr(name, '/');
	_cleanup_free_ char *temporary = NULL;
	uint64_t random;
	int r;

	base = base ? base + 1 : name;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_errno(err, errno, "getrandom");
	if (asprintf(&temporary, "%.*s.%s.%016" PRIx64, (int)(base - name), name, base, random) < 0)
		return err_oom(err);
	r = write_new(dir_fd, temporary, bytes, len, mode, sync);
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir_fd, temporary, 0);
		return err_errno(err, -r, "write %s", name);
	}
	return 0;
}

int fd_write_value(int dir_fd, const char *name, const char *value)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int fd_open_dir(int dir_fd, const char *name, mode_t mode, int *ret_fd, teu_error **err)
{
	int fd;

	if (mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST)
		return err_errno(err, errno, "make folder %s", name);
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open folder %s", name);
	*ret_fd = fd;
	return 0;
}

/* A removal under way. Folders deeper than MAX_DEPTH are moved up into the top one, so that a tree of any depth takes a
 * bounded number of descriptors and bytes of stack. */
struct removal {
	int top_fd;
	dev_t dev;
	unsigned moved;
};

enum { MAX_DEPTH = 48 };

static int remove_entry(struct removal *r, int dir_fd, const char *name, int depth);

static int remove_contents(struct removal *r, int fd, int depth)
{
	_cleanup_closedir_ DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		int result = 0;

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = remove_entry(r, fd, entry->d_name, depth);
		if (result < 0)
			return result;
	}
	return 0;
}

/* -ENOTEMPTY: a folder that has something in it. */
static int remove_simple(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return errno == EEXIST ? -ENOTEMPTY : -errno;
}

/* The number is this process's own, as two may delete one tree. */
static int move_up(struct removal *r, int dir_fd, const char *name)
{
	char to[64];

	snprintf(to, sizeof(to), ".deep-%d-%u", (int)getpid(), r->moved++);
	return renameat(dir_fd, name, r->top_fd, to) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_entry(struct removal *r, int dir_fd, const char *name, int depth)
{
	int fd, result = remove_simple(dir_fd, name);
	struct stat st;

	if (result != -ENOTEMPTY)
		return result;
	if (depth == MAX_DEPTH)
		return move_up(r, dir_fd, name);
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0 || st.st_dev != r->dev) {
		close(fd);
		return -EXDEV;
	}
	result = remove_contents(r, fd, depth + 1);
	return result < 0 ? result : remove_simple(dir_fd, name);
}

static int remove_top(struct removal *r, int dir_fd, const char *name)
{
	unsigned before;
	int result;

	do {
		/* Each time from a descriptor of its own, which reads the folder from the beginning. */
		int fd = openat(r->top_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return -errno;
		before = r->moved;
		result = remove_contents(r, fd, 0);
	} while (result == 0 && r->moved != before);
	return result < 0 ? result : remove_simple(dir_fd, name);
}

static int remove_tree(int dir_fd, const char *name)
{
	int result = remove_simple(dir_fd, name);
	_cleanup_close_ int top = -EBADF;
	struct removal r = { 0 };
	struct stat st;

	if (result != -ENOTEMPTY)
		return result;
	top = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(top, &st) < 0)
		return -errno;
	r.top_fd = top;
	r.dev = st.st_dev;
	return remove_top(&r, dir_fd, name);
}

int fd_remove_tree(int dir_fd, const char *name, teu_error **err)
{
	int r = remove_tree(dir_fd, name);

	return r < 0 ? err_errno(err, -r, "remove %s", name) : 0;
}
