/* remove: takes back what create made. */
#ifndef TEU_RUNTIME_REMOVE_H
#define TEU_RUNTIME_REMOVE_H

#include "runtime/record.h"

/* Of a container whose process has ended. */
int remove_container(teu_runtime *runtime, struct record *record, teu_error **err);

#endif
