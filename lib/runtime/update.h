/* update: other limits for a container that is there. */
#ifndef TEU_RUNTIME_UPDATE_H
#define TEU_RUNTIME_UPDATE_H

#include "runtime/runtime.h"

/* @resources_json: a linux.resources object. */
int runtime_update(teu_runtime *runtime, const char *id, const char *resources_json, teu_error **err);

#endif
