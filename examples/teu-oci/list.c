/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list: state and list. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../teu/doc.h"
#include "../teu/table.h"
#include "oci.h"

static int run_state(const struct call *call)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *text = NULL;
	teu_runtime *rt = oci_runtime();

	if (!rt)
		return EXIT_FAILED;
	if (teu_runtime_state(rt, call->args[0], &text, &err) < 0)
		return cli_error(call, err);
	doc_indent(stdout, text, 2, 0);
	putchar('\n');
	return 0;
}

const struct command command_state = {
	.operands = "ID",
	.summary = "Print the state of a container",
	.run = run_state,
	.min = 1,
	.max = 1,
};

struct list_options {
	const char *format;
	bool quiet;
};

static const struct option list_table[] = {
	{ "format", 'f', OPT_TEXT, offsetof(struct list_options, format), "table or json", NULL },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct list_options, quiet), "Print ids only", NULL },
	{ 0 },
};
static const struct option *const list_tables[] = { list_table, NULL };

static void print_table(const cJSON *list)
{
	struct table table = { 0 };
	const cJSON *c;

	table_add(&table, cli_format("ID\tPID\tSTATUS\tBUNDLE\tCREATED\tOWNER"));
	cJSON_ArrayForEach(c, list)
		table_add(&table, cli_format("%s\t%d\t%s\t%s\t%s\t%s", doc_text(c, "id"), (int)doc_number(c, "pid"),
					     doc_text(c, "status"), doc_text(c, "bundle"), doc_text(c, "created"),
					     doc_text(c, "owner")));
	table_print(&table, stdout);
	table_done(&table);
}

static int run_list(const struct call *call)
{
	const struct list_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *text = NULL;
	_cleanup_doc_ cJSON *list = NULL;
	const cJSON *c;
	teu_runtime *rt;

	/* Containers that were never there are none; a folder that is not there was named wrongly. */
	if (oci_globals.root && access(oci_globals.root, F_OK) < 0)
		return cli_fail(call, "open the root %s: %s", oci_globals.root, strerror(errno));
	rt = oci_runtime();
	if (!rt)
		return EXIT_FAILED;
	if (o->format && strcmp(o->format, "json") != 0 && strcmp(o->format, "table") != 0)
		return cli_fail(call, "invalid format option: %s", o->format);
	if (teu_runtime_list(rt, &text, &err) < 0)
		return cli_error(call, err);
	list = doc_parse(text);
	if (o->quiet) {
		cJSON_ArrayForEach(c, list) puts(doc_text(c, "id"));
	} else if (o->format && strcmp(o->format, "json") == 0) {
		puts(cJSON_GetArraySize(list) ? text : "null");
	} else {
		print_table(list);
	}
	return 0;
}

const struct command command_list = {
	.operands = "",
	.summary = "List the containers",
	.run = run_list,
	.min = 0,
	.max = 0,
	.options = list_tables,
	.options_size = sizeof(struct list_options),
};
