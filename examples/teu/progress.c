/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* progress: a line a layer. */
#include "progress.h"

#include <string.h>

#include "terminal.h"
#include "units.h"

enum { REDRAW_NS = 100000000, LINE_SIZE = 256 };

struct progress_line {
	char *id, *action;
	uint64_t done, total;
	int64_t since_ns; /* when this action began */
	uint64_t since_done;
};

void progress_init(struct progress *progress, FILE *out)
{
	*progress = (struct progress){ .out = out, .terminal = out && isatty(fileno(out)) };
}

/* The library's words in Docker's. */
static const char *said(const char *action)
{
	static const char *const words[][2] = {
		{ "resolving", "Resolving" },  { "waiting", "Waiting" },       { "downloading", "Downloading" },
		{ "unpacking", "Extracting" }, { "exists", "Already exists" }, { "done", "Complete" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(action, words[i][0]) == 0)
			return words[i][1];
	return action;
}

static struct progress_line *line_of(struct progress *p, const char *id)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->lines[i].id, id) == 0)
			return &p->lines[i];
	p->lines = reallocarray(p->lines, p->n + 1, sizeof(*p->lines));
	if (!p->lines)
		cli_oom();
	p->lines[p->n] = (struct progress_line){ .id = cli_copy(id, strlen(id)) };
	return &p->lines[p->n++];
}

static void describe(const struct progress_line *line, int64_t now, char text[LINE_SIZE])
{
	char done[UNITS_SIZE], total[UNITS_SIZE], rate[UNITS_SIZE];
	int len = snprintf(text, LINE_SIZE, "%s: %-14s", line->id, said(line->action));
	int64_t ns = now - line->since_ns;

	if (!line->done || len >= LINE_SIZE || strcmp(line->action, "done") == 0 || strcmp(line->action, "exists") == 0)
		return;
	len += snprintf(text + len, (size_t)(LINE_SIZE - len), " %s", units_size(done, (double)line->done));
	if (line->total && len < LINE_SIZE)
		len += snprintf(text + len, (size_t)(LINE_SIZE - len), "/%s", units_size(total, (double)line->total));
	if (ns > REDRAW_NS && len < LINE_SIZE)
		snprintf(text + len, (size_t)(LINE_SIZE - len), "  %s/s",
			 units_size(rate, (double)(line->done - line->since_done) * 1e9 / (double)ns));
}

static void draw(struct progress *p, int64_t now)
{
	int32_t rows, columns;
	size_t first;
	char text[LINE_SIZE];

	terminal_size(&rows, &columns);
	if (p->drawn)
		fprintf(p->out, "\033[%zuA", p->drawn);
	/* What has scrolled off can't be drawn again: only as many lines as the screen holds, the newest. */
	first = rows > 1 && p->n > (size_t)rows - 1 ? p->n - ((size_t)rows - 1) : 0;
	for (size_t i = first; i < p->n; i++) {
		describe(&p->lines[i], now, text);
		if (columns > 1 && columns < LINE_SIZE)
			text[columns - 1] = '\0';
		fprintf(p->out, "\r%s\033[K\n", text);
	}
	fflush(p->out);
	p->drawn = p->n - first;
	p->drawn_ns = now;
}

/* In a log: what happened, not what is about to. */
static bool worth_a_line(const char *action)
{
	return strcmp(action, "waiting") != 0 && strcmp(action, "resolving") != 0;
}

int progress_report(const teu_progress *step, void *data)
{
	struct progress *p = data;
	int64_t now = units_now_ns();
	struct progress_line *line;
	bool changed;

	if (!p->out)
		return 0;
	line = line_of(p, step->id);
	changed = !line->action || strcmp(line->action, step->action) != 0;
	if (changed) {
		free(line->action);
		line->action = cli_copy(step->action, strlen(step->action));
		line->since_ns = now;
		line->since_done = step->done;
	}
	line->done = step->done;
	line->total = step->total;
	if (p->terminal && (changed || now - p->drawn_ns > REDRAW_NS))
		draw(p, now);
	else if (!p->terminal && changed && worth_a_line(step->action))
		fprintf(p->out, "%s: %s\n", line->id, said(line->action));
	return 0;
}

void progress_done(struct progress *p)
{
	if (p->terminal && p->n)
		draw(p, units_now_ns());
	for (size_t i = 0; i < p->n; i++) {
		free(p->lines[i].id);
		free(p->lines[i].action);
	}
	free(p->lines);
	*p = (struct progress){ 0 };
}
