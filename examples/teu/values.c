/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* values: what templates compute with: printing as Go does, truth, and the functions. */
#include "values.h"

#include <ctype.h>
#include <string.h>

const cJSON *value_keep(cJSON *made, cJSON *value)
{
	doc_add(made, value);
	return value;
}

const cJSON *value_keep_text(cJSON *made, char *text)
{
	const cJSON *value = value_keep(made, cJSON_CreateString(text));

	free(text);
	return value;
}

static void print_number(FILE *out, double n)
{
	if (n == (double)(int64_t)n)
		fprintf(out, "%lld", (long long)n);
	else
		fprintf(out, "%g", n);
}

void value_print(FILE *out, const cJSON *v)
{
	const cJSON *child;

	if (!v || cJSON_IsNull(v)) {
		fputs("<no value>", out);
	} else if (cJSON_IsString(v)) {
		fputs(v->valuestring, out);
	} else if (cJSON_IsBool(v)) {
		fputs(cJSON_IsTrue(v) ? "true" : "false", out);
	} else if (cJSON_IsNumber(v)) {
		print_number(out, v->valuedouble);
	} else {
		fputs(cJSON_IsArray(v) ? "[" : "map[", out);
		cJSON_ArrayForEach(child, v)
		{
			if (child->string)
				fprintf(out, "%s:", child->string);
			value_print(out, child);
			if (child->next)
				fputc(' ', out);
		}
		fputc(']', out);
	}
}

static char *value_text(const cJSON *v)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		cli_oom();
	value_print(out, v);
	if (fclose(out) != 0)
		cli_oom();
	return text;
}

bool value_truth(const cJSON *v)
{
	if (!v || cJSON_IsNull(v))
		return false;
	if (cJSON_IsBool(v))
		return cJSON_IsTrue(v);
	if (cJSON_IsNumber(v))
		return v->valuedouble != 0;
	if (cJSON_IsString(v))
		return v->valuestring[0] != '\0';
	return v->child != NULL;
}

static bool same(const cJSON *a, const cJSON *b)
{
	return a && b && cJSON_Compare(a, b, true);
}

/* Functions. */

static const cJSON *map_case(cJSON *made, const cJSON *v, int (*change)(int))
{
	char *text = value_text(v);

	for (char *c = text; *c; c++)
		*c = (char)change((unsigned char)*c);
	return value_keep_text(made, text);
}

static const cJSON *join(cJSON *made, const cJSON *list, const cJSON *separator)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const cJSON *item;

	if (!out)
		cli_oom();
	cJSON_ArrayForEach(item, list)
	{
		value_print(out, item);
		if (item->next)
			value_print(out, separator);
	}
	if (fclose(out) != 0)
		cli_oom();
	return value_keep_text(made, text);
}

static const cJSON *split(cJSON *made, const cJSON *v, const cJSON *separator)
{
	const char *text = cJSON_GetStringValue(v), *cut = cJSON_GetStringValue(separator), *end;
	cJSON *list = doc_array();

	while (text && cut && *cut && (end = strstr(text, cut))) {
		char *piece = cli_copy(text, (size_t)(end - text));

		doc_add_text(list, piece);
		free(piece);
		text = end + strlen(cut);
	}
	doc_add_text(list, text ? text : "");
	return value_keep(made, list);
}

static const cJSON *index_value(const cJSON *v, const cJSON *key)
{
	if (cJSON_IsNumber(key))
		return cJSON_GetArrayItem(v, key->valueint);
	return cJSON_IsString(key) ? cJSON_GetObjectItemCaseSensitive(v, key->valuestring) : NULL;
}

static const cJSON *concatenated(cJSON *made, const cJSON *const *args, int n, bool line)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		cli_oom();
	for (int i = 0; i < n; i++) {
		if (i && line)
			fputc(' ', out);
		value_print(out, args[i]);
	}
	if (line)
		fputc('\n', out);
	if (fclose(out) != 0)
		cli_oom();
	return value_keep_text(made, text);
}

static double length(const cJSON *v)
{
	return cJSON_IsString(v) ? (double)strlen(v->valuestring) : cJSON_GetArraySize(v);
}

enum function {
	F_JSON,
	F_UPPER,
	F_LOWER,
	F_JOIN,
	F_SPLIT,
	F_INDEX,
	F_LEN,
	F_EQ,
	F_NE,
	F_NOT,
	F_AND,
	F_OR,
	F_PRINT,
	F_PRINTLN
};

const struct value_function value_functions[] = {
	[F_JSON] = { "json", 1, 1 },
	[F_UPPER] = { "upper", 1, 1 },
	[F_LOWER] = { "lower", 1, 1 },
	[F_JOIN] = { "join", 2, 2 },
	[F_SPLIT] = { "split", 2, 2 },
	[F_INDEX] = { "index", 1, VALUE_MAX_ARGS },
	[F_LEN] = { "len", 1, 1 },
	[F_EQ] = { "eq", 2, VALUE_MAX_ARGS },
	[F_NE] = { "ne", 2, 2 },
	[F_NOT] = { "not", 1, 1 },
	[F_AND] = { "and", 1, VALUE_MAX_ARGS },
	[F_OR] = { "or", 1, VALUE_MAX_ARGS },
	[F_PRINT] = { "print", 0, VALUE_MAX_ARGS },
	[F_PRINTLN] = { "println", 0, VALUE_MAX_ARGS },
};

static const cJSON *logic(const cJSON *const *args, int n, bool until)
{
	for (int i = 0; i < n - 1; i++)
		if (value_truth(args[i]) == until)
			return args[i];
	return args[n - 1];
}

const cJSON *value_call(cJSON *made, int f, const cJSON *const *args, int n)
{
	const cJSON *v = n ? args[0] : NULL;
	bool any = false;

	switch ((enum function)f) {
	case F_JSON:
		return value_keep_text(made, v ? doc_print(v) : cli_format("null"));
	case F_UPPER:
		return map_case(made, v, toupper);
	case F_LOWER:
		return map_case(made, v, tolower);
	case F_JOIN:
		return join(made, v, args[1]);
	case F_SPLIT:
		return split(made, v, args[1]);
	case F_INDEX:
		for (int i = 1; i < n; i++)
			v = index_value(v, args[i]);
		return v;
	case F_LEN:
		return value_keep(made, cJSON_CreateNumber(length(v)));
	case F_EQ:
		for (int i = 1; i < n; i++)
			any = any || same(v, args[i]);
		return value_keep(made, cJSON_CreateBool(any));
	case F_NE:
		return value_keep(made, cJSON_CreateBool(!same(v, args[1])));
	case F_NOT:
		return value_keep(made, cJSON_CreateBool(!value_truth(v)));
	case F_AND:
		return logic(args, n, false);
	case F_OR:
		return logic(args, n, true);
	case F_PRINT:
		return concatenated(made, args, n, false);
	case F_PRINTLN:
		return concatenated(made, args, n, true);
	}
	return NULL;
}

int value_function(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(value_functions); i++)
		if (strncmp(value_functions[i].name, name, len) == 0 && value_functions[i].name[len] == '\0')
			return (int)i;
	return -1;
}
