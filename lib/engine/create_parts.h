/* create_parts: what the files of create share. */
#ifndef TEU_ENGINE_CREATE_PARTS_H
#define TEU_ENGINE_CREATE_PARTS_H

#include "engine/container.h"
#include "engine/image.h"

struct create {
	teu_engine *engine;	/* borrowed */
	json *body;		/* owned: the request, its types checked */
	const teu_image *image; /* borrowed */
	json *record;		/* owned */
	json *config;		/* in record: "Config" */
	json *host;		/* in record: "HostConfig" */
	char id[CONTAINER_ID_LEN + 1];
};

/* Types of all known fields; refuses what this release cannot honour. */
int create_check_fields(const json *body, teu_error **err);

/* Is it what an absent field means: null, "", 0, false, [] or {}? */
bool create_is_zero(const json *value);

/* Fills c->config from the request and the image's defaults. */
int create_config(struct create *c, teu_error **err);

/* Fills c->host: modes with containers resolved to ids, defaults, rules between options. */
int create_host_config(struct create *c, teu_error **err);

/* Fills "Mounts" and "AnonymousVolumes" of the record from Binds, Mounts, Tmpfs and Volumes. */
int create_mounts(struct create *c, teu_error **err);

#endif
