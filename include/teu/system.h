/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* system: what this machine can do, and what the engine keeps. */
#ifndef TEU_SYSTEM_H
#define TEU_SYSTEM_H

#include <teu/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * {"Version", "KernelVersion", "CgroupVersion": "1"|"2", "CgroupDriver", "Controllers": […], "StorageDriver", "SecurityOptions": […], "Images": n,
 * "Containers": n, "StateRoot", "RunRoot"}, for teu_free(). Since: 0.1.
 */
TEU_API int teu_system_info(teu_engine *engine, char **ret_json, teu_error **err);

#ifdef __cplusplus
}
#endif

#endif
