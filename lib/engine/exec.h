/* exec: a further process in a running container. */
#ifndef TEU_ENGINE_EXEC_H
#define TEU_ENGINE_EXEC_H

#include "engine/attach.h"

/* teu_container_exec() without the checks of api/. */
int container_exec(teu_container *container, const char *config_json, const teu_attach_options *attach,
		   teu_attach **ret_attach, teu_error **err);

#endif
