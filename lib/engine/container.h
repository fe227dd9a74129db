/* container: the object behind teu_container: a handle on one record. */
#ifndef TEU_ENGINE_CONTAINER_H
#define TEU_ENGINE_CONTAINER_H

#include <stdatomic.h>
#include <stdbool.h>

#include <teu/container.h>

#include "engine/engine.h"
#include "format/json.h"
#include "store/containers.h"
#include "store/state.h"

struct teu_container {
	atomic_int refs;
	teu_engine *engine; /* counted */
	char id[CONTAINER_ID_LEN + 1];
	const char *name; /* within record */
	json *record;	  /* container.json, owned; never changes */
	json *spec;	  /* config.json, owned; NULL until container_spec() */
};

struct listed {
	teu_container *container;     /* owned */
	struct container_state state; /* as it was when the list was made */
};

struct teu_container_list {
	atomic_int refs;
	teu_engine *engine;   /* counted */
	struct listed *items; /* owned, newest first */
	size_t n;
};

DEFINE_CLEANUP(teu_container *, teu_container_unref)
DEFINE_CLEANUP(teu_container_list *, teu_container_list_unref)

/* A handle from documents in memory, which it takes over, also when it fails. @spec may be NULL. */
int container_new(teu_engine *engine, json *record, json *spec, teu_container **ret, teu_error **err);

/* teu_container_find() without the checks of api/. */
int container_find(teu_engine *engine, const char *name, teu_container **ret, teu_error **err);

/* The container with the full id @id. */
int container_load(teu_engine *engine, const char *id, teu_container **ret, teu_error **err);

/* TEU_E_INVALID for NULL, TEU_E_FORKED in a forked copy, else 0. */
int container_check(const teu_container *container, teu_error **err);

/* What it does now. TEU_E_NOT_FOUND: it is removed. */
int container_state(const teu_container *container, struct container_state *ret, teu_error **err);

/* Is that a state with processes, or about to have them again: running, paused, restarting? */
bool container_is_up(const struct container_state *state);

/* Its runtime spec, read on first use; borrowed. */
int container_spec(teu_container *container, const json **ret, teu_error **err);

/* teu_container_list_all() without the checks of api/. */
int container_list(teu_engine *engine, bool all, teu_container_list **ret, teu_error **err);

#endif
