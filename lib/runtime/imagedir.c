/* imagedir: the folders that criu works in, and what we keep beside its own files. */
#include "runtime/imagedir.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "format/protobuf.h"
#include "runtime/criu.h"

/* runc's name and form: images of either can be restored by the other. */
static const char streams_file[] = "descriptors.json";

enum { LOG_LEVEL = 4, MAX_STREAMS = 64 << 10 };

static int make_folders(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_folder(const char *path, bool make, const char *what, int *ret_fd, teu_error **err)
{
	int r = make ? make_folders(path) : 0;

	if (r < 0)
		return err_errno(err, -r, "make the %s folder %s", what, path);
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_errno(err, errno, "open the %s folder %s", what, path) : 0;
}

int imagedir_open(const char *path, const char *work, bool make, struct imagedir *ret, teu_error **err)
{
	int r = open_folder(path && *path ? path : "checkpoint", make, "image", &ret->dir_fd, err);

	if (r == 0 && work && *work)
		return open_folder(work, true, "work", &ret->work_fd, err);
	if (r < 0)
		return r;
	ret->work_fd = fcntl(ret->dir_fd, F_DUPFD_CLOEXEC, 3);
	return ret->work_fd < 0 ? err_errno(err, errno, "image folder") : 0;
}

/* What a descriptor stands for, by the mounts that process @pid has. */
static int reopen(int fd, pid_t pid, teu_error **err)
{
	_cleanup_close_ int there = -EBADF;
	char link[64], dir[PATH_MAX], path[PATH_MAX + 64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, dir, sizeof(dir) - 1);
	if (n < 0)
		return err_errno(err, errno, "readlink %s", link);
	dir[n] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, dir);
	there = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (there < 0 || dup3(there, fd, O_CLOEXEC) < 0)
		return err_errno(err, errno, "open %s", path);
	return 0;
}

int imagedir_reopen(const struct imagedir *images, pid_t pid, teu_error **err)
{
	int r = reopen(images->dir_fd, pid, err);

	return r == 0 ? reopen(images->work_fd, pid, err) : r;
}

/* The host's id of the container's group 0; -1: it has no ids of its own. */
static int64_t root_group(const json *spec)
{
	json_foreach (v, json_find(spec, "linux.gidMappings"))
		if (json_get_number(v, "containerID", -1) == 0)
			return json_get_number(v, "hostID", -1);
	return -1;
}

int imagedir_lend(struct imagedir *images, const json *spec, teu_error **err)
{
	int64_t group = root_group(spec);
	struct stat st;

	if (group <= 0)
		return 0;
	if (fstat(images->dir_fd, &st) < 0)
		return err_errno(err, errno, "stat the image folder");
	if (st.st_mode & S_IXOTH)
		return 0;
	if (fchown(images->dir_fd, (uid_t)-1, (gid_t)group) < 0 ||
	    fchmod(images->dir_fd, (st.st_mode & 07700) | S_IXGRP) < 0)
		return err_errno(err, errno, "let group %ld of the container into the image folder", (long)group);
	images->was = st;
	return 0;
}

static void take_back(const struct imagedir *images)
{
	if (images->was.st_mode && fchmod(images->dir_fd, images->was.st_mode & 07700) == 0 &&
	    fchown(images->dir_fd, (uid_t)-1, images->was.st_gid) == 0)
		fchmod(images->dir_fd, images->was.st_mode & 07777);
}

void imagedir_done(struct imagedir *images)
{
	take_back(images);
	cleanup_close(&images->dir_fd);
	cleanup_close(&images->work_fd);
}

int imagedir_add(const struct imagedir *images, const json *spec, const char *log, struct strbuf *options,
		 teu_error **err)
{
	const json *annotations = json_get(spec, "annotations");
	const char *config = json_get_text(annotations, "org.criu.config", "/etc/criu/runc.conf");

	protobuf_int(options, CRIU_IMAGES_DIR_FD, images->dir_fd);
	protobuf_int(options, CRIU_WORK_DIR_FD, images->work_fd);
	protobuf_int(options, CRIU_LOG_LEVEL, LOG_LEVEL);
	protobuf_text(options, CRIU_LOG_FILE, log);
	protobuf_bool(options, CRIU_NOTIFY_SCRIPTS, true);
	protobuf_bool(options, CRIU_ORPHAN_PTS_MASTER, true);
	/* Links, addresses and routes are the business of who made the namespace. */
	protobuf_int(options, CRIU_EMPTY_NS, CLONE_NEWNET);
	protobuf_text(options, CRIU_CONFIG_FILE, *config ? config : NULL);
	return options->oom ? err_oom(err) : 0;
}

int imagedir_save_streams(const struct imagedir *images, const json *record, teu_error **err)
{
	const json *list = json_get(record, "descriptors");
	_cleanup_free_ char *text = list ? json_print(list) : strdup("[]");

	if (!text)
		return err_oom(err);
	return fd_replace_file(images->dir_fd, streams_file, text, strlen(text), 0600, FD_NO_SYNC, err);
}

int imagedir_add_streams(const struct imagedir *images, struct strbuf *options, teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *list = NULL;
	size_t len;
	int fd = 0, r = fd_read_file(images->dir_fd, streams_file, MAX_STREAMS, &text, &len, err);

	if (r == 0)
		r = json_parse(text, len, &list, err);
	if (r < 0)
		return err_wrap(err, r, "%s of the image folder", streams_file);
	json_foreach (v, list) {
		const char *name = json_text(v, "");

		if (fd < 3 && strncmp(name, "pipe:", 5) == 0)
			criu_add_inherited(options, name, fd);
		fd++;
	}
	return options->oom ? err_oom(err) : 0;
}
