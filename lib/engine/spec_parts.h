/* spec_parts: what the files of spec share: one part of the document each. */
#ifndef TEU_ENGINE_SPEC_PARTS_H
#define TEU_ENGINE_SPEC_PARTS_H

#include <stdint.h>

#include "engine/engine.h"
#include "format/json.h"

struct spec {
	teu_engine *engine; /* borrowed */
	const char *id;
	const json *record, *config, *host;	/* borrowed */
	json *spec;				/* owned */
	json *process, *platform, *annotations; /* in spec: "process", "linux", "annotations" */
	uint64_t caps;				/* spec_security() */
	bool privileged;
};

int spec_process(struct spec *s, teu_error **err);    /* args, env, cwd, user, terminal, rlimits */
int spec_security(struct spec *s, teu_error **err);   /* capabilities, filter, labels, masked paths */
int spec_namespaces(struct spec *s, teu_error **err); /* namespaces, id maps, sysctls, network */
int spec_mounts(struct spec *s, teu_error **err);
int spec_resources(struct spec *s, teu_error **err); /* memory, cpu, pids, block I/O */
int spec_devices(struct spec *s, teu_error **err);   /* nodes and the rules of the device cgroup */

/* Has the container a user namespace of its own? */
bool spec_has_user_namespace(const struct spec *s);

#endif
