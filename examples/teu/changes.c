/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* changes: instructions of a Dockerfile as an image's config. */
#include "changes.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static void replace(cJSON *config, const char *key, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(config, key);
	doc_set(config, key, value);
}

/* ["a", "b"]; NULL: it is no array of strings. */
static cJSON *json_form(const char *text)
{
	cJSON *list = *text == '[' ? doc_parse(text) : NULL;
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item)) {
			cJSON_Delete(list);
			return NULL;
		}
	}
	return list;
}

/* CMD and ENTRYPOINT: a list, or a line for the shell. */
static char *set_command(cJSON *config, const char *key, const char *text)
{
	cJSON *list = json_form(text);

	if (!list) {
		list = doc_array();
		doc_add_text(list, "/bin/sh");
		doc_add_text(list, "-c");
		doc_add_text(list, text);
	}
	replace(config, key, list);
	return NULL;
}

static char *set_text(cJSON *config, const char *key, const char *text)
{
	replace(config, key, cJSON_CreateString(text));
	return NULL;
}

/* Words parted by blanks, with quotes and backslashes; calls @add for each. */
static char *each_word(cJSON *config, const char *text, char *(*add)(cJSON *, const char *))
{
	while (*(text += strspn(text, " \t"))) {
		_cleanup_free_ char *word = cli_alloc(strlen(text) + 1);
		char *to = word, quote = 0, *problem;

		for (; *text && (quote || !isspace((unsigned char)*text)); text++) {
			if (*text == quote)
				quote = 0;
			else if (!quote && (*text == '"' || *text == '\''))
				quote = *text;
			else if (*text == '\\' && text[1] && quote != '\'')
				*to++ = *++text;
			else
				*to++ = *text;
		}
		problem = quote ? cli_format("a quote does not end") : add(config, word);
		if (problem)
			return problem;
	}
	return NULL;
}

static char *add_env(cJSON *config, const char *word)
{
	if (*word == '=' || !strchr(word, '='))
		return cli_format("expected NAME=value, not \"%s\"", word);
	doc_add_text(doc_array_at(config, "Env"), word);
	return NULL;
}

/* "ENV NAME the rest": the old form. */
static char *set_env(cJSON *config, const char *key, const char *text)
{
	size_t name = strcspn(text, " \t=");
	_cleanup_free_ char *pair = NULL;

	(void)key;
	if (text[name] == '=')
		return each_word(config, text, add_env);
	pair = cli_format("%.*s=%s", (int)name, text, text + name + strspn(text + name, " \t"));
	return add_env(config, pair);
}

static char *add_label(cJSON *config, const char *word)
{
	const char *equals = strchr(word, '=');
	_cleanup_free_ char *key = cli_copy(word, equals ? (size_t)(equals - word) : strlen(word));

	if (!*key)
		return cli_format("expected KEY=value, not \"%s\"", word);
	replace(doc_object_at(config, "Labels"), key, cJSON_CreateString(equals ? equals + 1 : ""));
	return NULL;
}

static char *set_labels(cJSON *config, const char *key, const char *text)
{
	(void)key;
	return each_word(config, text, add_label);
}

static char *add_port(cJSON *config, const char *word)
{
	_cleanup_free_ char *port = cli_format("%s%s", word, strchr(word, '/') ? "" : "/tcp");

	if (!isdigit((unsigned char)*word))
		return cli_format("invalid port \"%s\"", word);
	doc_object_at(doc_object_at(config, "ExposedPorts"), port);
	return NULL;
}

static char *set_ports(cJSON *config, const char *key, const char *text)
{
	(void)key;
	return each_word(config, text, add_port);
}

static char *add_volume(cJSON *config, const char *word)
{
	doc_object_at(doc_object_at(config, "Volumes"), word);
	return NULL;
}

static char *set_volumes(cJSON *config, const char *key, const char *text)
{
	_cleanup_doc_ cJSON *list = json_form(text);
	const cJSON *item;

	(void)key;
	if (!list)
		return each_word(config, text, add_volume);
	cJSON_ArrayForEach(item, list) add_volume(config, item->valuestring);
	return NULL;
}

static const struct {
	const char *name, *key;
	char *(*set)(cJSON *config, const char *key, const char *text);
} instructions[] = {
	{ "CMD", "Cmd", set_command },
	{ "ENTRYPOINT", "Entrypoint", set_command },
	{ "ENV", NULL, set_env },
	{ "EXPOSE", NULL, set_ports },
	{ "LABEL", NULL, set_labels },
	{ "STOPSIGNAL", "StopSignal", set_text },
	{ "USER", "User", set_text },
	{ "VOLUME", NULL, set_volumes },
	{ "WORKDIR", "WorkingDir", set_text },
};

char *changes_apply(cJSON *config, const char *instruction)
{
	size_t name = strcspn(instruction, " \t");
	const char *text = instruction + name + strspn(instruction + name, " \t");

	for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
		if (strlen(instructions[i].name) != name || strncasecmp(instruction, instructions[i].name, name) != 0)
			continue;
		return *text ? instructions[i].set(config, instructions[i].key, text)
			     : cli_format("%s requires an argument", instructions[i].name);
	}
	return cli_format("\"%.*s\" is no instruction for an image: expected CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, "
			  "STOPSIGNAL, USER, "
			  "VOLUME or WORKDIR",
			  (int)name, instruction);
}
