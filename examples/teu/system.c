/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* info, version, check, sweep: the machine, the release and the store. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "commands.h"
#include "format.h"
#include "options.h"

struct format_options {
	const char *format;
};

static void print_value(const cJSON *value)
{
	const cJSON *item;

	if (cJSON_IsString(value)) {
		puts(value->valuestring);
	} else if (cJSON_IsArray(value)) {
		cJSON_ArrayForEach(item, value)
			printf("%s%s", item == value->child ? "" : " ", cJSON_IsString(item) ? item->valuestring : "?");
		putchar('\n');
	} else {
		_cleanup_free_ char *text = doc_print(value);

		puts(text);
	}
}

/* "KernelVersion" -> "Kernel Version" */
static void print_name(const char *key)
{
	for (const char *c = key; *c; c++) {
		bool word = c > key && *c >= 'A' && *c <= 'Z' && c[-1] >= 'a';

		printf(word ? " %c" : "%c", *c);
	}
	fputs(": ", stdout);
}

static int run_info(const struct call *call)
{
	const struct format_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *doc = NULL;
	const cJSON *item;

	if (teu_system_info(call->engine, &json, &err) < 0)
		return cli_error(call, err);
	if (o->format)
		return format_doc(call, o->format, json);
	doc = doc_parse(json);
	cJSON_ArrayForEach(item, doc)
	{
		print_name(item->string);
		print_value(item);
	}
	return 0;
}

/* Without a daemon client and server are one. */
static int run_version(const struct call *call)
{
	const struct format_options *o = call->options;
	_cleanup_doc_ cJSON *doc = doc_object();
	_cleanup_free_ char *json = NULL;
	struct utsname system;
	cJSON *client;

	if (uname(&system) < 0)
		return cli_fail(call, "uname: %m");
	client = doc_object_at(doc, "Client");
	doc_set_text(client, "Version", teu_version());
	doc_set_text(client, "ApiVersion", "1.43");
	doc_set_text(client, "Os", "linux");
	doc_set_text(client, "Arch",
		     strcmp(system.machine, "x86_64") == 0    ? "amd64"
		     : strcmp(system.machine, "aarch64") == 0 ? "arm64"
							      : system.machine);
	doc_set_text(client, "KernelVersion", system.release);
	doc_set(doc, "Server", cJSON_Duplicate(client, true));
	json = doc_print(doc);
	if (o->format)
		return format_doc(call, o->format, json);
	printf("Version:        %s\nAPI version:    %s\nOS/Arch:        %s/%s\nKernel version: %s\n",
	       doc_text(client, "Version"), doc_text(client, "ApiVersion"), doc_text(client, "Os"),
	       doc_text(client, "Arch"), doc_text(client, "KernelVersion"));
	return 0;
}

/* Exit status 1 when the store is not whole. */
static int run_check(const struct call *call)
{
	const struct format_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *doc = NULL;
	const cJSON *problems, *problem;
	int status;

	if (teu_engine_check(call->engine, &json, &err) < 0)
		return cli_error(call, err);
	doc = doc_parse(json);
	problems = doc_get(doc, "problems");
	status = cJSON_GetArraySize(problems) ? EXIT_FAILED : 0;
	if (o->format) {
		int r = format_doc(call, o->format, json);

		return r ? r : status;
	}
	cJSON_ArrayForEach(problem, problems) puts(cJSON_IsString(problem) ? problem->valuestring : "?");
	printf("%d problems in %.0f blobs, %.0f layers, %.0f images, %.0f containers\n", cJSON_GetArraySize(problems),
	       doc_number(doc, "blobs"), doc_number(doc, "layers"), doc_number(doc, "images"),
	       doc_number(doc, "containers"));
	return status;
}

static int run_sweep(const struct call *call)
{
	_cleanup_error_ teu_error *err = NULL;

	return teu_engine_sweep(call->engine, &err) < 0 ? cli_error(call, err) : 0;
}

static const struct option options[] = {
	{ "format", 'f', OPT_TEXT, offsetof(struct format_options, format), "json or a Go template", NULL },
	{ 0 },
};

static const struct option *const tables[] = { options, NULL };

#define FORMAT .operands = "", .options = tables, .options_size = sizeof(struct format_options)

const struct command command_info = { FORMAT, .summary = "Show the machine and the engine", .run = run_info };
const struct command command_version = { FORMAT, .summary = "Show the release", .run = run_version, .no_engine = true };
const struct command command_check = { FORMAT, .summary = "Check the store: every blob, layer and record",
				       .run = run_check };
const struct command command_sweep = { .operands = "",
				       .summary = "Put right what crashed processes left",
				       .run = run_sweep };
