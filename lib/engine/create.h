/* create: a Docker create body and an image become a record; the record and its spec become a container. */
#ifndef TEU_ENGINE_CREATE_H
#define TEU_ENGINE_CREATE_H

#include "engine/container.h"
#include "engine/image.h"

/*
 * Checks @config_json (body of Docker's POST /containers/create), merges the image's defaults in and fills a record
 * (container.json, docs/architecture.md). Pure: nothing is made on disk. @name NULL: a made-up one.
 */
int create_record(teu_engine *engine, const char *config_json, const char *name, json **ret_record, teu_error **err);

/* As above with @image, whatever the config says. */
int create_record_from(teu_engine *engine, const char *config_json, const teu_image *image, const char *name,
		       json **ret_record, teu_error **err);

/*
 * Makes it: volumes, missing host folders of binds, both documents, name. @keep_name false: the name in @record was
 * made up, and is replaced there when somebody has it. TEU_E_CONFLICT: the name is taken; TEU_E_NOT_FOUND: the image
 * went.
 */
int create_commit(teu_engine *engine, json *record, const json *spec, bool keep_name, teu_error **err);

/* Both, with spec_build() between: teu_container_create() without the checks of api/. The handle has the spec in
 * memory. */
int container_create(teu_engine *engine, const char *config_json, const char *name, teu_container **ret,
		     teu_error **err);

#endif
