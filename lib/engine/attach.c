/* attach: the caller's end of a wire to a monitor: packets in, packets out (init/wire.h). */
#include "engine/attach.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "base/clock.h"
#include "engine/finish.h"
#include "sandbox/spawn.h"

int attach_new(teu_container *container, int wire, bool removes, teu_attach **ret, teu_error **err)
{
	teu_attach *a = calloc(1, sizeof(*a));

	if (!a) {
		close(wire);
		return err_oom(err);
	}
	a->refs = 1;
	a->container = teu_container_ref(container);
	a->wire = wire;
	a->removes = removes;
	a->exit_status = -1;
	*ret = a;
	return 0;
}

teu_attach *teu_attach_ref(teu_attach *a)
{
	if (a)
		atomic_fetch_add(&a->refs, 1);
	return a;
}

/* The monitor of an AutoRemove container waits for this end to close, and removes what is still there then: only its
 * files, which take longest, or all of it. */
void teu_attach_unref(teu_attach *a)
{
	if (!a || atomic_fetch_sub(&a->refs, 1) != 1)
		return;
	if (a->removes && a->exit_status >= 0)
		finish_remove(a->container, a->container->engine->delete_in_background && !a->lost);
	close(a->wire);
	teu_container_unref(a->container);
	free(a);
}

uint32_t attach_wants(const teu_attach_options *opts)
{
	if (!opts)
		return WIRE_WANT_STDIN | WIRE_WANT_STDOUT | WIRE_WANT_STDERR;
	return (opts->stdin_stream ? WIRE_WANT_STDIN : 0) | (opts->stdout_stream ? WIRE_WANT_STDOUT : 0) |
	       (opts->stderr_stream ? WIRE_WANT_STDERR : 0);
}

