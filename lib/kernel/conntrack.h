/*
 * conntrack: the kernel's memory of UDP conversations through translated addresses. A client that goes on sending from
 * one port is led where its first packet was, though that container is gone and the rules lead elsewhere.
 * Source: linux/netfilter/nfnetlink_conntrack.h.
 */
#ifndef TEU_KERNEL_CONNTRACK_H
#define TEU_KERNEL_CONNTRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "kernel/netlink.h"

/*
 * A message for NETLINK_NETFILTER that forgets all UDP conversations which lead to @address (network order), at once
 * and without a list. Kernels before 6.11 refuse it with EINVAL, and nothing happens.
 */
void conntrack_put_forget(struct nl_writer *w, uint32_t address);

/*
 * Forgets the UDP conversations with @host_ip (0: any address) and @host_port that do not lead to @address. Where
 * nothing keeps such a memory that is fine. Returns 0 or -errno.
 */
int conntrack_forget_stale(uint32_t host_ip, uint16_t host_port, uint32_t address);

/* One message in words; false: it is of another family. */
bool conntrack_describe(const struct nlmsghdr *m, struct strbuf *text);

#endif
