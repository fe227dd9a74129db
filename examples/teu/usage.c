/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* top, stats, port: what running containers use. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "doc.h"
#include "format.h"
#include "options.h"
#include "table.h"
#include "units.h"

/* top */

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

/* stats */

struct stats_options {
	bool all, no_stream, no_trunc;
	const char *format;
};

/* What the last look said about a container, for its share of CPU time between two looks. */
struct sample {
	char id[65];
	double cpu_ns;
	int64_t at_ns;
};

struct samples {
	struct sample *items;
	size_t n;
};

static const struct column stats_columns[] = {
	{ "ID", "CONTAINER ID" },
	{ "Container", "CONTAINER" },
	{ "Name", "NAME" },
	{ "CPUPerc", "CPU %" },
	{ "MemUsage", "MEM USAGE / LIMIT" },
	{ "MemPerc", "MEM %" },
	{ "NetIO", "NET I/O" },
	{ "BlockIO", "BLOCK I/O" },
	{ "PIDs", "PIDS" },
	{ 0 },
};

static struct sample *sample_of(struct samples *samples, const char *id)
{
	for (size_t i = 0; i < samples->n; i++)
		if (strcmp(samples->items[i].id, id) == 0)
			return &samples->items[i];
	samples->items = reallocarray(samples->items, samples->n + 1, sizeof(*samples->items));
	if (!samples->items)
		cli_oom();
	samples->items[samples->n] = (struct sample){ 0 };
	snprintf(samples->items[samples->n].id, sizeof(samples->items[0].id), "%s", id);
	return &samples->items[samples->n++];
}

static double cpu_share(struct samples *samples, const char *id, const cJSON *doc)
{
	struct sample *before = sample_of(samples, id);
	double used = doc_number(doc, "cpu.usage_ns"), share = 0;
	int64_t now = units_now_ns();

	if (before->at_ns && now > before->at_ns && used >= before->cpu_ns)
		share = (used - before->cpu_ns) * 100 / (double)(now - before->at_ns);
	before->cpu_ns = used;
	before->at_ns = now;
	return share;
}

static void set_memory(cJSON *row, const cJSON *doc)
{
	double used = doc_number(doc, "memory.usage"), limit = doc_number(doc, "memory.limit");
	char a[UNITS_SIZE], b[UNITS_SIZE];
	_cleanup_free_ char *usage =
		cli_format("%s / %s", units_size_binary(a, used), limit ? units_size_binary(b, limit) : "--");
	_cleanup_free_ char *share = limit ? cli_format("%.2f%%", used * 100 / limit) : cli_format("--");

	doc_set_text(row, "MemUsage", usage);
	doc_set_text(row, "MemPerc", share);
}

static void set_pair(cJSON *row, const char *key, double in, double out)
{
	char a[UNITS_SIZE], b[UNITS_SIZE];
	_cleanup_free_ char *text = cli_format("%s / %s", units_size(a, in), units_size(b, out));

	doc_set_text(row, key, text);
}

static cJSON *stats_row(struct samples *samples, teu_container *container, const cJSON *doc, bool no_trunc)
{
	const char *id = teu_container_id(container);
	_cleanup_free_ char *short_id = cli_copy(id, no_trunc ? strlen(id) : strnlen(id, 12));
	_cleanup_free_ char *cpu = cli_format("%.2f%%", cpu_share(samples, id, doc));
	_cleanup_free_ char *pids = cli_format("%.0f", doc_number(doc, "pids.current"));
	cJSON *row = doc_object();

	doc_set_text(row, "ID", short_id);
	doc_set_text(row, "Container", short_id);
	doc_set_text(row, "Name", teu_container_name(container));
	doc_set_text(row, "CPUPerc", cpu);
	set_memory(row, doc);
	set_pair(row, "NetIO", doc_number(doc, "network.rx_bytes"), doc_number(doc, "network.tx_bytes"));
	set_pair(row, "BlockIO", doc_number(doc, "blkio.read_bytes"), doc_number(doc, "blkio.write_bytes"));
	doc_set_text(row, "PIDs", pids);
	return row;
}

