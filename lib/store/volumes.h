/*
 * volumes: volumes/<name>/ with _data/, the content, and volume.json. A volume is there when its folder is; whoever
 * finds one half made completes it. Removal renames to volumes/.removing-<random> first, so that it happens at once.
 */
#ifndef TEU_STORE_VOLUMES_H
#define TEU_STORE_VOLUMES_H

#include <stdbool.h>

#include "base/strv.h"
#include "format/json.h"
#include "store/store.h"

/* "<state root>/volumes/<name>/_data" for the caller to free; NULL: no memory. */
char *volumes_path(const struct store *store, const char *name);

/* Makes it, or finds it there. @anonymous: nobody named it, it goes with its container. TEU_E_INVALID: a bad name. */
int volumes_create(const struct store *store, const char *name, bool anonymous, teu_error **err);

/* Docker's volume document. TEU_E_NOT_FOUND. */
int volumes_read(const struct store *store, const char *name, json **ret, teu_error **err);

/* The names of all volumes, sorted. */
int volumes_list(const struct store *store, struct strv *ret, teu_error **err);

/* Removes it with its content. TEU_E_NOT_FOUND; TEU_E_CONFLICT, a container uses it. */
int volumes_remove(const struct store *store, const char *name, teu_error **err);

/* Ends removals that were begun by processes that died. */
int volumes_sweep(const struct store *store, teu_error **err);

#endif
