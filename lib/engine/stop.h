/* stop: signals to a container, and its end. */
#ifndef TEU_ENGINE_STOP_H
#define TEU_ENGINE_STOP_H

#include "base/cancel.h"
#include "engine/container.h"

/* @timeout_ms -1: its StopTimeout, or 10 s. Fine when it does not run. */
int container_stop(teu_container *container, int64_t timeout_ms, teu_error **err);

/* TEU_E_CONFLICT: it does not run. */
int container_kill(teu_container *container, int signal, teu_error **err);

/* SIGKILL, and waits for its end. Fine when it does not run. */
int container_kill_and_wait(teu_container *container, teu_error **err);

/* @timeout_ms 0: none. *ret_status of one that never ran is 0. */
int container_wait(teu_container *container, int64_t timeout_ms, const teu_cancel *cancel, int32_t *ret_status,
		   teu_error **err);

#endif
