/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stop, kill, restart, wait, pause, unpause, rm, container prune: verbs that take containers one by one. */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "commands.h"
#include "options.h"
#include "units.h"

struct stop_options {
	struct number time;
	const char *signal;
};

struct kill_options {
	const char *signal;
};

struct rm_options {
	bool force, volumes;
};

struct prune_options {
	bool force;
};

typedef int verb(teu_container *container, const struct call *call, teu_error **err);

enum { MAX_WORKERS = 16 };

/* What became of one operand. */
struct outcome {
	int r;
	teu_error *err;
};

/* A verb on each operand, by several threads: ten containers take no longer to stop than one. */
struct crew {
	const struct call *call;
	verb *verb;
	struct outcome *outcomes;
	atomic_int next; /* operand that nobody has taken */
};

static void *work(void *data)
{
	struct crew *crew = data;
	int i;

	while ((i = atomic_fetch_add(&crew->next, 1)) < crew->call->n_args) {
		struct outcome *o = &crew->outcomes[i];
		_cleanup_container_ teu_container *container = NULL;

		o->r = teu_container_find(crew->call->engine, crew->call->args[i], &container, &o->err);
		if (o->r == 0)
			o->r = crew->verb(container, crew->call, &o->err);
	}
	return NULL;
}

/* This thread works too: it may be the only one, when there is one operand or no other can be had. */
static void work_together(struct crew *crew)
{
	pthread_t threads[MAX_WORKERS];
	int n = 0;

	while (n < MAX_WORKERS && n < crew->call->n_args - 1 && pthread_create(&threads[n], NULL, work, crew) == 0)
		n++;
	work(crew);
	while (n)
		pthread_join(threads[--n], NULL);
}

/*
 * @verb on each container named; then, in the order of the operands, the name of each that went well on stdout.
 * @forgiven: a code that is told of but is no failure; 0: none.
 */
static int each(const struct call *call, verb *verb, bool echo, int forgiven)
{
	struct crew crew = { .call = call,
			     .verb = verb,
			     .outcomes = cli_alloc((size_t)call->n_args * sizeof(struct outcome)) };
	int status = 0;

	work_together(&crew);
	for (int i = 0; i < call->n_args; i++) {
		struct outcome *o = &crew.outcomes[i];

		if (o->r == 0 && echo)
			puts(call->args[i]);
		else if (o->r < 0 && (cli_error(call, o->err), o->r != forgiven))
			status = EXIT_FAILED;
		teu_error_unref(o->err);
	}
	free(crew.outcomes);
	return status;
}

static int64_t stop_time(const struct stop_options *o)
{
	if (!o->time.set)
		return -1;
	/* Docker: a negative time waits for ever. */
	return o->time.value < 0 || o->time.value > INT_MAX ? (int64_t)INT_MAX * 1000 : o->time.value * 1000;
}

/* Another stop signal than the container's own: send that one, and wait as long as stop would. */
static int signal_first(teu_container *container, const struct stop_options *o, teu_error **err)
{
	int64_t time = o->time.set ? stop_time(o) : 10000;
	teu_wait_options wait;
	int32_t status;
	int r;

	if (!o->signal || teu_container_state(container, NULL) != TEU_STATE_RUNNING)
		return 0;
	r = teu_container_kill(container, units_parse_signal(o->signal), err);
	if (r < 0 || time == 0)
		return r;
	teu_wait_options_init(&wait);
	wait.timeout_ms = time;
	r = teu_container_wait(container, &wait, &status, NULL);
	return r == TEU_E_TIMEOUT ? teu_container_kill(container, SIGKILL, err) : 0;
}

static int stop_one(teu_container *container, const struct call *call, teu_error **err)
{
	const struct stop_options *o = call->options;
	int r = signal_first(container, o, err);

	return r < 0 ? r : teu_container_stop(container, stop_time(o), err);
}

static int restart_one(teu_container *container, const struct call *call, teu_error **err)
{
	const struct stop_options *o = call->options;
	int r = signal_first(container, o, err);

	return r < 0 ? r : teu_container_restart(container, stop_time(o), err);
}

static int kill_one(teu_container *container, const struct call *call, teu_error **err)
{
	const struct kill_options *o = call->options;

	return teu_container_kill(container, o->signal ? units_parse_signal(o->signal) : SIGKILL, err);
}

static int pause_one(teu_container *container, const struct call *call, teu_error **err)
{
	(void)call;
	return teu_container_pause(container, err);
}

static int unpause_one(teu_container *container, const struct call *call, teu_error **err)
{
	(void)call;
	return teu_container_unpause(container, err);
}

static int bad_signal(const struct call *call, const char *signal)
{
	return cli_usage(call->path, EXIT_FAILED, "invalid signal: %s", signal);
}

static int run_stop(const struct call *call)
{
	const struct stop_options *o = call->options;

	return o->signal && !units_parse_signal(o->signal) ? bad_signal(call, o->signal)
							   : each(call, stop_one, true, 0);
}

static int run_restart(const struct call *call)
{
	const struct stop_options *o = call->options;

	return o->signal && !units_parse_signal(o->signal) ? bad_signal(call, o->signal)
							   : each(call, restart_one, true, 0);
}

