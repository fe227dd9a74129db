/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* logs: what a container has written. Source: docs.docker.com, "docker logs". */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "units.h"

struct logs_options {
	bool follow, timestamps, details;
	const char *tail, *since, *until;
};

static int print_record(const teu_log_record *record, void *data)
{
	const struct logs_options *o = data;
	FILE *out = record->stream == TEU_STDERR ? stderr : stdout;
	char stamp[UNITS_SIZE];

	/* Both may be one file or terminal: keep the order. */
	if (out == stderr)
		fflush(stdout);
	if (o->timestamps)
		fprintf(out, "%s ", units_stamp(stamp, record->time_ns));
	fwrite(record->text, 1, record->len, out);
	if (o->follow)
		fflush(out);
	return ferror(out);
}

static int bad_time(const struct call *call, const char *flag, const char *text)
{
	return cli_usage(call->path, EXIT_FAILED,
			 "invalid value for \"%s\": \"%s\" is not a time like 2024-01-02T15:04:05Z or 10m", flag, text);
}

static int run_logs(const struct call *call)
{
	const struct logs_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_container_ teu_container *container = NULL;
	teu_logs_options opts;
	int r;

	teu_logs_options_init(&opts);
	opts.follow = o->follow;
	if (o->tail && strcmp(o->tail, "all") != 0) {
		/* Docker takes what is no number for "all". */
		if (!units_parse_int(o->tail, &opts.tail) || opts.tail < 0)
			opts.tail = 0;
		else if (opts.tail == 0)
			opts.tail = -1;
	}
	if (o->since && !units_parse_time(o->since, &opts.since_ns))
		return bad_time(call, "since", o->since);
	if (o->until && !units_parse_time(o->until, &opts.until_ns))
		return bad_time(call, "until", o->until);
	r = teu_container_find(call->engine, call->args[0], &container, &err);
	if (r == 0)
		r = teu_container_logs(container, &opts, print_record, (void *)o, &err);
	return r < 0 ? cli_error(call, err) : 0;
}

#define AT(field) offsetof(struct logs_options, field)

static const struct option options[] = {
	{ "details", 0, OPT_BOOL, AT(details), "No effect", NULL },
	{ "follow", 'f', OPT_BOOL, AT(follow), "Go on until the container ends", NULL },
	{ "since", 0, OPT_TEXT, AT(since), "Only from this time on (2024-01-02T15:04:05Z or 10m)", NULL },
	{ "tail", 'n', OPT_TEXT, AT(tail), "Only so many lines from the end", NULL },
	{ "timestamps", 't', OPT_BOOL, AT(timestamps), "The time before each line", NULL },
	{ "until", 0, OPT_TEXT, AT(until), "Only up to this time", NULL },
	{ 0 },
};

static const struct option *const tables[] = { options, NULL };

const struct command command_logs = {
	.operands = "CONTAINER",
	.summary = "Print what a container has written",
	.run = run_logs,
	.min = 1,
	.max = 1,
	.options = tables,
	.options_size = sizeof(struct logs_options),
};