/* The path may be longer than a socket address holds: it is named by the descriptor of its folder. */
static int connect_below(int run_fd, const char *id, int wire)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int dir = -EBADF;
	char folder[96];

	snprintf(folder, sizeof(folder), "containers/%s", id);
	dir = openat(run_fd, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/monitor.sock", dir);
	return connect(wire, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

int attach_connect(teu_container *container, uint32_t wants, int *ret_wire, teu_error **err)
{
	_cleanup_close_ int wire = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct wire_header hello = { .type = WIRE_HELLO, .n1 = (int32_t)wants };
	int r;

	if (wire < 0)
		return err_errno(err, errno, "socket");
	r = connect_below(container->engine->store.run_fd, container->id, wire);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return err_set(err, TEU_E_CONFLICT, "container %s is not running", container->name);
	if (r < 0)
		return err_errno(err, -r, "connect to the monitor of container %s", container->name);
	if (send(wire, &hello, sizeof(hello), MSG_NOSIGNAL) < 0) {
		/* Its monitor went between the two calls. */
		if (errno == EPIPE || errno == ECONNRESET)
			return err_set(err, TEU_E_CONFLICT, "container %s is not running", container->name);
		return err_errno(err, errno, "greet the monitor of container %s", container->name);
	}
	*ret_wire = TAKE_FD(wire);
	return 0;
}

/* Between two lives the monitor waits, and then is the job that starts the next: one process, whose end is the news. */
static int await_news(const teu_container *container, pid_t monitor, int64_t deadline_ms, const teu_cancel *cancel,
		      teu_error **err)
{
	_cleanup_close_ int pidfd = pidfd_open(monitor, 0);
	struct pollfd p[2] = { { pidfd, POLLIN, 0 }, { cancel_fd(cancel), POLLIN, 0 } };
	int n;

	if (pidfd < 0)
		return errno == ESRCH ? 0 : err_errno(err, errno, "watch the monitor of container %s", container->name);
	n = poll(p, 2, clock_left_ms(deadline_ms));
	if (n < 0 && errno != EINTR)
		return err_errno(err, errno, "poll");
	if (n == 0)
		return err_set(err, TEU_E_TIMEOUT, "container %s still restarts", container->name);
	return n > 0 && p[1].revents ? cancel_check(cancel, err) : 0;
}

int attach_connect_next(teu_container *container, int64_t deadline_ms, const teu_cancel *cancel, int *ret_wire,
			teu_error **err)
{
	pid_t tried = 0;

	for (;;) {
		_cleanup_error_ teu_error *why = NULL;
		struct container_state s = { .monitor_pid = 0 };
		int r = attach_connect(container, 0, ret_wire, &why);

		if (r == TEU_E_CONFLICT && state_read(&container->engine->store, container->id, &s, NULL) == 0 &&
		    container_is_up(&s)) {
			/* A life that began since the socket was tried is tried again, once. */
			bool again = s.state != TEU_STATE_RESTARTING && s.monitor_pid != tried;

			tried = s.monitor_pid;
			r = again ? 0 : await_news(container, s.monitor_pid, deadline_ms, cancel, err);
			if (r < 0)
				return r;
			continue;
		}
		if (r < 0 && err && !*err)
			*err = TAKE_PTR(why);
		return r;
	}
}

int attach_send(teu_attach *a, enum wire_type type, int32_t n1, int32_t n2, teu_error **err)
{
	struct wire_header m = { .type = type, .n1 = n1, .n2 = n2 };

	if (send(a->wire, &m, sizeof(m), MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
		return err_errno(err, errno, "speak to the monitor");
	return 0;
}

/* One packet. How many bytes of it are gone: all once the process has ended, as the reader learns how. */
static int write_packet(teu_attach *a, const char *bytes, size_t len, int flags, teu_error **err)
{
	struct wire_header header = { .type = WIRE_STDIN };
	size_t part = len < WIRE_MAX ? len : WIRE_MAX;
	struct iovec io[2] = { { &header, sizeof(header) }, { (void *)(uintptr_t)bytes, part } };
	struct msghdr m = { .msg_iov = io, .msg_iovlen = 2 };

	if (a->stdin_closed)
		return err_set(err, TEU_E_CONFLICT, "the standard input is closed");
	if (sendmsg(a->wire, &m, MSG_NOSIGNAL | flags) >= 0)
		return (int)part;
	if (errno == EPIPE || errno == ECONNRESET)
		return (int)part;
	if (errno == EINTR || errno == EAGAIN)
		return 0;
	return err_errno(err, errno, "write to the standard input");
}

int attach_try_write(teu_attach *a, const void *buffer, size_t len, teu_error **err)
{
	return write_packet(a, buffer, len, MSG_DONTWAIT, err);
}

bool attach_try_end(teu_attach *a)
{
	struct wire_header m = { .type = WIRE_STDIN_END };

	a->stdin_closed = send(a->wire, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
	return a->stdin_closed;
}

int attach_write(teu_attach *a, const void *buffer, size_t len, teu_error **err)
{
	for (const char *at = buffer; len;) {
		int n = write_packet(a, at, len, 0, err);

		if (n < 0)
			return n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Takes packets until one has bytes for the caller, or the end. */
static int next_packet(teu_attach *a, teu_error **err)
{
	while (a->at == a->len && a->exit_status < 0) {
		ssize_t n = wire_receive(a->wire, &a->packet, sizeof(a->packet), 0);

		if (n < (ssize_t)sizeof(a->packet.header)) {
			a->lost = true;
			a->exit_status = finish_status_of(a->container);
			return 0;
		}
		a->at = 0;
		a->len = 0;
		if (a->packet.header.type == WIRE_STDOUT || a->packet.header.type == WIRE_STDERR)
			a->len = (size_t)n - sizeof(a->packet.header);
		else if (a->packet.header.type == WIRE_EXIT)
			a->exit_status = a->packet.header.n1;
	}
	(void)err;
	return 0;
}

int attach_read(teu_attach *a, int32_t *ret_stream, void *buffer, size_t cap, size_t *ret_len, teu_error **err)
{
	int r = next_packet(a, err);
	size_t n = a->len - a->at < cap ? a->len - a->at : cap;

	if (r < 0)
		return r;
	memcpy(buffer, a->packet.bytes + a->at, n);
	a->at += n;
	*ret_stream = a->packet.header.type == WIRE_STDERR ? TEU_STDERR : TEU_STDOUT;
	*ret_len = n;
	return 0;
}
