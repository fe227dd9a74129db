/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* start, attach: a container that exists already, and our streams on its. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "doc.h"
#include "options.h"
#include "session.h"

struct start_options {
	bool attach, interactive, no_sig_proxy;
	const char *detach_keys;
};

struct attach_options {
	bool no_stdin, no_sig_proxy;
	const char *detach_keys;
};

/* What the container's config says about its streams. */
static int look(teu_container *container, bool want_in, struct session *session, teu_error **err)
{
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *doc = NULL;
	int r = teu_container_inspect(container, &json, err);

	if (r < 0)
		return r;
	doc = doc_parse(json);
	session->container = container;
	session->tty = cJSON_IsTrue(doc_get(doc, "Config.Tty"));
	session->in = want_in && cJSON_IsTrue(doc_get(doc, "Config.OpenStdin"));
	session->out = session->err = true;
	return 0;
}

static int start_attached(const struct call *call, const struct start_options *o)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_container_ teu_container *container = NULL;
	_cleanup_attach_ teu_attach *attach = NULL;
	struct session session = { .pass_signals = !o->no_sig_proxy };
	teu_attach_options streams;
	teu_start_options opts;

	if (!session_keys(call, o->detach_keys, &session))
		return EXIT_USAGE;
	if (teu_container_find(call->engine, call->args[0], &container, &err) < 0 ||
	    look(container, o->interactive, &session, &err) < 0)
		return cli_error(call, err);
	if (!session_input_fits(session.in, session.tty))
		return cli_fail(call, "the input device is not a TTY");
	if (!session_prepare(&session))
		return cli_fail(call, "open a pipe for signals: %s", strerror(errno));
	session_attach_options(&session, &streams);
	teu_start_options_init(&opts);
	opts.attach = &streams;
	if (teu_container_start(container, &opts, &attach, &err) < 0)
		return cli_error(call, err);
	return session_run(call, &session, attach);
}

static int run_start(const struct call *call)
{
	const struct start_options *o = call->options;
	int status = 0;

	if (o->attach || o->interactive) {
		if (call->n_args > 1)
			return cli_fail(call, "you cannot start and attach multiple containers at once");
		return start_attached(call, o);
	}
	for (int i = 0; i < call->n_args; i++) {
		_cleanup_error_ teu_error *err = NULL;
		_cleanup_container_ teu_container *container = NULL;
		int r = teu_container_find(call->engine, call->args[i], &container, &err);

		if (r == 0)
			r = teu_container_start(container, NULL, NULL, &err);
		if (r == TEU_E_CONFLICT && teu_container_state(container, NULL) == TEU_STATE_RUNNING)
			r = 0; /* Docker: it runs, as was asked for */
		if (r < 0)
			status = cli_error(call, err);
		else
			puts(call->args[i]);
	}
	return status;
}

static int run_attach(const struct call *call)
{
	const struct attach_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_container_ teu_container *container = NULL;
	_cleanup_attach_ teu_attach *attach = NULL;
	struct session session = { .pass_signals = !o->no_sig_proxy };
	teu_attach_options streams;

	if (!session_keys(call, o->detach_keys, &session))
		return EXIT_USAGE;
	if (teu_container_find(call->engine, call->args[0], &container, &err) < 0 ||
	    look(container, !o->no_stdin, &session, &err) < 0)
		return cli_error(call, err);
	if (!session_input_fits(session.in, session.tty))
		return cli_fail(call, "the input device is not a TTY");
	if (!session_prepare(&session))
		return cli_fail(call, "open a pipe for signals: %s", strerror(errno));
	session_attach_options(&session, &streams);
	if (teu_container_attach(container, &streams, &attach, &err) < 0)
		return cli_error(call, err);
	return session_run(call, &session, attach);
}

#define START(field) offsetof(struct start_options, field)
#define ATTACH(field) offsetof(struct attach_options, field)

static const struct option start_options[] = {
	{ "attach", 'a', OPT_BOOL, START(attach), "Attach its output and pass signals on", NULL },
	{ "detach-keys", 0, OPT_TEXT, START(detach_keys), "Keys that detach (ctrl-p,ctrl-q)", NULL },
	{ "interactive", 'i', OPT_BOOL, START(interactive), "Attach its standard input", NULL },
	{ "sig-proxy", 0, OPT_NOT, START(no_sig_proxy), "Pass signals on to the process (true)", NULL },
	{ 0 },
};

static const struct option attach_options[] = {
	{ "detach-keys", 0, OPT_TEXT, ATTACH(detach_keys), "Keys that detach (ctrl-p,ctrl-q)", NULL },
	{ "no-stdin", 0, OPT_BOOL, ATTACH(no_stdin), "Do not attach standard input", NULL },
	{ "sig-proxy", 0, OPT_NOT, ATTACH(no_sig_proxy), "Pass signals on to the process (true)", NULL },
	{ 0 },
};

static const struct option *const start_tables[] = { start_options, NULL };
static const struct option *const attach_tables[] = { attach_options, NULL };

const struct command command_start = {
	.operands = "CONTAINER [CONTAINER...]",
	.summary = "Start stopped containers",
	.run = run_start,
	.min = 1,
	.max = -1,
	.options = start_tables,
	.options_size = sizeof(struct start_options),
};

const struct command command_attach = {
	.operands = "CONTAINER",
	.summary = "Attach to a running container",
	.run = run_attach,
	.min = 1,
	.max = 1,
	.options = attach_tables,
	.options_size = sizeof(struct attach_options),
};
