/* stop: signals to a container, and its end. A signal goes to a pidfd whose start time was compared, never to a bare
 * pid. */
#include "engine/stop.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

#include "base/proc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/signame.h"
#include "engine/attach.h"
#include "sandbox/spawn.h"
#include "engine/finish.h"
#include "engine/process.h"
#include "kernel/cgroup.h"
#include "store/containers.h"
#include "store/state.h"

enum { STOP_MS = 10000, KILL_MS = 30000 };

static int touch(teu_container *c, const char *name, teu_error **err)
{
	char path[96];

	snprintf(path, sizeof(path), "containers/%s/%s", c->id, name);
	return fd_replace_file(c->engine->store.run_fd, path, "", 0, 0600, FD_NO_SYNC, err);
}

static bool is_running(const struct container_state *s)
{
	return s->state == TEU_STATE_RUNNING || s->state == TEU_STATE_PAUSED;
}

/* A frozen process takes no signal: it is thawed for its end. */
static void thaw(teu_container *c)
{
	_cleanup_error_ teu_error *ignored = NULL;

	if (container_set_paused(c, false, &ignored) < 0)
		engine_log(c->engine, TEU_LOG_WARNING, "%s", teu_error_message(ignored));
}

static int send_signal(teu_container *c, const struct container_state *s, int signal, teu_error **err)
{
	_cleanup_close_ int pidfd = -EBADF;
	int r = proc_open(s->pid, s->pid_start, &pidfd, err);

	if (r < 0)
		return r;
	if (pidfd_send_signal(pidfd, signal, NULL, 0) < 0 && errno != ESRCH)
		return err_errno(err, errno, "send signal %d to container %s", signal, c->name);
	return 0;
}

/* Between two lives, in the delay of its policy: the monitor that waits, or the job that it became, is ended, and
 * nothing else runs. The caller holds the container's lock, so that job has not begun yet. */
