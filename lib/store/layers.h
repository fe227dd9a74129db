/* layers: unpacked trees by chainID: layers/<hex>/fs, and layers/<hex>/layer.json with diffID, parent and size. */
#ifndef TEU_STORE_LAYERS_H
#define TEU_STORE_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

/* "<state root>/layers/<hex>/fs" for the caller to free; NULL: no memory. */
char *layers_path(const struct store *store, const char *chain_id);
bool layers_has(const struct store *store, const char *chain_id);

/* What layer.json says. */
struct layer {
	char *diff_id; /* owned */
	char *parent;  /* chainID, owned; NULL: lowest */
	uint64_t size; /* unpacked bytes */
};

int layers_read(const struct store *store, const char *chain_id, struct layer *ret, teu_error **err);
void layer_done(struct layer *layer);

/* A layer being unpacked: a folder of its own under layers/ that becomes visible by rename, or goes. */
struct layer_draft {
	const struct store *store; /* borrowed */
	char *name;		   /* temporary name below layers/, owned */
	int fs_fd;		   /* the tree to unpack into */
	int lock_fd;		   /* proof of life: the sweep leaves locked drafts alone */
};

int layers_begin(const struct store *store, struct layer_draft *ret, teu_error **err);
/* Syncs and publishes it as @chain_id; if somebody else was first the draft goes and that counts as success. */
int layers_commit(struct layer_draft *draft, const char *chain_id, const char *diff_id, const char *parent_chain_id,
		  uint64_t size, teu_error **err);
/* Removes what was not committed. */
void layers_draft_done(struct layer_draft *draft);

#endif
