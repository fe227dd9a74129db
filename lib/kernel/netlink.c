/* netlink: messages written one behind the other, sent together, and the kernel's answers to them. */
#include "kernel/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_MAX = 32768 }; /* the kernel fills at most so much of a dump into one datagram */

struct nlmsghdr *nl_begin(struct nl_writer *w, uint16_t type, uint16_t flags, size_t len, void *ret_header)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(w->message);

	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | flags;
	m->nlmsg_seq = ++w->seq;
	*(void **)ret_header = mnl_nlmsg_put_extra_header(m, len);
	return m;
}

void nl_end(struct nl_writer *w)
{
	const struct nlmsghdr *m = (const struct nlmsghdr *)w->message;

	strbuf_add(&w->bytes, m, MNL_ALIGN(m->nlmsg_len));
}

size_t nl_offset(const struct nl_writer *w, const void *place)
{
	return w->bytes.len + (size_t)((const char *)place - w->message);
}

void nl_writer_done(struct nl_writer *w)
{
	strbuf_done(&w->bytes);
}

static const struct nlmsghdr *find_message(const void *bytes, size_t len, uint32_t seq)
{
	const struct nlmsghdr *m = bytes;
	int left = (int)len;

	for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
		if (m->nlmsg_seq == seq)
			return m;
	return NULL;
}

static size_t count_acks(const void *bytes, size_t len)
{
	const struct nlmsghdr *m = bytes;
	int left = (int)len;
	size_t n = 0;

	for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
		n += (m->nlmsg_flags & NLM_F_ACK) != 0;
	return n;
}

int nl_open(int protocol, int *ret_fd)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), yes = 1;

	if (fd < 0)
		return -errno;
	/* Answers then carry the header of what they answer, not all of it. */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof(yes));
	*ret_fd = fd;
	return 0;
}

static int send_all(int fd, const void *bytes, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec part = { .iov_base = (void *)bytes, .iov_len = len };
	struct msghdr whole = { .msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = &part, .msg_iovlen = 1 };

	return sendmsg(fd, &whole, 0) < 0 ? -errno : 0;
}

/*
 * The kernel works a batch off inside sendmsg(), so every answer is there when it returns, and none is waited for.
 * ENOBUFS tells once that answers were lost; those before them can still be read, and one of them says what is wrong.
 */
static ssize_t receive(int fd, void *answer, size_t size)
{
	ssize_t n;

	do
		n = recv(fd, answer, size, MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && (errno == EINTR || errno == ENOBUFS));
	if (n < 0)
		return errno == EAGAIN ? -ENOBUFS : -errno;
	return (size_t)n > size ? -EMSGSIZE : n;
}

int nl_send(int protocol, const void *bytes, size_t len, const struct nlmsghdr **ret_failed)
{
	char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	size_t acks = count_acks(bytes, len);
	_cleanup_close_ int fd = -EBADF;
	int r;

	*ret_failed = NULL;
	r = nl_open(protocol, &fd);
	if (r == 0)
		r = send_all(fd, bytes, len);
	if (r < 0)
		return r;
	while (acks) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)answer;
		ssize_t n = receive(fd, answer, sizeof(answer));
		int left = (int)n;

		if (n < 0)
			return (int)n;
		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);

			if (m->nlmsg_type != NLMSG_ERROR)
				continue;
			if (e->error) {
				*ret_failed = find_message(bytes, len, m->nlmsg_seq);
				return e->error;
			}
			if (acks)
				acks--;
		}
	}
	return 0;
}

/* One datagram of an answer. Returns 1 when more follow, 0 at the end, or -errno. */
static int take_answer(const char *answer, ssize_t n, nl_each each, void *data)
{
	const struct nlmsghdr *m = (const struct nlmsghdr *)answer;
	bool more = true;
	int left = (int)n, r;

	for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
		if (m->nlmsg_type == NLMSG_DONE)
			return 0;
		if (m->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(m))->error;
		r = each(m, data);
		if (r < 0)
			return r;
		more = m->nlmsg_flags & NLM_F_MULTI;
	}
	return more;
}

int nl_ask(int fd, const struct nl_writer *w, nl_each each, void *data)
{
	char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	int r;

	if (w->bytes.oom)
		return -ENOMEM;
	r = send_all(fd, w->bytes.text, w->bytes.len);
	if (r < 0)
		return r;
	do {
		ssize_t n = receive(fd, answer, sizeof(answer));

		if (n < 0)
			return (int)n;
		r = take_answer(answer, n, each, data);
	} while (r > 0);
	return r;
}
