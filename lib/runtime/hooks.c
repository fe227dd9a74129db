/* hooks: those that run on the host: prestart, createRuntime, poststart, poststop. */
#include "runtime/hooks.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/strbuf.h"

struct hook {
	const char *path;
	struct strv args, env;
	bool inherits;	 /* it has no "env" */
	int64_t timeout; /* seconds; 0: none */
};

static void hook_done(struct hook *h)
{
	strv_done(&h->args);
	strv_done(&h->env);
}

static int read_hook(const json *v, const char *place, struct hook *h, teu_error **err)
{
	int r = json_read_string(v, place, "path", &h->path, err);

	if (r == 0 && (!h->path || *h->path != '/'))
		return json_field_error(err, place, "path", "expected an absolute path");
	if (r == 0)
		r = json_read_strings(v, place, "args", &h->args, err);
	if (r == 0)
		r = json_read_strings(v, place, "env", &h->env, err);
	h->inherits = !json_get(v, "env");
	if (r == 0)
		r = json_read_int(v, place, "timeout", &h->timeout, err);
	if (r == 0 && h->timeout < 0)
		return json_field_error(err, place, "timeout", "expected at least 1 second");
	if (!h->args.n && h->path)
		strv_add(&h->args, h->path);
	return r == 0 && (h->args.oom || h->env.oom) ? err_oom(err) : r;
}

/* Without an environment of its own it has ours: so have runc and crun, and hooks look for programs by it. */
static int spawn_hook(const struct hook *h, const char *cwd, int in, int out, pid_t *ret_pid)
{
	static char *const none[] = { NULL };
	const struct child child = {
		.program = h->path,
		.argv = h->args.items,
		.env = h->inherits ? environ
		       : h->env.n  ? h->env.items
				   : none,
		.cwd = *cwd && access(cwd, X_OK) == 0 ? cwd : NULL,
		.in = in,
		.out = out,
		.err = out,
	};

	return child_spawn(&child, ret_pid);
}

static int report(int status, const struct strbuf *said, teu_error **err)
{
	const char *text = said->text ? said->text : "";
	int len = (int)said->len;

	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (WIFSIGNALED(status))
		return err_set(err, TEU_E_LAUNCH, "signal: %s, output: %.*s", strsignal(WTERMSIG(status)), len, text);
	return err_set(err, TEU_E_LAUNCH, "exit status %d, output: %.*s", WEXITSTATUS(status), len, text);
}

/* A hook that reads nothing may leave the document in the pipe, and one that ended breaks it: neither is an error. */
static int write_state(int fd, const char *state)
{
	sigset_t pipe_only, before;
	int r;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	r = fd_write_all(fd, state, strlen(state));
	if (r == -EPIPE) {
		static const struct timespec now = { 0 };

		sigtimedwait(&pipe_only, NULL, &now);
		r = 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r == -EAGAIN ? 0 : r;
}

static int run_hook(const struct hook *h, const char *state, const char *cwd, teu_error **err)
{
	_cleanup_close_ int in_read = -EBADF, in_write = -EBADF, out_read = -EBADF, out_write = -EBADF;
	_cleanup_(strbuf_done) struct strbuf said = STRBUF_INIT;
	int in[2], out[2], status, eno, r;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_errno(err, errno, "pipe");
	in_read = in[0];
	in_write = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_errno(err, errno, "pipe");
	out_read = out[0];
	out_write = out[1];
	fcntl(in_write, F_SETPIPE_SZ, 1 << 20);
	fcntl(in_write, F_SETFL, O_NONBLOCK);
	eno = spawn_hook(h, cwd, in_read, out_write, &pid);
	if (eno)
		return err_errno(err, eno, "start %s", h->path);
	close(TAKE_FD(in_read));
	close(TAKE_FD(out_write));
	r = write_state(in_write, state);
	close(TAKE_FD(in_write));
	if (r < 0)
		kill(pid, SIGKILL);
	if (child_await(pid, out_read, h->timeout ? clock_monotonic_ms() + h->timeout * 1000 : 0, &said, &status) < 0)
		return err_set(err, TEU_E_TIMEOUT, "%s: it ran longer than its timeout of %" PRId64 " s", h->path,
			       h->timeout);
	if (r < 0)
		return err_errno(err, -r, "write the state to %s", h->path);
	return status ? report(status, &said, err) : 0;
}

static int run_one(const json *v, const char *phase, size_t i, const char *state, const char *cwd, teu_error **err)
{
	_cleanup_(hook_done) struct hook hook = { 0 };
	char place[48];
	int r;

	snprintf(place, sizeof(place), "hooks.%s[%zu]", phase, i);
	r = read_hook(v, place, &hook, err);
	if (r < 0)
		return r;
	r = run_hook(&hook, state, cwd, err);
	return r < 0 ? err_wrap(err, r, "error running %s hook #%zu", phase, i) : 0;
}

bool hooks_any(const json *spec, const char *phase)
{
	return json_count(json_get(json_get(spec, "hooks"), phase)) > 0;
}

static char *state_text(const struct record *record, const char *status, pid_t pid)
{
	_cleanup_json_ json *state = record_state(record, status, pid);

	return state ? json_print(state) : NULL;
}

int hooks_run(const json *spec, const char *phase, const struct record *record, const char *status, pid_t pid,
	      teu_error **err)
{
	_cleanup_free_ char *state = NULL;
	const json *list = NULL;
	size_t i = 0;
	int r = json_read_array(json_get(spec, "hooks"), "hooks", phase, &list, err);

	if (r < 0 || !json_count(list))
		return r;
	state = state_text(record, status, pid);
	if (!state)
		return err_oom(err);
	json_foreach (v, list) {
		r = run_one(v, phase, i++, state, record->bundle, err);
		if (r < 0)
			return r;
	}
	return 0;
}

void hooks_try(teu_runtime *rt, const json *spec, const char *phase, const struct record *record, const char *status,
	       pid_t pid)
{
	_cleanup_free_ char *state = state_text(record, status, pid);
	size_t i = 0;

	json_foreach (v, json_get(json_get(spec, "hooks"), phase)) {
		_cleanup_error_ teu_error *err = NULL;

		if (state && run_one(v, phase, i++, state, record->bundle, &err) < 0)
			runtime_log(rt, TEU_LOG_WARNING, "%s", teu_error_message(err));
	}
}
