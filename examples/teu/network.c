/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network: ls; down, which is ours. Source: docs.docker.com, "docker network ls". */
#include <string.h>

#include "commands.h"
#include "format.h"
#include "options.h"

enum { SHORT_ID = 12 };

struct ls_options {
	bool quiet, no_trunc;
	const char *format;
};

static const struct column columns[] = {
	{ "ID", "NETWORK ID" }, { "Name", "NAME" }, { "Driver", "DRIVER" }, { "Scope", "SCOPE" }, { 0 },
};

static int run_ls(const struct call *call)
{
	const struct ls_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *doc = NULL, *rows = doc_array();
	const cJSON *network;

	if (teu_network_list_json(call->engine, &json, &err) < 0)
		return cli_error(call, err);
	doc = doc_parse(json);
	cJSON_ArrayForEach(network, doc)
	{
		const char *id = doc_text(network, "Id");
		_cleanup_free_ char *short_id = cli_copy(id, o->no_trunc ? strlen(id) : strnlen(id, SHORT_ID));
		cJSON *row = doc_object();

		doc_set_text(row, "ID", short_id);
		doc_set_text(row, "Name", doc_text(network, "Name"));
		doc_set_text(row, "Driver", doc_text(network, "Driver"));
		doc_set_text(row, "Scope", *doc_text(network, "Scope") ? doc_text(network, "Scope") : "local");
		doc_add(rows, row);
	}
	return format_rows(call, o->quiet && !o->format ? "{{.ID}}" : o->format,
			   "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}", columns, rows);
}

static int run_down(const struct call *call)
{
	_cleanup_error_ teu_error *err = NULL;

	return teu_network_down(call->engine, &err) < 0 ? cli_error(call, err) : 0;
}

static const struct option options[] = {
	{ "format", 0, OPT_TEXT, offsetof(struct ls_options, format), "table, json or a Go template", NULL },
	{ "no-trunc", 0, OPT_BOOL, offsetof(struct ls_options, no_trunc), "Do not shorten", NULL },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct ls_options, quiet), "Only ids", NULL },
	{ 0 },
};

static const struct option *const tables[] = { options, NULL };

const struct command command_network_ls = {
	.operands = "",
	.summary = "List networks",
	.run = run_ls,
	.options = tables,
	.options_size = sizeof(struct ls_options),
};

const struct command command_network_down = {
	.operands = "",
	.summary = "Take the bridge and the packet rules out of the kernel",
	.run = run_down,
};
