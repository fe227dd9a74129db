/* mapping: id maps that an ordinary user may not write himself. */
#ifndef TEU_RUNTIME_MAPPING_H
#define TEU_RUNTIME_MAPPING_H

#include "runtime/runtime.h"
#include "format/json.h"

/* Has newuidmap(1) and newgidmap(1) give @pid, born into a user namespace, the maps of @spec that its maker can't. */
int mapping_write(const json *spec, int32_t pid, teu_error **err);

#endif
