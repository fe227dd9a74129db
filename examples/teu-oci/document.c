/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* document: the specification's documents without a container: spec, features, check. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../teu/doc.h"
#include "oci.h"

struct spec_options {
	const char *bundle, *file;
	bool rootless;
};

static const struct option spec_table[] = {
	{ "bundle", 'b', OPT_TEXT, offsetof(struct spec_options, bundle), "Folder to write config.json to", NULL },
	{ "file", 'f', OPT_TEXT, offsetof(struct spec_options, file), "File to write instead", NULL },
	{ "rootless", 0, OPT_BOOL, offsetof(struct spec_options, rootless), "For another user than root", NULL },
	{ 0 },
};
static const struct option *const spec_tables[] = { spec_table, NULL };

static int run_spec(const struct call *call)
{
	const struct spec_options *o = call->options;
	const char *folder = o->bundle ? o->bundle : ".", *name = o->file ? o->file : "config.json";
	_cleanup_free_ char *path = *name == '/' ? cli_copy(name, strlen(name)) : cli_format("%s/%s", folder, name);
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *text = NULL;
	FILE *out;
	int fd;

	if (teu_runtime_spec(o->rootless, &text, &err) < 0)
		return cli_error(call, err);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return cli_fail(call, "File %s exists. Remove it first", name);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		return cli_fail(call, "write %s: %s", path, strerror(errno));
	doc_indent(out, text, 4, 0);
	fputc('\n', out);
	return fclose(out) != 0 ? cli_fail(call, "write %s: %s", path, strerror(errno)) : 0;
}

const struct command command_spec = {
	.operands = "",
	.summary = "Write a config.json to begin with",
	.run = run_spec,
	.min = 0,
	.max = 0,
	.options = spec_tables,
	.options_size = sizeof(struct spec_options),
};

static int run_features(const struct call *call)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *text = NULL;

	if (teu_runtime_features(&text, &err) < 0)
		return cli_error(call, err);
	doc_indent(stdout, text, 4, 0);
	putchar('\n');
	return 0;
}

const struct command command_features = {
	.operands = "",
	.summary = "Print what this runtime can do",
	.run = run_features,
};

struct check_options {
	const char *bundle, *type;
};

static const struct option check_table[] = {
	{ "bundle", 'b', OPT_TEXT, offsetof(struct check_options, bundle), "Folder whose config.json to check", NULL },
	{ "type", 0, OPT_TEXT, offsetof(struct check_options, type),
	  "bundle (default), config (of any platform), process, state or features", NULL },
	{ 0 },
};
static const struct option *const check_tables[] = { check_table, NULL };

static int run_check(const struct call *call)
{
	const struct check_options *o = call->options;
	_cleanup_free_ char *path = call->n_args ? cli_copy(call->args[0], strlen(call->args[0]))
						 : cli_format("%s/config.json", o->bundle ? o->bundle : ".");
	_cleanup_free_ char *text = oci_read_file(path);
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *warnings = NULL;
	_cleanup_doc_ cJSON *list = NULL;
	const cJSON *warning;

	if (!text)
		return cli_fail(call, "open %s: %s", path, strerror(errno));
	if (teu_runtime_check(o->type ? o->type : "bundle", text, &warnings, &err) < 0)
		return cli_error(call, err);
	list = doc_parse(warnings);
	cJSON_ArrayForEach(warning, list) cli_warn("%s", cJSON_GetStringValue(warning));
	return 0;
}

const struct command command_check = {
	.operands = "[FILE]",
	.summary = "Tell what is wrong with a config.json or another document",
	.run = run_check,
	.min = 0,
	.max = 1,
	.options = check_tables,
	.options_size = sizeof(struct check_options),
};
