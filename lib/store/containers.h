/*
 * containers: their records on disk: containers/<id>/ (container.json, config.json), names/<name> -> id, and the lock
 * <run root>/locks/<id> that lets one operation at a time change a container.
 *
 * Order of creation: lock, name, folder containers/.draft-<id> with everything in it, rename to containers/<id>. A
 * process that dies on the way leaves a name or a draft whose lock nobody holds: the sweep takes both away. Order of
 * removal: lock, rename to .removing-<id>, volumes, name, tree. What is renamed is gone for everybody, and the sweep
 * ends what the remover began.
 */
#ifndef TEU_STORE_CONTAINERS_H
#define TEU_STORE_CONTAINERS_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strv.h"
#include "format/json.h"
#include "store/store.h"

enum { CONTAINER_ID_LEN = 64 };

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

/* A new id: 64 hexadecimal digits. */
int containers_new_id(char id[CONTAINER_ID_LEN + 1], teu_error **err);

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

/*
 * The id of the container called @name: its id, its name (a slash before it is passed over), or a prefix of its id
 * that no other has. TEU_E_NOT_FOUND; TEU_E_CONFLICT, the prefix fits several.
 */
int containers_find(const struct store *store, const char *name, char id[CONTAINER_ID_LEN + 1], teu_error **err);

/* One of its documents, "container.json" or "config.json". TEU_E_NOT_FOUND: no such container. */
int containers_read(const struct store *store, const char *id, const char *file, json **ret, teu_error **err);

/* The ids of all containers, in no order; @run_root: only those that have a folder in the run root. */
int containers_list(const struct store *store, bool run_root, struct strv *ret, teu_error **err);

/* Waits until no other operation changes container @id. Closing *@ret_fd unlocks. */
int containers_lock(const struct store *store, const char *id, int *ret_fd, teu_error **err);

/* Takes the record away, and with @volumes the anonymous volumes made for it. The caller holds its lock. */
int containers_remove(const struct store *store, const char *id, bool volumes, teu_error **err);

/* Ends what processes that died began: drafts, removals, names that lead nowhere, locks of nobody. */
int containers_sweep(const struct store *store, teu_error **err);

#endif
