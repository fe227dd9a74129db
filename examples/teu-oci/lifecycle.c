/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lifecycle: start, kill, delete. */
#include <regex.h>

#include "../teu/doc.h"
#include "oci.h"

static int run_on(const struct call *call, int (*function)(teu_runtime *, const char *, teu_error **))
{
	_cleanup_error_ teu_error *err = NULL;
	teu_runtime *rt = oci_runtime();

	if (!rt)
		return EXIT_FAILED;
	return function(rt, call->args[0], &err) < 0 ? cli_error(call, err) : 0;
}

static int run_start(const struct call *call)
{
	return run_on(call, teu_runtime_start);
}

const struct command command_start = {
	.operands = "ID",
	.summary = "Execute the command of a created container",
	.run = run_start,
	.min = 1,
	.max = 1,
};

/* What is done to one container; its exit status. */
typedef int (*act)(const struct call *call, teu_runtime *rt, const char *id);

/* crun's --regex: each container whose id the extended expression @pattern finds something in. */
static int each_fitting(const struct call *call, teu_runtime *rt, const char *pattern, act act)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *text = NULL;
	_cleanup_doc_ cJSON *list = NULL;
	const cJSON *c;
	regex_t regex;
	int status = 0;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return cli_fail(call, "invalid expression: %s", pattern);
	if (teu_runtime_list(rt, &text, &err) < 0) {
		regfree(&regex);
		return cli_error(call, err);
	}
	list = doc_parse(text);
	cJSON_ArrayForEach(c, list) if (regexec(&regex, doc_text(c, "id"), 0, NULL, 0) == 0) status |=
		act(call, rt, doc_text(c, "id"));
	regfree(&regex);
	return status;
}

struct kill_options {
	bool all, regex;
};

static const struct option kill_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct kill_options, all), "Signal all processes of the container", NULL },
	{ "regex", 'r', OPT_BOOL, offsetof(struct kill_options, regex), "All containers whose id fits the expression",
	  NULL },
	{ 0 },
};
static const struct option *const kill_tables[] = { kill_table, NULL };

static int kill_one(const struct call *call, teu_runtime *rt, const char *id)
{
	const struct kill_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	const char *signal = call->n_args > 1 ? call->args[1] : "SIGTERM";

	return teu_runtime_kill(rt, id, signal, o->all, &err) < 0 ? cli_error(call, err) : 0;
}

static int run_kill(const struct call *call)
{
	const struct kill_options *o = call->options;
	teu_runtime *rt = oci_runtime();

	if (!rt)
		return EXIT_FAILED;
	return o->regex ? each_fitting(call, rt, call->args[0], kill_one) : kill_one(call, rt, call->args[0]);
}

const struct command command_kill = {
	.operands = "ID [SIGNAL]",
	.summary = "Send a signal, SIGTERM by default",
	.run = run_kill,
	.min = 1,
	.max = 2,
	.options = kill_tables,
	.options_size = sizeof(struct kill_options),
};

struct delete_options {
	bool force, regex;
};

static const struct option delete_table[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct delete_options, force), "Kill it first if it runs", NULL },
	{ "regex", 'r', OPT_BOOL, offsetof(struct delete_options, regex), "Delete all whose id fits the expression",
	  NULL },
	{ 0 },
};
static const struct option *const delete_tables[] = { delete_table, NULL };

static int delete_one(const struct call *call, teu_runtime *rt, const char *id)
{
	const struct delete_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;

	return teu_runtime_delete(rt, id, o->force, &err) < 0 ? cli_error(call, err) : 0;
}

static int run_delete(const struct call *call)
{
	const struct delete_options *o = call->options;
	teu_runtime *rt = oci_runtime();
	int status = 0;

	if (!rt)
		return EXIT_FAILED;
	for (int i = 0; i < call->n_args; i++)
		status |= o->regex ? each_fitting(call, rt, call->args[i], delete_one)
				   : delete_one(call, rt, call->args[i]);
	return status;
}

const struct command command_delete = {
	.operands = "ID [ID...]",
	.summary = "Delete stopped containers",
	.run = run_delete,
	.min = 1,
	.max = -1,
	.options = delete_tables,
	.options_size = sizeof(struct delete_options),
};

static int run_pause(const struct call *call)
{
	return run_on(call, teu_runtime_pause);
}

const struct command command_pause = {
	.operands = "ID",
	.summary = "Freeze all processes of a container",
	.run = run_pause,
	.min = 1,
	.max = 1,
};

static int run_resume(const struct call *call)
{
	return run_on(call, teu_runtime_resume);
}

const struct command command_resume = {
	.operands = "ID",
	.summary = "Let the processes of a paused container go on",
	.run = run_resume,
	.min = 1,
	.max = 1,
};
