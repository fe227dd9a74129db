/* networks: the default bridge as Docker's documents show it, beside "host" and "none". */
#ifndef TEU_ENGINE_NETWORKS_H
#define TEU_ENGINE_NETWORKS_H

#include "engine/engine.h"

int networks_list(teu_engine *engine, char **ret_json, teu_error **err);
int networks_down(teu_engine *engine, teu_error **err);

#endif