/* Appends the row of one container; false: told on stderr. */
static bool add_stats(const struct call *call, struct samples *samples, teu_container *container, cJSON *rows)
{
	const struct stats_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *doc = NULL;
	int r = teu_container_stats(container, &json, &err);

	/* One that has ended since the list was made uses nothing. */
	if (r < 0 && r != TEU_E_CONFLICT && r != TEU_E_NOT_FOUND) {
		cli_error(call, err);
		return false;
	}
	if (r < 0 && call->n_args == 0 && !o->all)
		return true;
	doc = doc_parse(json);
	doc_add(rows, stats_row(samples, container, doc, o->no_trunc));
	return true;
}

static bool look_at_named(const struct call *call, struct samples *samples, cJSON *rows)
{
	for (int i = 0; i < call->n_args; i++) {
		_cleanup_error_ teu_error *err = NULL;
		_cleanup_container_ teu_container *container = NULL;

		if (teu_container_find(call->engine, call->args[i], &container, &err) < 0) {
			cli_error(call, err);
			return false;
		}
		if (!add_stats(call, samples, container, rows))
			return false;
	}
	return true;
}

static bool look_at_all(const struct call *call, struct samples *samples, cJSON *rows)
{
	const struct stats_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	teu_container_list *list = NULL;
	bool ok = true;

	if (teu_container_list_all(call->engine, o->all, &list, &err) < 0) {
		cli_error(call, err);
		return false;
	}
	for (size_t i = 0; ok && i < teu_container_list_count(list); i++)
		ok = add_stats(call, samples, teu_container_list_get(list, i), rows);
	teu_container_list_unref(list);
	return ok;
}

static bool look(const struct call *call, struct samples *samples, cJSON *rows)
{
	return call->n_args ? look_at_named(call, samples, rows) : look_at_all(call, samples, rows);
}

static int print_stats(const struct call *call, const cJSON *rows)
{
	const struct stats_options *o = call->options;

	return format_rows(
		call, o->format,
		"{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}",
		stats_columns, rows);
}

static int run_stats(const struct call *call)
{
	static const struct timespec second = { .tv_sec = 1 };
	const struct stats_options *o = call->options;
	struct samples samples = { 0 };
	bool terminal = isatty(STDOUT_FILENO);
	int status = 0;

	/* A rate takes two looks; the first one's is not shown. */
	for (int i = 0; status == 0; i++) {
		_cleanup_doc_ cJSON *rows = doc_array();

		if (!look(call, &samples, rows)) {
			status = EXIT_FAILED;
			break;
		}
		if (i > 0) {
			if (terminal && !o->no_stream)
				fputs("\033[H\033[J", stdout);
			status = print_stats(call, rows);
			fflush(stdout);
			if (o->no_stream || ferror(stdout))
				break;
		}
		nanosleep(&second, NULL);
	}
	free(samples.items);
	return status;
}

/* port */

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

#define AT(field) offsetof(struct stats_options, field)

static const struct option stats_options[] = {
	{ "all", 'a', OPT_BOOL, AT(all), "Also those that do not run", NULL },
	{ "format", 0, OPT_TEXT, AT(format), "table, json or a Go template", NULL },
	{ "no-stream", 0, OPT_BOOL, AT(no_stream), "Print once", NULL },
	{ "no-trunc", 0, OPT_BOOL, AT(no_trunc), "Do not shorten", NULL },
	{ 0 },
};

static const struct option *const stats_tables[] = { stats_options, NULL };

const struct command command_top = {
	.operands = "CONTAINER",
	.summary = "List the processes of a container",
	.run = run_top,
	.min = 1,
	.max = 1,
};

const struct command command_stats = {
	.operands = "[CONTAINER...]",
	.summary = "Show what containers use",
	.run = run_stats,
	.max = -1,
	.options = stats_tables,
	.options_size = sizeof(struct stats_options),
};

const struct command command_port = {
	.operands = "CONTAINER [PORT[/PROTOCOL]]",
	.summary = "List published ports",
	.run = run_port,
	.min = 1,
	.max = 2,
};
