/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ps: the list of containers. Source: docs.docker.com, "docker container ls"; Engine API v1.43, ContainerList. */
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "format.h"
#include "image.h"
#include "options.h"
#include "units.h"

enum { SHORT_ID = 12, SHORT_COMMAND = 20 };

struct ps_options {
	bool all, quiet, latest, size, no_trunc;
	struct number last;
	struct list filters;
	const char *format;
};

static const struct column columns[] = {
	{ "ID", "CONTAINER ID" },
	{ "Image", "IMAGE" },
	{ "Command", "COMMAND" },
	{ "CreatedAt", "CREATED AT" },
	{ "RunningFor", "CREATED" },
	{ "Ports", "PORTS" },
	{ "Status", "STATUS" },
	{ "State", "STATE" },
	{ "Names", "NAMES" },
	{ "Labels", "LABELS" },
	{ "Mounts", "MOUNTS" },
	{ "Networks", "NETWORKS" },
	{ "LocalVolumes", "LOCAL VOLUMES" },
	{ "Size", "SIZE" },
	{ 0 },
};

/* A text built piece by piece, for a cell. Most lists are empty, and a stream costs more than the rest of a row. */
static char *list_text(const cJSON *list, const char *separator, void (*print)(FILE *, const cJSON *))
{
	char *text = NULL;
	size_t size;
	FILE *out;
	const cJSON *item;

	if (!cJSON_GetArraySize(list))
		return cli_copy("", 0);
	out = open_memstream(&text, &size);
	if (!out)
		cli_oom();
	cJSON_ArrayForEach(item, list)
	{
		print(out, item);
		if (item->next)
			fputs(separator, out);
	}
	if (fclose(out) != 0)
		cli_oom();
	return text;
}

static void print_port(FILE *out, const cJSON *port)
{
	const char *ip = doc_text(port, "IP");
	int public = (int)doc_number(port, "PublicPort");

	if (public)
		fprintf(out, strchr(ip, ':') ? "[%s]:%d->" : "%s:%d->", ip, public);
	fprintf(out, "%d/%s", (int)doc_number(port, "PrivatePort"), doc_text(port, "Type"));
}

static void print_label(FILE *out, const cJSON *label)
{
	fprintf(out, "%s=%s", label->string, cJSON_IsString(label) ? label->valuestring : "");
}

static void print_key(FILE *out, const cJSON *item)
{
	fputs(item->string, out);
}

static void print_name(FILE *out, const cJSON *name)
{
	const char *text = cJSON_IsString(name) ? name->valuestring : "";

	fputs(text + (*text == '/'), out);
}

static void print_mount(FILE *out, const cJSON *mount)
{
	const char *name = doc_text(mount, "Name");

	fputs(*name ? name : doc_text(mount, "Source"), out);
}

static void set_list(cJSON *row, const char *key, const cJSON *list, const char *separator,
		     void (*print)(FILE *, const cJSON *))
{
	_cleanup_free_ char *text = list_text(list, separator, print);

	doc_set_text(row, key, text);
}

static int local_volumes(const cJSON *mounts)
{
	const cJSON *mount;
	int n = 0;

	cJSON_ArrayForEach(mount, mounts) n += strcmp(doc_text(mount, "Driver"), "local") == 0;
	return n;
}

static void set_command(cJSON *row, const char *command, bool no_trunc)
{
	bool cut = !no_trunc && strlen(command) > SHORT_COMMAND;
	_cleanup_free_ char *text =
		cli_format("\"%.*s%s\"", cut ? SHORT_COMMAND - 1 : (int)strlen(command), command, cut ? "…" : "");

	doc_set_text(row, "Command", text);
}

static void set_times(cJSON *row, const cJSON *container)
{
	int64_t created = (int64_t)doc_number(container, "Created");
	char span[UNITS_SIZE], stamp[UNITS_SIZE];
	_cleanup_free_ char *ago = cli_format("%s ago", units_span(span, units_now_ns() / 1000000000 - created));

	doc_set_text(row, "CreatedAt", units_time(stamp, created));
	doc_set_text(row, "RunningFor", ago);
}

static void set_size(cJSON *row, const cJSON *container)
{
	char rw[UNITS_SIZE], root[UNITS_SIZE];
	_cleanup_free_ char *text = NULL;

	if (!doc_get(container, "SizeRw")) {
		doc_set_text(row, "Size", "");
		return;
	}
	text = cli_format("%s (virtual %s)", units_size(rw, doc_number(container, "SizeRw")),
			  units_size(root, doc_number(container, "SizeRootFs")));
	doc_set_text(row, "Size", text);
}

