/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* envfile: the files of --env-file and --label-file. */
#include "envfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void add(cJSON *ret, const char *line, bool lookup)
{
	_cleanup_free_ char *pair = NULL;
	const char *value;

	if (!lookup || strchr(line, '=')) {
		doc_add_text(ret, line);
		return;
	}
	value = getenv(line);
	if (!value)
		return;
	pair = cli_format("%s=%s", line, value);
	doc_add_text(ret, pair);
}

/* Cuts the line's end off; NULL: nothing on it. */
static const char *content(char *line, ssize_t len, bool first)
{
	static const char mark[] = "\xef\xbb\xbf"; /* UTF-8's byte order mark, from editors that leave one */

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		line[--len] = '\0';
	if (first && strncmp(line, mark, 3) == 0)
		line += 3;
	line += strspn(line, " \t\v\f");
	return *line && *line != '#' ? line : NULL;
}

bool envfile_read(const char *path, bool lookup, cJSON *ret, char error[ENVFILE_ERROR_SIZE])
{
	_cleanup_free_ char *buffer = NULL;
	FILE *file = fopen(path, "re");
	size_t cap = 0;
	bool ok = file;
	ssize_t len;

	if (!file)
		snprintf(error, ENVFILE_ERROR_SIZE, "open %s: %s", path, strerror(errno));
	for (int n = 1; ok && (len = getline(&buffer, &cap, file)) >= 0; n++) {
		const char *line;

		ok = memchr(buffer, '\0', (size_t)len) == NULL;
		if (!ok) {
			snprintf(error, ENVFILE_ERROR_SIZE, "%s: line %d holds a zero byte", path, n);
			break;
		}
		line = content(buffer, len, n == 1);
		if (!line)
			continue;
		ok = *line != '=' && strcspn(line, " \t") >= strcspn(line, "=");
		if (ok)
			add(ret, line, lookup);
		else
			snprintf(error, ENVFILE_ERROR_SIZE, "%s: line %d: '%.*s' is not a name%s", path, n,
				 (int)strcspn(line, "="), line, *line == '=' ? "" : ": it contains blanks");
	}
	if (ok && ferror(file)) {
		snprintf(error, ENVFILE_ERROR_SIZE, "read %s: %s", path, strerror(errno));
		ok = false;
	}
	if (file)
		fclose(file);
	return ok;
}
