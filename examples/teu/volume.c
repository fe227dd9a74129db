/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* volume: create, ls, rm. Source: docs.docker.com, "docker volume". */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "commands.h"
#include "format.h"
#include "options.h"

static int run_create(const struct call *call)
{
	_cleanup_error_ teu_error *err = NULL;
	unsigned char random[32];
	char made_up[65];
	const char *name = call->args[0];

	if (!name) {
		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			return cli_fail(call, "make up a name: no random bytes");
		for (size_t i = 0; i < sizeof(random); i++)
			snprintf(made_up + 2 * i, 3, "%02x", random[i]);
		name = made_up;
	}
	if (teu_volume_create(call->engine, name, &err) < 0)
		return cli_error(call, err);
	puts(name);
	return 0;
}

struct ls_options {
	bool quiet;
	struct list filters;
	const char *format;
};

static const struct column columns[] = {
	{ "Driver", "DRIVER" }, { "Name", "VOLUME NAME" }, { "Mountpoint", "MOUNTPOINT" },
	{ "Labels", "LABELS" }, { "Scope", "SCOPE" },	   { 0 },
};

static bool fits(const struct ls_options *o, const char *name)
{
	for (size_t i = 0; i < o->filters.n; i++)
		if (!strstr(name, o->filters.items[i] + 5))
			return false;
	return true;
}

static int run_ls(const struct call *call)
{
	const struct ls_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *doc = NULL, *rows = doc_array();
	const cJSON *volume;

	for (size_t i = 0; i < o->filters.n; i++)
		if (strncmp(o->filters.items[i], "name=", 5) != 0)
			return cli_usage(call->path, EXIT_FAILED, "invalid filter '%s'", o->filters.items[i]);
	if (teu_volume_list_json(call->engine, &json, &err) < 0)
		return cli_error(call, err);
	doc = doc_parse(json);
	cJSON_ArrayForEach(volume, doc_get(doc, "Volumes"))
	{
		cJSON *row;

		if (!fits(o, doc_text(volume, "Name")))
			continue;
		row = doc_object();
		doc_set_text(row, "Driver", *doc_text(volume, "Driver") ? doc_text(volume, "Driver") : "local");
		doc_set_text(row, "Name", doc_text(volume, "Name"));
		doc_set_text(row, "Mountpoint", doc_text(volume, "Mountpoint"));
		doc_set_text(row, "Labels", "");
		doc_set_text(row, "Scope", "local");
		doc_add(rows, row);
	}
	return format_rows(call, o->quiet && !o->format ? "{{.Name}}" : o->format, "{{.Driver}}\t{{.Name}}", columns,
			   rows);
}

struct rm_options {
	bool force;
};

static int run_rm(const struct call *call)
{
	const struct rm_options *o = call->options;
	int status = 0;

	for (int i = 0; i < call->n_args; i++) {
		_cleanup_error_ teu_error *err = NULL;
		int r = teu_volume_remove(call->engine, call->args[i], &err);

		/* With --force one that is not there counts as removed, as in Docker. */
		if (r < 0 && !(o->force && r == TEU_E_NOT_FOUND))
			status = cli_error(call, err);
		else
			puts(call->args[i]);
	}
	return status;
}

static const struct option ls_options[] = {
	{ "filter", 'f', OPT_LIST, offsetof(struct ls_options, filters), "Only those that fit (name=…)", NULL },
	{ "format", 0, OPT_TEXT, offsetof(struct ls_options, format), "table, json or a Go template", NULL },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct ls_options, quiet), "Only names", NULL },
	{ 0 },
};

static const struct option rm_options[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct rm_options, force), "No error for what is not there", NULL },
	{ 0 },
};

static const struct option *const ls_tables[] = { ls_options, NULL };
static const struct option *const rm_tables[] = { rm_options, NULL };

const struct command command_volume_create = {
	.operands = "[VOLUME]",
	.summary = "Create a volume",
	.run = run_create,
	.max = 1,
};

const struct command command_volume_ls = {
	.operands = "",
	.summary = "List volumes",
	.run = run_ls,
	.options = ls_tables,
	.options_size = sizeof(struct ls_options),
};

const struct command command_volume_rm = {
	.operands = "VOLUME [VOLUME...]",
	.summary = "Remove volumes",
	.run = run_rm,
	.min = 1,
	.max = -1,
	.options = rm_tables,
	.options_size = sizeof(struct rm_options),
};
