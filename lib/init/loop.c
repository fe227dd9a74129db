/*
 * loop: carries bytes between the process, its log and whoever is attached, until the process has ended. One buffer
 * serves all: output is read only when everybody has taken what was read before, so a slow reader slows the process
 * instead of growing the monitor.
 */
#include "init/first.h"
#include "init/log.h"
#include "init/monitor.h"
#include "init/wire.h"

#include <asm/ioctls.h>
#include <asm/termios.h>
#include <linux/poll.h>
#include <linux/un.h>
#include <linux/wait.h>

enum { MAX_CLIENTS = 64, BACKLOG = 1024, DRAIN_MS = 250, TAIL_MAX = 4 << 20 };

struct client {
	int fd; /* -1: free place */
	uint32_t want;
	bool pending; /* has not taken the message in out_packet yet */
};

struct packet {
	struct wire_header header;
	char bytes[WIRE_MAX];
};

static struct client clients[MAX_CLIENTS]; /* the first is the one that launched */
static int n_clients;
static int listener = -1;
static struct packet out_packet; /* the last that came from the process */
static size_t out_n;
static struct packet in_packet; /* the last that came from a client */
static char stdin_bytes[WIRE_MAX];
static size_t stdin_at, stdin_n;
static char *tail; /* packets with their size in n1: what came last, for clients that were behind */
static size_t tail_n;
static bool stdin_end;

bool wire_send(int fd, uint32_t type, int32_t n1, int32_t n2, int32_t n3, const void *bytes, size_t n, bool wait)
{
	struct wire_header header = { type, n1, n2, n3 };
	struct {
		const void *base;
		size_t len;
	} io[2] = { { &header, sizeof(header) }, { bytes, n } };
	struct {
		void *name;
		int name_len;
		void *io;
		size_t n_io;
		void *control;
		size_t control_len;
		int flags;
	} message = { .io = io, .n_io = n ? 2 : 1 };

	return SYS(sendmsg, fd, &message, 0x4000 /* MSG_NOSIGNAL */ | (wait ? 0 : 0x40 /* MSG_DONTWAIT */)) >= 0;
}

/* A place for one more client; NULL: all are taken. The first place stays with who launched. */
static struct client *free_place(void)
{
	for (int i = 1; i < n_clients; i++)
		if (clients[i].fd < 0)
			return &clients[i];
	return n_clients < MAX_CLIENTS ? &clients[n_clients] : NULL;
}

static void add_client(int fd, uint32_t want)
{
	struct client *place = free_place();

	*place = (struct client){ .fd = fd, .want = want };
	if (place == &clients[n_clients])
		n_clients++;
}

static bool any_pending(void)
{
	for (int i = 0; i < n_clients; i++)
		if (clients[i].fd >= 0 && clients[i].pending)
			return true;
	return false;
}

/* Only our own user may speak to a monitor (CVE-2020-15257 is why the socket is a path, 0600, and is asked as well). */
static void accept_client(void)
{
	struct {
		int pid;
		uint32_t uid, gid;
	} peer = { 0 };
	int len = sizeof(peer), fd = (int)SYS(accept4, listener, 0, 0, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	if (SYS(getsockopt, fd, 1 /* SOL_SOCKET */, 17 /* SO_PEERCRED */, &peer, &len) < 0 ||
	    (peer.uid != 0 && peer.uid != (uint32_t)SYS(geteuid))) {
		SYS(close, fd);
		return;
	}
	add_client(fd, 0);
}

/* Names longer than a socket address holds are reached through /proc/self/fd. */
static long bind_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = 1 };
	char folder[SYS_PATH_MAX] = "";
	size_t cut = str_len(path);
	bool fits;
	int dir;
	long r;

	while (cut && path[cut - 1] != '/')
		cut--;
	if (cut >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, cut);
	folder[cut] = '\0';
	dir = sys_open(AT_FDCWD, folder, O_PATH | O_DIRECTORY, 0);
	TRY(dir);
	SYS(unlinkat, dir, path + cut, 0);
	fits = str_add(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/") &&
	       str_add_number(address.sun_path, sizeof(address.sun_path), dir) &&
	       str_add(address.sun_path, sizeof(address.sun_path), "/") &&
	       str_add(address.sun_path, sizeof(address.sun_path), path + cut);
	SYS(umask, 0177);
	r = fits ? SYS(bind, listener, &address, sizeof(address)) : -ENAMETOOLONG;
	SYS(umask, 0);
	SYS(close, dir);
	return r;
}

