/* features: what this release can do here. */
#ifndef TEU_RUNTIME_FEATURES_H
#define TEU_RUNTIME_FEATURES_H

#include "format/json.h"

int runtime_features(json **ret, teu_error **err);

#endif
