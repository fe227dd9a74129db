/*
 * link: network devices: the bridge, veth pairs, up and gone.
 * Source: rtnetlink(7); linux/if_link.h; drivers/net/veth.c of the kernel for the peer's header.
 */
#ifndef TEU_KERNEL_LINK_H
#define TEU_KERNEL_LINK_H

#include "base/strbuf.h"
#include "kernel/netlink.h"

enum { LINK_LOOPBACK = 1 }; /* the index that "lo" has in every namespace */

struct link_end {
	const char *name;
	uint32_t index;	    /* asked for; a peer gets its own only where the other end has one too */
	const uint8_t *mac; /* 6 bytes; NULL: the kernel makes one up */
};

/*
 * One message that makes both ends of a veth pair, down: @host in the bridge with index @bridge (0: none), @peer in the
 * network namespace of a process whose pid, as the sender sees it, is to be written to *@ret_pid_at of the batch.
 */
void link_put_veth(struct nl_writer *w, const struct link_end *host, uint32_t bridge, const struct link_end *peer,
		   size_t *ret_pid_at);
/* Makes the bridge, or leaves the one of that name as it is, and brings it up. */
void link_put_bridge(struct nl_writer *w, const char *name, const uint8_t mac[6]);
/* A port of a bridge may get back what it sent. */
void link_put_hairpin(struct nl_writer *w, uint32_t index);
void link_put_up(struct nl_writer *w, uint32_t index);
/* No link-local address, and so no multicast that a bridge would carry to all its ports. IPv6 has to be there. */
void link_put_no_ipv6_address(struct nl_writer *w, uint32_t index);
/* Link @index goes to the network namespace of a process, as link_put_veth() has it, and is called @name there. */
void link_put_move(struct nl_writer *w, uint32_t index, const char *name, size_t *ret_pid_at);
void link_put_remove(struct nl_writer *w, const char *name);

/* The index of @name. Returns 0 or -errno: -ENODEV when there is none. */
int link_find(const char *name, uint32_t *ret_index);

/* What a message says, in the words of ip(8). False: it is about something else. */
bool link_describe(const struct nlmsghdr *m, struct strbuf *text);

#endif
