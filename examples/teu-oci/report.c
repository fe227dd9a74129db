/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report: records as runc writes them, which engines parse: logrus' text and JSON formats. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../teu/doc.h"
#include "oci.h"

static FILE *log_file; /* NULL: stderr */
static bool as_json;
static int least = TEU_LOG_INFO;

static const char *const levels[] = { "debug", "info", "warning", "error" };
enum { LEVEL_ERROR = 3 };

bool report_open(const char *log, const char *format, bool debug)
{
	int fd;

	if (debug)
		least = TEU_LOG_DEBUG;
	as_json = format && strcmp(format, "json") == 0;
	if (format && !as_json && strcmp(format, "text") != 0) {
		cli_warn("invalid log-format: %s", format);
		return false;
	}
	if (!log || !*log || strcmp(log, "/dev/stderr") == 0)
		return true;
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	log_file = fd < 0 ? NULL : fdopen(fd, "a");
	if (!log_file)
		cli_warn("open the log %s: %m", log);
	return log_file != NULL;
}

static void time_text(char text[40])
{
	time_t now = time(NULL);
	struct tm tm;
	size_t n;

	localtime_r(&now, &tm);
	n = strftime(text, 40, "%Y-%m-%dT%H:%M:%S%z", &tm);
	if (strcmp(text + n - 5, "+0000") == 0) {
		strcpy(text + n - 5, "Z");
	} else { /* "+0130" -> "+01:30" */
		memmove(text + n - 1, text + n - 2, 3);
		text[n - 2] = ':';
	}
}

static void write_quoted(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", to);
		else
			fputc(*text, to);
	}
	fputc('"', to);
}

static void write_json(FILE *to, int level, const char *message, const char *when)
{
	_cleanup_doc_ cJSON *record = doc_object();
	_cleanup_free_ char *line = NULL;

	doc_set_text(record, "level", levels[level]);
	doc_set_text(record, "msg", message);
	doc_set_text(record, "time", when);
	line = doc_print(record);
	fprintf(to, "%s\n", line);
}

void report_record(int level, const char *message)
{
	FILE *to = log_file ? log_file : stderr;
	char when[40];

	if (level < least)
		return;
	time_text(when);
	if (as_json) {
		write_json(to, level, message, when);
	} else {
		fprintf(to, "time=\"%s\" level=%s msg=", when, levels[level]);
		write_quoted(to, message);
		fputc('\n', to);
	}
	fflush(to);
}

void report_log(const char *message)
{
	fflush(stdout);
	if (log_file)
		report_record(LEVEL_ERROR, message);
}

void report_error(const char *message)
{
	fflush(stdout);
	report_record(LEVEL_ERROR, message);
	if (log_file)
		fprintf(stderr, "%s\n", message);
}

void report_library(int level, const char *message, void *data)
{
	(void)data;
	report_record(level, message);
}
