/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* namespace: a command in namespaces of its own, without image, rootfs or store; for programs that want only that. */
#ifndef TEU_NAMESPACE_H
#define TEU_NAMESPACE_H

#include <teu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

enum teu_namespace {
	TEU_NS_MOUNT = 1,
	TEU_NS_UTS = 2,
	TEU_NS_IPC = 4,
	TEU_NS_PID = 8, /* the command is pid 1; its /proc is mounted anew when TEU_NS_MOUNT is there too */
	TEU_NS_NETWORK = 16,
	TEU_NS_USER = 32, /* ids 0 inside stand for the caller's own */
	TEU_NS_CGROUP = 64,
};

typedef struct teu_namespace_options {
	size_t size;
	uint32_t namespaces; /* TEU_NS_… added up */
	const char *hostname; /* with TEU_NS_UTS; NULL: as it is */
	const char *const *env; /* NULL-terminated; NULL: the caller's */
	const char *cwd;      /* NULL: "/" */
	int stdin_fd, stdout_fd, stderr_fd; /* what the command gets; -1: /dev/null */
} teu_namespace_options;

TEU_API void teu_namespace_options_init(teu_namespace_options *opts, size_t size);

/**
 * Starts @argv in new namespaces; safe in a program with many threads.
 *
 * @argv: NULL-terminated; argv[0] is looked up in the PATH of @opts->env
 * @ret_pid: on the host; may be NULL
 * @ret_waitfd: polls readable when the command has ended; the caller's to close. It is no child of the caller's: use teu_namespace_wait().
 *
 * Returns 0; TEU_E_INVALID; TEU_E_PERMISSION; TEU_E_NO_COMMAND; TEU_E_NOT_EXECUTABLE; TEU_E_LAUNCH. Since: 0.1.
 */
TEU_API int teu_namespace_run(const char *const *argv, const teu_namespace_options *opts, int32_t *ret_pid, int *ret_waitfd,
			      teu_error **err);

/** Blocks until the command behind @waitfd (from teu_namespace_run()) has ended; 128 + n for signal n. Closes @waitfd. Since: 0.1. */
TEU_API int teu_namespace_wait(int waitfd, int32_t *ret_status, teu_error **err);

#ifndef TEU_NO_MACROS /* for generators of bindings */
#define teu_namespace_options_init(opts) teu_namespace_options_init((opts), sizeof(*(opts)))
#endif

#ifdef __cplusplus
}
#endif

#endif
