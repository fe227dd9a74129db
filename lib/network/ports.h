/*
 * ports: published ports: a socket of the host that keeps others off each one, and the elements that lead packets to
 * the container.
 */
#ifndef TEU_NETWORK_PORTS_H
#define TEU_NETWORK_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "kernel/netlink.h"

struct port_mapping {
	uint32_t host_ip;   /* network order; 0: every address */
	uint16_t host_port; /* 0: any free one, filled in by endpoint_open() */
	uint16_t port;	    /* in the container */
	uint8_t protocol;   /* IPPROTO_TCP, IPPROTO_UDP */
	int socket;	    /* bound to the host port to reserve it; the monitor inherits it. -EBADF: none */
};

const char *port_protocol_name(uint8_t protocol);

/*
 * Binds a socket to the host port. It does not listen: until the rules lead elsewhere, a client is refused instead of
 * left waiting. TEU_E_CONFLICT: the port is taken.
 */
int port_reserve(struct port_mapping *port, teu_error **err);
void port_release(struct port_mapping *port);

/* Messages that add (remove) the elements of @ports for the container at @address; a whole transaction. */
void ports_put(struct nl_writer *w, const char *table, uint32_t address, const struct port_mapping *ports, size_t n,
	       bool add);

/* Takes out those of @ports that lead to @address (0: wherever); others, and a missing table, are fine. It asks on
 * @rules_fd of nft_open(). */
int ports_withdraw(int rules_fd, const char *table, uint32_t address, const struct port_mapping *ports, size_t n,
		   teu_error **err);

/* Takes out all elements that lead to an address for which @stale is true. */
int ports_sweep(const char *table, bool (*stale)(uint32_t address, void *data), void *data, teu_error **err);

#endif
