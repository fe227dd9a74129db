/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* body: the flags of run and create as the body of Docker's POST /containers/create. */
#include "body.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "envfile.h"
#include "units.h"

bool body_fail(struct body *b, const char *fmt, ...)
{
	va_list args;

	free(b->problem);
	va_start(args, fmt);
	if (vasprintf(&b->problem, fmt, args) < 0)
		cli_oom();
	va_end(args);
	return false;
}

/* The flags that go to their place as they are: what the table says, in the order of the table. */
static bool plain(struct body *b)
{
	static const char host[] = "HostConfig.";

	for (const struct option *o = body_options; o->name; o++) {
		const char *at = (const char *)b->options + o->offset, *key = o->json;
		const struct list *list = (const struct list *)at;
		const struct number *number = (const struct number *)at;
		cJSON *object = b->config;

		if (!key)
			continue;
		if (strncmp(key, host, strlen(host)) == 0) {
			object = b->host;
			key += strlen(host);
		}
		switch (o->kind) {
		case OPT_BOOL:
		case OPT_NOT:
			if (*(const bool *)at)
				doc_set_bool(object, key, true);
			break;
		case OPT_TEXT:
			if (*(const char *const *)at)
				doc_set_text(object, key, *(const char *const *)at);
			break;
		case OPT_LIST:
			for (size_t i = 0; i < list->n; i++)
				doc_add_text(doc_array_at(object, key), list->items[i]);
			break;
		default:
			if (number->set)
				doc_set_number(object, key, number->value);
		}
	}
	return true;
}

/* The standard streams: what -a says, or what -d and -i lead to. */
static bool streams(struct body *b)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	static const char *const keys[] = { "AttachStdin", "AttachStdout", "AttachStderr" };
	const struct create_options *o = b->options;
	bool wanted[3] = { false };

	if (o->attach.n && o->detach)
		return body_fail(b, "conflicting options: --attach and --detach");
	for (size_t i = 0; i < o->attach.n; i++) {
		size_t s = 0;

		while (s < 3 && strcasecmp(o->attach.items[i], names[s]) != 0)
			s++;
		if (s == 3)
			return body_fail(
				b, "invalid argument \"%s\" for --attach: valid streams are stdin, stdout and stderr",
				o->attach.items[i]);
		wanted[s] = true;
	}
	if (!o->attach.n && !o->detach) {
		wanted[0] = o->interactive;
		wanted[1] = wanted[2] = true;
	}
	for (size_t s = 0; s < 3; s++)
		if (wanted[s])
			doc_set_bool(b->config, keys[s], true);
	if (o->interactive)
		doc_set_bool(b->config, "OpenStdin", true);
	if (o->interactive && wanted[0])
		doc_set_bool(b->config, "StdinOnce", true);
	return true;
}

/* A NAME without a value passes ours on; when we have none either, it takes the image's away. */
static bool environment(struct body *b)
{
	const struct create_options *o = b->options;
	char error[ENVFILE_ERROR_SIZE];
	cJSON *env;

	if (!o->env.n && !o->env_file.n)
		return true;
	env = doc_array_at(b->config, "Env");
	for (size_t i = 0; i < o->env_file.n; i++)
		if (!envfile_read(o->env_file.items[i], true, env, error))
			return body_fail(b, "--env-file: %s", error);
	for (size_t i = 0; i < o->env.n; i++) {
		const char *text = o->env.items[i], *value = strchr(text, '=') ? NULL : getenv(text);
		_cleanup_free_ char *pair = value ? cli_format("%s=%s", text, value) : NULL;

		if (*text == '=' || *text == '\0')
			return body_fail(b, "invalid environment variable: %s", text);
		doc_add_text(env, pair ? pair : text);
	}
	return true;
}

static void set_pair(cJSON *object, const char *text)
{
	const char *equals = strchr(text, '=');
	_cleanup_free_ char *key = cli_copy(text, equals ? (size_t)(equals - text) : strlen(text));

	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	doc_set_text(object, key, equals ? equals + 1 : "");
}

static bool labels(struct body *b)
{
	const struct create_options *o = b->options;
	_cleanup_doc_ cJSON *lines = doc_array();
	char error[ENVFILE_ERROR_SIZE];
	const cJSON *line;

	for (size_t i = 0; i < o->label_file.n; i++)
		if (!envfile_read(o->label_file.items[i], false, lines, error))
			return body_fail(b, "--label-file: %s", error);
	for (size_t i = 0; i < o->labels.n; i++)
		doc_add_text(lines, o->labels.items[i]);
	cJSON_ArrayForEach(line, lines)
	{
		if (*line->valuestring == '=' || *line->valuestring == '\0')
			return body_fail(b, "invalid label '%s': empty name", line->valuestring);
		set_pair(doc_object_at(b->config, "Labels"), line->valuestring);
	}
	return true;
}

