/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * envfile: the files of --env-file and --label-file: a NAME=value or NAME a line, taken literally; lines that begin
 * with # and empty lines are passed over. Source: docs.docker.com, "docker run", --env-file.
 */
#ifndef TEU_CLI_ENVFILE_H
#define TEU_CLI_ENVFILE_H

#include "doc.h"

enum { ENVFILE_ERROR_SIZE = 512 };

/*
 * Appends each line to @ret, an array of strings. @lookup: a NAME without a value gets the one from this program's
 * environment, or is left out when it has none.
 */
bool envfile_read(const char *path, bool lookup, cJSON *ret, char error[ENVFILE_ERROR_SIZE]);

#endif
