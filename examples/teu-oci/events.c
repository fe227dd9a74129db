/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events: what a container uses, at intervals, and when the kernel kills for want of memory. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#include "../teu/doc.h"
#include "oci.h"

enum { LOOK_MS = 500 };

struct events_options {
	const char *interval;
	bool stats;
};

#define AT(field) offsetof(struct events_options, field)

static const struct option table[] = {
	{ "interval", 0, OPT_TEXT, AT(interval), "Time between two (5s)", NULL },
	{ "stats", 0, OPT_BOOL, AT(stats), "Print what it uses once", NULL },
	{ 0 },
};
static const struct option *const tables[] = { table, NULL };

/* Go's durations: "1m30s", "100ms"; -1: none. */
static int64_t duration_ms(const char *text)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = { { "ms", 1 }, { "us", 1e-3 }, { "ns", 1e-6 }, { "h", 3.6e6 }, { "m", 6e4 }, { "s", 1e3 } };
	double total = 0;

	if (!*text)
		return -1;
	while (*text) {
		char *end;
		double n = strtod(text, &end);
		size_t i = 0;

		while (i < ARRAY_SIZE(units) && strncmp(end, units[i].unit, strlen(units[i].unit)) != 0)
			i++;
		if (end == text || n < 0 || i == ARRAY_SIZE(units))
			return -1;
		total += n * units[i].ms;
		text = end + strlen(units[i].unit);
	}
	return total > 1e9 ? -1 : (int64_t)total;
}

static void print_event(const char *type, const char *id, cJSON *data)
{
	_cleanup_doc_ cJSON *event = doc_object();
	_cleanup_free_ char *line = NULL;

	doc_set_text(event, "type", type);
	doc_set_text(event, "id", id);
	if (data)
		doc_set(event, "data", data);
	line = doc_print(event);
	puts(line);
	fflush(stdout);
}

/* NULL: it does not run any more, or *err says why. */
static cJSON *read_stats(teu_runtime *rt, const char *id, teu_error **err)
{
	_cleanup_teu_free_ char *text = NULL;

	return teu_runtime_stats(rt, id, &text, err) < 0 ? NULL : doc_parse(text);
}

struct watch {
	teu_runtime *rt;
	const char *id;
	int pidfd;
	int64_t interval;
	double ooms;
};

/* False: it has ended. */
static bool look(struct watch *w, bool print)
{
	cJSON *stats = read_stats(w->rt, w->id, NULL);
	double ooms;

	if (!stats)
		return false;
	ooms = doc_number(stats, "memory.raw.oom_kill");
	if (ooms > w->ooms)
		print_event("oom", w->id, NULL);
	w->ooms = ooms;
	if (print)
		print_event("stats", w->id, stats);
	else
		cJSON_Delete(stats);
	return true;
}

static void watch(struct watch *w)
{
	struct pollfd p = { .fd = w->pidfd, .events = POLLIN };
	int64_t left = w->interval;

	for (;;) {
		int64_t step = left < LOOK_MS ? left : LOOK_MS;
		int n = poll(&p, 1, (int)step);

		if (n > 0 || (n < 0 && errno != EINTR))
			return;
		left -= step;
		if (!look(w, left <= 0))
			return;
		left = left <= 0 ? w->interval : left;
	}
}

static int open_container(struct watch *w, teu_error **err)
{
	_cleanup_teu_free_ char *text = NULL;
	_cleanup_doc_ cJSON *state = NULL;

	if (teu_runtime_state(w->rt, w->id, &text, err) < 0)
		return -1;
	state = doc_parse(text);
	w->pidfd = pidfd_open((pid_t)doc_number(state, "pid"), 0);
	return 0;
}

static int run_events(const struct call *call)
{
	const struct events_options *o = call->options;
	struct watch w = { .rt = oci_runtime(), .id = call->args[0], .pidfd = -1 };
	_cleanup_error_ teu_error *err = NULL;
	cJSON *stats;

	if (!w.rt)
		return EXIT_FAILED;
	w.interval = duration_ms(o->interval ? o->interval : "5s");
	if (w.interval <= 0)
		return cli_fail(call, "duration interval must be greater than 0");
	if (open_container(&w, &err) < 0)
		return cli_error(call, err);
	stats = read_stats(w.rt, w.id, &err);
	if (!stats) {
		cleanup_close(&w.pidfd);
		return cli_error(call, err);
	}
	w.ooms = doc_number(stats, "memory.raw.oom_kill");
	if (o->stats) {
		print_event("stats", w.id, stats);
	} else {
		cJSON_Delete(stats);
		watch(&w);
	}
	cleanup_close(&w.pidfd);
	return 0;
}

const struct command command_events = {
	.operands = "ID",
	.summary = "Tell what a container uses and when it runs out of memory",
	.run = run_events,
	.min = 1,
	.max = 1,
	.options = tables,
	.options_size = sizeof(struct events_options),
};
