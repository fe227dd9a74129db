/*
 * bridge: the link that containers of one engine are plugged into, its address range and its packet rules. Each run
 * root has its own, so that engines side by side don't meet: "teu0" and table "teu" for /run/teu, "teu<hash>" and
 * "teu-<hash>" for others. The range is kept in <state root>/networks/bridge.json, and what was set up since the
 * machine started in <run root>/network/bridge.json.
 */
#ifndef TEU_NETWORK_BRIDGE_H
#define TEU_NETWORK_BRIDGE_H

#include <stdint.h>

#include "store/store.h"

struct bridge {
	char name[16];	  /* of the link */
	char table[16];	  /* of its packet rules */
	uint32_t index;	  /* of the link; 0: not set up */
	uint32_t gateway; /* the address of the host on it, network order */
	uint8_t prefix_len;
};

/*
 * Finds the bridge, or sets up what of it is missing: link, address, forwarding, packet rules. Two questions to the
 * kernel when all is there, that about rules on @rules_fd of nft_open(). TEU_E_NO_SPACE: every range collides with an
 * address or route of the host; TEU_E_PERMISSION.
 */
int bridge_ensure(const struct store *store, int rules_fd, struct bridge *ret, teu_error **err);

/* What is on record, or would be chosen first, without a look at the kernel. */
int bridge_read(const struct store *store, struct bridge *ret, teu_error **err);

/* Takes link and rules out of the kernel; the range stays chosen. */
int bridge_remove(const struct store *store, teu_error **err);

/* "teu0" -> "teu", "teu0123abcd" -> "teu-0123abcd" */
void bridge_table(const char *name, char ret_table[16]);

/* 02:42 and the four bytes of the address, as Docker makes them. */
void bridge_mac(uint32_t address, uint8_t ret_mac[6]);

#endif
