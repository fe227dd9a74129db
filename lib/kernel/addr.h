/* addr: IPv4 addresses and routes. Source: rtnetlink(7). Addresses are in network order. */
#ifndef TEU_KERNEL_ADDR_H
#define TEU_KERNEL_ADDR_H

#include "base/strbuf.h"
#include "kernel/netlink.h"

void addr_put(struct nl_writer *w, uint32_t link, uint32_t address, uint8_t prefix_len);
void addr_put_default_route(struct nl_writer *w, uint32_t link, uint32_t gateway);

/* The lasting global addresses that @link has now, of both families, to be given to it anew. Returns 0 or -errno. */
int addr_put_copies(struct nl_writer *w, uint32_t link);

struct addr_range {
	uint32_t address;
	uint8_t prefix_len;
	uint32_t link; /* 0: of none */
};

struct addr_ranges {
	struct addr_range *items; /* owned */
	size_t n;
};

/* All addresses and routes (but default ones) of this namespace. Returns 0 or -errno. */
int addr_list(struct addr_ranges *ret);
void addr_ranges_done(struct addr_ranges *ranges);
/* Has a link other than @but any address in common with @range? */
bool addr_taken(const struct addr_ranges *ranges, const struct addr_range *range, uint32_t but);

/* What a message says, in the words of ip(8). False: it is about something else. */
bool addr_describe(const struct nlmsghdr *m, struct strbuf *text);

#endif
