/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network: bridges that containers are plugged into. This release has the default one, "bridge", beside "host" and "none". */
#ifndef TEU_NETWORK_H
#define TEU_NETWORK_H

#include <teu/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Docker's GET /networks document, for teu_free(). Since: 0.1. */
TEU_API int teu_network_list_json(teu_engine *engine, char **ret_json, teu_error **err);

/** Takes the bridge and the packet rules of this engine out of the kernel. TEU_E_CONFLICT: containers are connected. Since: 0.1. */
TEU_API int teu_network_down(teu_engine *engine, teu_error **err);

#ifdef __cplusplus
}
#endif

#endif
