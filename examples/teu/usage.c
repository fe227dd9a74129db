/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* top, port: what runs in a container, and where it can be reached. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "doc.h"
#include "table.h"

static char *cells(const cJSON *list)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const cJSON *cell;

	if (!out)
		cli_oom();
	cJSON_ArrayForEach(cell, list)
		fprintf(out, "%s%s", cell == list->child ? "" : "\t", cJSON_IsString(cell) ? cell->valuestring : "");
	if (fclose(out) != 0)
		cli_oom();
	return text;
}

static int run_top(const struct call *call)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_container_ teu_container *container = NULL;
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *doc = NULL;
	_cleanup_(table_done) struct table table = { 0 };
	const cJSON *process;

	if (teu_container_find(call->engine, call->args[0], &container, &err) < 0 ||
	    teu_container_top(container, &json, &err) < 0)
		return cli_error(call, err);
	doc = doc_parse(json);
	table_add(&table, cells(doc_get(doc, "Titles")));
	cJSON_ArrayForEach(process, doc_get(doc, "Processes")) table_add(&table, cells(process));
	table_print(&table, stdout);
	return 0;
}

static void print_bindings(const cJSON *port, bool alone)
{
	const cJSON *binding;

	cJSON_ArrayForEach(binding, port)
	{
		const char *ip = doc_text(binding, "HostIp");

		if (!alone)
			printf("%s -> ", port->string);
		printf(strchr(ip, ':') ? "[%s]:%s\n" : "%s:%s\n", ip, doc_text(binding, "HostPort"));
	}
}

static int run_port(const struct call *call)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_container_ teu_container *container = NULL;
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_free_ char *wanted = NULL;
	_cleanup_doc_ cJSON *doc = NULL;
	const cJSON *port, *ports;

	if (teu_container_find(call->engine, call->args[0], &container, &err) < 0 ||
	    teu_container_inspect(container, &json, &err) < 0)
		return cli_error(call, err);
	doc = doc_parse(json);
	ports = doc_get(doc, "NetworkSettings.Ports");
	if (call->n_args == 1) {
		cJSON_ArrayForEach(port, ports) print_bindings(port, false);
		return 0;
	}
	wanted = cli_format("%s%s", call->args[1], strchr(call->args[1], '/') ? "" : "/tcp");
	port = cJSON_GetObjectItemCaseSensitive(ports, wanted);
	if (!cJSON_IsArray(port) || !port->child)
		return cli_fail(call, "no public port '%s' published for %s", wanted, call->args[0]);
	print_bindings(port, true);
	return 0;
}

const struct command command_top = {
	.operands = "CONTAINER",
	.summary = "List the processes of a container",
	.run = run_top,
	.min = 1,
	.max = 1,
};

const struct command command_port = {
	.operands = "CONTAINER [PORT[/PROTOCOL]]",
	.summary = "List published ports",
	.run = run_port,
	.min = 1,
	.max = 2,
};
