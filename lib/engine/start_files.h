/* start_files: the three files a container sees instead of the image's, written at each start: hosts, resolv.conf,
 * hostname. */
#ifndef TEU_ENGINE_START_FILES_H
#define TEU_ENGINE_START_FILES_H

#include "engine/container.h"
#include "network/endpoint.h"

/* @endpoint NULL: no address of its own. @network: "bridge", "none", "host", "container:…". */
int start_write_files(teu_container *container, const json *spec, const char *network, const struct endpoint *endpoint,
		      teu_error **err);

#endif
