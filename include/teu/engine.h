/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* engine: a state root and a run root, and everything that hangs off them. */
#ifndef TEU_ENGINE_H
#define TEU_ENGINE_H

#include <teu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct teu_engine teu_engine;
typedef struct teu_cancel teu_cancel;

enum teu_log_level { TEU_LOG_DEBUG = 0, TEU_LOG_INFO = 1, TEU_LOG_WARNING = 2 };

/* Receives log records; may be called on any thread that calls into the engine. @message is one line. */
typedef void (*teu_log_cb)(int level, const char *message, void *data);

/* One thing that is under way in a long call. */
typedef struct teu_progress {
	const char *id;	      /* what it is about: a short digest, or the reference */
	const char *action;   /* "resolving", "waiting", "downloading", "unpacking", "exists", "done" */
	uint64_t done;	      /* bytes so far */
	uint64_t total;	      /* bytes in all; 0: not known */
} teu_progress;

/* Runs on the calling thread, under no lock. Non-zero stops the call with TEU_E_CANCELLED. */
typedef int (*teu_progress_cb)(const teu_progress *progress, void *data);

typedef struct teu_engine_options {
	size_t size;		/* set by teu_engine_options_init() */
	const char *state_root; /* NULL: "/var/lib/teu" for root, "$XDG_DATA_HOME/teu" otherwise */
	const char *run_root;	/* NULL: "/run/teu" for root, "$XDG_RUNTIME_DIR/teu" otherwise */
	const char *cgroup_parent; /* cgroup below which containers get theirs; NULL: "/teu" */
	teu_log_cb log;		/* NULL: none */
	void *log_data;
	/*
	 * Once an AutoRemove container is removed, who ran it does not wait until its files are deleted (about a
	 * millisecond for one that wrote none): its monitor does that. They are on disk for that long, in containers/.removing-*.
	 */
	int delete_in_background;
} teu_engine_options;

/** Fills @opts with the defaults. Since: 0.1. */
TEU_API void teu_engine_options_init(teu_engine_options *opts, size_t size);

/**
 * Opens an engine, and makes its folders where they are missing (mode 0710). Does not block.
 *
 * What processes that died left behind is put right when it is met: by teu_engine_sweep(), or by the next call about the same container.
 *
 * Returns 0; TEU_E_INVALID, a root is not an absolute path; TEU_E_PERMISSION; TEU_E_UNSUPPORTED, the state was written by a
 * newer release; TEU_E_SYSTEM. Since: 0.1.
 */
TEU_API int teu_engine_open(const teu_engine_options *opts, teu_engine **ret_engine, teu_error **err);

/** Takes another reference. Since: 0.1. */
TEU_API teu_engine *teu_engine_ref(teu_engine *engine);

/** Gives a reference back; containers go on running. NULL is fine. Since: 0.1. */
TEU_API void teu_engine_unref(teu_engine *engine);

/** The folder of the state, absolute. Since: 0.1. */
TEU_API const char *teu_engine_state_root(const teu_engine *engine);

/** The folder of the run-time state, absolute. Since: 0.1. */
TEU_API const char *teu_engine_run_root(const teu_engine *engine);

/**
 * Puts right what crashed processes left: half-written blobs and layers, records without containers, cgroups, addresses and
 * packet rules without owners. Safe to call at any time, from any process. Blocks while another process sweeps.
 *
 * Returns 0; TEU_E_SYSTEM. Since: 0.1.
 */
TEU_API int teu_engine_sweep(teu_engine *engine, teu_error **err);

/**
 * Checks the store: every blob against its digest, every name against its manifest, every layer against its record, and
 * nothing there that nobody names. Blocks; reads all blobs.
 *
 * @ret_report: JSON, {"problems": ["…"], "blobs": n, "layers": n, "images": n, "containers": n}
 *
 * Returns 0, also with problems; TEU_E_SYSTEM. Since: 0.1.
 */
TEU_API int teu_engine_check(teu_engine *engine, char **ret_report, teu_error **err);

/** A token that stops a long call from another thread or a signal handler. Since: 0.1. */
TEU_API int teu_cancel_new(teu_cancel **ret_cancel, teu_error **err);
TEU_API teu_cancel *teu_cancel_ref(teu_cancel *cancel);
TEU_API void teu_cancel_unref(teu_cancel *cancel);

/** Stops every call that was given @cancel, now and later. Async-signal-safe. Since: 0.1. */
TEU_API void teu_cancel_fire(teu_cancel *cancel);

/** "0.1.0": the release of the library that was loaded. Since: 0.1. */
TEU_API const char *teu_version(void);

#ifndef TEU_NO_MACROS /* for generators of bindings */
#define teu_engine_options_init(opts) teu_engine_options_init((opts), sizeof(*(opts)))
#endif

#ifdef __cplusplus
}
#endif

#endif
