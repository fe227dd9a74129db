/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* import, save, load: images as archives. Source: docs.docker.com, "docker import", "docker save", "docker load". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "changes.h"
#include "commands.h"
#include "image.h"
#include "options.h"
#include "progress.h"

/* A file to read, "-" or NULL for stdin; -1 after telling. */
static int open_input(const struct call *call, const char *path)
{
	int fd = path && strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC)
						: fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		cli_fail(call, "open %s: %s", path ? path : "standard input", strerror(errno));
	return fd;
}

/* import */

struct import_options {
	struct list changes;
	const char *message, *platform;
	bool quiet;
};

/* The changes as a config object, for free(); NULL: told on stderr. */
static char *changes_of(const struct call *call)
{
	const struct import_options *o = call->options;
	_cleanup_doc_ cJSON *config = doc_object();

	for (size_t i = 0; i < o->changes.n; i++) {
		_cleanup_free_ char *problem = changes_apply(config, o->changes.items[i]);

		if (problem) {
			cli_usage(call->path, 0, "--change \"%s\": %s", o->changes.items[i], problem);
			return NULL;
		}
	}
	return doc_print(config);
}

static int run_import(const struct call *call)
{
	const struct import_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_image_ teu_image *image = NULL;
	_cleanup_free_ char *changes = changes_of(call);
	_cleanup_close_ int fd = -1;
	struct progress progress;
	teu_import_options opts;
	int r;

	if (!changes)
		return EXIT_FAILED;
	fd = open_input(call, call->args[0]);
	if (fd < 0)
		return EXIT_FAILED;
	/* On a terminal only: what a script reads is the id alone. */
	progress_init(&progress, !o->quiet && isatty(STDERR_FILENO) ? stderr : NULL);
	teu_import_options_init(&opts);
	opts.changes_json = o->changes.n ? changes : NULL;
	opts.message = o->message;
	opts.platform = o->platform;
	opts.progress = progress_report;
	opts.progress_data = &progress;
	r = teu_image_import(call->engine, fd, call->args[1], &opts, &image, &err);
	progress_done(&progress);
	if (r < 0)
		return cli_error(call, err);
	puts(teu_image_id(image));
	return 0;
}

/* save */

struct save_options {
	const char *output, *format;
};

static bool archive_format(const char *text, int32_t *ret)
{
	*ret = text && (strcmp(text, "oci") == 0 || strcmp(text, "oci-archive") == 0) ? TEU_ARCHIVE_OCI
										      : TEU_ARCHIVE_DOCKER;
	return !text || *ret == TEU_ARCHIVE_OCI || strcmp(text, "docker") == 0 || strcmp(text, "docker-archive") == 0;
}

/* The file appears whole or not at all: it is written beside its place. */
static int save_to_file(const struct call *call, const char *path, const teu_save_options *opts)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_free_ char *draft = cli_format("%s.XXXXXX", path);
	_cleanup_close_ int fd = mkostemp(draft, O_CLOEXEC);
	int status = 0;

	if (fd < 0)
		return cli_fail(call, "create %s: %s", path, strerror(errno));
	if (teu_image_save(call->engine, (const char *const *)call->args, (size_t)call->n_args, fd, opts, &err) < 0)
		status = cli_error(call, err);
	else if (fchmod(fd, 0600) < 0 || rename(draft, path) < 0)
		status = cli_fail(call, "create %s: %s", path, strerror(errno));
	if (status)
		unlink(draft);
	return status;
}

static int run_save(const struct call *call)
{
	const struct save_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	teu_save_options opts;

	teu_save_options_init(&opts);
	if (!archive_format(o->format, &opts.format))
		return cli_usage(call->path, EXIT_FAILED,
				 "invalid argument \"%s\" for --format: expected docker or oci", o->format);
	if (o->output && strcmp(o->output, "-") != 0)
		return save_to_file(call, o->output, &opts);
	if (isatty(STDOUT_FILENO))
		return cli_fail(call, "cowardly refusing to save to a terminal: use the -o flag or redirect");
	if (teu_image_save(call->engine, (const char *const *)call->args, (size_t)call->n_args, STDOUT_FILENO, &opts,
			   &err) < 0)
		return cli_error(call, err);
	return 0;
}

