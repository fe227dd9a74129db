/* volumes: what the public volume.h offers, as documents. */
#ifndef TEU_ENGINE_VOLUMES_H
#define TEU_ENGINE_VOLUMES_H

#include "engine/engine.h"
#include "format/json.h"

/* GET /volumes: {"Volumes": […], "Warnings": []}, sorted by name. */
int volumes_document(teu_engine *engine, json **ret, teu_error **err);

#endif
