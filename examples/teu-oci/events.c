/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events: what a container uses, at intervals, and when the kernel kills for want of memory. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>

#include "../teu/doc.h"
#include "oci.h"

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

/* @data is printed as it came: who reads it wants all digits of its numbers, and a double has not so many. NULL: none.
 */
static void print_event(const char *type, const char *id, const char *data)
{
	_cleanup_doc_ cJSON *event = doc_object();
	_cleanup_free_ char *line = NULL;

	doc_set_text(event, "type", type);
	doc_set_text(event, "id", id);
	if (data)
		doc_set(event, "data", cJSON_CreateRaw(data));
	line = doc_print(event);
	puts(line);
	fflush(stdout);
}

struct watch {
	teu_runtime *rt;
	const char *id;
	int pidfd, oom_fd; /* oom_fd -1: nobody tells */
	uint64_t oom_seen;
	int64_t interval;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* False: it has ended. */
static bool tell_use(const struct watch *w)
{
	_cleanup_teu_free_ char *stats = NULL;

	if (teu_runtime_stats(w->rt, w->id, &stats, NULL) < 0)
		return false;
	print_event("stats", w->id, stats);
	return true;
}

static bool tell_oom(struct watch *w)
{
	uint64_t times;

	if (teu_runtime_oom_read(w->rt, w->id, w->oom_fd, &w->oom_seen, &times, NULL) < 0)
		return false;
	if (times)
		print_event("oom", w->id, NULL);
	return true;
}

static void watch(struct watch *w)
{
	int64_t next = now_ms() + w->interval;
	bool runs = true;

	while (runs) {
		struct pollfd p[] = { { w->pidfd, POLLIN, 0 }, { w->oom_fd, POLLIN, 0 } };
		int64_t left = next - now_ms();

		if (poll(p, 2, left < 0 ? 0 : (int)left) < 0 && errno != EINTR)
			return;
		if (p[1].revents)
			runs = tell_oom(w);
		else if (p[0].revents)
			runs = false;
		if (runs && now_ms() >= next) {
			runs = tell_use(w);
			next += w->interval;
		}
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
	struct watch w = { .rt = oci_runtime(), .id = call->args[0], .pidfd = -1, .oom_fd = -1 };
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *stats = NULL;

	if (!w.rt)
		return EXIT_FAILED;
	w.interval = duration_ms(o->interval ? o->interval : "5s");
	if (w.interval <= 0)
		return cli_fail(call, "duration interval must be greater than 0");
	if (open_container(&w, &err) < 0)
		return cli_error(call, err);
	if (teu_runtime_stats(w.rt, w.id, &stats, &err) < 0) {
		cleanup_close(&w.pidfd);
		return cli_error(call, err);
	}
	if (o->stats) {
		print_event("stats", w.id, stats);
	} else {
		teu_runtime_oom_watch(w.rt, w.id, &w.oom_fd, &w.oom_seen, NULL);
		watch(&w);
		cleanup_close(&w.oom_fd);
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
