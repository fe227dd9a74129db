/*
 * spec: a record (container.json) becomes an OCI runtime spec (config.json) with Docker's defaults. What the runtime
 * spec has no words for stands in annotations: docs/architecture.md, "The record of a container".
 */
#ifndef TEU_ENGINE_SPEC_H
#define TEU_ENGINE_SPEC_H

#include "engine/engine.h"
#include "format/json.h"

/* Makes nothing; reads device numbers from /dev. TEU_E_INVALID with detail "field": the place in the create body. */
int spec_build(teu_engine *engine, const json *record, json **ret_spec, teu_error **err);

#endif