/* load */

struct load_options {
	const char *input, *platform;
	bool quiet;
};

static void print_loaded(const teu_image *image)
{
	size_t n = teu_image_name_count(image);

	if (!n)
		printf("Loaded image ID: %s\n", teu_image_id(image));
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *familiar = image_familiar(teu_image_name(image, i));

		printf("Loaded image: %s\n", familiar);
	}
}

static int run_load(const struct call *call)
{
	const struct load_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_close_ int fd = -1;
	teu_image_list *images = NULL;
	struct progress progress;
	teu_load_options opts;
	int r;

	if (!o->input && isatty(STDIN_FILENO))
		return cli_fail(call,
				"requested load from stdin, but stdin is a terminal: use the -i flag or redirect");
	fd = open_input(call, o->input);
	if (fd < 0)
		return EXIT_FAILED;
	progress_init(&progress, !o->quiet && isatty(STDERR_FILENO) ? stderr : NULL);
	teu_load_options_init(&opts);
	opts.platform = o->platform;
	opts.progress = progress_report;
	opts.progress_data = &progress;
	r = teu_image_load(call->engine, fd, &opts, &images, &err);
	progress_done(&progress);
	if (r < 0)
		return cli_error(call, err);
	for (size_t i = 0; i < teu_image_list_count(images); i++)
		print_loaded(teu_image_list_get(images, i));
	teu_image_list_unref(images);
	return 0;
}

#define IMPORT(field) offsetof(struct import_options, field)
#define SAVE(field) offsetof(struct save_options, field)
#define LOAD(field) offsetof(struct load_options, field)

static const struct option import_options[] = {
	{ "change", 'c', OPT_LIST, IMPORT(changes), "Apply an instruction of a Dockerfile (CMD [\"sh\"])", NULL },
	{ "message", 'm', OPT_TEXT, IMPORT(message), "Message for the image's history", NULL },
	{ "platform", 0, OPT_TEXT, IMPORT(platform), "Platform of the image (os/arch[/variant])", NULL },
	{ "quiet", 'q', OPT_BOOL, IMPORT(quiet), "No progress", NULL },
	{ 0 },
};

static const struct option save_options[] = {
	{ "format", 0, OPT_TEXT, SAVE(format), "docker or oci", NULL },
	{ "output", 'o', OPT_TEXT, SAVE(output), "Write to this file", NULL },
	{ 0 },
};

static const struct option load_options[] = {
	{ "input", 'i', OPT_TEXT, LOAD(input), "Read from this file", NULL },
	{ "platform", 0, OPT_TEXT, LOAD(platform), "Platform to load (os/arch[/variant])", NULL },
	{ "quiet", 'q', OPT_BOOL, LOAD(quiet), "No progress", NULL },
	{ 0 },
};

static const struct option *const import_tables[] = { import_options, NULL };
static const struct option *const save_tables[] = { save_options, NULL };
static const struct option *const load_tables[] = { load_options, NULL };

const struct command command_import = {
	.operands = "FILE|- [NAME[:TAG]]",
	.summary = "Make an image from the tar of a root filesystem",
	.run = run_import,
	.min = 1,
	.max = 2,
	.options = import_tables,
	.options_size = sizeof(struct import_options),
};

const struct command command_save = {
	.operands = "IMAGE [IMAGE...]",
	.summary = "Write images as an archive",
	.run = run_save,
	.min = 1,
	.max = -1,
	.options = save_tables,
	.options_size = sizeof(struct save_options),
};

const struct command command_load = {
	.operands = "",
	.summary = "Read images from an archive",
	.run = run_load,
	.options = load_tables,
	.options_size = sizeof(struct load_options),
};