void loop_listen(const char *path)
{
	listener = (int)SYS(socket, 1, 5 | O_CLOEXEC | O_NONBLOCK, 0);
	if (listener >= 0 && (bind_socket(path) < 0 || SYS(listen, listener, BACKLOG) < 0)) {
		SYS(close, listener);
		listener = -1;
	}
}

static void close_stdin(struct child *c)
{
	/* A pty has one descriptor for both ways: its input is not closed, a terminal's user types ^D. */
	if (c->in >= 0 && c->in != c->out[0])
		SYS(close, c->in);
	if (c->in != c->out[0])
		c->in = -1;
	stdin_n = stdin_at = 0;
}

static void write_stdin(struct child *c)
{
	while (stdin_at < stdin_n && c->in >= 0) {
		long n = SYS(write, c->in, stdin_bytes + stdin_at, stdin_n - stdin_at);

		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n < 0) {
			close_stdin(c);
			return;
		}
		stdin_at += (size_t)n;
	}
	stdin_at = stdin_n = 0;
	if (stdin_end)
		close_stdin(c);
}

/* The end of the input comes after what is held of it. */
static void end_stdin(struct child *c)
{
	stdin_end = true;
	write_stdin(c);
}

/* docker: with StdinOnce the input ends with the client that wrote it. */
static void drop_client(const struct plan_header *plan, struct child *c, struct client *client)
{
	bool wrote = client->want & WIRE_WANT_STDIN;

	SYS(close, client->fd);
	*client = (struct client){ .fd = -1 };
	if (wrote && plan->birth.flags & PLAN_STDIN_ONCE)
		end_stdin(c);
}

static void resize(const struct child *c, int rows, int columns)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	if (c->out[0] >= 0)
		SYS(ioctl, c->out[0], TIOCSWINSZ, &size);
}

static void on_message(const struct plan_header *plan, struct child *c, struct client *client)
{
	long n = SYS(recvfrom, client->fd, &in_packet, sizeof(in_packet), 0x40 /* MSG_DONTWAIT */, 0, 0);
	size_t len;

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n < (long)sizeof(struct wire_header)) {
		drop_client(plan, c, client);
		return;
	}
	len = (size_t)n - sizeof(struct wire_header);
	switch (in_packet.header.type) {
	case WIRE_HELLO:
		client->want = (uint32_t)in_packet.header.n1;
		break;
	case WIRE_STDIN:
		/* Who has not asked to write is not kept waiting while a piece is held, and would overwrite it. */
		if (!(client->want & WIRE_WANT_STDIN))
			break;
		memcpy(stdin_bytes, in_packet.bytes, len);
		stdin_n = len;
		stdin_at = 0;
		write_stdin(c);
		break;
	case WIRE_STDIN_END:
		if (plan->birth.flags & PLAN_STDIN_ONCE && client->want & WIRE_WANT_STDIN)
			end_stdin(c);
		break;
	case WIRE_RESIZE:
		if (plan->birth.flags & PLAN_TTY)
			resize(c, in_packet.header.n1, in_packet.header.n2);
		break;
	}
}

static void flush_client(const struct plan_header *plan, struct child *c, struct client *client)
{
	long n = SYS(sendto, client->fd, &out_packet, sizeof(out_packet.header) + out_n,
		     0x4040 /* DONTWAIT | NOSIGNAL */, 0, 0);

	client->pending = n == -EAGAIN || n == -EINTR;
	if (n < 0 && !client->pending)
		drop_client(plan, c, client);
}

