/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doc: JSON documents. */
#include "doc.h"

#include <ctype.h>
#include <string.h>

static cJSON *made(cJSON *value)
{
	if (!value)
		cli_oom();
	return value;
}

cJSON *doc_object(void)
{
	return made(cJSON_CreateObject());
}

cJSON *doc_array(void)
{
	return made(cJSON_CreateArray());
}

void doc_set(cJSON *object, const char *key, cJSON *value)
{
	if (!cJSON_AddItemToObject(object, key, made(value)))
		cli_oom();
}

void doc_set_text(cJSON *object, const char *key, const char *text)
{
	doc_set(object, key, cJSON_CreateString(text));
}

void doc_set_number(cJSON *object, const char *key, int64_t n)
{
	doc_set(object, key, cJSON_CreateNumber((double)n));
}

void doc_set_bool(cJSON *object, const char *key, bool b)
{
	doc_set(object, key, cJSON_CreateBool(b));
}

void doc_add(cJSON *array, cJSON *value)
{
	if (!cJSON_AddItemToArray(array, made(value)))
		cli_oom();
}

void doc_add_text(cJSON *array, const char *text)
{
	doc_add(array, cJSON_CreateString(text));
}

static cJSON *child_at(cJSON *object, const char *key, cJSON *(*make)(void))
{
	cJSON *child = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!child) {
		child = make();
		doc_set(object, key, child);
	}
	return child;
}

cJSON *doc_object_at(cJSON *object, const char *key)
{
	return child_at(object, key, doc_object);
}

cJSON *doc_array_at(cJSON *object, const char *key)
{
	return child_at(object, key, doc_array);
}

char *doc_print(const cJSON *doc)
{
	char *text = cJSON_PrintUnformatted(doc);

	if (!text)
		cli_oom();
	return text;
}

cJSON *doc_parse(const char *text)
{
	return text ? cJSON_Parse(text) : NULL;
}

const cJSON *doc_get(const cJSON *doc, const char *path)
{
	char key[64];

	while (doc && path) {
		const char *dot = strchr(path, '.');
		size_t len = dot ? (size_t)(dot - path) : strlen(path);

		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		doc = cJSON_GetObjectItemCaseSensitive(doc, key);
		path = dot ? dot + 1 : NULL;
	}
	return cJSON_IsNull(doc) ? NULL : doc;
}

const char *doc_text(const cJSON *doc, const char *path)
{
	const cJSON *value = doc_get(doc, path);

	return cJSON_IsString(value) ? value->valuestring : "";
}

double doc_number(const cJSON *doc, const char *path)
{
	const cJSON *value = doc_get(doc, path);

	return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static void newline(FILE *out, int blanks)
{
	fprintf(out, "\n%*s", blanks, "");
}

static const char *skip_blanks(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* Copies the string that @text opens; returns its closing quote, or the end of the text. */
static const char *copy_string(FILE *out, const char *text)
{
	const char *start = text++;

	while (*text && *text != '"')
		text += *text == '\\' && text[1] ? 2 : 1;
	fwrite(start, 1, (size_t)(text - start), out);
	return text;
}

void doc_indent(FILE *out, const char *text, int indent, int margin)
{
	/* Works on the text, so that numbers stay as the library wrote them. */
	for (text = skip_blanks(text); *text; text = skip_blanks(text + 1)) {
		const char *next = skip_blanks(text + 1);

		switch (*text) {
		case '"':
			text = copy_string(out, text);
			if (!*text)
				return;
			fputc('"', out);
			break;
		case '{':
		case '[':
			fputc(*text, out);
			if (*next == '}' || *next == ']') {
				fputc(*next, out);
				text = next;
				break;
			}
			margin += indent;
			newline(out, margin);
			break;
		case '}':
		case ']':
			margin -= indent;
			newline(out, margin);
			fputc(*text, out);
			break;
		case ',':
			fputc(',', out);
			newline(out, margin);
			break;
		case ':':
			fputs(": ", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}
