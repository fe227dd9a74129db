/* helper: asks a docker-credential program. */
#include "registry/helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/strbuf.h"

extern char **environ;

static int spawn(const char *program, int in, int out, pid_t *ret_pid)
{
	char *argv[] = { (char *)program, (char *)"get", NULL };
	const struct child child = {
		.program = program, .search = true, .argv = argv, .env = environ, .in = in, .out = out, .err = -1
	};

	return child_spawn(&child, ret_pid);
}

/* Waits for @fd to be readable. */
static int wait_readable(int fd, int64_t deadline, const teu_cancel *cancel, teu_error **err)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = cancel_fd(cancel), .events = POLLIN } };
	int n;

	do {
		n = poll(fds, 2, clock_left_ms(deadline));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(err, errno, "poll");
	if (n == 0)
		return err_set(err, TEU_E_TIMEOUT, "no answer within %d s", HELPER_TIMEOUT_MS / 1000);
	return cancel_check(cancel, err);
}

static int read_answer(int fd, int64_t deadline, const teu_cancel *cancel, struct strbuf *answer, teu_error **err)
{
	for (;;) {
		char *to = strbuf_reserve(answer, 4096);
		ssize_t n;
		int r;

		if (!to)
			return err_oom(err);
		r = wait_readable(fd, deadline, cancel, err);
		if (r < 0)
			return r;
		n = read(fd, to, 4096);
		if (n < 0 && errno != EINTR)
			return err_errno(err, errno, "read its answer");
		if (n == 0)
			return 0;
		answer->len += n > 0 ? (size_t)n : 0;
		if (answer->len > HELPER_MAX_ANSWER)
			return err_set(err, TEU_E_LIMIT, "an answer of more than %d bytes", HELPER_MAX_ANSWER);
	}
}

/* Its exit status; 0 also when the host's own handler was faster to reap it: the answer decides then. */
static int reap(pid_t pid, bool kill_first, int64_t deadline, const teu_cancel *cancel)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int status = 0;

	if (kill_first || (pidfd >= 0 && wait_readable(pidfd, deadline, cancel, NULL) < 0))
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int ask(const char *program, const char *server, const teu_cancel *cancel, struct strbuf *answer,
	       teu_error **err)
{
	_cleanup_close_ int in_read = -EBADF, in_write = -EBADF, out_read = -EBADF, out_write = -EBADF;
	int64_t deadline = clock_monotonic_ms() + HELPER_TIMEOUT_MS;
	int in[2], out[2], r, eno, status;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_errno(err, errno, "pipe");
	in_read = in[0];
	in_write = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_errno(err, errno, "pipe");
	out_read = out[0];
	out_write = out[1];
	eno = spawn(program, in_read, out_write, &pid);
	if (eno)
		return err_set(err, TEU_E_AUTH, "can't be started: %s", strerrordesc_np(eno));
	close(TAKE_FD(out_write));
	/* A server's name fits into the pipe: no waiting. That the helper hung up shows in its answer. */
	(void)fd_write_all(in_write, server, strlen(server));
	close(TAKE_FD(in_write));
	r = read_answer(out_read, deadline, cancel, answer, err);
	strbuf_add(answer, "", 0);
	status = reap(pid, r < 0, deadline, cancel);
	if (r < 0)
		return r;
	if (answer->oom)
		return err_oom(err);
	if (strstr(answer->text, "credentials not found"))
		return err_set(err, TEU_E_NOT_FOUND, "credentials not found");
	if (status)
		return err_set(err, TEU_E_AUTH, "exit status %d: %.*s", status, (int)strcspn(answer->text, "\r\n"),
			       answer->text);
	return 0;
}

int helper_get(const char *name, const char *server, const teu_cancel *cancel, char **ret_answer, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf answer = STRBUF_INIT;
	_cleanup_free_ char *program = NULL;
	int r;

	if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(name))
		return err_set(err, TEU_E_INVALID, "\"%.60s\" is no name of a credential helper", name);
	if (asprintf(&program, "docker-credential-%s", name) < 0)
		return err_oom(err);
	r = ask(program, server, cancel, &answer, err);
	if (r < 0)
		return err_wrap(err, r, "%s", program);
	*ret_answer = strbuf_take(&answer);
	return *ret_answer ? 0 : err_oom(err);
}
