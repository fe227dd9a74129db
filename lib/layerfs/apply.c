/* apply: one layer's tar stream into one folder. Source: image-spec layer.md, "Applying Changesets", "Whiteouts". */
#include "layerfs/apply.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "format/tar.h"
#include "layerfs/tree.h"

static const uint64_t default_max_size = 64ULL << 30;
static const uint64_t default_max_files = 4000000;

/* What a tar may have besides its files' bytes: headers and padding an entry, and filling behind the end mark. */
static const uint64_t bytes_an_entry = 8 << 10;
static const uint64_t bytes_of_filling = 64 << 20;

/* So much of a large file is handed to the disk at once, so that the sync at the end finds little to do. */
static const uint64_t writeback_step = 8 << 20;

struct apply {
	struct tree tree;
	struct tar_reader *reader; /* owned */
	apply_read_cb read;
	void *data;
	const teu_cancel *cancel;
	uint64_t max_size, max_files;
	uint64_t size;	  /* sum of the files' sizes */
	uint64_t entries; /* seen so far */
	uint64_t streamed;
};

static void apply_done(struct apply *a)
{
	tar_reader_free(a->reader);
	tree_done(&a->tree);
}

/* The stream as libarchive gets it: counted, for a bomb may also consist of what is no file. */
static ssize_t read_counted(void *data, const void **ret_bytes, teu_error **err)
{
	struct apply *a = data;
	ssize_t n;
	int r = cancel_check(a->cancel, err);

	if (r < 0)
		return r;
	n = a->read(a->data, ret_bytes, err);
	if (n <= 0)
		return n;
	a->streamed += (uint64_t)n;
	if (a->streamed > a->max_size + a->entries * bytes_an_entry + bytes_of_filling)
		return err_set(err, TEU_E_LIMIT, "the tar is larger than the limit of %llu bytes",
			       (unsigned long long)a->max_size);
	return n;
}

/*
 * What an overlay takes as orders comes from our whiteouts alone, and security labels are the host's business; the
 * rest is the image's.
 */
