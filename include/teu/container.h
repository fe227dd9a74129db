/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* container: its whole life, from a config to an exit status. */
#ifndef TEU_CONTAINER_H
#define TEU_CONTAINER_H

#include <teu/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A handle on one container. Several handles, in several processes, may name the same one. */
typedef struct teu_container teu_container;
typedef struct teu_container_list teu_container_list;

/* A connection to the standard streams of a container or of an exec. */
typedef struct teu_attach teu_attach;

typedef struct teu_create_options {
	size_t size;
	const char *name; /* NULL: a made-up one */
} teu_create_options;

TEU_API void teu_create_options_init(teu_create_options *opts, size_t size);

/**
 * Makes a container from an image that is in the store; nothing runs yet.
 *
 * @config_json: the body of the Docker Engine API's POST /containers/create, v1.43: {"Image": "busybox", "Cmd": ["sh"], "Env": [],
 *   "HostConfig": {"Memory": 67108864, …}, …}. Fields that this release does not know are refused when set to anything but their zero
 *   value where they would change isolation or limits, and passed over otherwise.
 *
 * Returns 0; TEU_E_INVALID, with detail "field"; TEU_E_NOT_FOUND, no such image; TEU_E_CONFLICT, the name is taken; TEU_E_NO_SPACE. Since: 0.1.
 */
TEU_API int teu_container_create(teu_engine *engine, const char *config_json, const teu_create_options *opts,
				 teu_container **ret_container, teu_error **err);

/**
 * The container called @name: its name, its id, or a prefix of its id that no other has.
 * Returns 0; TEU_E_NOT_FOUND; TEU_E_CONFLICT, the prefix fits several. Since: 0.1.
 */
TEU_API int teu_container_find(teu_engine *engine, const char *name, teu_container **ret_container, teu_error **err);

enum teu_container_state {
	TEU_STATE_CREATED = 0,
	TEU_STATE_RUNNING = 1,
	TEU_STATE_PAUSED = 2,
	TEU_STATE_RESTARTING = 3,
	TEU_STATE_EXITED = 4,
	TEU_STATE_REMOVING = 5,
};

/**
 * All containers, newest first, as they are now: the list does not change afterwards. @all: also those that do not run. Release it with
 * teu_container_list_unref(). TEU_E_SYSTEM, TEU_E_NO_MEMORY: one could not be asked, and none is left out. Since: 0.1.
 */
TEU_API int teu_container_list_all(teu_engine *engine, int all, teu_container_list **ret_list, teu_error **err);
TEU_API size_t teu_container_list_count(const teu_container_list *list);
/** Borrowed; NULL past the end. */
TEU_API teu_container *teu_container_list_get(const teu_container_list *list, size_t i);
/** Docker's GET /containers/json document for the whole list, each as it was when the list was made; for teu_free(). Since: 0.1. */
TEU_API int teu_container_list_json(const teu_container_list *list, char **ret_json, teu_error **err);
TEU_API teu_container_list *teu_container_list_ref(teu_container_list *list);
TEU_API void teu_container_list_unref(teu_container_list *list);

/** 64 hexadecimal digits. */
TEU_API const char *teu_container_id(const teu_container *container);
/** Without a slash before it. */
TEU_API const char *teu_container_name(const teu_container *container);
/** The state now, enum teu_container_state; a negative TEU_E_NOT_FOUND once it is removed. */
TEU_API int teu_container_state(teu_container *container, teu_error **err);
/** Pid of its first process on the host; 0 while it does not run. */
TEU_API int teu_container_pid(teu_container *container, int32_t *ret_pid, teu_error **err);

/** Docker's GET /containers/{id}/json document, for teu_free(). Limits are read back from the kernel ("Effective"). Since: 0.1. */
TEU_API int teu_container_inspect(teu_container *container, char **ret_json, teu_error **err);

typedef struct teu_attach_options {
	size_t size;
	int stdin_stream; /* want to write its standard input */
	int stdout_stream; /* want its standard output */
	int stderr_stream;
	int32_t rows, columns; /* size of the caller's terminal; 0: not known */
} teu_attach_options;

TEU_API void teu_attach_options_init(teu_attach_options *opts, size_t size);

typedef struct teu_start_options {
	size_t size;
	const teu_attach_options *attach; /* streams joined before the first instruction runs; NULL: all that the container has */
} teu_start_options;

TEU_API void teu_start_options_init(teu_start_options *opts, size_t size);

