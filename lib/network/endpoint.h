/*
 * endpoint: one container's place on the default bridge: address, MAC, veth pair, published ports. Everything the
 * kernel is told is built before the launch as netlink messages; the monitor and the container's first process only
 * send them.
 */
#ifndef TEU_NETWORK_ENDPOINT_H
#define TEU_NETWORK_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "format/json.h"
#include "store/store.h"

struct port_mapping {
	uint32_t host_ip;   /* network order; 0: every address */
	uint16_t host_port; /* 0: any free one, filled in by endpoint_open() */
	uint16_t port;	    /* in the container */
	uint8_t protocol;   /* IPPROTO_TCP, IPPROTO_UDP */
	int socket; /* bound (TCP: listening) on the host port to reserve it; the monitor inherits it. -EBADF: none */
};

/* Netlink messages one behind the other, each with NLM_F_ACK where an answer is due. */
struct nl_batch {
	int protocol; /* NETLINK_ROUTE, NETLINK_NETFILTER */
	void *bytes;  /* owned */
	size_t n_bytes;
	size_t pid_at; /* offset of a 32-bit place for the pid of the container's first process; SIZE_MAX: none */
};

struct endpoint {
	char address[16], gateway[16]; /* dotted */
	uint8_t prefix_len;
	uint8_t mac[6];
	char host_link[16]; /* "veth…" */
	char bridge[16];
	struct port_mapping *ports; /* owned */
	size_t n_ports;
};

/*
 * Makes sure of the bridge and the nft table "teu" (made once, idempotent, cheap when they are there), takes an address
 * for
 * @container_id and reserves @ports.
 * TEU_E_CONFLICT: "port 8080/tcp is already in use on the host"; TEU_E_NO_SPACE: no address left.
 */
int endpoint_open(const struct store *store, const char *container_id, const struct port_mapping *ports, size_t n_ports,
		  struct endpoint *ret, teu_error **err);

/* Host side, sent by the monitor once the first process exists: the veth pair with its peer "eth0" in that process's
 * namespace, up and in the bridge. */
int endpoint_host_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err);
/* Container side, sent from inside its namespace: lo up, address, eth0 up, default route. */
int endpoint_guest_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err);
/* Only lo up, for --network none. */
int endpoint_loopback_batch(struct nl_batch *ret, teu_error **err);
/* Published ports into (and out of) the maps of table "teu"; n_bytes 0 when there are none. */
int endpoint_publish_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err);
int endpoint_unpublish_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err);

/* For processes that are not a launch: sends a batch and reads the answers. */
int nl_batch_send(const struct nl_batch *batch, teu_error **err);
void nl_batch_done(struct nl_batch *batch);
/* What a batch says, as JSON for people. NULL: no memory. */
json *nl_batch_json(const struct nl_batch *batch);

/* Writes and reads it as JSON (<run root>/containers/<id>/network.json): what inspect shows and what a sweep takes
 * back. */
json *endpoint_to_json(const struct endpoint *ep);
int endpoint_from_json(const json *text, struct endpoint *ret, teu_error **err);

/* Gives the address back and takes the published ports and the veth out of the kernel; whatever is gone already is
 * fine. */
int endpoint_close(const struct store *store, const char *container_id, const struct endpoint *ep, teu_error **err);
void endpoint_done(struct endpoint *ep);

/* Takes bridge and table out of the kernel. TEU_E_CONFLICT: addresses are in use. */
int endpoint_down(const struct store *store, teu_error **err);

#endif
