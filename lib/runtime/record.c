/* record: a container's folder and its state.json. */
#include "runtime/record.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/proc.h"
#include "kernel/cgroup.h"

enum { MAX_RECORD = 1 << 20, MAX_ID = 255 /* NAME_MAX */, MAX_TRIES = 1000 };

/* Begins the name of what is being removed: the folder's number comes behind it. */
#define ASIDE ".removing-"
/* Begins the name of what has no lock and no id yet: a random number comes behind it. */
#define MAKING ".making-"

int record_check_id(const char *id, teu_error **err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-";

	if (!id || !*id)
		return err_set(err, TEU_E_INVALID, "container id cannot be empty");
	if (id[strspn(id, allowed)] || *id == '.' || strlen(id) > MAX_ID)
		return err_set(err, TEU_E_INVALID,
			       "invalid id format: \"%.100s\": letters, digits, _, +, - and . behind the first are "
			       "allowed, at most %d",
			       id, MAX_ID);
	return 0;
}

/* 1: it is still the folder of that name; 0: a delete was faster with the lock. */
static int is_current(teu_runtime *rt, const struct record *rec, teu_error **err)
{
	struct stat named, ours;

	if (fstatat(rt->root_fd, rec->id, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(err, errno, "look at %s/%s", rt->root, rec->id);
	if (fstat(rec->dir_fd, &ours) < 0)
		return err_errno(err, errno, "look at %s/%s", rt->root, rec->id);
	return named.st_ino == ours.st_ino && named.st_dev == ours.st_dev;
}

/* Moves the folder @name, which @dir_fd has open, to where nobody looks for a container; *@aside is what it is called
 * there. */
static int put_aside(teu_runtime *rt, int dir_fd, const char *name, char aside[64], teu_error **err)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return err_errno(err, errno, "look at %s/%s", rt->root, name);
	snprintf(aside, 64, ASIDE "%llu", (unsigned long long)st.st_ino);
	if (renameat(rt->root_fd, name, rt->root_fd, aside) < 0)
		return err_errno(err, errno, "remove %s/%s", rt->root, name);
	return 0;
}

/*
 * 1: rec has the folder @name and its lock, and so has the id; 0: a sweep has taken it for what somebody left. A rename
 * replaces an empty folder only, and in each container's is its lock.
 */
static int lock_and_name(teu_runtime *rt, struct record *rec, const char *name, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	int r;

	rec->dir_fd = openat(rt->root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (rec->dir_fd < 0)
		return errno == ENOENT ? 0 : err_errno(err, errno, "open %s/%s", rt->root, name);
	r = lock_take(rec->dir_fd, "lock", LOCK_EXCLUSIVE, &rec->lock_fd, &why);
	if (r == TEU_E_NOT_FOUND)
		return 0;
	if (r < 0)
		return err_pass(err, r, &why);
	if (renameat(rt->root_fd, name, rt->root_fd, rec->id) == 0)
		return 1;
	if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
		return err_set(err, TEU_E_CONFLICT, "container with given ID already exists: %s", rec->id);
	return errno == ENOENT ? 0 : err_errno(err, errno, "make %s/%s", rt->root, rec->id);
}

/* As lock_and_name(), with a folder of its own. */
static int make_folder(teu_runtime *rt, struct record *rec, teu_error **err)
{
	char name[64];
	uint64_t random;
	int r;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_errno(err, errno, "getrandom");
	snprintf(name, sizeof(name), MAKING "%016" PRIx64, random);
	if (mkdirat(rt->root_fd, name, 0711) < 0)
		return err_errno(err, errno, "make %s/%s", rt->root, rec->id);
	r = lock_and_name(rt, rec, name, err);
	if (r < 0)
		fd_remove_tree(rt->root_fd, name, NULL);
	return r;
}

int record_make(teu_runtime *rt, const char *id, struct record *ret, teu_error **err)
{
	int r = record_check_id(id, err);

	/* It gets its name when it is locked: whoever finds it, waits, and of two who make it one comes second. */
	while (r == 0) {
		*ret = RECORD_INIT;
		ret->id = id;
		r = make_folder(rt, ret, err);
		if (r > 0)
			return 0;
		record_done(ret);
	}
	return r;
}

static void read_fields(struct record *rec)
{
	rec->pid = (pid_t)json_get_number(rec->doc, "pid", 0);
	rec->start = (uint64_t)json_get_number(rec->doc, "start", 0);
	rec->bundle = json_get_text(rec->doc, "bundle", "");
	rec->cgroup = json_get_text(rec->doc, "cgroup", NULL);
}

static int not_found(const char *id, teu_error **err)
{
	return err_set(err, TEU_E_NOT_FOUND, "container %s does not exist", id);
}

static int open_folder(teu_runtime *rt, const char *id, bool lock, struct record *ret, teu_error **err)
{
	int r = record_check_id(id, err);

	if (r < 0)
		return r;
	*ret = RECORD_INIT;
	ret->id = id;
	ret->dir_fd = openat(rt->root_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (ret->dir_fd < 0)
		return errno == ENOENT ? not_found(id, err) : err_errno(err, errno, "open %s/%s", rt->root, id);
	r = runtime_check_owner(ret->dir_fd, rt->root, id, err);
	if (r < 0 || !lock)
		return r;
	r = lock_take(ret->dir_fd, "lock", LOCK_EXCLUSIVE, &ret->lock_fd, err);
	if (r == 0)
		r = is_current(rt, ret, err);
	return r == 0 ? not_found(id, err) : r < 0 ? r : 0;
}

static int read_doc(struct record *rec, teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = fd_read_file(rec->dir_fd, "state.json", MAX_RECORD, &text, &len, err);

	if (r == 0)
		r = json_parse(text, len, &rec->doc, err);
	if (r == 0)
		read_fields(rec);
	return r;
}

int record_open(teu_runtime *rt, const char *id, bool lock, struct record *ret, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	int r = open_folder(rt, id, lock, ret, err);

	if (r < 0)
		return r;
	r = read_doc(ret, &why);
	return r == TEU_E_NOT_FOUND ? not_found(id, err) : err_pass(err, r, &why);
}

int record_open_any(teu_runtime *rt, const char *id, struct record *ret, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	int r = open_folder(rt, id, true, ret, err);

	if (r < 0)
		return r;
	r = read_doc(ret, &why);
	return r == TEU_E_NOT_FOUND || r == TEU_E_CORRUPT || r == TEU_E_LIMIT ? 0 : err_pass(err, r, &why);
}

int record_write(struct record *rec, json *doc, teu_error **err)
{
	_cleanup_free_ char *text = json_print(doc);

	json_free(rec->doc);
	rec->doc = doc;
	read_fields(rec);
	if (!text)
		return err_oom(err);
	return fd_replace_file(rec->dir_fd, "state.json", text, strlen(text), 0600, FD_NO_SYNC, err);
}

/* Who waits for the lock makes its file anew when that is gone, and the folder isn't empty then. */
static int remove_aside(teu_runtime *rt, const char *aside, teu_error **err)
{
	for (int tries = 1;; tries++) {
		_cleanup_error_ teu_error *why = NULL;
		int r = fd_remove_tree(rt->root_fd, aside, &why);

		if (r < 0 && teu_error_errno(why) == ENOTEMPTY && tries < MAX_TRIES)
			continue;
		return err_pass(err, r, &why);
	}
}

/* Whoever has made it and has no lock yet finds it gone, and makes another. */
static int sweep_unnamed(teu_runtime *rt, const char *name, teu_error **err)
{
	_cleanup_close_ int fd = openat(rt->root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_error_ teu_error *why = NULL;
	char aside[64];
	int r;

	if (fd < 0 || lock_is_held(fd, "lock"))
		return 0;
	r = put_aside(rt, fd, name, aside, &why);
	if (r == TEU_E_NOT_FOUND) /* it has its id by now */
		return 0;
	return r < 0 ? err_pass(err, r, &why) : remove_aside(rt, aside, err);
}

int record_sweep(teu_runtime *rt, teu_error **err)
{
	int fd = openat(rt->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		cleanup_close(&fd);
		return err_errno(err, errno, "read %s", rt->root);
	}
	for (struct dirent *e = readdir(dir); r == 0 && e; e = readdir(dir))
		if (strncmp(e->d_name, ASIDE, strlen(ASIDE)) == 0)
			r = remove_aside(rt, e->d_name, err);
		else if (strncmp(e->d_name, MAKING, strlen(MAKING)) == 0)
			r = sweep_unnamed(rt, e->d_name, err);
	return r;
}

int record_remove(teu_runtime *rt, const struct record *rec, teu_error **err)
{
	char aside[64];
	/* In one moment the name is free, and who looks from now on finds nothing, also if the rest fails. */
	int r = put_aside(rt, rec->dir_fd, rec->id, aside, err);

	return r < 0 ? r : remove_aside(rt, aside, err);
}

void record_done(struct record *rec)
{
	json_free(rec->doc);
	if (rec->lock_fd >= 0)
		close(rec->lock_fd);
	if (rec->dir_fd >= 0)
		close(rec->dir_fd);
	*rec = RECORD_INIT;
}

/* 1 or 0; without its cgroup nothing is frozen. */
static int is_frozen(const struct record *rec, teu_error **err)
{
	const char *dir = json_get_text(rec->doc, "freezer", NULL);
	char path[4096], text[16] = "";
	_cleanup_close_ int fd = -EBADF;
	bool v2 = cgroup_is_v2();
	ssize_t n;

	if (!dir)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", dir, v2 ? "cgroup.freeze" : "freezer.state");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -errno : fd_read_full(fd, text, sizeof(text) - 1);
	if (n == -ENOENT || n == -ENODEV)
		return 0;
	if (n < 0)
		return err_errno(err, (int)-n, "read %s", path);
	return v2 ? *text == '1' : strncmp(text, "FR", 2) == 0; /* FROZEN, FREEZING */
}

/* 1 or 0. */
static int waits_for_start(const struct record *rec, teu_error **err)
{
	if (faccessat(rec->dir_fd, START_FIFO, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_errno(err, errno, "look at the fifo of container %s", rec->id);
}

int record_status(const struct record *rec, enum status *ret, teu_error **err)
{
	int r = proc_runs(rec->pid, rec->start, err);

	*ret = STATUS_STOPPED;
	if (r <= 0)
		return r;
	r = is_frozen(rec, err);
	*ret = STATUS_PAUSED;
	if (r != 0)
		return r < 0 ? r : 0;
	r = waits_for_start(rec, err);
	*ret = r > 0 ? STATUS_CREATED : STATUS_RUNNING;
	return r < 0 ? r : 0;
}

const char *status_name(enum status status)
{
	static const char *const names[] = { "created", "running", "paused", "stopped" };

	return names[status];
}

json *record_state(const struct record *rec, const char *status, pid_t pid)
{
	static const char *const copied[] = { "bundle", "rootfs", "created", "owner" };
	_cleanup_json_ json *state = json_object();
	const json *annotations = json_get(rec->doc, "annotations");

	if (!json_add_string(state, "ociVersion", RUNTIME_SPEC_VERSION) || !json_add_string(state, "id", rec->id) ||
	    !json_add_int(state, "pid", pid) || !json_add_string(state, "status", status))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		if (!json_add_string(state, copied[i], json_get_text(rec->doc, copied[i], "")))
			return NULL;
	if (annotations && !json_add(state, "annotations", json_copy(annotations)))
		return NULL;
	return TAKE_PTR(state);
}
