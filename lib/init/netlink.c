/* netlink: sends a prepared batch of messages and reads the answers that it asks for. Source: netlink(7). */
#include "init/first.h"

#include <linux/netlink.h>

static uint32_t answers_due(const char *bytes, size_t n)
{
	uint32_t due = 0;

	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= n;) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(bytes + at);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n - at)
			break;
		due += (h->nlmsg_flags & NLM_F_ACK) != 0;
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
	return due;
}

static bool is_whole(const struct nlmsghdr *h, size_t left)
{
	size_t least = h->nlmsg_type == NLMSG_ERROR ? NLMSG_LENGTH(sizeof(int)) : sizeof(*h);

	return h->nlmsg_len >= least && h->nlmsg_len <= left;
}

static long read_answers(int fd, uint32_t due)
{
	char buffer[8192] __attribute__((aligned(8)));

	while (due) {
		long n = SYS(recvfrom, fd, buffer, sizeof(buffer), 0, 0, 0);

		if (n == -EINTR)
			continue;
		TRY(n);
		for (long at = 0; at + (long)sizeof(struct nlmsghdr) <= n;) {
			const struct nlmsghdr *h = (const struct nlmsghdr *)(buffer + at);

			if (!is_whole(h, (size_t)(n - at)))
				return -EBADMSG;
			if (h->nlmsg_type == NLMSG_ERROR) {
				TRY(*(const int *)NLMSG_DATA(h));
				due -= due > 0;
			}
			at += NLMSG_ALIGN(h->nlmsg_len);
		}
	}
	return 0;
}

long netlink_send(const void *bytes, size_t n, int protocol)
{
	struct sockaddr_nl kernel = { .nl_family = 16 /* AF_NETLINK */ };
	long fd = SYS(socket, 16, 3 /* SOCK_RAW */ | O_CLOEXEC, protocol), r;

	TRY(fd);
	r = SYS(sendto, fd, bytes, n, 0, &kernel, sizeof(kernel));
	if (r >= 0)
		r = read_answers((int)fd, answers_due(bytes, n));
	/* Where rules were taken out, close() waits for the kernel to free them (some 10 ms, until all processors have
	 * passed a quiet state): the end of the monitor can do that while nobody waits for it. */
	if (protocol != NETLINK_NETFILTER)
		SYS(close, fd);
	return r < 0 ? r : 0;
}
