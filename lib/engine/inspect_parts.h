/* inspect_parts: what the files of inspect share. */
#ifndef TEU_ENGINE_INSPECT_PARTS_H
#define TEU_ENGINE_INSPECT_PARTS_H

#include "engine/container.h"
#include "network/endpoint.h"

/* Its place on the bridge while it runs. False: it has none. */
bool inspect_endpoint(const teu_container *container, struct endpoint *ret);

/* Docker's "NetworkSettings" object. @ep NULL: not connected. NULL: no memory. */
json *inspect_network(const teu_container *container, const struct endpoint *ep);

/* Docker's "Mounts" array. NULL: no memory. */
json *inspect_mounts(const teu_container *container);

#endif
