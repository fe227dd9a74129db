/*
 * runtime: what a teu_runtime is: the folder where an OCI runtime keeps its containers. One folder a container,
 * <root>/<id>/: state.json (the record), config.json (the bundle's, as it was at create), start (the fifo that a
 * created container waits for), lock. What is not said there is asked of the kernel: a container's status is never
 * stored.
 */
#ifndef TEU_RUNTIME_RUNTIME_H
#define TEU_RUNTIME_RUNTIME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>
#include <teu/runtime.h>

#include "base/err.h"
#include "kernel/idmap.h"

/* The version of the runtime-spec that this follows. */
#define RUNTIME_SPEC_VERSION "1.3.0"

struct teu_runtime {
	atomic_int refs;
	pid_t owner; /* process that opened it */
	char *root;  /* absolute, owned */
	int root_fd;
	enum teu_cgroup_manager cgroup_manager;
	enum idmap_rights rights; /* of this process */
	bool rootless;		  /* a container may do without a cgroup */
	teu_log_cb log;		  /* NULL: none */
	void *log_data;
};

int runtime_open(const teu_runtime_options *opts, teu_runtime **ret, teu_error **err);
/* TEU_E_FORKED: it was opened by a process that has forked since. */
int runtime_check(const teu_runtime *runtime, teu_error **err);
/* As runc: is the state in a user's own folder, and the cgroup in his systemd? Root of a user namespace is who has made
 * it, unless $USER says that this is root. */
bool runtime_is_users(enum idmap_rights rights);
/* TEU_E_PERMISSION: @dir_fd, the folder of container @id or "" the runtime's own, is somebody else's. */
int runtime_check_owner(int dir_fd, const char *root, const char *id, teu_error **err);
/* The folder of compiled filters; -EBADF: there is none that can be trusted. Made when missing. */
int runtime_open_filters(const teu_runtime *runtime);
void runtime_log(const teu_runtime *runtime, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* @waits: for runtime_start(). @ret_wait: not NULL, a process of ours stays; see teu_runtime_run(). */
int runtime_create(teu_runtime *runtime, const char *id, const teu_runtime_create_options *opts, bool waits,
		   int32_t *ret_pid, int *ret_wait, teu_error **err);
int runtime_start(teu_runtime *runtime, const char *id, teu_error **err);
int runtime_kill(teu_runtime *runtime, const char *id, int signal, bool all, teu_error **err);
int runtime_delete(teu_runtime *runtime, const char *id, bool force, teu_error **err);

#endif
