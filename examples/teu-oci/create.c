/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* create: create and run. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../teu/doc.h"
#include "console.h"
#include "handover.h"
#include "oci.h"

struct create_options {
	struct handover_options handover;
	const char *bundle, *config;
	bool keep, no_pivot, no_new_keyring;
};

#define AT(field) offsetof(struct create_options, field)

static const struct option shared_table[] = {
	{ "bundle", 'b', OPT_TEXT, AT(bundle), "The bundle's folder (default: the working folder)", NULL },
	{ "config", 'f', OPT_TEXT, AT(config), "Another file than the bundle's config.json", NULL },
	{ "no-new-keyring", 0, OPT_BOOL, AT(no_new_keyring), "Keep the caller's session keyring", NULL },
	{ "no-pivot", 0, OPT_BOOL, AT(no_pivot), "Move the root instead of pivoting to it", NULL },
	{ 0 },
};

static const struct option run_table[] = {
	{ "keep", 0, OPT_BOOL, AT(keep), "Don't delete the container when it has ended", NULL },
	{ 0 },
};

static const struct option *const create_tables[] = { shared_table, handover_table, handover_ignored_table, NULL };
static const struct option *const run_tables[] = { shared_table,	   run_table,
						   handover_table,	   handover_wait_table,
						   handover_ignored_table, NULL };

static void fill(const struct create_options *o, teu_runtime_create_options *to)
{
	teu_runtime_create_options_init(to);
	to->bundle = o->bundle;
	to->config = o->config;
	HANDOVER_FILL(&o->handover, to);
	to->listen_fds = oci_listen_fds();
	to->no_pivot = o->no_pivot;
	to->no_new_keyring = o->no_new_keyring;
	to->notify_socket = getenv("NOTIFY_SOCKET");
	if (to->notify_socket && !*to->notify_socket)
		to->notify_socket = NULL;
}

static int run_create(const struct call *call)
{
	_cleanup_error_ teu_error *err = NULL;
	teu_runtime_create_options opts;
	teu_runtime *rt = oci_runtime();

	if (!rt)
		return EXIT_FAILED;
	fill(call->options, &opts);
	return teu_runtime_create(rt, call->args[0], &opts, NULL, &err) < 0 ? cli_error(call, err) : 0;
}

const struct command command_create = {
	.operands = "ID",
	.summary = "Create a container",
	.run = run_create,
	.min = 1,
	.max = 1,
	.options = create_tables,
	.options_size = sizeof(struct create_options),
};

bool oci_wants_terminal(const char *bundle, const char *config)
{
	_cleanup_free_ char *path =
		config ? cli_copy(config, strlen(config)) : cli_format("%s/config.json", bundle ? bundle : ".");
	_cleanup_free_ char *text = oci_read_file(path);
	/* Few have the word at all: those without need not be read twice. */
	_cleanup_doc_ cJSON *doc = text && strstr(text, "\"terminal\"") ? doc_parse(text) : NULL;

	return cJSON_IsTrue(doc_get(doc, "process.terminal"));
}

int oci_foreground(const struct call *call, bool terminal, bool keep, oci_begin begin, void *options)
{
	_cleanup_error_ teu_error *err = NULL, *ignored = NULL;
	_cleanup_(console_done) struct console console = CONSOLE_INIT;
	teu_runtime *rt = oci_runtime();
	int wait = -1, status;
	int32_t pid;

	if (!console_prepare(&console, terminal))
		return cli_fail(call, "open a socket: %s", strerror(errno));
	if (begin(rt, call->args[0], options, console.ends[1], &pid, &wait, &err) < 0) {
		console_last_words(&console);
		return cli_error(call, err);
	}
	if (!console_receive(&console))
		cli_warn("the terminal did not come");
	status = console_run(&console, pid, wait);
	if (!keep && teu_runtime_delete(rt, call->args[0], 1, &ignored) < 0)
		report_record(TEU_LOG_WARNING, teu_error_message(ignored));
	return status;
}

static int begin_run(teu_runtime *rt, const char *id, void *options, int console_fd, int32_t *pid, int *wait,
		     teu_error **err)
{
	teu_runtime_create_options *opts = options;

	opts->console_fd = console_fd;
	return teu_runtime_run(rt, id, opts, pid, wait, err);
}

static int run_run(const struct call *call)
{
	const struct create_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	teu_runtime_create_options opts;
	teu_runtime *rt = oci_runtime();

	if (!rt)
		return EXIT_FAILED;
	fill(o, &opts);
	if (!o->handover.detach)
		return oci_foreground(call, !opts.console_socket && oci_wants_terminal(o->bundle, o->config), o->keep,
				      begin_run, &opts);
	return teu_runtime_run(rt, call->args[0], &opts, NULL, NULL, &err) < 0 ? cli_error(call, err) : 0;
}

const struct command command_run = {
	.operands = "ID",
	.summary = "Create a container and start it",
	.run = run_run,
	.min = 1,
	.max = 1,
	.options = run_tables,
	.options_size = sizeof(struct create_options),
};
