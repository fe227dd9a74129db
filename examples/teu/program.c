/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* program: what a command line of ours does whatever its commands are: main, how a command is called, what is told. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

static void tell(const char *fmt, va_list args, const char *hint_path)
{
	_cleanup_free_ char *text = NULL, *whole = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		cli_oom();
	if (hint_path)
		whole = cli_format("%s (see '%s%s%s --help')", text, cli_program.name, *hint_path ? " " : "",
				   hint_path);
	cli_program.tell(whole ? whole : text);
}

void cli_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(fmt, args, NULL);
	va_end(args);
}

int cli_failure(const struct call *call)
{
	return call && call->command->failure ? call->command->failure : EXIT_FAILED;
}

int cli_fail(const struct call *call, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(fmt, args, NULL);
	va_end(args);
	return cli_failure(call);
}

int cli_usage(const char *path, int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(fmt, args, path);
	va_end(args);
	return status;
}

const struct command *cli_find(const struct entry *entries, const char *name)
{
	for (; entries->name; entries++)
		if (strcmp(entries->name, name) == 0)
			return entries->command;
	return NULL;
}

int cli_call(const struct command *command, const char *path, int argc, char **argv, void *data)
{
	struct call call = { .path = path, .command = command, .args = argv };
	void *options = command->options_size ? cli_alloc(command->options_size) : NULL;
	int status = cli_program.failed;

	call.options = options;
	switch (options_parse(command, path, options, argc, argv, &call.n_args)) {
	case OPTIONS_OK:
		if (call.n_args < command->min || (command->max >= 0 && call.n_args > command->max))
			status = cli_program.wrong_count(command, path);
		else
			status = cli_program.call(&call, data);
		break;
	case OPTIONS_HELP:
		status = cli_program.command_help(command, path);
		break;
	case OPTIONS_WRONG:
		break;
	}
	options_done(command, options);
	return status;
}

/* Started without one of the standard descriptors: the next file opened must not become it. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	int n, status;

	fill_standard_descriptors();
	switch (options_parse(&cli_program.flags, "", cli_program.globals, argc - 1, argv + 1, &n)) {
	case OPTIONS_OK:
		break;
	case OPTIONS_HELP:
		return cli_program.help();
	case OPTIONS_WRONG:
		return cli_program.failed;
	}
	status = cli_program.run(n, argv + 1);
	/* A full disk behind a redirection is an error like others. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		cli_warn("write to standard output: %m");
		status = status ? status : EXIT_FAILED;
	}
	return status;
}
