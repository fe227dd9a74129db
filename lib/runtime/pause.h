/* pause: the processes of a container, held and listed. */
#ifndef TEU_RUNTIME_PAUSE_H
#define TEU_RUNTIME_PAUSE_H

#include "format/json.h"
#include "runtime/runtime.h"

int runtime_set_paused(teu_runtime *runtime, const char *id, bool paused, teu_error **err);
/* An array of pids. */
int runtime_processes(teu_runtime *runtime, const char *id, json **ret, teu_error **err);

#endif
