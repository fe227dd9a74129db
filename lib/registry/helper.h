/*
 * helper: the programs "docker-credential-<name>" that keep passwords elsewhere.
 * Source: docker-credential-helpers, "Development" (the command "get": a server's address in, a JSON object out).
 */
#ifndef TEU_REGISTRY_HELPER_H
#define TEU_REGISTRY_HELPER_H

#include "base/cancel.h"

enum { HELPER_TIMEOUT_MS = 30000, HELPER_MAX_ANSWER = 256 << 10 };

/*
 * Asks helper @name for the secret of @server. @ret_answer: its output, for the caller to free.
 * TEU_E_NOT_FOUND: it knows none; TEU_E_AUTH: it can't be started or failed; TEU_E_TIMEOUT; TEU_E_CANCELLED.
 * Safe with threads: the caller's process is not forked. SIGPIPE has to be blocked.
 */
int helper_get(const char *name, const char *server, const teu_cancel *cancel, char **ret_answer, teu_error **err);

#endif
