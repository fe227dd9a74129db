/*
 * netlink: messages written one behind the other, sent together, and the kernel's answers to them. Attributes are put
 * into a message with libmnl, by this file and its neighbours link, addr, conntrack and nft.
 * Source: netlink(7); Documentation/userspace-api/netlink/intro.rst of the kernel.
 */
#ifndef TEU_KERNEL_NETLINK_H
#define TEU_KERNEL_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

enum { NL_MESSAGE_MAX = 8192 };

/* A batch being written. Zero it before the first message. Memory that ran out is remembered in bytes.oom. */
struct nl_writer {
	struct strbuf bytes;
	uint32_t seq; /* of the last message */
	/* The message being written stays in place until nl_end(), so that pointers into it hold. */
	char message[NL_MESSAGE_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* Begins a message with NLM_F_REQUEST | @flags, and @len bytes of its family's header, zeroed, in *@ret_header. */
struct nlmsghdr *nl_begin(struct nl_writer *w, uint16_t type, uint16_t flags, size_t len, void *ret_header);
void nl_end(struct nl_writer *w);
/* Where @place in the message being written will lie in the batch. */
size_t nl_offset(const struct nl_writer *w, const void *place);
void nl_writer_done(struct nl_writer *w);

/*
 * Sends @len bytes of messages with one call and reads until each one that has NLM_F_ACK is answered. Returns 0 or
 * -errno of the first that failed, which *@ret_failed then points to (into @bytes; NULL: the socket failed).
 */
int nl_send(int protocol, const void *bytes, size_t len, const struct nlmsghdr **ret_failed);

/* A socket for nl_ask(), which its caller closes. Returns 0 or -errno. */
int nl_open(int protocol, int *ret_fd);

/*
 * Sends what @w holds, one request, on @fd, and gives each message of the answer to @each. Returns 0 or -errno: the
 * kernel's, or what @each returned.
 */
typedef int (*nl_each)(const struct nlmsghdr *m, void *data);
int nl_ask(int fd, const struct nl_writer *w, nl_each each, void *data);

#endif
