/* netns: a small network for the tests. */
#include "netns.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include "kernel/addr.h"
#include "kernel/link.h"

enum { OUTSIDE_LINK = 70, OUTSIDE_PEER_LINK = 64, WAIT_MS = 1500 };

void netns_enter(void)
{
	struct nl_batch lo;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		printf("SKIP: no namespaces of its own: %s\n", strerror(errno));
		exit(77);
	}
	if (endpoint_loopback_batch(&lo, NULL) < 0 || nl_batch_send(&lo, NULL) < 0)
		exit(EXIT_FAILURE);
	nl_batch_done(&lo);
}

static int server(int type)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(80) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || (type == SOCK_STREAM && listen(fd, 100) < 0))
		_exit(9);
	return fd;
}

static void answer_tcp(int fd)
{
	struct sockaddr_in client;
	socklen_t len = sizeof(client);
	int c = accept(fd, (struct sockaddr *)&client, &len);
	const char *text = inet_ntoa(client.sin_addr);

	if (write(c, text, strlen(text)) < 0)
		_exit(10);
	close(c);
}

static void answer_udp(int fd)
{
	struct sockaddr_in client;
	socklen_t len = sizeof(client);
	const char *text;
	char byte;

	if (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&client, &len) < 0)
		_exit(11);
	text = inet_ntoa(client.sin_addr);
	sendto(fd, text, strlen(text), 0, (struct sockaddr *)&client, len);
}

static void answer_control(int fd)
{
	static char bytes[65536];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
	struct nl_batch batch = { .protocol = NETLINK_ROUTE, .bytes = bytes, .n_bytes = (size_t)n };
	teu_error *why = NULL;
	int eno;

	if (n <= 0)
		_exit(0);
	nl_batch_send(&batch, &why);
	if (why)
		fprintf(stderr, "peer: %s\n", teu_error_message(why));
	eno = teu_error_errno(why);
	if (write(fd, &eno, sizeof(eno)) < 0)
		_exit(12);
}

static void serve(int control)
{
	struct pollfd fds[] = { { .fd = server(SOCK_STREAM), .events = POLLIN },
				{ .fd = server(SOCK_DGRAM), .events = POLLIN },
				{ .fd = control, .events = POLLIN } };
	static void (*const answer[])(int) = { answer_tcp, answer_udp, answer_control };

	for (;;) {
		poll(fds, 3, -1);
		for (int i = 0; i < 3; i++)
			if (fds[i].revents)
				answer[i](fds[i].fd);
	}
}

struct peer peer_start(void)
{
	struct peer peer;
	int pair[2], ready = 1;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	peer.pid = fork();
	if (peer.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		if (unshare(CLONE_NEWNET) < 0 || write(pair[1], &ready, sizeof(ready)) < 0)
			_exit(8);
		serve(pair[1]);
	}
	close(pair[1]);
	ck_assert_int_eq(read(pair[0], &ready, sizeof(ready)), sizeof(ready));
	peer.control = pair[0];
	return peer;
}

int peer_send(const struct peer *peer, const struct nl_batch *batch)
{
	int eno;

	ck_assert_int_eq(write(peer->control, batch->bytes, batch->n_bytes), (ssize_t)batch->n_bytes);
	ck_assert_int_eq(read(peer->control, &eno, sizeof(eno)), sizeof(eno));
	return eno;
}

void peer_stop(struct peer *peer)
{
	close(peer->control);
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
}

static void send_to_host(struct nl_batch *batch, pid_t pid)
{
	teu_error *why = NULL;
	uint32_t pid32 = (uint32_t)pid;

	if (batch->pid_at != SIZE_MAX)
		memcpy((char *)batch->bytes + batch->pid_at, &pid32, sizeof(pid32));
	ck_assert_msg(nl_batch_send(batch, &why) == 0, "%s", teu_error_message(why));
	nl_batch_done(batch);
}

void peer_plug(const struct peer *peer, const struct endpoint *ep)
{
	struct nl_batch batch;

	ck_assert_int_eq(endpoint_host_batch(ep, &batch, NULL), 0);
	send_to_host(&batch, peer->pid);
	ck_assert_int_eq(endpoint_guest_batch(ep, &batch, NULL), 0);
	ck_assert_int_eq(peer_send(peer, &batch), 0);
	nl_batch_done(&batch);
	ck_assert_int_eq(endpoint_publish_batch(ep, &batch, NULL), 0);
	send_to_host(&batch, 0);
}

struct peer peer_outside(void)
{
	struct link_end host = { .name = "up0", .index = OUTSIDE_LINK },
			guest = { .name = "eth0", .index = OUTSIDE_PEER_LINK };
	uint32_t host_ip = inet_addr("198.51.100.1"), guest_ip = inet_addr("198.51.100.2");
	static struct nl_writer w;
	struct peer peer = peer_start();
	struct nl_batch batch;
	size_t pid_at;

	w = (struct nl_writer){ .seq = 0 };
	link_put_veth(&w, &host, 0, &guest, &pid_at);
	addr_put(&w, OUTSIDE_LINK, host_ip, 24);
	link_put_up(&w, OUTSIDE_LINK);
	ck_assert_int_eq(nl_batch_take(&batch, NETLINK_ROUTE, &w, NULL), 0);
	batch.pid_at = pid_at;
	send_to_host(&batch, peer.pid);

	link_put_up(&w, LINK_LOOPBACK);
	addr_put(&w, OUTSIDE_PEER_LINK, guest_ip, 24);
	link_put_up(&w, OUTSIDE_PEER_LINK);
	addr_put_default_route(&w, OUTSIDE_PEER_LINK, host_ip);
	ck_assert_int_eq(nl_batch_take(&batch, NETLINK_ROUTE, &w, NULL), 0);
	ck_assert_int_eq(peer_send(&peer, &batch), 0);
	nl_batch_done(&batch);
	return peer;
}

static void client(uint8_t protocol, const char *ip, uint16_t port, int out)
{
	int fd = socket(AF_INET, protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(ip) };
	struct timeval wait = { .tv_usec = WAIT_MS % 1000 * 1000, .tv_sec = WAIT_MS / 1000 };
	char text[64];
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		_exit(1);
	if (protocol == IPPROTO_UDP && write(fd, "?", 1) < 0)
		_exit(2);
	n = read(fd, text, sizeof(text));
	_exit(n > 0 && write(out, text, (size_t)n) == n ? 0 : 3);
}

const char *fetch(const struct peer *from, uint8_t protocol, const char *ip, uint16_t port)
{
	static char text[64];
	char ns[64];
	int out[2], fd;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		snprintf(ns, sizeof(ns), "/proc/%d/ns/net", from ? (int)from->pid : (int)getpid());
		fd = open(ns, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
			_exit(4);
		client(protocol, ip, port, out[1]);
	}
	close(out[1]);
	n = read(out[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(out[0]);
	waitpid(pid, NULL, 0);
	return text;
}

const char *fetch_expected(const struct peer *from, uint8_t protocol, const char *ip, uint16_t port,
			   const char *expected)
{
	const char *found = fetch(from, protocol, ip, port);

	for (int i = 1; *expected && !*found && i < 15; i++)
		found = fetch(from, protocol, ip, port);
	return found;
}