static bool xattr_wanted(const char *name)
{
	static const char *const prefixes[] = { "user.", "trusted.", "system.posix_acl_" };

	if (strcmp(name, "security.capability") == 0)
		return true;
	if (strncmp(name, "trusted.overlay.", 16) == 0 || strncmp(name, "user.overlay.", 13) == 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* @fd: the open file or folder; negative: @base in the tree's open folder, a link, device or fifo. */
static int set_xattrs(struct apply *a, int fd, const char *base, teu_error **err)
{
	char path[64 + NAME_MAX];
	const char *name;
	const void *value;
	size_t len;
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", a->tree.fd, base);
	while (tar_reader_xattr(a->reader, &name, &value, &len)) {
		if (!xattr_wanted(name))
			continue;
		r = fd >= 0 ? fsetxattr(fd, name, value, len, 0) : lsetxattr(path, name, value, len, 0);
		/* A file system without attributes, and user.* on what is no file: the layer is usable without. */
		if (r < 0 && errno != EOPNOTSUPP && !(errno == EPERM && fd < 0))
			return err_errno(err, errno, "set attribute %.200s", name);
	}
	return 0;
}

static void stamps_of(const struct tar_entry *entry, struct timespec ret[2])
{
	ret[0] = entry->atime;
	ret[1] = entry->mtime;
}

/*
 * Owner, mode, attributes and times of an open file or folder. The file system is asked what is there already (our
 * creation under the host's umask, a set-group-id parent), for a look costs less than a change. The order matters:
 * chown(2) drops set-user-id and capabilities.
 */
static int dress(struct apply *a, int fd, const struct tar_entry *entry, teu_error **err)
{
	struct timespec stamps[2];
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_errno(err, errno, "look at it");
	if ((st.st_uid != entry->uid || st.st_gid != entry->gid) && fchown(fd, entry->uid, entry->gid) < 0)
		return err_errno(err, errno, "set owner");
	if (((st.st_mode & 07777) != entry->mode || entry->mode & (S_ISUID | S_ISGID)) && fchmod(fd, entry->mode) < 0)
		return err_errno(err, errno, "set mode");
	r = set_xattrs(a, fd, NULL, err);
	if (r < 0)
		return r;
	stamps_of(entry, stamps);
	if (futimens(fd, stamps) < 0)
		return err_errno(err, errno, "set times");
	return 0;
}

/* The same for what can't be opened: links, devices, fifos. */
static int dress_at(struct apply *a, const char *base, const struct tar_entry *entry, teu_error **err)
{
	struct timespec stamps[2];
	int r;

	if (fchownat(a->tree.fd, base, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, errno, "set owner");
	if (entry->kind != TAR_SYMLINK && fchmodat(a->tree.fd, base, entry->mode, 0) < 0)
		return err_errno(err, errno, "set mode");
	r = set_xattrs(a, -EBADF, base, err);
	if (r < 0)
		return r;
	stamps_of(entry, stamps);
	if (utimensat(a->tree.fd, base, stamps, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, errno, "set times");
	return 0;
}

static int write_at(int fd, const char *bytes, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, bytes, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int fill_file(struct apply *a, int fd, const struct tar_entry *entry, teu_error **err)
{
	uint64_t end = 0, offset = 0, flushed = 0;
	const void *bytes;
	size_t len;
	int r;

	while ((r = tar_reader_data(a->reader, &bytes, &len, &offset, err)) > 0) {
		if (offset > entry->size || len > entry->size - offset)
			return err_set(err, TEU_E_CORRUPT, "more bytes than its size says");
		r = write_at(fd, bytes, len, offset);
		if (r < 0)
			return err_errno(err, -r, "write");
		end = offset + len;
		if (end >= flushed + writeback_step) {
			/* A hint: its failure changes nothing. */
			sync_file_range(fd, (off_t)flushed, (off_t)(end - flushed), SYNC_FILE_RANGE_WRITE);
			flushed = end;
		}
	}
	if (r < 0)
		return r;
	if (end < entry->size && ftruncate(fd, (off_t)entry->size) < 0)
		return err_errno(err, errno, "set size");
	return 0;
}

static int make_file(struct apply *a, const char *base, const struct tar_entry *entry, teu_error **err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (entry->size > a->max_size - a->size)
		return err_set(err, TEU_E_LIMIT, "the files are larger than the limit of %llu bytes",
			       (unsigned long long)a->max_size);
	a->size += entry->size;
	fd = openat(a->tree.fd, base, flags, entry->mode & 0777);
	if (fd < 0 && errno == EEXIST) {
		r = tree_clear(&a->tree, base, err);
		if (r < 0)
			return r;
		fd = openat(a->tree.fd, base, flags, entry->mode & 0777);
	}
	if (fd < 0)
		return tree_errno(err, errno, "create");
	r = fill_file(a, fd, entry, err);
	return r < 0 ? r : dress(a, fd, entry, err);
}

static int make_dir(struct apply *a, const char *base, const struct tar_entry *entry, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r = tree_make_dir(&a->tree, base, entry->mode, &fd, err);

	return r < 0 ? r : dress(a, fd, entry, err);
}

static int make_symlink(struct apply *a, const char *base, const struct tar_entry *entry, teu_error **err)
{
	int r = tree_clear(&a->tree, base, err);

	if (r < 0)
		return r;
	if (symlinkat(entry->link, a->tree.fd, base) < 0)
		return tree_errno(err, errno, "make link");
	return dress_at(a, base, entry, err);
}

static int make_node(struct apply *a, const char *base, const struct tar_entry *entry, teu_error **err)
{
	mode_t type = entry->kind == TAR_CHAR ? S_IFCHR : entry->kind == TAR_BLOCK ? S_IFBLK : S_IFIFO;
	dev_t dev = entry->kind == TAR_FIFO ? 0 : makedev(entry->major, entry->minor);
	int r = tree_clear(&a->tree, base, err);

	if (r < 0)
		return r;
	if (mknodat(a->tree.fd, base, type | (entry->mode & 0777), dev) < 0)
		return tree_errno(err, errno, "make node");
	return dress_at(a, base, entry, err);
}

static bool same_file(int fd, const char *base, int other_fd, const char *other_base)
{
	struct stat st, other;

	return fstatat(fd, base, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(other_fd, other_base, &other, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == other.st_dev &&
	       st.st_ino == other.st_ino;
}

static int make_hardlink(struct apply *a, const char *base, const struct tar_entry *entry, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	char target[PATH_MAX];
	const char *target_base;
	int r = tree_clean(entry->link, target, err);

	if (r < 0)
		return err_wrap(err, r, "link to %.200s", entry->link);
	if (!*target)
		return err_set(err, TEU_E_CORRUPT, "hard link to a folder");
	fd = tree_find(&a->tree, target, &target_base);
	if (fd < 0)
		return tree_errno(err, -fd, "find what it links to");
	if (linkat(fd, target_base, a->tree.fd, base, 0) == 0)
		return 0;
	if (errno == EPERM)
		return err_set(err, TEU_E_CORRUPT, "hard link to a folder");
	if (errno != EEXIST)
		return tree_errno(err, errno, "link");
	if (same_file(fd, target_base, a->tree.fd, base))
		return 0;
	r = tree_clear(&a->tree, base, err);
	if (r < 0)
		return r;
	if (linkat(fd, target_base, a->tree.fd, base, 0) < 0)
		return tree_errno(err, errno, "link");
	return 0;
}

/*
 * layer.md: whiteouts apply to lower layers only, wherever in the tar they stand: what this layer itself has under the
 * name stays, but a folder then shows nothing from below.
 */
static int make_whiteout(struct apply *a, const char *hidden, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return err_set(err, TEU_E_CORRUPT, "a whiteout of nothing");
	if (fstatat(a->tree.fd, hidden, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return tree_errno(err, errno, "look at it");
		if (mknodat(a->tree.fd, hidden, S_IFCHR, makedev(0, 0)) < 0)
			return tree_errno(err, errno, "make whiteout");
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd = openat(a->tree.fd, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return tree_errno(err, errno, "open folder");
	return tree_set_opaque(fd, err);
}

/* The other ".wh..wh." names are aufs's own records, which mean nothing in a layer. */
static int apply_mark(struct apply *a, const char *base, teu_error **err)
{
	if (strcmp(base, ".wh..wh..opq") == 0)
		return tree_set_opaque(a->tree.fd, err);
	if (strncmp(base, ".wh..wh.", 8) == 0)
		return 0;
	return make_whiteout(a, base + 4, err);
}

static int apply_root(struct apply *a, const struct tar_entry *entry, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (entry->kind != TAR_DIR)
		return err_set(err, TEU_E_CORRUPT, "the root is not a folder");
	r = tree_leave(&a->tree, err);
	if (r < 0)
		return r;
	fd = openat(a->tree.root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open the root");
	return dress(a, fd, entry, err);
}

static int apply_entry(struct apply *a, const struct tar_entry *entry, teu_error **err)
{
	static int (*const make[])(struct apply *, const char *, const struct tar_entry *, teu_error **) = {
		[TAR_FILE] = make_file,		[TAR_DIR] = make_dir,	[TAR_SYMLINK] = make_symlink,
		[TAR_HARDLINK] = make_hardlink, [TAR_CHAR] = make_node, [TAR_BLOCK] = make_node,
		[TAR_FIFO] = make_node,
	};
	char name[PATH_MAX];
	const char *base;
	int r = tree_clean(entry->name, name, err);

	if (r < 0)
		return r;
	if (!*name)
		return apply_root(a, entry, err);
	r = tree_enter(&a->tree, name, &base, err);
	if (r < 0)
		return r;
	return strncmp(base, ".wh.", 4) == 0 ? apply_mark(a, base, err) : make[entry->kind](a, base, entry, err);
}

static int apply_entries(struct apply *a, teu_error **err)
{
	struct tar_entry entry;
	int r;

	while ((r = tar_reader_next(a->reader, &entry, err)) > 0) {
		a->entries++;
		r = apply_entry(a, &entry, err);
		if (r < 0)
			return err_wrap(err, r, "tar entry %.200s", entry.name);
		if (a->entries + a->tree.made > a->max_files)
			return err_set(err, TEU_E_LIMIT, "more than %llu files", (unsigned long long)a->max_files);
		r = cancel_check(a->cancel, err);
		if (r < 0)
			return r;
	}
	return r;
}

int apply_layer(int root_fd, apply_read_cb read, void *data, const struct apply_options *opts, uint64_t *ret_size,
		teu_error **err)
{
	_cleanup_(apply_done) struct apply a = {
		.tree = { .root_fd = root_fd, .fd = -EBADF },
		.read = read,
		.data = data,
		.cancel = opts ? opts->cancel : NULL,
		.max_size = opts && opts->max_size ? opts->max_size : default_max_size,
		.max_files = opts && opts->max_files ? opts->max_files : default_max_files,
	};
	const void *rest;
	ssize_t n;
	int r = tar_reader_new(read_counted, &a, &a.reader, err);

	if (r == 0)
		r = apply_entries(&a, err);
	if (r == 0)
		r = tree_leave(&a.tree, err);
	if (r < 0)
		return r;
	while ((n = read_counted(&a, &rest, err)) > 0)
		;
	if (n < 0)
		return (int)n;
	if (ret_size)
		*ret_size = a.size;
	return 0;
}