/* Reads once from stream @i; false at its end. */
static bool read_output(const struct plan_header *plan, struct child *c, int i)
{
	uint32_t want = i == 0 ? WIRE_WANT_STDOUT : WIRE_WANT_STDERR;
	long n = SYS(read, c->out[i], out_packet.bytes, WIRE_MAX);

	if (n == -EAGAIN || n == -EINTR)
		return true;
	if (n <= 0) { /* a pty says EIO when its last user is gone */
		if (c->in == c->out[i])
			c->in = -1;
		SYS(close, c->out[i]);
		c->out[i] = -1;
		return false;
	}
	out_packet.header = (struct wire_header){ .type = i == 0 ? WIRE_STDOUT : WIRE_STDERR };
	out_n = (size_t)n;
	if (plan->birth.flags & PLAN_LOG)
		log_write(plan_text(plan, plan->log_path), i + 1, out_packet.bytes, out_n);
	for (int k = 0; k < n_clients; k++)
		if (clients[k].fd >= 0 && clients[k].want & want)
			flush_client(plan, c, &clients[k]);
	return true;
}

static void set_nonblocking(int fd)
{
	long flags = fd < 0 ? -1 : SYS(fcntl, fd, 3 /* F_GETFL */);

	if (flags >= 0)
		SYS(fcntl, fd, 4 /* F_SETFL */, flags | O_NONBLOCK);
}

/* What one turn of poll(2) waits for; the clients follow the five fixed ones. */
enum { POLL_END, POLL_OUT, POLL_ERR, POLL_IN, POLL_LISTEN, POLL_CLIENTS };

static int gather(struct pollfd *p, const struct child *c, bool ended)
{
	bool held = any_pending();

	p[POLL_END] = (struct pollfd){ ended ? -1 : c->pidfd, POLLIN, 0 };
	p[POLL_OUT] = (struct pollfd){ held ? -1 : c->out[0], POLLIN, 0 };
	p[POLL_ERR] = (struct pollfd){ held ? -1 : c->out[1], POLLIN, 0 };
	p[POLL_IN] = (struct pollfd){ stdin_n ? c->in : -1, POLLOUT, 0 };
	/* With all places taken the next ones wait to be accepted. */
	p[POLL_LISTEN] = (struct pollfd){ free_place() ? listener : -1, POLLIN, 0 };
	for (int i = 0; i < n_clients; i++) {
		short events = clients[i].pending ? POLLOUT : 0;

		/* Only one piece of input is held: further ones wait in the socket. */
		if (!(stdin_n && clients[i].want & WIRE_WANT_STDIN))
			events |= POLLIN;
		p[POLL_CLIENTS + i] = (struct pollfd){ clients[i].fd, events, 0 };
	}
	return POLL_CLIENTS + n_clients;
}

static void serve_clients(const struct plan_header *plan, struct child *c, const struct pollfd *p, int n)
{
	for (int i = 0; i < n; i++) {
		if (clients[i].fd < 0 || !p[i].revents)
			continue;
		if (clients[i].pending)
			flush_client(plan, c, &clients[i]);
		if (clients[i].fd >= 0 && p[i].revents & (POLLIN | POLLHUP | POLLERR))
			on_message(plan, c, &clients[i]);
	}
}

static bool streams_open(const struct child *c)
{
	return c->out[0] >= 0 || c->out[1] >= 0;
}

static int wait_status(const struct child *c)
{
	int status = 0;

	while (SYS(wait4, c->pid, &status, __WALL, 0) == -EINTR)
		;
	return status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
}

/* What is left in the pipes when a client is behind at the end: logged at once, and kept for that client. */
static void keep_tail(const struct plan_header *plan, struct child *c)
{
	tail = any_pending() && streams_open(c) ? sys_alloc(TAIL_MAX) : NULL;
	for (int i = 0; tail && i < 2; i++)
		while (c->out[i] >= 0 && tail_n + sizeof(struct packet) <= TAIL_MAX) {
			struct packet *p = (struct packet *)(tail + tail_n);
			long n = SYS(read, c->out[i], p->bytes, WIRE_MAX);

			if (n <= 0)
				break;
			p->header.type = i == 0 ? WIRE_STDOUT : WIRE_STDERR;
			p->header.n1 = (int32_t)n;
			if (plan->birth.flags & PLAN_LOG)
				log_write(plan_text(plan, plan->log_path), i + 1, p->bytes, (size_t)n);
			tail_n += (sizeof(p->header) + (size_t)n + 7) & ~(size_t)7;
		}
}