static int end_restarting(teu_container *c, const struct container_state *s, teu_error **err)
{
	_cleanup_close_ int pidfd = pidfd_open(s->monitor_pid, 0);
	struct pollfd p = { pidfd, POLLIN, 0 };

	if (pidfd >= 0 && pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_errno(err, errno, "end the monitor of container %s", c->name);
	while (pidfd >= 0 && poll(&p, 1, KILL_MS) < 0 && errno == EINTR)
		;
	return finish_release(c->engine, c->id, err);
}

/*
 * *@ret: what it is doing. If that is a wait for its next life, this ends it and leaves TEU_STATE_RESTARTING in *@ret;
 * if it runs, and @mark, its policy is not to bring it back: marked under the lock, which the next life takes before it
 * looks for the mark.
 */
static int stop_policy(teu_container *c, bool mark, struct container_state *ret, teu_error **err)
{
	_cleanup_close_ int lock = -EBADF;
	int r = containers_lock(&c->engine->store, c->id, &lock, err);

	if (r == 0)
		r = state_read(&c->engine->store, c->id, ret, err);
	if (r == 0 && mark && is_running(ret))
		r = touch(c, "stopped", err);
	if (r == 0 && ret->state == TEU_STATE_RESTARTING)
		r = end_restarting(c, ret, err);
	return r;
}

/* Docker: who kills a container doesn't want its policy to bring it back. */
int container_kill(teu_container *c, int signal, teu_error **err)
{
	struct container_state s;
	int r = stop_policy(c, true, &s, err);

	if (r < 0 || s.state == TEU_STATE_RESTARTING)
		return r;
	if (!is_running(&s))
		return err_set(err, TEU_E_CONFLICT, "container %s is not running", c->name);
	r = send_signal(c, &s, signal, err);
	if (r == 0 && s.state == TEU_STATE_PAUSED && signal == SIGKILL)
		thaw(c);
	return r;
}

/* Reads the wire until the end is told or the wire breaks. *ret_ended: it did; @deadline_ms 0: none. */
static int await_end(int wire, int64_t deadline_ms, const teu_cancel *cancel, bool *ret_ended, int32_t *ret_status,
		     teu_error **err)
{
	struct wire_header m;

	*ret_ended = false;
	for (;;) {
		struct pollfd p[2] = { { wire, POLLIN, 0 }, { cancel_fd(cancel), POLLIN, 0 } };
		int n = poll(p, 2, clock_left_ms(deadline_ms));
		ssize_t got;

		if (n < 0 && errno != EINTR)
			return err_errno(err, errno, "poll");
		if (n == 0)
			return 0;
		if (p[1].revents)
			return cancel_check(cancel, err);
		if (!p[0].revents)
			continue;
		got = wire_receive(wire, &m, sizeof(m), MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN)
			continue;
		*ret_ended = got <= 0 || (got >= (ssize_t)sizeof(m) && m.type == WIRE_EXIT);
		*ret_status = got > 0 ? m.n1 : -1;
		if (*ret_ended)
			return 0;
	}
}

int container_wait(teu_container *c, int64_t timeout_ms, const teu_cancel *cancel, int32_t *ret_status, teu_error **err)
{
	int64_t deadline = timeout_ms ? clock_monotonic_ms() + timeout_ms : 0;
	_cleanup_close_ int wire = -EBADF;
	_cleanup_error_ teu_error *own = NULL;
	struct container_state s;
	int32_t status = -1;
	bool ended = true;
	int r = attach_connect_next(c, deadline, cancel, &wire, &own);

	if (r == 0)
		r = await_end(wire, deadline, cancel, &ended, &status, err);
	else if (r == TEU_E_CONFLICT)
		r = 0;
	else if (err && !*err)
		*err = TAKE_PTR(own);
	if (r < 0)
		return r;
	if (!ended)
		return err_set(err, TEU_E_TIMEOUT, "container %s still runs", c->name);
	if (status < 0) {
		r = state_read(&c->engine->store, c->id, &s, err);
		if (r < 0)
			return r;
		status = s.exit_status;
	}
	*ret_status = status;
	return 0;
}

static bool still_runs(teu_container *c, const struct container_state *was)
{
	struct container_state now;

	return state_read(&c->engine->store, c->id, &now, NULL) == 0 && now.pid == was->pid && is_running(&now);
}

/* Its process may have ended by itself: the end is waited for all the same. */
static int signal_unless_ended(teu_container *c, const struct container_state *s, int signal, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	int r = send_signal(c, s, signal, &why);

	if (r == TEU_E_NOT_FOUND)
		return 0;
	if (r < 0 && err && !*err)
		*err = TAKE_PTR(why);
	return r;
}

static int stop_running(teu_container *c, const struct container_state *s, int signal, int64_t timeout_ms,
			teu_error **err)
{
	_cleanup_close_ int wire = -EBADF;
	_cleanup_error_ teu_error *own = NULL;
	int32_t status;
	bool ended = false;
	/* Joined before the signal: a quick end is not missed. Nobody listening means that it ends this moment. */
	int r = attach_connect(c, 0, &wire, &own);

	if (r == TEU_E_CONFLICT && !still_runs(c, s))
		return 0;
	if (own && err && !*err)
		*err = TAKE_PTR(own);
	if (r == 0)
		r = signal_unless_ended(c, s, signal, err);
	if (r == 0 && s->state == TEU_STATE_PAUSED)
		thaw(c);
	if (r == 0)
		r = await_end(wire, clock_monotonic_ms() + timeout_ms, NULL, &ended, &status, err);
	if (r < 0 || ended)
		return r;
	r = signal_unless_ended(c, s, SIGKILL, err);
	if (r == 0)
		r = await_end(wire, clock_monotonic_ms() + KILL_MS, NULL, &ended, &status, err);
	if (r == 0 && !ended)
		return err_set(err, TEU_E_TIMEOUT, "container %s was killed but does not end", c->name);
	return r;
}

static bool has_policy(const teu_container *c)
{
	const char *name = json_get_text(json_find(c->record, "HostConfig.RestartPolicy"), "Name", "");

	return *name && strcmp(name, "no") != 0;
}

/* Its monitor may have decided on another life before the mark was there: that one is in its delay then. */
static int stop_with(teu_container *c, int signal, int64_t timeout_ms, teu_error **err)
{
	struct container_state s;
	int r = stop_policy(c, true, &s, err);

	if (r < 0 || !is_running(&s))
		return r;
	r = stop_running(c, &s, signal, timeout_ms, err);
	return r < 0 || !has_policy(c) ? r : stop_policy(c, false, &s, err);
}

int container_stop(teu_container *c, int64_t timeout_ms, teu_error **err)
{
	const json *config = json_get(c->record, "Config");
	int signal = signame_parse(json_get_text(config, "StopSignal", "SIGTERM"));

	if (timeout_ms < 0) {
		int64_t seconds = json_get_number(config, "StopTimeout", STOP_MS / 1000);

		timeout_ms = seconds < 0 ? INT32_MAX : seconds * 1000;
	}
	return stop_with(c, signal > 0 ? signal : SIGTERM, timeout_ms, err);
}

int container_kill_and_wait(teu_container *c, teu_error **err)
{
	return stop_with(c, SIGKILL, KILL_MS, err);
}
