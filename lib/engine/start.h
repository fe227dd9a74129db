/* start: a container's launch: limits, network, plan, monitor; and the plan alone, for people to read. */
#ifndef TEU_ENGINE_START_H
#define TEU_ENGINE_START_H

#include "engine/attach.h"

struct start_request {
	const teu_attach_options *attach; /* NULL: all streams; counts only with a ret_attach */
	uint32_t restarts;		  /* by the policy, before this one */
	uint32_t delay_ms;		  /* that the last of them waited */
	int alive_fd;			  /* > 0: the lock of the life before, which this one takes over */
};

/* teu_container_start() without the checks of api/. @ret_attach NULL: detached. */
int container_start(teu_container *container, const struct start_request *request, teu_attach **ret_attach,
		    teu_error **err);

/* The plan of a container that may not exist yet, as JSON text. */
int container_plan(teu_container *container, char **ret_json, teu_error **err);

/* The spec with the namespaces that belong to other containers filled in ("teu.pid": "container:<id>"). A copy. */
int start_resolve(teu_container *container, json **ret_spec, teu_error **err);

#endif
