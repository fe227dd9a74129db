/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* volume: folders that outlive containers. */
#ifndef TEU_VOLUME_H
#define TEU_VOLUME_H

#include <teu/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Makes the volume @name, or finds it there. TEU_E_INVALID: not [a-zA-Z0-9][a-zA-Z0-9_.-]+. Since: 0.1. */
TEU_API int teu_volume_create(teu_engine *engine, const char *name, teu_error **err);
/** Docker's GET /volumes/{name} document, for teu_free(). Since: 0.1. */
TEU_API int teu_volume_inspect(teu_engine *engine, const char *name, char **ret_json, teu_error **err);
/** Docker's GET /volumes document ({"Volumes": […]}), for teu_free(). Since: 0.1. */
TEU_API int teu_volume_list_json(teu_engine *engine, char **ret_json, teu_error **err);
/** Removes a volume and all that is in it. TEU_E_CONFLICT: a container uses it. Since: 0.1. */
TEU_API int teu_volume_remove(teu_engine *engine, const char *name, teu_error **err);

#ifdef __cplusplus
}
#endif

#endif
