/* process: what is done to and asked about the processes of a running container. */
#ifndef TEU_ENGINE_PROCESS_H
#define TEU_ENGINE_PROCESS_H

#include "engine/container.h"
#include "kernel/cgroup.h"

/* Freezes or thaws. TEU_E_CONFLICT: not running, or already so. */
int container_set_paused(teu_container *container, bool paused, teu_error **err);

/* Docker's documents of its processes and of its use of resources. TEU_E_CONFLICT: it does not run. */
int container_top(teu_container *container, json **ret, teu_error **err);
int container_stats(teu_container *container, json **ret, teu_error **err);

/* The cgroup of a running container. */
int container_cgroup(teu_container *container, teu_cgroup **ret, teu_error **err);

#endif
