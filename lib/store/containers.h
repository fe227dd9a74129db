/*
 * containers: their records on disk: containers/<id>/ (container.json, config.json), names/<name> -> id, and the lock
 * <run root>/locks/<id> that lets one operation at a time change a container. How records come and go:
 * container_write.h.
 */
#ifndef TEU_STORE_CONTAINERS_H
#define TEU_STORE_CONTAINERS_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "format/json.h"
#include "store/store.h"

enum { CONTAINER_ID_LEN = 64 };

/* A new id: 64 hexadecimal digits. */
int containers_new_id(char id[CONTAINER_ID_LEN + 1], teu_error **err);

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
/* Gives it back, and takes its file away if the container is gone. A descriptor below 0 is fine. */
void containers_unlock(const struct store *store, const char *id, int *fd);
/* As containers_lock() without waiting: TEU_E_CONFLICT when somebody else has it. */
int containers_try_lock(const struct store *store, const char *id, int *ret_fd, teu_error **err);

bool containers_has(const struct store *store, const char *id);
/* Whose name is it? False: nobody's. The owner may be a container that is being made, or whose maker died. */
bool containers_name_owner(const struct store *store, const char *name, char id[CONTAINER_ID_LEN + 1]);

#endif
