/* start_network: the network part of a launch: an address and ports, and what the kernel is to be told of them. */
#ifndef TEU_ENGINE_START_NETWORK_H
#define TEU_ENGINE_START_NETWORK_H

#include "engine/container.h"
#include "network/endpoint.h"

struct start_network {
	struct endpoint endpoint;
	bool has_endpoint; /* on the bridge; else only lo, or somebody else's network */
	struct nl_batch host, guest, publish, unpublish;
};

void start_network_init(struct start_network *n);
void start_network_done(struct start_network *n);

/* Takes an address and ports for @mode ("bridge", "none", "host", "container:…"), and records them for the sweep. */
int start_network_open(teu_container *container, const char *mode, struct start_network *n, teu_error **err);

/* As above, but takes nothing: for a plan that is only read. */
int start_network_preview(teu_container *container, const char *mode, struct start_network *n, teu_error **err);

/* The batches as JSON for people. NULL: no memory. */
json *start_network_json(const struct start_network *n);

#endif
