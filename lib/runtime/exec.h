/* exec: a further process in a container. */
#ifndef TEU_RUNTIME_EXEC_H
#define TEU_RUNTIME_EXEC_H

#include "runtime/runtime.h"

int runtime_exec(teu_runtime *runtime, const char *id, const char *process_json, const teu_runtime_exec_options *opts,
		 int32_t *ret_pid, int *ret_wait, teu_error **err);

#endif