/**
 * Starts a created or exited container; returns when its command has been executed.
 *
 * @ret_attach: NULL: don't attach. Otherwise receives its streams; a container made with "AutoRemove" is then removed by
 *   teu_container_wait() or when the attach object goes.
 *
 * Returns 0; TEU_E_CONFLICT, it runs already; TEU_E_NO_COMMAND; TEU_E_NOT_EXECUTABLE; TEU_E_LAUNCH, a step failed, detail "step";
 * TEU_E_NO_SPACE; TEU_E_PERMISSION; TEU_E_UNSUPPORTED; TEU_E_NOT_FOUND, it has been removed. Since: 0.1.
 */
TEU_API int teu_container_start(teu_container *container, const teu_start_options *opts, teu_attach **ret_attach, teu_error **err);

/**
 * The compiled launch plan as JSON, for teu_free(): every cgroup write, mount, node, limit, filter, packet rule and the final exec, in the order
 * they would run. Runs nothing and changes nothing. Since: 0.1.
 */
TEU_API int teu_container_plan(teu_container *container, char **ret_json, teu_error **err);

/** As teu_container_plan(), for a container that is not made: @config_json as for teu_container_create(). Since: 0.1. */
TEU_API int teu_container_plan_config(teu_engine *engine, const char *config_json, char **ret_json, teu_error **err);

/**
 * Sends the stop signal, waits, then kills. Blocks up to @timeout_ms and a little.
 *
 * @timeout_ms: -1: the container's own StopTimeout, or 10 s
 * Returns 0, also when it does not run; TEU_E_NOT_FOUND. Since: 0.1.
 */
TEU_API int teu_container_stop(teu_container *container, int64_t timeout_ms, teu_error **err);

/** Sends signal number @signal to its first process. TEU_E_CONFLICT: it does not run. Since: 0.1. */
TEU_API int teu_container_kill(teu_container *container, int32_t signal, teu_error **err);

/** Stops it as teu_container_stop() and starts it again. Since: 0.1. */
TEU_API int teu_container_restart(teu_container *container, int64_t timeout_ms, teu_error **err);

/** Freezes, and thaws, all of its processes. TEU_E_CONFLICT: not running, or already so. Since: 0.1. */
TEU_API int teu_container_pause(teu_container *container, teu_error **err);
TEU_API int teu_container_unpause(teu_container *container, teu_error **err);

typedef struct teu_wait_options {
	size_t size;
	int64_t timeout_ms; /* 0: none */
	teu_cancel *cancel;
} teu_wait_options;

TEU_API void teu_wait_options_init(teu_wait_options *opts, size_t size);

/**
 * Blocks until the container does not run. One that its restart policy is about to start again counts as running: what
 * is waited for is the end of that next life, or a stop.
 * @ret_status: 0..255; 128 + n when signal n ended it
 * Returns 0; TEU_E_TIMEOUT; TEU_E_CANCELLED; TEU_E_NOT_FOUND, it was removed before its status could be read. Since: 0.1.
 */
TEU_API int teu_container_wait(teu_container *container, const teu_wait_options *opts, int32_t *ret_status, teu_error **err);

typedef struct teu_remove_options {
	size_t size;
	int force;   /* kill it first if it runs */
	int volumes; /* also the anonymous volumes made for it */
} teu_remove_options;

TEU_API void teu_remove_options_init(teu_remove_options *opts, size_t size);

/** Removes a container. TEU_E_CONFLICT: it runs and force is not set. Since: 0.1. */
TEU_API int teu_container_remove(teu_container *container, const teu_remove_options *opts, teu_error **err);

/** Docker's GET /containers/{id}/top document: {"Titles": […], "Processes": [[…]]}, read from /proc, never by a program of the container's. */
TEU_API int teu_container_top(teu_container *container, char **ret_json, teu_error **err);

/** Resource use now: Docker's stats document in short, {"cpu": {…}, "memory": {…}, "pids": {…}, "blkio": {…}}, for teu_free(). Since: 0.1. */
TEU_API int teu_container_stats(teu_container *container, char **ret_json, teu_error **err);

/** Tells its terminal the size of the caller's. TEU_E_CONFLICT: not running, or without a terminal. Since: 0.1. */
TEU_API int teu_container_resize(teu_container *container, int32_t rows, int32_t columns, teu_error **err);

enum teu_stream { TEU_STDIN = 0, TEU_STDOUT = 1, TEU_STDERR = 2 };

/* One record of a log. @text is not terminated; it keeps its line break. */
typedef struct teu_log_record {
	int32_t stream;	 /* TEU_STDOUT or TEU_STDERR */
	int64_t time_ns; /* when it was read from the container */
	const char *text;
	size_t len;
} teu_log_record;

