/* spec: a config to begin with. */
#ifndef TEU_RUNTIME_SPEC_H
#define TEU_RUNTIME_SPEC_H

#include "format/json.h"

int runtime_spec(bool rootless, json **ret, teu_error **err);

#endif
