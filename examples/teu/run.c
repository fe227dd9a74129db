/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* run, create: from an image's name to a container, and to its exit status. Source: docs.docker.com, "docker run",
 * "Exit status". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "body.h"
#include "commands.h"
#include "image.h"
#include "session.h"

#define AT(field) offsetof(struct create_options, field)

static const struct option run_options[] = {
	{ "detach", 'd', OPT_BOOL, AT(detach), "Run in the background and print the id", NULL },
	{ "detach-keys", 0, OPT_TEXT, AT(detach_keys), "Keys that detach (ctrl-p,ctrl-q)", NULL },
	{ "sig-proxy", 0, OPT_NOT, AT(no_sig_proxy), "Pass signals on to the process (true)", NULL },
	{ 0 },
};

enum pull_policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };

static bool pull_policy(const char *text, enum pull_policy *ret)
{
	static const char *const names[] = {
		[PULL_MISSING] = "missing", [PULL_ALWAYS] = "always", [PULL_NEVER] = "never"
	};

	*ret = PULL_MISSING;
	if (!text)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum pull_policy)i;
			return true;
		}
	return false;
}

static int pull(const struct call *call, const struct create_options *o, teu_error **err)
{
	return image_pull(call->engine, call->args[0], o->platform, o->quiet ? NULL : stderr, err);
}

/* The image has been pulled for another platform than the one asked for. */
static bool other_platform(const struct call *call, const char *platform)
{
	_cleanup_image_ teu_image *image = NULL;

	return platform && teu_image_find(call->engine, call->args[0], &image, NULL) == 0 &&
	       !image_is_for(image, platform);
}

static bool image_is_there(const struct call *call)
{
	_cleanup_image_ teu_image *image = NULL;

	return teu_image_find(call->engine, call->args[0], &image, NULL) != TEU_E_NOT_FOUND;
}

/*
 * Makes the container. The image is not looked for first, since it mostly is there: creating says when it isn't.
 */
static int make(const struct call *call, const struct create_options *o, enum pull_policy policy, const char *config,
		teu_container **ret, teu_error **err)
{
	teu_create_options opts;
	int r;

	teu_create_options_init(&opts);
	opts.name = o->name;
	if (policy == PULL_ALWAYS || (policy == PULL_MISSING && other_platform(call, o->platform))) {
		r = pull(call, o, err);
		if (r < 0)
			return r;
		policy = PULL_NEVER;
	}
	r = teu_container_create(call->engine, config, &opts, ret, err);
	if (r != TEU_E_NOT_FOUND || policy == PULL_NEVER || image_is_there(call))
		return r;
	teu_error_unref(*err);
	*err = NULL;
	r = pull(call, o, err);
	return r < 0 ? r : teu_container_create(call->engine, config, &opts, ret, err);
}

/* Takes the name of the id's file before anything is made; -1 after telling. */
static int open_cidfile(const struct call *call, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 && errno == EEXIST)
		cli_fail(call, "container ID file found, make sure the other container isn't running or delete %s",
			 path);
	else if (fd < 0)
		cli_fail(call, "create container ID file %s: %s", path, strerror(errno));
	return fd;
}

/* Makes the container and records its id. NULL: told on stderr. */
static teu_container *create(const struct call *call, const struct create_options *o, enum pull_policy policy,
			     const char *config)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_close_ int fd = -1;
	teu_container *container = NULL;

	if (policy == PULL_NEVER && other_platform(call, o->platform)) {
		cli_fail(call, "image %s was found but it is not for the platform %s", call->args[0], o->platform);
		return NULL;
	}
	if (o->cidfile) {
		fd = open_cidfile(call, o->cidfile);
		if (fd < 0)
			return NULL;
	}
	if (make(call, o, policy, config, &container, &err) < 0) {
		cli_error(call, err);
		if (o->cidfile)
			unlink(o->cidfile);
		return NULL;
	}
	if (o->cidfile && dprintf(fd, "%s", teu_container_id(container)) < 0)
		cli_warn("write container ID file %s: %s", o->cidfile, strerror(errno));
	return container;
}

static int print_plan(const struct call *call, const char *config)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *plan = NULL;

	if (teu_container_plan_config(call->engine, config, &plan, &err) < 0)
		return cli_error(call, err);
	puts(plan);
	return 0;
}

