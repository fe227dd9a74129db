/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * changes: import's --change "CMD [\"sh\"]": instructions of a Dockerfile as image-spec's config object.
 * Source: docs.docker.com, "docker import", --change; image-spec config.md, "config".
 */
#ifndef TEU_CLI_CHANGES_H
#define TEU_CLI_CHANGES_H

#include "doc.h"

/* Applies one instruction to @config. NULL: done; otherwise why not, for free(). */
char *changes_apply(cJSON *config, const char *instruction);

#endif