/* A copy of this process waits for a client that is behind, so that nobody else does. */
static void deliver_late(int fd, uint32_t want, const struct outcome *outcome)
{
	long child = SYS(clone, 17 /* SIGCHLD */, 0, 0, 0, 0), flags = SYS(fcntl, fd, 3 /* F_GETFL */);

	if (child)
		return;
	if (fd)
		SYS(close_range, 0, fd - 1, 0);
	SYS(close_range, fd + 1, ~0u, 0);
	SYS(fcntl, fd, 4 /* F_SETFL */, flags & ~(long)O_NONBLOCK);
	SYS(sendto, fd, &out_packet, sizeof(out_packet.header) + out_n, 0x4000 /* NOSIGNAL */, 0, 0);
	for (size_t at = 0; at < tail_n;) {
		const struct packet *p = (const struct packet *)(tail + at);
		size_t n = sizeof(p->header) + (size_t)p->header.n1;

		if (want & (p->header.type == WIRE_STDOUT ? WIRE_WANT_STDOUT : WIRE_WANT_STDERR))
			SYS(sendto, fd, p, n, 0x4000, 0, 0);
		at += (n + 7) & ~(size_t)7;
	}
	wire_send(fd, WIRE_EXIT, outcome->status, outcome->oom, 0, 0, 0, true);
	SYS(exit_group, 0);
}

void loop_run(const struct plan_header *plan, struct child *c, uint32_t want, struct outcome *ret)
{
	struct pollfd p[POLL_CLIENTS + MAX_CLIENTS];
	bool ended = false;

	set_nonblocking(c->in);
	set_nonblocking(c->out[0]);
	set_nonblocking(c->out[1]);
	add_client(FD_WIRE, want);
	wire_send(FD_WIRE, WIRE_STARTED, c->pid, 0, 0, 0, 0, true);

	/* After the end what is left in the pipes is carried out; who else may hold them open (orphans of an exec) is
	 * not waited for. */
	while (!ended || streams_open(c)) {
		int n = gather(p, c, ended);
		long r = sys_poll(p, n, ended ? DRAIN_MS : -1);

		if (r == 0)
			break;
		if (r < 0)
			continue;
		serve_clients(plan, c, p + POLL_CLIENTS, n - POLL_CLIENTS);
		if (p[POLL_IN].revents)
			write_stdin(c);
		for (int i = 0; i < 2; i++)
			if (p[POLL_OUT + i].revents && c->out[i] >= 0 && !any_pending())
				read_output(plan, c, i);
		if (p[POLL_LISTEN].revents)
			accept_client();
		if (p[POLL_END].revents && !ended) {
			ended = true;
			ret->status = wait_status(c);
		}
	}
	keep_tail(plan, c);
	if (plan->birth.flags & PLAN_LOG)
		log_flush();
}

void loop_tell_exit(const struct outcome *outcome, bool wait)
{
	struct pollfd p = { clients[0].fd, 0, 0 };

	for (int i = 0; i < n_clients; i++) {
		if (clients[i].fd < 0)
			continue;
		if (clients[i].pending)
			deliver_late(clients[i].fd, clients[i].want, outcome);
		else
			wire_send(clients[i].fd, WIRE_EXIT, outcome->status, outcome->oom, 0, 0, 0, i == 0 && wait);
	}
	while (wait && p.fd >= 0 && sys_poll(&p, 1, -1) < 0)
		;
}

void loop_close(void)
{
	for (int i = 0; i < n_clients; i++)
		if (clients[i].fd >= 0)
			SYS(close, clients[i].fd);
	n_clients = 0;
	if (listener >= 0)
		SYS(close, listener);
	listener = -1;
}
