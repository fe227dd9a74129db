/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ps: the processes of a container, as ps(1) on the host shows them. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "../teu/doc.h"
#include "oci.h"

extern char **environ;

struct ps_options {
	const char *format;
};

static const struct option table[] = {
	{ "format", 'f', OPT_TEXT, offsetof(struct ps_options, format), "table or json", NULL },
	{ 0 },
};
static const struct option *const tables[] = { table, NULL };

/* Runs ps with the arguments given, "-ef" without any. */
static FILE *open_ps(char **args, int n, pid_t *ret_pid)
{
	_cleanup_free_ char **argv = cli_alloc(((size_t)n + 3) * sizeof(*argv));
	posix_spawn_file_actions_t files;
	int ends[2], eno;

	argv[0] = "ps";
	argv[1] = "-ef";
	for (int i = 0; i < n; i++)
		argv[i + 1] = args[i];
	if (pipe(ends) < 0)
		return NULL;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	eno = posix_spawnp(ret_pid, "ps", &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	close(ends[1]);
	if (!eno)
		return fdopen(ends[0], "r");
	close(ends[0]);
	errno = eno;
	return NULL;
}

/* The position of the column PID among the words of the heading; -1: none. */
static int pid_column(const char *heading)
{
	int n = 0;

	for (heading += strspn(heading, " "); *heading; n++) {
		size_t len = strcspn(heading, " \n");

		if (len == 3 && strncmp(heading, "PID", 3) == 0)
			return n;
		heading += len;
		heading += strspn(heading, " \n");
	}
	return -1;
}

static int pid_of(const char *line, int column)
{
	line += strspn(line, " ");
	while (column-- > 0) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return atoi(line);
}

static bool is_listed(const cJSON *pids, int pid)
{
	const cJSON *p;

	cJSON_ArrayForEach(p, pids) if (p->valueint == pid) return true;
	return false;
}

static int print_table(const struct call *call, const cJSON *pids)
{
	_cleanup_free_ char *line = NULL;
	int column = -1, status = 0;
	size_t cap = 0;
	pid_t ps;
	FILE *f = open_ps(call->args + 1, call->n_args - 1, &ps);

	if (!f)
		return cli_fail(call, "run ps: %s", strerror(errno));
	while (getline(&line, &cap, f) >= 0) {
		if (column < 0) {
			column = pid_column(line);
			fputs(line, stdout);
			if (column < 0)
				break;
		} else if (is_listed(pids, pid_of(line, column))) {
			fputs(line, stdout);
		}
	}
	fclose(f);
	while (waitpid(ps, &status, 0) < 0 && errno == EINTR)
		;
	return column < 0 ? cli_fail(call, "couldn't find PID field in ps output") : 0;
}

static int run_ps(const struct call *call)
{
	const struct ps_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *text = NULL;
	_cleanup_doc_ cJSON *pids = NULL;
	teu_runtime *rt = oci_runtime();

	if (!rt)
		return EXIT_FAILED;
	if (o->format && strcmp(o->format, "json") != 0 && strcmp(o->format, "table") != 0)
		return cli_fail(call, "invalid format option: %s", o->format);
	if (teu_runtime_processes(rt, call->args[0], &text, &err) < 0)
		return cli_error(call, err);
	if (o->format && strcmp(o->format, "json") == 0) {
		puts(text);
		return 0;
	}
	pids = doc_parse(text);
	return print_table(call, pids);
}

/* What stands before the id is ours, what stands behind it ps(1)'s. */
const struct command command_ps = {
	.operands = "ID [PS-OPTION...]",
	.summary = "List the processes of a container",
	.run = run_ps,
	.min = 1,
	.max = -1,
	.options = tables,
	.options_size = sizeof(struct ps_options),
	.stop = true,
};
