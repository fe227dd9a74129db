/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* console: a foreground process in a container: its terminal copied to ours, our signals passed on, its end awaited. */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../teu/signals.h"
#include "../teu/terminal.h"
#include "oci.h"

enum { LAST_WORDS_MS = 100 };

static bool receive(int socket, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char name[256];
	struct iovec io = { .iov_base = name, .iov_len = sizeof(name) };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};
	struct cmsghdr *c;

	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) <= 0)
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return false;
	memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	return true;
}

static void resize(const struct console *c)
{
	struct winsize size = { 0 };

	if (c->master >= 0 &&
	    (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0))
		ioctl(c->master, TIOCSWINSZ, &size);
}

bool console_prepare(struct console *c, bool terminal)
{
	if (!signals_open(true, terminal))
		return false;
	return !terminal || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c->ends) == 0;
}

bool console_receive(struct console *c)
{
	if (c->ends[0] < 0)
		return true;
	if (!receive(c->ends[0], &c->master))
		return false;
	resize(c);
	terminal_raw(true);
	return true;
}

static bool write_all(int fd, const char *bytes, ssize_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, bytes, (size_t)n);

		if (done < 0 && errno != EINTR)
			return false;
		if (done > 0) {
			bytes += done;
			n -= done;
		}
	}
	return true;
}

static bool copy(int from, int to)
{
	char bytes[16384];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	return n > 0 && write_all(to, bytes, n);
}

static void serve_signals(const struct console *c, int32_t pid)
{
	int signal;

	while ((signal = signals_next())) {
		if (signal == SIGWINCH)
			resize(c);
		else
			kill(pid, signal);
	}
}

/* What it wrote before its end is still in the terminal. */
static void drain(struct console *c)
{
	struct pollfd p = { .fd = c->master, .events = POLLIN };

	while (c->master >= 0 && poll(&p, 1, LAST_WORDS_MS) > 0 && p.revents & POLLIN)
		if (!copy(c->master, STDOUT_FILENO))
			break;
}

int console_run(struct console *c, int32_t pid, int wait)
{
	struct pollfd p[] = { { .fd = wait, .events = POLLIN },
			      { .fd = signals_fd(), .events = POLLIN },
			      { .fd = c->master, .events = POLLIN },
			      { .fd = c->master < 0 ? -1 : STDIN_FILENO, .events = POLLIN } };
	int32_t status = EXIT_FAILED;

	while (!p[0].revents) {
		if (poll(p, 4, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents)
			serve_signals(c, pid);
		if (p[2].revents && !copy(c->master, STDOUT_FILENO))
			p[2].fd = -1;
		if (p[3].revents && !copy(STDIN_FILENO, c->master))
			p[3].fd = -1;
	}
	drain(c);
	terminal_restore();
	teu_namespace_wait(wait, &status, NULL);
	return status;
}

void console_last_words(struct console *c)
{
	struct pollfd p = { .fd = c->ends[0], .events = POLLIN };

	cleanup_close(&c->ends[1]);
	if (c->master < 0 && c->ends[0] >= 0 && poll(&p, 1, 0) > 0 && !receive(c->ends[0], &c->master))
		return;
	drain(c);
}

void console_done(struct console *c)
{
	for (int i = 0; i < 2; i++)
		cleanup_close(&c->ends[i]);
	cleanup_close(&c->master);
}
