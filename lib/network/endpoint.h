/*
 * endpoint: one container's place on the default bridge: address, MAC, veth pair, published ports. Everything the
 * kernel is told is built before the launch as netlink messages; the monitor and the container's first process only
 * send them. IPv4 only.
 */
#ifndef TEU_NETWORK_ENDPOINT_H
#define TEU_NETWORK_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "format/json.h"
#include "kernel/nl_batch.h"
#include "network/ports.h"
#include "store/store.h"

struct endpoint {
	char address[16], gateway[16]; /* dotted */
	uint8_t prefix_len;
	uint8_t mac[6];
	char host_link[16]; /* "veth…" */
	char bridge[16];
	uint32_t bridge_index;
	struct port_mapping *ports; /* owned */
	size_t n_ports;
	/* The socket on which the rules were looked at. Like those of the ports it is to live until the monitor ends:
	 * to close it may take 10 ms (kernel/nft.h). Only set when has_rules_socket. */
	int rules_socket;
	bool has_rules_socket;
};

/*
 * Makes sure of the bridge and its nft table (made once, idempotent, cheap when they are there), takes an address for
 * @container_id and reserves @ports.
 * TEU_E_CONFLICT: "bind for 0.0.0.0:8080/tcp failed: port is already allocated"; TEU_E_NO_SPACE: no address left.
 */
int endpoint_open(const struct store *store, const char *container_id, const struct port_mapping *ports, size_t n_ports,
		  struct endpoint *ret, teu_error **err);

/* What endpoint_open() would give, without taking or setting up anything: for plans that are only looked at. The
 * address is the first of the range, whoever has it, and ports that the kernel would choose stay 0. */
int endpoint_preview(const struct store *store, const char *container_id, const struct port_mapping *ports,
		     size_t n_ports, struct endpoint *ret, teu_error **err);

/* Host side, sent by the monitor once the first process exists: the veth pair with its peer "eth0" in that process's
 * namespace, up and in the bridge. */
int endpoint_host_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err);
/* Container side, sent from inside its namespace: lo up, address, eth0 up, default route. */
int endpoint_guest_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err);
/* Only lo up, for --network none. */
int endpoint_loopback_batch(struct nl_batch *ret, teu_error **err);
/* Published ports into (and out of) the maps of the table; n_bytes 0 when there are none. ENOENT when they are taken
 * out means that somebody did so before. */
int endpoint_publish_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err);
int endpoint_unpublish_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err);

/* UDP clients that go on sending are led anew: to this container, once its ports are published (best effort); and no
 * longer to it, when they are not (n_bytes 0 when none is of UDP; an error is no matter). */
int endpoint_settle(const struct endpoint *ep, teu_error **err);
int endpoint_forget_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err);

/* What a batch says, as JSON for people: {"protocol": "route", "messages": ["link add …"]}. NULL: no memory. */
json *nl_batch_json(const struct nl_batch *batch);

/* Writes and reads it as JSON (<run root>/containers/<id>/network.json): what inspect shows and what a sweep takes
 * back. Sockets are not part of it. */
json *endpoint_to_json(const struct endpoint *ep);
int endpoint_from_json(const json *text, struct endpoint *ret, teu_error **err);

/*
 * Gives the address back and, where the monitor was killed before it did so (@ports_left), takes the published ports
 * out of the kernel; whatever is gone already, or another
 * container's by now, is left alone. The veth pair goes with the container's namespace: to remove it here would mean to
 * wait for what the kernel does in the background (10 to 20 ms).
 */
int endpoint_close(const struct store *store, const char *container_id, const struct endpoint *ep, bool ports_left,
		   teu_error **err);
void endpoint_done(struct endpoint *ep);

/*
 * Gives back what containers left that are no more: every address, with veth and published ports, whose container
 * @is_alive denies, and published ports that lead to an address nobody has. A container counts as alive from before
 * endpoint_open() until after endpoint_close().
 */
int endpoint_sweep(const struct store *store, bool (*is_alive)(const char *container_id, void *data), void *data,
		   teu_error **err);

/* Takes bridge and table out of the kernel. TEU_E_CONFLICT: addresses are in use. */
int endpoint_down(const struct store *store, teu_error **err);

#endif
