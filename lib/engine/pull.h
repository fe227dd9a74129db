/* pull: an image from a registry into the store. Source: distribution-spec, "Pull". */
#ifndef TEU_ENGINE_PULL_H
#define TEU_ENGINE_PULL_H

#include <teu/image.h>

#include "engine/engine.h"

enum { PULL_PARALLEL = 4, PULL_MAX_PARALLEL = 32 };

/* teu_image_pull() with whole options. */
int pull(teu_engine *engine, const char *reference, const teu_pull_options *opts, teu_image **ret, teu_error **err);

#endif