/* One element of Docker's list as the fields that --format knows. */
static cJSON *row_of(const cJSON *container, bool no_trunc)
{
	const char *id = doc_text(container, "Id"), *image = doc_text(container, "Image");
	_cleanup_free_ char *short_id = cli_copy(id, no_trunc ? strlen(id) : strnlen(id, SHORT_ID));
	_cleanup_free_ char *name = cli_copy(image, strlen(image)), *volumes = NULL;
	cJSON *row = doc_object();

	/* A bare image id is cut as ids are. */
	if (!no_trunc && strncmp(name, "sha256:", 7) == 0 && strlen(name) > 7 + SHORT_ID) {
		memmove(name, name + 7, SHORT_ID);
		name[SHORT_ID] = '\0';
	}
	doc_set_text(row, "ID", short_id);
	doc_set_text(row, "Image", name);
	set_command(row, doc_text(container, "Command"), no_trunc);
	set_times(row, container);
	set_list(row, "Ports", doc_get(container, "Ports"), ", ", print_port);
	doc_set_text(row, "State", doc_text(container, "State"));
	doc_set_text(row, "Status", doc_text(container, "Status"));
	set_list(row, "Names", doc_get(container, "Names"), ",", print_name);
	set_list(row, "Labels", doc_get(container, "Labels"), ",", print_label);
	set_list(row, "Mounts", doc_get(container, "Mounts"), ",", print_mount);
	set_list(row, "Networks", doc_get(container, "NetworkSettings.Networks"), ",", print_key);
	volumes = cli_format("%d", local_volumes(doc_get(container, "Mounts")));
	doc_set_text(row, "LocalVolumes", volumes);
	set_size(row, container);
	return row;
}

/* Filters. Those of one key add up, those of different keys must all fit. */

struct filter_key {
	const char *name;
	bool (*fits)(const cJSON *container, const char *value);
	bool all; /* of several values all must fit, not any */
};

static bool fits_id(const cJSON *container, const char *value)
{
	return strncmp(doc_text(container, "Id"), value, strlen(value)) == 0;
}

