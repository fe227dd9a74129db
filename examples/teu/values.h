/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* values: what templates compute with. Source: pkg.go.dev/text/template, "Functions". */
#ifndef TEU_CLI_VALUES_H
#define TEU_CLI_VALUES_H

#include "doc.h"

enum { VALUE_MAX_ARGS = 8 };

struct value_function {
	const char *name;
	int min, max; /* arguments */
};

extern const struct value_function value_functions[];

/* NULL is Go's nil everywhere. */
void value_print(FILE *out, const cJSON *v);
bool value_truth(const cJSON *v);

/* Gives @value (the text, which is freed) to the array @made, which lives as long as the template runs. */
const cJSON *value_keep(cJSON *made, cJSON *value);
const cJSON *value_keep_text(cJSON *made, char *text);

/* Place in value_functions; -1: none of that name. */
int value_function(const char *name, size_t len);
/* Calls it; the number of arguments has been checked. */
const cJSON *value_call(cJSON *made, int f, const cJSON *const *args, int n);

#endif
