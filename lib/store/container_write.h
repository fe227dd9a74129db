/*
 * container_write: how records come and go.
 *
 * Order of creation: lock, name, folder containers/.draft-<id> with everything in it, rename to containers/<id>. A
 * process that dies on the way leaves a name or a draft whose lock nobody holds: the sweep takes both away. Order of
 * removal: lock, rename to .removing-<id>, volumes, name, tree (which two may delete at once). What is renamed is gone for everybody, and the sweep
 * ends what the remover began.
 */
#ifndef TEU_STORE_CONTAINER_WRITE_H
#define TEU_STORE_CONTAINER_WRITE_H

#include "base/fd.h"
#include "store/containers.h"

struct container_draft {
	const struct store *store; /* borrowed */
	char id[CONTAINER_ID_LEN + 1];
	char *name;  /* owned; its link exists */
	int dir_fd;  /* the folder being filled */
	int lock_fd; /* locks/<id>, proof of life */
};

#define CONTAINER_DRAFT_INIT                                                                                           \
	(struct container_draft)                                                                                       \
	{                                                                                                              \
		.dir_fd = -EBADF, .lock_fd = -EBADF                                                                    \
	}

/* Locks @id, takes @name for it and makes its folder. TEU_E_CONFLICT: another container has the name. */
int containers_begin(const struct store *store, const char *id, const char *name, struct container_draft *ret,
		     teu_error **err);
/* Writes a file into the folder. FD_SYNC: fdatasync. */
int containers_put(const struct container_draft *draft, const char *file, const char *text, enum fd_sync sync,
		   teu_error **err);
/* Makes it visible and lets the lock go. */
int containers_commit(struct container_draft *draft, teu_error **err);
/* Takes back what was not committed. */
void containers_draft_done(struct container_draft *draft);

/* Takes the record away, and with @volumes the anonymous volumes made for it. The caller holds its lock. */
int containers_remove(const struct store *store, const char *id, bool volumes, teu_error **err);

/* The same with volumes, but its files are left in containers/.removing-volumes-<id> for somebody to delete. */
int containers_retire(const struct store *store, const char *id, teu_error **err);

/* Ends what processes that died began: drafts, removals, names that lead nowhere, locks of nobody. */
int containers_sweep(const struct store *store, teu_error **err);

#endif
