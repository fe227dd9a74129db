/* events: what a container uses. */
#ifndef TEU_RUNTIME_EVENTS_H
#define TEU_RUNTIME_EVENTS_H

#include "format/json.h"
#include "runtime/runtime.h"

/* The "data" of runc's event "stats". */
int runtime_stats(teu_runtime *runtime, const char *id, json **ret, teu_error **err);

#endif
