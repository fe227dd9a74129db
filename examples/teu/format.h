/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* format: what --format asks for: "json", "table", "table TEMPLATE" or TEMPLATE. */
#ifndef TEU_CLI_FORMAT_H
#define TEU_CLI_FORMAT_H

#include "doc.h"

/* A field of a row and the head of its column. */
struct column {
	const char *key, *head; /* key NULL ends a list */
};

/*
 * Writes @rows, an array of objects, to stdout. @format: what the user asked for, or NULL: @fallback, a template whose
 * cells are parted by tabs. Returns the exit status.
 */
int format_rows(const struct call *call, const char *format, const char *fallback, const struct column *columns,
		const cJSON *rows);

/*
 * Writes one document (JSON text) to stdout by @format. Returns the exit status.
 */
int format_doc(const struct call *call, const char *format, const char *json);

#endif
