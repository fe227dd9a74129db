/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exec: a further command in a running container. Source: docs.docker.com, "docker exec". */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "doc.h"
#include "envfile.h"
#include "options.h"
#include "session.h"

struct exec_options {
	bool interactive, tty, detach, privileged;
	struct list env, env_file;
	const char *user, *workdir, *detach_keys;
};

/* The environment of the new process; false: told on stderr. */
static bool environment(const struct call *call, cJSON *config)
{
	const struct exec_options *o = call->options;
	char error[ENVFILE_ERROR_SIZE];
	cJSON *env = doc_array_at(config, "Env");

	for (size_t i = 0; i < o->env_file.n; i++)
		if (!envfile_read(o->env_file.items[i], true, env, error)) {
			cli_usage(call->path, 0, "--env-file: %s", error);
			return false;
		}
	for (size_t i = 0; i < o->env.n; i++) {
		const char *text = o->env.items[i], *value = strchr(text, '=') ? NULL : getenv(text);
		_cleanup_free_ char *pair = value ? cli_format("%s=%s", text, value) : NULL;

		if (*text == '=' || *text == '\0') {
			cli_usage(call->path, 0, "invalid environment variable: %s", text);
			return false;
		}
		doc_add_text(env, pair ? pair : text);
	}
	return true;
}

/* Docker's exec document, for free(); NULL: told on stderr. */
static char *config_of(const struct call *call)
{
	const struct exec_options *o = call->options;
	_cleanup_doc_ cJSON *config = doc_object();
	cJSON *cmd = doc_array_at(config, "Cmd");

	for (int i = 1; i < call->n_args; i++)
		doc_add_text(cmd, call->args[i]);
	if (o->user)
		doc_set_text(config, "User", o->user);
	if (o->workdir)
		doc_set_text(config, "WorkingDir", o->workdir);
	doc_set_bool(config, "Tty", o->tty);
	doc_set_bool(config, "Privileged", o->privileged);
	doc_set_bool(config, "AttachStdin", o->interactive && !o->detach);
	doc_set_bool(config, "AttachStdout", !o->detach);
	doc_set_bool(config, "AttachStderr", !o->detach);
	return environment(call, config) ? doc_print(config) : NULL;
}

static int exec_status(const struct call *call, const teu_error *err)
{
	int status = cli_error(call, err);

	switch (teu_error_code(err)) {
	case TEU_E_NO_COMMAND:
		return EXIT_NO_COMMAND;
	case TEU_E_NOT_EXECUTABLE:
	case TEU_E_LAUNCH:
	case TEU_E_NOT_FOUND: /* the container was found: it knows no such user */
		return EXIT_NOT_EXECUTABLE;
	default:
		return status;
	}
}

static int exec_attached(const struct call *call, struct session *session, teu_container *container, const char *config)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_attach_ teu_attach *attach = NULL;
	teu_attach_options streams;

	if (!session_prepare(session))
		return cli_fail(call, "open a pipe for signals: %s", strerror(errno));
	session_attach_options(session, &streams);
	if (teu_container_exec(container, config, &streams, &attach, &err) < 0)
		return exec_status(call, err);
	return session_run(call, session, attach);
}

static int run_exec(const struct call *call)
{
	const struct exec_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_container_ teu_container *container = NULL;
	_cleanup_free_ char *config = config_of(call);
	struct session session = { .tty = o->tty, .in = o->interactive, .out = true, .err = true };

	if (!config)
		return EXIT_USAGE;
	if (!session_keys(call, o->detach_keys, &session))
		return EXIT_USAGE;
	if (!o->detach && !session_input_fits(session.in, session.tty))
		return cli_fail(call, "the input device is not a TTY");
	if (teu_container_find(call->engine, call->args[0], &container, &err) < 0)
		return cli_error(call, err);
	if (!o->detach)
		return exec_attached(call, &session, container, config);
	return teu_container_exec(container, config, NULL, NULL, &err) < 0 ? exec_status(call, err) : 0;
}

#define AT(field) offsetof(struct exec_options, field)

static const struct option options[] = {
	{ "detach", 'd', OPT_BOOL, AT(detach), "Run in the background", NULL },
	{ "detach-keys", 0, OPT_TEXT, AT(detach_keys), "Keys that detach (ctrl-p,ctrl-q)", NULL },
	{ "env", 'e', OPT_LIST, AT(env), "Set environment variables", NULL },
	{ "env-file", 0, OPT_LIST, AT(env_file), "Read environment variables from a file", NULL },
	{ "interactive", 'i', OPT_BOOL, AT(interactive), "Keep standard input open", NULL },
	{ "privileged", 0, OPT_BOOL, AT(privileged), "All capabilities for the command", NULL },
	{ "tty", 't', OPT_BOOL, AT(tty), "Give it a terminal", NULL },
	{ "user", 'u', OPT_TEXT, AT(user), "User and group (NAME|UID[:NAME|GID])", NULL },
	{ "workdir", 'w', OPT_TEXT, AT(workdir), "Folder to start in", NULL },
	{ 0 },
};

static const struct option *const tables[] = { options, NULL };

const struct command command_exec = {
	.operands = "CONTAINER COMMAND [ARG...]",
	.summary = "Execute a command in a running container",
	.run = run_exec,
	.min = 2,
	.max = -1,
	.options = tables,
	.options_size = sizeof(struct exec_options),
	.stop = true,
};
