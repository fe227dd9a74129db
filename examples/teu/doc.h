/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doc: JSON documents, to build those that the library takes and to look into those that it gives. */
#ifndef TEU_CLI_DOC_H
#define TEU_CLI_DOC_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli.h"

/* Building; no memory ends the program. */
cJSON *doc_object(void);
cJSON *doc_array(void);
void doc_set(cJSON *object, const char *key, cJSON *value);
void doc_set_text(cJSON *object, const char *key, const char *text);
void doc_set_number(cJSON *object, const char *key, int64_t n);
void doc_set_bool(cJSON *object, const char *key, bool b);
void doc_add(cJSON *array, cJSON *value);
void doc_add_text(cJSON *array, const char *text);
/* The object (array) at @key, made when it is not there. */
cJSON *doc_object_at(cJSON *object, const char *key);
cJSON *doc_array_at(cJSON *object, const char *key);
/* One line, for free(). */
char *doc_print(const cJSON *doc);

/* Parses what the library gave; NULL: it is none. */
cJSON *doc_parse(const char *text);
/* "State.Running": NULL when it is not there or null. */
const cJSON *doc_get(const cJSON *doc, const char *path);
const char *doc_text(const cJSON *doc, const char *path); /* "" when it is not there */
double doc_number(const cJSON *doc, const char *path);	  /* 0 when it is not there */

/* Writes JSON text with line breaks and @indent blanks a level, each line after the first below @margin blanks. */
void doc_indent(FILE *out, const char *text, int indent, int margin);

static inline void cleanup_doc(cJSON **doc)
{
	cJSON_Delete(*doc);
}

#define _cleanup_doc_ _cleanup_(cleanup_doc)

#endif
