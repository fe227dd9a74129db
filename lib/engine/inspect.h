/* inspect: containers as Docker's API shows them. */
#ifndef TEU_ENGINE_INSPECT_H
#define TEU_ENGINE_INSPECT_H

#include "engine/container.h"

/* GET /containers/{id}/json, and "Effective": the limits of a running one as the kernel has them. */
int inspect_container(teu_container *container, json **ret, teu_error **err);

/* GET /containers/json. */
int inspect_list(const teu_container_list *list, json **ret, teu_error **err);

#endif
