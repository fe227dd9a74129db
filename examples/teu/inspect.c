/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inspect: all that the engine knows of a container, image, volume or network, as JSON. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "doc.h"
#include "format.h"
#include "options.h"

struct inspect_options {
	bool size;
	const char *format, *type;
};

typedef int source(teu_engine *engine, const char *name, char **ret_json, teu_error **err);

static int container_json(teu_engine *engine, const char *name, char **ret_json, teu_error **err)
{
	_cleanup_container_ teu_container *container = NULL;
	int r = teu_container_find(engine, name, &container, err);

	return r < 0 ? r : teu_container_inspect(container, ret_json, err);
}

static int image_json(teu_engine *engine, const char *name, char **ret_json, teu_error **err)
{
	_cleanup_image_ teu_image *image = NULL;
	int r = teu_image_find(engine, name, &image, err);

	return r < 0 ? r : teu_image_inspect(image, ret_json, err);
}

/* One network out of the list that the library gives. TEU_E_NOT_FOUND with a NULL error: there is none of that name. */
static int network_json(teu_engine *engine, const char *name, char **ret_json, teu_error **err)
{
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *list = NULL;
	const cJSON *network;
	int r = teu_network_list_json(engine, &json, err);

	if (r < 0)
		return r;
	list = doc_parse(json);
	cJSON_ArrayForEach(network, list)
	{
		if (strcmp(doc_text(network, "Name"), name) == 0 || strcmp(doc_text(network, "Id"), name) == 0) {
			*ret_json = doc_print(network);
			return 0;
		}
	}
	return TEU_E_NOT_FOUND;
}

static const struct {
	const char *type;
	source *get;
} sources[] = {
	{ "container", container_json },
	{ "image", image_json },
	{ "volume", teu_volume_inspect },
	{ "network", network_json },
};

/* The document of the first kind of thing that has this name. @type NULL: any kind. */
static int find(const struct call *call, const char *type, const char *name, char **ret_json, teu_error **err)
{
	int r = TEU_E_NOT_FOUND;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (type && strcmp(type, sources[i].type) != 0)
			continue;
		teu_error_unref(*err);
		*err = NULL;
		r = sources[i].get(call->engine, name, ret_json, err);
		/* A name that can't be an image's or a volume's may still be another thing's. */
		if (r != TEU_E_NOT_FOUND && (r != TEU_E_INVALID || type))
			return r;
	}
	return r;
}

static int tell(const struct call *call, const char *type, const char *name, teu_error *err)
{
	if (err && (type || (teu_error_code(err) != TEU_E_NOT_FOUND && teu_error_code(err) != TEU_E_INVALID)))
		return cli_error(call, err);
	return cli_fail(call, "no such %s: %s", type ? type : "object", name);
}

static int inspect(const struct call *call, const char *type)
{
	const struct inspect_options *o = call->options;
	bool compact = o->format && strcmp(o->format, "json") == 0, plain = compact || !o->format || !*o->format;
	bool any = false;
	int status = 0;

	for (int i = 0; i < call->n_args; i++) {
		_cleanup_error_ teu_error *err = NULL;
		_cleanup_teu_free_ char *json = NULL;

		if (find(call, type, call->args[i], &json, &err) < 0) {
			status = tell(call, type, call->args[i], err);
			continue;
		}
		if (!plain) {
			if (format_doc(call, o->format, json) != 0)
				return EXIT_FAILED;
			continue;
		}
		if (compact) {
			cJSON_Minify(json);
			printf("%s%s", any ? "," : "[", json);
		} else {
			fputs(any ? ",\n    " : "[\n    ", stdout);
			doc_indent(stdout, json, 4, 4);
		}
		any = true;
	}
	if (plain)
		puts(!any ? "[]" : compact ? "]" : "\n]");
	return status;
}

static int run_inspect(const struct call *call)
{
	const struct inspect_options *o = call->options;

	for (size_t i = 0; o->type && *o->type; i++) {
		if (i == ARRAY_SIZE(sources))
			return cli_usage(call->path, EXIT_FAILED, "\"%s\" is not a valid value for --type", o->type);
		if (strcmp(o->type, sources[i].type) == 0)
			break;
	}
	return inspect(call, o->type && *o->type ? o->type : NULL);
}

static int run_container_inspect(const struct call *call)
{
	return inspect(call, "container");
}

static int run_image_inspect(const struct call *call)
{
	return inspect(call, "image");
}

static int run_volume_inspect(const struct call *call)
{
	return inspect(call, "volume");
}

static int run_network_inspect(const struct call *call)
{
	return inspect(call, "network");
}

#define AT(field) offsetof(struct inspect_options, field)

static const struct option options[] = {
	{ "format", 'f', OPT_TEXT, AT(format), "json or a Go template", NULL },
	{ "size", 's', OPT_BOOL, AT(size), "Sizes too", NULL },
	{ "type", 0, OPT_TEXT, AT(type), "Only a container, image, volume or network", NULL },
	{ 0 },
};

static const struct option *const tables[] = { options, NULL };

#define INSPECT(what)                                                                                                  \
	.operands = what " [" what "...]", .min = 1, .max = -1, .options = tables,                                     \
	.options_size = sizeof(struct inspect_options)

const struct command command_inspect = { INSPECT("NAME"), .summary = "Print all about containers, images or volumes",
					 .run = run_inspect };
const struct command command_container_inspect = {
	INSPECT("CONTAINER"),
	.summary = "Print all about containers",
	.run = run_container_inspect,
};
const struct command command_image_inspect = {
	INSPECT("IMAGE"),
	.summary = "Print all about images",
	.run = run_image_inspect,
};
const struct command command_volume_inspect = {
	INSPECT("VOLUME"),
	.summary = "Print all about volumes",
	.run = run_volume_inspect,
};
const struct command command_network_inspect = {
	INSPECT("NETWORK"),
	.summary = "Print all about networks",
	.run = run_network_inspect,
};
