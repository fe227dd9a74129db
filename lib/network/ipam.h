/*
 * ipam: which container has which address of the bridge's range. <run root>/addresses/<ip> is a symbolic link to the
 * container's id: symlink(2) makes it whole and for one taker only, so that no lock is needed. Addresses are in network
 * order.
 */
#ifndef TEU_NETWORK_IPAM_H
#define TEU_NETWORK_IPAM_H

#include <stdint.h>

#include "store/store.h"

enum { IPAM_TEXT_MAX = 16, IPAM_ID_MAX = 129 };

/* Takes a free address beside @gateway. TEU_E_NO_SPACE: all are taken. */
int ipam_take(const struct store *store, uint32_t gateway, uint8_t prefix_len, const char *id, uint32_t *ret,
	      teu_error **err);
/* Whose it is; "" when it is free. */
int ipam_owner(const struct store *store, uint32_t address, char ret_id[IPAM_ID_MAX], teu_error **err);
/* Gives it back if @id has it, and does nothing otherwise. */
int ipam_release(const struct store *store, uint32_t address, const char *id, teu_error **err);
/* Calls @each for every address that is taken, until it returns non-zero, and returns that. */
int ipam_each(const struct store *store, int (*each)(uint32_t address, const char *id, void *data, teu_error **err),
	      void *data, teu_error **err);

#endif
