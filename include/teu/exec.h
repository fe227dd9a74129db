/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exec: a further process in a running container. */
#ifndef TEU_EXEC_H
#define TEU_EXEC_H

#include <teu/container.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Runs a further command in a running container; returns when it has been executed.
 *
 * @config_json: the body of the Docker Engine API's POST /containers/{id}/exec: {"Cmd": ["ls"], "Env": [], "User": "", "WorkingDir": "",
 *   "Tty": false, "AttachStdin": false, "Privileged": false}
 * @attach: streams wanted and the size of the terminal; NULL: all that the command has
 * @ret_attach: NULL: detached, nobody learns how it ends
 *
 * Returns 0; TEU_E_CONFLICT, the container does not run or is paused; TEU_E_NO_COMMAND; TEU_E_NOT_EXECUTABLE; TEU_E_INVALID;
 * TEU_E_NOT_FOUND, no such user, or the container has been removed; TEU_E_LAUNCH. Since: 0.1.
 */
TEU_API int teu_container_exec(teu_container *container, const char *config_json, const teu_attach_options *attach,
			       teu_attach **ret_attach, teu_error **err);

#ifdef __cplusplus
}
#endif

#endif
