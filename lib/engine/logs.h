/* logs: reads what a monitor wrote (init/log.c). */
#ifndef TEU_ENGINE_LOGS_H
#define TEU_ENGINE_LOGS_H

#include "engine/container.h"

/* teu_container_logs() without the checks of api/. */
int container_logs(teu_container *container, const teu_logs_options *opts, teu_log_record_cb cb, void *data,
		   teu_error **err);

#endif
