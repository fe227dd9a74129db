/* engine: the object behind teu_engine. */
#ifndef TEU_ENGINE_ENGINE_H
#define TEU_ENGINE_ENGINE_H

#include <stdatomic.h>
#include <sys/types.h>

#include <teu/engine.h>

#include "base/cleanup.h"
#include "store/store.h"

struct teu_engine {
	atomic_int refs;
	struct store store;
	char *cgroup_parent; /* "/teu"; owned */
	teu_log_cb log;
	void *log_data;
	bool delete_in_background;
	pid_t owner; /* the process that opened it: a forked copy answers TEU_E_FORKED */
};

DEFINE_CLEANUP(teu_engine *, teu_engine_unref)

/* teu_engine_open() with whole options. */
int engine_open(const teu_engine_options *opts, teu_engine **ret, teu_error **err);

/* TEU_E_INVALID for NULL, TEU_E_FORKED in a forked copy, else 0. Every function of api/ begins with it. */
int engine_check(const teu_engine *engine, teu_error **err);

/* A debug record for the engine's log sink. */
void engine_log(teu_engine *engine, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