/* Docker takes a regular expression. */
static bool fits_name(const cJSON *container, const char *value)
{
	const cJSON *name;
	bool found = false;
	regex_t regex;

	if (regcomp(&regex, value, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	cJSON_ArrayForEach(name, doc_get(container, "Names"))
	{
		const char *text = cJSON_IsString(name) ? name->valuestring : "";

		/* "^web$" and "^/web$" both mean web. */
		found = found || regexec(&regex, text, 0, NULL, 0) == 0 ||
			regexec(&regex, text + (*text == '/'), 0, NULL, 0) == 0;
	}
	regfree(&regex);
	return found;
}

static bool fits_label(const cJSON *container, const char *value)
{
	const char *equals = strchr(value, '=');
	_cleanup_free_ char *key = cli_copy(value, equals ? (size_t)(equals - value) : strlen(value));
	const cJSON *label = cJSON_GetObjectItemCaseSensitive(doc_get(container, "Labels"), key);

	return label && (!equals || strcmp(cJSON_IsString(label) ? label->valuestring : "", equals + 1) == 0);
}

static bool fits_status(const cJSON *container, const char *value)
{
	return strcmp(doc_text(container, "State"), value) == 0;
}

static bool fits_exited(const cJSON *container, const char *value)
{
	const char *status = doc_text(container, "Status");
	_cleanup_free_ char *wanted = cli_format("Exited (%s)", value);

	return strncmp(status, wanted, strlen(wanted)) == 0;
}

static bool fits_ancestor(const cJSON *container, const char *value)
{
	_cleanup_free_ char *image = image_familiar(doc_text(container, "Image")), *wanted = image_familiar(value);
	const char *id = doc_text(container, "ImageID");

	return strcmp(image, wanted) == 0 || strcmp(id, value) == 0 ||
	       (strlen(value) >= 4 && strlen(id) > 7 && strncmp(id + 7, value, strlen(value)) == 0);
}

static bool fits_network(const cJSON *container, const char *value)
{
	return cJSON_GetObjectItemCaseSensitive(doc_get(container, "NetworkSettings.Networks"), value) != NULL;
}

static bool fits_volume(const cJSON *container, const char *value)
{
	const cJSON *mount;

	cJSON_ArrayForEach(mount, doc_get(container, "Mounts"))
	{
		if (strcmp(doc_text(mount, "Name"), value) == 0 || strcmp(doc_text(mount, "Destination"), value) == 0)
			return true;
	}
	return false;
}

static const struct filter_key filter_keys[] = {
	{ "id", fits_id, false },	    { "name", fits_name, false },     { "label", fits_label, true },
	{ "status", fits_status, false },   { "exited", fits_exited, false }, { "ancestor", fits_ancestor, false },
	{ "network", fits_network, false }, { "volume", fits_volume, false },
};

static const struct filter_key *key_of(const char *filter)
{
	size_t len = strcspn(filter, "=");

	for (size_t i = 0; filter[len] && i < ARRAY_SIZE(filter_keys); i++)
		if (strncmp(filter_keys[i].name, filter, len) == 0 && filter_keys[i].name[len] == '\0')
			return &filter_keys[i];
	return NULL;
}

static bool fits_key(const cJSON *container, const struct list *filters, const struct filter_key *key)
{
	bool any = false, all = true;

	for (size_t i = 0; i < filters->n; i++) {
		bool fits;

		if (key_of(filters->items[i]) != key)
			continue;
		fits = key->fits(container, strchr(filters->items[i], '=') + 1);
		any = any || fits;
		all = all && fits;
	}
	return key->all ? all : any;
}

static bool fits(const cJSON *container, const struct list *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		if (!fits_key(container, filters, key_of(filters->items[i])))
			return false;
	return true;
}

/* Some filters ask for containers that do not run. */
static bool wants_all(const struct ps_options *o)
{
	for (size_t i = 0; i < o->filters.n; i++)
		if (strncmp(o->filters.items[i], "status=", 7) == 0 || strncmp(o->filters.items[i], "exited=", 7) == 0)
			return true;
	return o->all || o->latest || (o->last.set && o->last.value >= 0);
}

static int print_rows(const struct call *call, const cJSON *list)
{
	const struct ps_options *o = call->options;
	int64_t left = o->latest ? 1 : o->last.set && o->last.value >= 0 ? o->last.value : INT64_MAX;
	_cleanup_doc_ cJSON *rows = doc_array();
	const char *fallback =
		"{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
	const cJSON *container;

	if (o->size)
		fallback = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}\t{{"
			   ".Size}}";
	cJSON_ArrayForEach(container, list)
	{
		if (left-- <= 0)
			break;
		if (fits(container, &o->filters))
			doc_add(rows, row_of(container, o->no_trunc));
	}
	return format_rows(call, o->quiet && !o->format ? "{{.ID}}" : o->format, fallback, columns, rows);
}

static int run_ps(const struct call *call)
{
	const struct ps_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *list = NULL;
	teu_container_list *containers = NULL;
	int r;

	for (size_t i = 0; i < o->filters.n; i++)
		if (!key_of(o->filters.items[i]))
			return cli_usage(call->path, EXIT_FAILED, "invalid filter '%s'", o->filters.items[i]);
	r = teu_container_list_all(call->engine, wants_all(o), &containers, &err);
	if (r == 0)
		r = teu_container_list_json(containers, &json, &err);
	teu_container_list_unref(containers);
	if (r < 0)
		return cli_error(call, err);
	list = doc_parse(json);
	return print_rows(call, list);
}

#define AT(field) offsetof(struct ps_options, field)

static const struct option options[] = {
	{ "all", 'a', OPT_BOOL, AT(all), "Also those that do not run", NULL },
	{ "filter", 'f', OPT_LIST, AT(filters), "Only those that fit (status=exited, name=…, label=…)", NULL },
	{ "format", 0, OPT_TEXT, AT(format), "table, json or a Go template", NULL },
	{ "last", 'n', OPT_INT, AT(last), "The last so many created", NULL },
	{ "latest", 'l', OPT_BOOL, AT(latest), "The one created last", NULL },
	{ "no-trunc", 0, OPT_BOOL, AT(no_trunc), "Do not shorten", NULL },
	{ "quiet", 'q', OPT_BOOL, AT(quiet), "Only ids", NULL },
	{ "size", 's', OPT_BOOL, AT(size), "Sizes too", NULL },
	{ 0 },
};

static const struct option *const tables[] = { options, NULL };

const struct command command_ps = {
	.operands = "",
	.summary = "List containers",
	.run = run_ps,
	.options = tables,
	.options_size = sizeof(struct ps_options),
};
