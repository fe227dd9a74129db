/*
 * leases: what a running operation needs kept: a file in leases/ that lists digests, one a line, and is locked while
 * its owner lives. Whoever relies on a blob or layer adds its digest first and looks whether it is there after.
 */
#ifndef TEU_STORE_LEASES_H
#define TEU_STORE_LEASES_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "store/store.h"

struct lease {
	const struct store *store; /* borrowed */
	char *name;		   /* "leases/…", owned */
	int fd;
};

#define LEASE_INIT                                                                                                     \
	(struct lease)                                                                                                 \
	{                                                                                                              \
		.fd = -EBADF                                                                                           \
	}

/* Waits while the collector is at work. */
int lease_take(const struct store *store, struct lease *ret, teu_error **err);
/* Keeps the blob, or the layer with its parents, of that digest. Threads may share a lease. */
int lease_add(struct lease *lease, const char *digest, teu_error **err);
/* Keeps all there is, for who will know the digests only later (import). */
int lease_add_all(struct lease *lease, teu_error **err);
/* Ends it: what is named by then stays. A zeroed or ended one is fine. */
void lease_done(struct lease *lease);

/* For the collector, which holds the exclusive lock: what live leases list. Dead ones are removed. */
int leases_read(const struct store *store, struct strv *ret_digests, bool *ret_all, teu_error **err);

#endif