bool body_is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool dns(struct body *b)
{
	const struct list *servers = &b->options->dns;

	for (size_t i = 0; i < servers->n; i++) {
		if (!body_is_address(servers->items[i]))
			return body_fail(b, "invalid argument \"%s\" for --dns: not an IP address", servers->items[i]);
		doc_add_text(doc_array_at(b->host, "Dns"), servers->items[i]);
	}
	return true;
}

/* "host:ip", "host=ip", "host:[ip]": Docker keeps the first form. */
static bool extra_host(struct body *b, const char *text)
{
	size_t name = strcspn(text, "=:");
	_cleanup_free_ char *address = NULL, *line = NULL;
	size_t len;

	if (name == 0 || !text[name])
		return body_fail(b, "invalid argument \"%s\" for --add-host: expected host:ip", text);
	address = cli_copy(text + name + 1, strlen(text + name + 1));
	len = strlen(address);
	if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
		memmove(address, address + 1, len - 2);
		address[len - 2] = '\0';
	}
	if (!body_is_address(address) && strcmp(address, "host-gateway") != 0)
		return body_fail(b, "invalid argument \"%s\" for --add-host: \"%s\" is not an IP address", text,
				 address);
	line = cli_format("%.*s:%s", (int)name, text, address);
	doc_add_text(doc_array_at(b->host, "ExtraHosts"), line);
	return true;
}

static bool hosts(struct body *b)
{
	const struct list *list = &b->options->add_host;

	for (size_t i = 0; i < list->n; i++)
		if (!extra_host(b, list->items[i]))
			return false;
	return dns(b);
}

static bool sysctls(struct body *b)
{
	const struct list *list = &b->options->sysctls;

	for (size_t i = 0; i < list->n; i++) {
		if (*list->items[i] == '=' || !strchr(list->items[i], '='))
			return body_fail(b, "invalid argument \"%s\" for --sysctl: expected KEY=VALUE", list->items[i]);
		set_pair(doc_object_at(b->host, "Sysctls"), list->items[i]);
	}
	return true;
}

static bool logging(struct body *b)
{
	const struct create_options *o = b->options;
	cJSON *log;

	if (!o->log_driver && !o->log_options.n)
		return true;
	log = doc_object_at(b->host, "LogConfig");
	doc_set_text(log, "Type", o->log_driver ? o->log_driver : "json-file");
	for (size_t i = 0; i < o->log_options.n; i++)
		set_pair(doc_object_at(log, "Config"), o->log_options.items[i]);
	return true;
}

static bool restart(struct body *b)
{
	const char *text = b->options->restart, *colon;
	_cleanup_free_ char *name = NULL;
	int64_t count = 0;
	cJSON *policy;

	if (!text)
		return true;
	colon = strchr(text, ':');
	name = cli_copy(text, colon ? (size_t)(colon - text) : strlen(text));
	if (strcmp(name, "on-failure") == 0) {
		if (colon && (!units_parse_int(colon + 1, &count) || count < 0))
			return body_fail(
				b, "invalid restart policy \"%s\": the number of retries must be a whole number", text);
	} else if (colon ||
		   (strcmp(name, "no") != 0 && strcmp(name, "always") != 0 && strcmp(name, "unless-stopped") != 0)) {
		return body_fail(b,
				 "invalid restart policy \"%s\": expected no, always, on-failure[:N] or unless-stopped",
				 text);
	}
	if (b->options->remove && strcmp(name, "no") != 0)
		return body_fail(b, "conflicting options: --restart and --rm");
	policy = doc_object_at(b->host, "RestartPolicy");
	doc_set_text(policy, "Name", name);
	doc_set_number(policy, "MaximumRetryCount", count);
	return true;
}

/* IMAGE [COMMAND...] and what stands before the command. */
static void command_line(struct body *b, char **args, int n_args)
{
	doc_set_text(b->config, "Image", args[0]);
	/* An empty entry point takes the image's away. */
	if (b->options->entrypoint)
		doc_add_text(doc_array_at(b->config, "Entrypoint"), b->options->entrypoint);
	for (int i = 1; i < n_args; i++)
		doc_add_text(doc_array_at(b->config, "Cmd"), args[i]);
}

bool body_build(struct body *b, const struct create_options *options, teu_engine *engine, char **args, int n_args)
{
	static bool (*const parts[])(struct body *) = { plain,	     streams,	  environment,	labels,	    hosts,
							sysctls,     logging,	  restart,	body_ports, body_mounts,
							body_shared, body_limits, body_security };

	*b = (struct body){ .options = options, .engine = engine, .config = doc_object() };
	b->host = doc_object_at(b->config, "HostConfig");
	command_line(b, args, n_args);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!parts[i](b))
			return false;
	return true;
}

void body_done(struct body *b)
{
	cJSON_Delete(b->config);
	free(b->problem);
	*b = (struct body){ 0 };
}

char *body_next_field(const char **text)
{
	const char *from = *text;
	char *field, *to;
	bool quoted = false;

	if (!from)
		return NULL;
	field = to = cli_alloc(strlen(from) + 1);
	for (; *from && (quoted || *from != ','); from++) {
		if (*from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
	}
	*text = *from ? from + 1 : NULL;
	return field;
}