typedef int (*teu_log_record_cb)(const teu_log_record *record, void *data);

typedef struct teu_logs_options {
	size_t size;
	int follow;	    /* go on until the container ends */
	int64_t tail;	    /* only the last so many records; 0: all; -1: none (with follow: only new ones) */
	int64_t since_ns;   /* 0: from the start */
	int64_t until_ns;   /* 0: to the end */
	teu_cancel *cancel;
} teu_logs_options;

TEU_API void teu_logs_options_init(teu_logs_options *opts, size_t size);

/**
 * Hands each record of the log to @cb, on this thread. Non-zero from it ends the call with TEU_E_CANCELLED. Blocks while following.
 * TEU_E_UNSUPPORTED: its log driver is none. Since: 0.1.
 */
TEU_API int teu_container_logs(teu_container *container, const teu_logs_options *opts, teu_log_record_cb cb, void *data,
			       teu_error **err);

/** Joins the streams of a running container. TEU_E_CONFLICT: it does not run. Since: 0.1. */
TEU_API int teu_container_attach(teu_container *container, const teu_attach_options *opts, teu_attach **ret_attach, teu_error **err);

TEU_API teu_container *teu_container_ref(teu_container *container);
TEU_API void teu_container_unref(teu_container *container);

/** A descriptor that polls readable when teu_attach_read() has something. Borrowed. */
TEU_API int teu_attach_fd(const teu_attach *attach);

/**
 * Reads what came, at most @cap bytes; blocks until there is something.
 * @ret_stream: TEU_STDOUT or TEU_STDERR (a terminal has TEU_STDOUT only)
 * @ret_len: 0 at the end: the process has ended, see teu_attach_exit_status()
 * Returns 0; TEU_E_SYSTEM. Since: 0.1.
 */
TEU_API int teu_attach_read(teu_attach *attach, int32_t *ret_stream, void *buffer, size_t cap, size_t *ret_len, teu_error **err);

/** Writes to the standard input; blocks until all is taken. TEU_E_CONFLICT: it is closed. Since: 0.1. */
TEU_API int teu_attach_write(teu_attach *attach, const void *buffer, size_t len, teu_error **err);
/** Closes the standard input of the process. Since: 0.1. */
TEU_API int teu_attach_close_stdin(teu_attach *attach, teu_error **err);
TEU_API int teu_attach_resize(teu_attach *attach, int32_t rows, int32_t columns, teu_error **err);

/** The exit status, 0..255, once teu_attach_read() told of the end; -1 before. */
TEU_API int32_t teu_attach_exit_status(const teu_attach *attach);

typedef struct teu_copy_options {
	size_t size;
	int stdin_fd;  /* -1: none. Read when readable; closed inputs close the process's */
	int stdout_fd; /* -1: thrown away */
	int stderr_fd;
	const char *detach_keys; /* the bytes that detach; NULL: none */
	int wake_fd;   /* -1: none. When it polls readable the call returns with *ret_detached = 2; call again to go on */
} teu_copy_options;

TEU_API void teu_copy_options_init(teu_copy_options *opts, size_t size);

/**
 * Copies between the streams and the caller's descriptors until the process ends or the detach keys come. Blocks.
 * @ret_detached: 0, the process ended; 1, detached; 2, woken
 * Returns 0; TEU_E_SYSTEM. Since: 0.1.
 */
TEU_API int teu_attach_copy(teu_attach *attach, const teu_copy_options *opts, int *ret_detached, teu_error **err);

TEU_API teu_attach *teu_attach_ref(teu_attach *attach);
TEU_API void teu_attach_unref(teu_attach *attach);

#ifndef TEU_NO_MACROS /* for generators of bindings */
#define teu_create_options_init(opts) teu_create_options_init((opts), sizeof(*(opts)))
#define teu_attach_options_init(opts) teu_attach_options_init((opts), sizeof(*(opts)))
#define teu_start_options_init(opts) teu_start_options_init((opts), sizeof(*(opts)))
#define teu_wait_options_init(opts) teu_wait_options_init((opts), sizeof(*(opts)))
#define teu_remove_options_init(opts) teu_remove_options_init((opts), sizeof(*(opts)))
#define teu_logs_options_init(opts) teu_logs_options_init((opts), sizeof(*(opts)))
#define teu_copy_options_init(opts) teu_copy_options_init((opts), sizeof(*(opts)))
#endif

#ifdef __cplusplus
}
#endif

#endif
