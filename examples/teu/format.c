/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* format: what --format asks for. */
#include "format.h"

#include <string.h>

#include "table.h"
#include "template.h"

/* In lists Docker takes \t and \n for a tab and a line break. */
static char *unescape(const char *text)
{
	char *copy = cli_copy(text, strlen(text)), *to = copy;

	for (const char *from = copy; *from; from++) {
		if (from[0] == '\\' && (from[1] == 't' || from[1] == 'n')) {
			from++;
			*to++ = *from == 't' ? '\t' : '\n';
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return copy;
}

/* The template filled in from one row, for free(); NULL: told on stderr. */
static char *line_of(const struct call *call, const char *template, const cJSON *row)
{
	char error[TEMPLATE_ERROR_SIZE], *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);
	bool ok;

	if (!out)
		cli_oom();
	ok = template_run(template, row, out, error);
	if (fclose(out) != 0)
		cli_oom();
	if (ok)
		return line;
	free(line);
	cli_fail(call, "--format \"%s\": %s", template, error);
	return NULL;
}

static int print_table(const struct call *call, const char *template, const struct column *columns, const cJSON *rows)
{
	_cleanup_(table_done) struct table table = { 0 };
	_cleanup_doc_ cJSON *heads = doc_object();
	const cJSON *row;
	char *line;

	for (; columns->key; columns++)
		doc_set_text(heads, columns->key, columns->head);
	line = line_of(call, template, heads);
	if (!line)
		return EXIT_FAILED;
	table_add(&table, line);
	cJSON_ArrayForEach(row, rows)
	{
		line = line_of(call, template, row);
		if (!line)
			return EXIT_FAILED;
		table_add(&table, line);
	}
	table_print(&table, stdout);
	return 0;
}

static int print_lines(const struct call *call, const char *template, const cJSON *rows)
{
	_cleanup_free_ char *check = line_of(call, template, NULL);
	const cJSON *row;

	if (!check)
		return EXIT_FAILED;
	cJSON_ArrayForEach(row, rows)
	{
		_cleanup_free_ char *line = line_of(call, template, row);

		if (!line)
			return EXIT_FAILED;
		puts(line);
	}
	return 0;
}

int format_rows(const struct call *call, const char *format, const char *fallback, const struct column *columns,
		const cJSON *rows)
{
	_cleanup_free_ char *template = NULL;

	if (!format || !*format || strcmp(format, "table") == 0)
		return print_table(call, fallback, columns, rows);
	if (strcmp(format, "json") == 0)
		return print_lines(call, "{{json .}}", rows);
	if (strncmp(format, "table ", 6) == 0) {
		template = unescape(format + 6);
		return print_table(call, template, columns, rows);
	}
	template = unescape(format);
	return print_lines(call, template, rows);
}

int format_doc(const struct call *call, const char *format, const char *json)
{
	_cleanup_doc_ cJSON *doc = doc_parse(json);
	_cleanup_free_ char *line = NULL;

	if (!doc)
		return cli_fail(call, "the library gave a document that is not JSON");
	line = line_of(call, strcmp(format, "json") == 0 ? "{{json .}}" : format, doc);
	if (!line)
		return EXIT_FAILED;
	puts(line);
	return 0;
}
