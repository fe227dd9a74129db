/* remove: a container goes, with what it left. */
#ifndef TEU_ENGINE_REMOVE_H
#define TEU_ENGINE_REMOVE_H

#include "engine/container.h"

/*
 * @force: kill it first if it runs, and it is no error that somebody else removes it meanwhile. @volumes: also its
 * anonymous volumes. TEU_E_CONFLICT: it runs; TEU_E_NOT_FOUND: it is gone.
 */
int container_remove(teu_container *container, bool force, bool volumes, teu_error **err);

#endif
