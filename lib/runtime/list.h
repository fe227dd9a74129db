/* list: the states of containers as documents. */
#ifndef TEU_RUNTIME_LIST_H
#define TEU_RUNTIME_LIST_H

#include "format/json.h"
#include "runtime/runtime.h"

int runtime_state(teu_runtime *runtime, const char *id, json **ret, teu_error **err);
int runtime_list(teu_runtime *runtime, json **ret, teu_error **err);

#endif
