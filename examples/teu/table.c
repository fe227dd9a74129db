/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table: lines of cells, aligned. */
#include "table.h"

#include <string.h>

#include "cli.h"

enum { MAX_COLUMNS = 32, MIN_WIDTH = 10, GAP = 3 };

void table_add(struct table *table, char *line)
{
	if ((table->n & (table->n - 1)) == 0) {
		table->lines = reallocarray(table->lines, table->n ? table->n * 2 : 1, sizeof(*table->lines));
		if (!table->lines)
			cli_oom();
	}
	table->lines[table->n++] = line;
}

/* Characters, not bytes, in UTF-8. */
static size_t width(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

/* Only cells with another behind them count: the last one of a line is never padded. */
static void measure(const char *line, size_t widths[MAX_COLUMNS])
{
	for (size_t i = 0; i < MAX_COLUMNS; i++) {
		size_t len = strcspn(line, "\t"), w = width(line, len) + GAP;

		if (line[len] == '\0')
			return;
		if (w > widths[i])
			widths[i] = w;
		line += len + 1;
	}
}

static void print_line(const char *line, const size_t widths[MAX_COLUMNS], FILE *out)
{
	for (size_t i = 0;; i++) {
		size_t len = strcspn(line, "\t");

		fwrite(line, 1, len, out);
		if (line[len] == '\0')
			break;
		fprintf(out, "%*s", i < MAX_COLUMNS ? (int)(widths[i] - width(line, len)) : GAP, "");
		line += len + 1;
	}
	fputc('\n', out);
}

void table_print(const struct table *table, FILE *out)
{
	size_t widths[MAX_COLUMNS];

	for (size_t i = 0; i < MAX_COLUMNS; i++)
		widths[i] = MIN_WIDTH;
	for (size_t i = 0; i < table->n; i++)
		measure(table->lines[i], widths);
	for (size_t i = 0; i < table->n; i++)
		print_line(table->lines[i], widths, out);
}

void table_done(struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->lines[i]);
	free(table->lines);
	*table = (struct table){ 0 };
}
