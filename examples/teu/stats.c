/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stats: what running containers use. Source: docs.docker.com, "docker stats". */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "format.h"
#include "options.h"
#include "units.h"

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

/* The limit in force; without one, all that the machine has. */
static double memory_limit(teu_container *container)
{
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *doc = NULL;
	double limit;

	if (teu_container_inspect(container, &json, NULL) < 0)
		return 0;
	doc = doc_parse(json);
	limit = doc_number(doc, "HostConfig.Memory");
	return limit ? limit : (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
}

static void set_memory(cJSON *row, const cJSON *doc, double limit)
{
	double used = doc_number(doc, "memory.current");
	char a[UNITS_SIZE], b[UNITS_SIZE];
	_cleanup_free_ char *usage = cli_format("%s / %s", units_size_binary(a, used), units_size_binary(b, limit));
	_cleanup_free_ char *share = cli_format("%.2f%%", limit ? used * 100 / limit : 0);

	doc_set_text(row, "MemUsage", usage);
	doc_set_text(row, "MemPerc", share);
}

/* What went through the links of its network namespace, loopback aside. Source: proc(5), /proc/pid/net/dev. */
static void read_network(teu_container *container, double *ret_in, double *ret_out)
{
	char path[40], name[32], line[256];
	int32_t pid = 0;
	FILE *file;

	*ret_in = *ret_out = 0;
	if (teu_container_pid(container, &pid, NULL) < 0 || !pid)
		return;
	snprintf(path, sizeof(path), "/proc/%d/net/dev", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		unsigned long long in, out;

		if (sscanf(line, " %31[^:]: %llu %*u %*u %*u %*u %*u %*u %*u %llu", name, &in, &out) != 3 ||
		    strcmp(name, "lo") == 0)
			continue;
		*ret_in += (double)in;
		*ret_out += (double)out;
	}
	if (file)
		fclose(file);
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
	double in, out;

	doc_set_text(row, "ID", short_id);
	doc_set_text(row, "Container", short_id);
	doc_set_text(row, "Name", teu_container_name(container));
	doc_set_text(row, "CPUPerc", cpu);
	set_memory(row, doc, memory_limit(container));
	read_network(container, &in, &out);
	set_pair(row, "NetIO", in, out);
	set_pair(row, "BlockIO", doc_number(doc, "io.read_bytes"), doc_number(doc, "io.write_bytes"));
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

#define AT(field) offsetof(struct stats_options, field)

static const struct option stats_options[] = {
	{ "all", 'a', OPT_BOOL, AT(all), "Also those that do not run", NULL },
	{ "format", 0, OPT_TEXT, AT(format), "table, json or a Go template", NULL },
	{ "no-stream", 0, OPT_BOOL, AT(no_stream), "Print once", NULL },
	{ "no-trunc", 0, OPT_BOOL, AT(no_trunc), "Do not shorten", NULL },
	{ 0 },
};

static const struct option *const stats_tables[] = { stats_options, NULL };

const struct command command_stats = {
	.operands = "[CONTAINER...]",
	.summary = "Show what containers use",
	.run = run_stats,
	.max = -1,
	.options = stats_tables,
	.options_size = sizeof(struct stats_options),
};
