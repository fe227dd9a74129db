/* state: what a container is doing now and how it last ended: the reader of what init/record.c writes. */
#include "store/state.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/lock.h"

enum { MAX_FILE = 4096 };

enum { STATUS_KILLED = 128 + 9 };

/* 1, or 0: there is no such file. */
static int read_lines(int dir_fd, const char *path, char text[MAX_FILE], teu_error **err)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : fd_read_full(fd, text, MAX_FILE - 1);

	text[n < 0 ? 0 : n] = '\0';
	if (n < 0)
		return n == -ENOENT || n == -ENOTDIR ? 0 : err_errno(err, (int)-n, "read %s", path);
	return 1;
}

/* The rest of the line that begins with @key and a blank; NULL: none. */
static const char *value_of(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (; text && *text; text = strchr(text, '\n'), text += text != NULL)
		if (strncmp(text, key, n) == 0 && text[n] == ' ')
			return text + n + 1;
	return NULL;
}

static int64_t number_of(const char *text, const char *key)
{
	const char *value = value_of(text, key);

	return value ? strtoll(value, NULL, 10) : 0;
}

static void parse_exit(const char *text, struct container_state *s)
{
	const char *error;

	/* A start that failed has written it, too. */
	s->state = number_of(text, "started") ? TEU_STATE_EXITED : TEU_STATE_CREATED;
	s->exit_status = (int32_t)number_of(text, "status");
	s->oom_killed = number_of(text, "oom");
	s->started_ns = number_of(text, "started");
	s->finished_ns = number_of(text, "finished");
	s->restarts = (int32_t)number_of(text, "restarts");
	error = value_of(text, "error");
	if (error)
		snprintf(s->error, sizeof(s->error), "%.*s", (int)strcspn(error, "\n"), error);
}

static int read_exit(const struct store *store, const char *id, struct container_state *s, teu_error **err)
{
	char path[128], text[MAX_FILE];
	int r;

	snprintf(path, sizeof(path), "containers/%s/exit", id);
	r = read_lines(store->root_fd, path, text, err);
	if (r > 0)
		parse_exit(text, s);
	return r < 0 ? r : 0;
}

static bool is_frozen(const struct store *store, const char *id)
{
	char path[128];

	snprintf(path, sizeof(path), "containers/%s/paused", id);
	return faccessat(store->run_fd, path, F_OK, 0) == 0;
}

int state_read(const struct store *store, const char *id, struct container_state *ret, teu_error **err)
{
	char path[128], alive[128], text[MAX_FILE];
	int64_t now;
	int r;

	*ret = (struct container_state){ .state = TEU_STATE_CREATED };
	r = read_exit(store, id, ret, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "containers/%s/state", id);
	snprintf(alive, sizeof(alive), "containers/%s/alive", id);
	r = read_lines(store->run_fd, path, text, err);
	/* A monitor writes the exit before it takes the state away: it may have done both since we looked. */
	if (r <= 0)
		return r < 0 ? r : read_exit(store, id, ret, err);
	if (value_of(text, "finished")) {
		parse_exit(text, ret);
		return 0;
	}
	now = number_of(text, "started");
	r = lock_look(store->run_fd, alive, err);
	if (r < 0)
		return r;
	if (r == 0) {
		r = read_exit(store, id, ret, err);
		if (r < 0)
			return r;
		/* Its monitor was killed, and the container with it (PR_SET_PDEATHSIG). */
		if (now > ret->finished_ns) {
			ret->state = TEU_STATE_EXITED;
			ret->exit_status = STATUS_KILLED;
			ret->started_ns = now;
		}
		return 0;
	}
	ret->monitor_pid = (pid_t)number_of(text, "monitor");
	ret->restarts = (int32_t)number_of(text, "restarts");
	if (number_of(text, "restarting")) {
		ret->state = TEU_STATE_RESTARTING;
		return 0;
	}
	ret->state = is_frozen(store, id) ? TEU_STATE_PAUSED : TEU_STATE_RUNNING;
	ret->pid = (pid_t)number_of(text, "pid");
	ret->pid_start = (uint64_t)number_of(text, "pid_start");
	ret->started_ns = now;
	ret->error[0] = '\0';
	return 0;
}

int state_keep_exit(const struct store *store, const char *id, teu_error **err)
{
	char path[128], text[MAX_FILE], killed[256];
	struct container_state s = { 0 };
	const char *record = text;
	int64_t started;
	int r;

	snprintf(path, sizeof(path), "containers/%s/state", id);
	r = read_lines(store->run_fd, path, text, err);
	if (r <= 0)
		return r;
	if (!value_of(text, "finished")) {
		started = number_of(text, "started");
		r = read_exit(store, id, &s, err);
		if (r < 0)
			return r;
		if (started <= s.finished_ns)
			return 0;
		snprintf(killed, sizeof(killed),
			 "status %d\noom 0\nstarted %" PRId64 "\nfinished %" PRId64 "\nrestarts %" PRId64 "\n",
			 STATUS_KILLED, started, clock_now_ns(), number_of(text, "restarts"));
		record = killed;
	}
	snprintf(path, sizeof(path), "containers/%s/exit", id);
	return fd_replace_file(store->root_fd, path, record, strlen(record), 0600, FD_NO_SYNC, err);
}
