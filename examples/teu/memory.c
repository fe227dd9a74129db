/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memory: what is allocated is there: a command line without memory ends. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cli.h"

void cli_oom(void)
{
	struct iovec text[] = { { (void *)(uintptr_t)cli_program.name, strlen(cli_program.name) },
				{ (void *)(uintptr_t) ": out of memory\n", 16 } };

	if (writev(STDERR_FILENO, text, 2) < 0)
		exit(cli_program.failed);
	exit(cli_program.failed);
}

void *cli_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		cli_oom();
	return p;
}

char *cli_copy(const char *text, size_t len)
{
	char *copy = cli_alloc(len + 1);

	memcpy(copy, text, len);
	return copy;
}

char *cli_format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		cli_oom();
	va_end(args);
	return text;
}