static int run_kill(const struct call *call)
{
	const struct kill_options *o = call->options;

	return o->signal && !units_parse_signal(o->signal) ? bad_signal(call, o->signal)
							   : each(call, kill_one, true, 0);
}

/* One after the other: the last one to end decides how long it takes anyway. */
static int run_wait(const struct call *call)
{
	int status = 0;

	for (int i = 0; i < call->n_args; i++) {
		_cleanup_error_ teu_error *err = NULL;
		_cleanup_container_ teu_container *container = NULL;
		int32_t ended;

		if (teu_container_find(call->engine, call->args[i], &container, &err) < 0 ||
		    teu_container_wait(container, NULL, &ended, &err) < 0) {
			status = cli_error(call, err);
			continue;
		}
		printf("%d\n", ended);
		fflush(stdout);
	}
	return status;
}

static int run_pause(const struct call *call)
{
	return each(call, pause_one, true, 0);
}

static int run_unpause(const struct call *call)
{
	return each(call, unpause_one, true, 0);
}

static int rm_one(teu_container *container, const struct call *call, teu_error **err)
{
	const struct rm_options *o = call->options;
	teu_remove_options opts;

	teu_remove_options_init(&opts);
	opts.force = o->force;
	opts.volumes = o->volumes;
	return teu_container_remove(container, &opts, err);
}

/* With --force one that is not there is told of but no failure, as in Docker. */
static int run_rm(const struct call *call)
{
	const struct rm_options *o = call->options;

	return each(call, rm_one, true, o->force ? TEU_E_NOT_FOUND : 0);
}

static int run_prune(const struct call *call)
{
	const struct prune_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	teu_container_list *list = NULL;
	bool any = false;
	int status = 0;

	if (!o->force && !cli_agreed("This will remove all stopped containers."))
		return 0;
	if (teu_container_list_all(call->engine, 1, &list, &err) < 0)
		return cli_error(call, err);
	for (size_t i = 0; i < teu_container_list_count(list); i++) {
		_cleanup_error_ teu_error *problem = NULL;
		teu_container *container = teu_container_list_get(list, i);
		int state = teu_container_state(container, NULL);

		if (state != TEU_STATE_CREATED && state != TEU_STATE_EXITED)
			continue;
		/* Between the look and the removal it may have been started, which is no failure. */
		if (teu_container_remove(container, NULL, &problem) == 0)
			printf("%s%s\n", any ? "" : "Deleted Containers:\n", teu_container_id(container));
		else if (teu_error_code(problem) != TEU_E_NOT_FOUND && teu_error_code(problem) != TEU_E_CONFLICT)
			status = cli_error(call, problem);
		any = true;
	}
	teu_container_list_unref(list);
	return status;
}

static const struct option stop_options[] = {
	{ "signal", 's', OPT_TEXT, offsetof(struct stop_options, signal), "Signal to send first", NULL },
	{ "time", 't', OPT_INT, offsetof(struct stop_options, time), "Seconds until it is killed", NULL },
	{ "timeout", 0, OPT_INT, offsetof(struct stop_options, time), "The same as --time", NULL },
	{ 0 },
};

static const struct option kill_options[] = {
	{ "signal", 's', OPT_TEXT, offsetof(struct kill_options, signal), "Signal to send (KILL)", NULL },
	{ 0 },
};

static const struct option rm_options[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct rm_options, force), "Kill it first if it runs", NULL },
	{ "volumes", 'v', OPT_BOOL, offsetof(struct rm_options, volumes), "Remove its anonymous volumes too", NULL },
	{ 0 },
};

static const struct option prune_options[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct prune_options, force), "Do not ask", NULL },
	{ 0 },
};

static const struct option *const stop_tables[] = { stop_options, NULL };
static const struct option *const kill_tables[] = { kill_options, NULL };
static const struct option *const rm_tables[] = { rm_options, NULL };
static const struct option *const prune_tables[] = { prune_options, NULL };

#define CONTAINERS .operands = "CONTAINER [CONTAINER...]", .min = 1, .max = -1

const struct command command_stop = {
	CONTAINERS,
	.summary = "Stop running containers",
	.run = run_stop,
	.options = stop_tables,
	.options_size = sizeof(struct stop_options),
};

const struct command command_restart = {
	CONTAINERS,
	.summary = "Stop and start containers",
	.run = run_restart,
	.options = stop_tables,
	.options_size = sizeof(struct stop_options),
};

const struct command command_kill = {
	CONTAINERS,
	.summary = "Send a signal to containers",
	.run = run_kill,
	.options = kill_tables,
	.options_size = sizeof(struct kill_options),
};

const struct command command_wait = { CONTAINERS, .summary = "Wait until containers stop, print their exit codes",
				      .run = run_wait };
const struct command command_pause = { CONTAINERS, .summary = "Freeze all processes of containers", .run = run_pause };
const struct command command_unpause = { CONTAINERS, .summary = "Thaw all processes of containers",
					 .run = run_unpause };

const struct command command_rm = {
	CONTAINERS,
	.summary = "Remove containers",
	.run = run_rm,
	.options = rm_tables,
	.options_size = sizeof(struct rm_options),
};

const struct command command_container_prune = {
	.operands = "",
	.summary = "Remove all stopped containers",
	.run = run_prune,
	.options = prune_tables,
	.options_size = sizeof(struct prune_options),
};