/* The flags as Docker's document, for free(); NULL: told on stderr. */
static char *config_of(const struct call *call, enum pull_policy *ret_policy)
{
	const struct create_options *o = call->options;
	_cleanup_(body_done) struct body body = { 0 };

	if (!pull_policy(o->pull, ret_policy)) {
		cli_usage(call->path, 0, "invalid argument \"%s\" for --pull: expected always, missing or never",
			  o->pull);
		return NULL;
	}
	if (!body_build(&body, o, call->engine, call->args, call->n_args)) {
		cli_usage(call->path, 0, "%s", body.problem);
		return NULL;
	}
	return doc_print(body.config);
}

static int run_create(const struct call *call)
{
	const struct create_options *o = call->options;
	_cleanup_container_ teu_container *container = NULL;
	enum pull_policy policy;
	_cleanup_free_ char *config = config_of(call, &policy);

	if (!config)
		return EXIT_USAGE;
	if (o->plan)
		return print_plan(call, config);
	container = create(call, o, policy, config);
	if (!container)
		return EXIT_FAILED;
	puts(teu_container_id(container));
	return 0;
}

static int start_status(const teu_error *err)
{
	switch (teu_error_code(err)) {
	case TEU_E_NO_COMMAND:
		return EXIT_NO_COMMAND;
	case TEU_E_NOT_EXECUTABLE:
		return EXIT_NOT_EXECUTABLE;
	default:
		return EXIT_USAGE;
	}
}

/* It did not start: with --rm nothing of it is to stay. */
static int start_failed(const struct call *call, const struct create_options *o, teu_container *container,
			const teu_error *err)
{
	teu_remove_options opts;

	cli_error(call, err);
	if (o->remove) {
		teu_remove_options_init(&opts);
		opts.force = opts.volumes = 1;
		teu_container_remove(container, &opts, NULL);
	}
	return start_status(err);
}

static int run_detached(const struct call *call, const struct create_options *o, teu_container *container)
{
	_cleanup_error_ teu_error *err = NULL;

	if (teu_container_start(container, NULL, NULL, &err) < 0)
		return start_failed(call, o, container, err);
	puts(teu_container_id(container));
	return 0;
}

static bool stream_wanted(const struct create_options *o, const char *name)
{
	for (size_t i = 0; i < o->attach.n; i++)
		if (strcasecmp(o->attach.items[i], name) == 0)
			return true;
	return o->attach.n == 0;
}

static int run_attached(const struct call *call, const struct create_options *o, struct session *session,
			teu_container *container)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_attach_ teu_attach *attach = NULL;
	teu_attach_options streams;
	teu_start_options opts;

	session->container = container;
	session_attach_options(session, &streams);
	teu_start_options_init(&opts);
	opts.attach = &streams;
	if (!session_prepare(session))
		return cli_fail(call, "open a pipe for signals: %s", strerror(errno));
	if (teu_container_start(container, &opts, &attach, &err) < 0)
		return start_failed(call, o, container, err);
	return session_run(call, session, attach);
}

static int run_run(const struct call *call)
{
	const struct create_options *o = call->options;
	_cleanup_container_ teu_container *container = NULL;
	struct session session = {
		.tty = o->tty,
		.in = o->interactive && stream_wanted(o, "stdin"),
		.out = stream_wanted(o, "stdout"),
		.err = stream_wanted(o, "stderr"),
		.pass_signals = !o->no_sig_proxy,
	};
	enum pull_policy policy;
	_cleanup_free_ char *config = config_of(call, &policy);

	if (!config)
		return EXIT_USAGE;
	if (!session_keys(call, o->detach_keys, &session))
		return EXIT_USAGE;
	if (o->plan)
		return print_plan(call, config);
	if (!o->detach && !session_input_fits(session.in, session.tty)) {
		cli_warn("the input device is not a TTY");
		return EXIT_FAILED;
	}
	container = create(call, o, policy, config);
	if (!container)
		return EXIT_USAGE;
	return o->detach ? run_detached(call, o, container) : run_attached(call, o, &session, container);
}

static const struct option *const create_tables[] = { body_options, NULL };
static const struct option *const run_tables[] = { body_options, run_options, NULL };

const struct command command_run = {
	.operands = "IMAGE [COMMAND] [ARG...]",
	.summary = "Create and run a new container from an image",
	.run = run_run,
	.min = 1,
	.max = -1,
	.options = run_tables,
	.options_size = sizeof(struct create_options),
	.stop = true,
	.failure = EXIT_USAGE,
};

const struct command command_create = {
	.operands = "IMAGE [COMMAND] [ARG...]",
	.summary = "Create a new container",
	.run = run_create,
	.min = 1,
	.max = -1,
	.options = create_tables,
	.options_size = sizeof(struct create_options),
	.stop = true,
};
