/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pull, images, tag, rmi, history, image prune. Source: docs.docker.com, "docker image". */
#include "image.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "format.h"
#include "options.h"
#include "progress.h"
#include "units.h"

enum { SHORT_ID = 12 };

char *image_familiar(const char *reference)
{
	char *text = NULL, *copy;

	if (teu_reference_familiar(reference, &text, NULL) < 0)
		return cli_copy(reference, strlen(reference));
	copy = cli_copy(text, strlen(text));
	teu_free(text);
	return copy;
}

bool image_is_for(teu_image *image, const char *platform)
{
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *doc = NULL;
	_cleanup_free_ char *own = NULL;
	const char *variant;

	if (teu_image_inspect(image, &json, NULL) < 0)
		return true; /* whoever uses it next will say what is wrong */
	doc = doc_parse(json);
	variant = doc_text(doc, "Variant");
	own = cli_format("%s/%s%s%s", doc_text(doc, "Os"), doc_text(doc, "Architecture"), *variant ? "/" : "", variant);
	/* "linux/arm64" is also asked for by who does not name the variant. */
	return strncmp(own, platform, strlen(platform)) == 0 &&
	       (own[strlen(platform)] == '\0' || own[strlen(platform)] == '/');
}

int image_pull(teu_engine *engine, const char *reference, const char *platform, FILE *out, teu_error **err)
{
	_cleanup_(progress_done) struct progress progress;
	_cleanup_image_ teu_image *image = NULL;
	teu_pull_options opts;

	progress_init(&progress, out);
	teu_pull_options_init(&opts);
	opts.platform = platform;
	opts.progress = progress_report;
	opts.progress_data = &progress;
	return teu_image_pull(engine, reference, &opts, &image, err);
}

/* pull */

struct pull_options {
	bool quiet, insecure;
	const char *platform, *ca_file, *creds, *auth_file;
	struct number parallel, timeout;
};

static int pull(const struct call *call, const char *reference, teu_image **ret, teu_error **err)
{
	const struct pull_options *o = call->options;
	_cleanup_(progress_done) struct progress progress;
	_cleanup_free_ char *user = NULL;
	teu_pull_options opts;

	progress_init(&progress, o->quiet ? NULL : stdout);
	teu_pull_options_init(&opts);
	opts.platform = o->platform;
	opts.insecure = o->insecure;
	opts.ca_file = o->ca_file;
	opts.auth_file = o->auth_file;
	opts.parallel = (int32_t)o->parallel.value;
	opts.timeout_ms = o->timeout.value * 1000;
	opts.progress = progress_report;
	opts.progress_data = &progress;
	if (o->creds) {
		const char *colon = strchr(o->creds, ':');

		user = cli_copy(o->creds, colon ? (size_t)(colon - o->creds) : strlen(o->creds));
		opts.username = user;
		opts.password = colon ? colon + 1 : "";
	}
	return teu_image_pull(call->engine, reference, &opts, ret, err);
}

static int run_pull(const struct call *call)
{
	const struct pull_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_image_ teu_image *before = NULL, *image = NULL;
	_cleanup_teu_free_ char *name = NULL;
	bool same;

	if (teu_reference_normalize(call->args[0], &name, &err) < 0)
		return cli_error(call, err);
	teu_image_find(call->engine, name, &before, NULL);
	if (pull(call, name, &image, &err) < 0)
		return cli_error(call, err);
	same = before && strcmp(teu_image_id(before), teu_image_id(image)) == 0;
	if (!o->quiet) {
		_cleanup_free_ char *familiar = image_familiar(name);

		printf("Digest: %s\nStatus: %s for %s\n", teu_image_digest(image),
		       same ? "Image is up to date" : "Downloaded newer image", familiar);
	}
	puts(name);
	return 0;
}

/* images */

struct images_options {
	bool all, digests, no_trunc, quiet;
	struct list filters;
	const char *format;
};

static const struct column image_columns[] = {
	{ "ID", "IMAGE ID" },	       { "Repository", "REPOSITORY" }, { "Tag", "TAG" },   { "Digest", "DIGEST" },
	{ "CreatedSince", "CREATED" }, { "CreatedAt", "CREATED AT" },  { "Size", "SIZE" }, { 0 },
};

/* "repo:tag" or "repo@digest" in two; a name without a tag has "<none>". */
static void set_name(cJSON *row, const char *familiar)
{
	const char *digest = strchr(familiar, '@'), *tag = strrchr(familiar, ':');
	_cleanup_free_ char *repository = NULL;

	if (digest || !tag || strchr(tag, '/'))
		tag = NULL;
	repository = cli_copy(familiar, digest ? (size_t)(digest - familiar)
					: tag  ? (size_t)(tag - familiar)
					       : strlen(familiar));
	doc_set_text(row, "Repository", repository);
	doc_set_text(row, "Tag", tag ? tag + 1 : "<none>");
}

static cJSON *image_row(const teu_image *image, const char *familiar, bool no_trunc)
{
	const char *id = teu_image_id(image), *hex = strchr(id, ':') ? strchr(id, ':') + 1 : id;
	_cleanup_free_ char *short_id = no_trunc ? cli_copy(id, strlen(id)) : cli_copy(hex, strnlen(hex, SHORT_ID));
	int64_t created = teu_image_created(image) / 1000000000;
	char span[UNITS_SIZE], stamp[UNITS_SIZE], size[UNITS_SIZE];
	_cleanup_free_ char *ago = NULL;
	cJSON *row = doc_object();

	doc_set_text(row, "ID", short_id);
	if (familiar) {
		set_name(row, familiar);
	} else {
		doc_set_text(row, "Repository", "<none>");
		doc_set_text(row, "Tag", "<none>");
	}
	doc_set_text(row, "Digest", teu_image_digest(image) ? teu_image_digest(image) : "<none>");
	ago = created ? cli_format("%s ago", units_span(span, units_now_ns() / 1000000000 - created))
		      : cli_format("N/A");
	doc_set_text(row, "CreatedSince", ago);
	doc_set_text(row, "CreatedAt", created ? units_time(stamp, created) : "N/A");
	doc_set_text(row, "Size", units_size(size, (double)teu_image_size(image)));
	return row;
}

/* The operand of `images`, and the filter reference=: a name with wild cards, with or without a tag. */
static bool name_fits(const char *familiar, const char *pattern)
{
	const char *tag = familiar ? strrchr(familiar, ':') : NULL;
	_cleanup_free_ char *repository = NULL;

	if (!familiar)
		return false;
	repository = cli_copy(familiar, tag && !strchr(tag, '/') ? (size_t)(tag - familiar) : strlen(familiar));
	return fnmatch(pattern, familiar, FNM_PATHNAME) == 0 || fnmatch(pattern, repository, FNM_PATHNAME) == 0;
}

static bool filter_known(const char *filter)
{
	return strncmp(filter, "reference=", 10) == 0 || strcmp(filter, "dangling=true") == 0 ||
	       strcmp(filter, "dangling=false") == 0;
}

static bool fits(const struct call *call, const char *familiar)
{
	const struct images_options *o = call->options;
	bool reference = false, named = false;

	for (size_t i = 0; i < o->filters.n; i++) {
		const char *filter = o->filters.items[i];

		if (strncmp(filter, "reference=", 10) == 0) {
			reference = true;
			named = named || name_fits(familiar, filter + 10);
		} else if ((strcmp(filter, "dangling=true") == 0) != !familiar) {
			return false;
		}
	}
	if (call->n_args) {
		_cleanup_free_ char *wanted = image_familiar(call->args[0]);

		/* "busybox" stands for all of its tags; familiar names always have one. */
		if (!name_fits(familiar, call->args[0]) &&
		    (!familiar || !strchr(call->args[0], ':') || strcmp(familiar, wanted) != 0))
			return false;
	}
	return !reference || named;
}

static void add_rows(const struct call *call, teu_image *image, cJSON *rows)
{
	const struct images_options *o = call->options;
	size_t n = teu_image_name_count(image);

	for (size_t i = 0; i < (n ? n : 1); i++) {
		_cleanup_free_ char *familiar = n ? image_familiar(teu_image_name(image, i)) : NULL;

		if (!fits(call, familiar))
			continue;
		doc_add(rows, image_row(image, familiar, o->no_trunc));
		if (o->quiet) /* one line an image, not one a name */
			break;
	}
}

static int run_images(const struct call *call)
{
	const struct images_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_doc_ cJSON *rows = doc_array();
	const char *fallback = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
	teu_image_list *images = NULL;

	for (size_t i = 0; i < o->filters.n; i++)
		if (!filter_known(o->filters.items[i]))
			return cli_usage(call->path, EXIT_FAILED, "invalid filter '%s'", o->filters.items[i]);
	if (teu_image_list_all(call->engine, &images, &err) < 0)
		return cli_error(call, err);
	for (size_t i = 0; i < teu_image_list_count(images); i++)
		add_rows(call, teu_image_list_get(images, i), rows);
	teu_image_list_unref(images);
	if (o->digests)
		fallback = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
	return format_rows(call, o->quiet && !o->format ? "{{.ID}}" : o->format, fallback, image_columns, rows);
}

/* tag, rmi, image prune */

static int run_tag(const struct call *call)
{
	_cleanup_error_ teu_error *err = NULL;

	return teu_image_tag(call->engine, call->args[0], call->args[1], &err) < 0 ? cli_error(call, err) : 0;
}

static void print_removed(const char *json)
{
	_cleanup_doc_ cJSON *removed = doc_parse(json);
	const cJSON *item;

	cJSON_ArrayForEach(item, removed)
	{
		const char *name = doc_text(item, "Untagged");
		_cleanup_free_ char *familiar = image_familiar(name);

		if (*name)
			printf("Untagged: %s\n", familiar);
		else
			printf("Deleted: %s\n", doc_text(item, "Deleted"));
	}
}

struct rmi_options {
	bool force, no_prune;
};

static int run_rmi(const struct call *call)
{
	const struct rmi_options *o = call->options;
	teu_image_remove_options opts;
	int status = 0;

	teu_image_remove_options_init(&opts);
	opts.force = o->force;
	for (int i = 0; i < call->n_args; i++) {
		_cleanup_error_ teu_error *err = NULL;
		_cleanup_teu_free_ char *removed = NULL;
		int r = teu_image_remove(call->engine, call->args[i], &opts, &removed, &err);

		if (r == 0) {
			print_removed(removed);
			continue;
		}
		cli_error(call, err);
		if (!o->force || r != TEU_E_NOT_FOUND)
			status = EXIT_FAILED;
	}
	return status;
}

struct prune_options {
	bool force;
};

static int run_prune(const struct call *call)
{
	const struct prune_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	teu_image_list *images = NULL;
	int status = 0;

	if (!o->force && !cli_agreed("This will remove all dangling images."))
		return 0;
	if (teu_image_list_all(call->engine, &images, &err) < 0)
		return cli_error(call, err);
	for (size_t i = 0; i < teu_image_list_count(images); i++) {
		_cleanup_error_ teu_error *problem = NULL;
		_cleanup_teu_free_ char *removed = NULL;
		teu_image *image = teu_image_list_get(images, i);

		if (teu_image_name_count(image))
			continue;
		/* One that a container uses stays, which is no failure. */
		if (teu_image_remove(call->engine, teu_image_id(image), NULL, &removed, &problem) == 0)
			print_removed(removed);
		else if (teu_error_code(problem) != TEU_E_CONFLICT && teu_error_code(problem) != TEU_E_NOT_FOUND)
			status = cli_error(call, problem);
	}
	teu_image_list_unref(images);
	return status;
}

/* history */

struct history_options {
	bool no_trunc, quiet;
	const char *format;
};

static const struct column history_columns[] = {
	{ "ID", "IMAGE" },
	{ "CreatedSince", "CREATED" },
	{ "CreatedAt", "CREATED AT" },
	{ "CreatedBy", "CREATED BY" },
	{ "Size", "SIZE" },
	{ "Comment", "COMMENT" },
	{ 0 },
};

static cJSON *history_row(const cJSON *entry, const char *id, bool no_trunc)
{
	const char *by = doc_text(entry, "created_by"), *hex = strchr(id, ':') ? strchr(id, ':') + 1 : id;
	bool cut = !no_trunc && strlen(by) > 45;
	_cleanup_free_ char *short_by = cli_format("%.*s%s", cut ? 44 : (int)strlen(by), by, cut ? "…" : "");
	_cleanup_free_ char *short_id = no_trunc ? cli_copy(id, strlen(id)) : cli_copy(hex, strnlen(hex, SHORT_ID));
	_cleanup_free_ char *ago = NULL;
	char span[UNITS_SIZE], size[UNITS_SIZE];
	cJSON *row = doc_object();
	int64_t created = 0;

	if (units_parse_time(doc_text(entry, "created"), &created))
		ago = cli_format("%s ago", units_span(span, (units_now_ns() - created) / 1000000000));
	doc_set_text(row, "ID", short_id);
	doc_set_text(row, "CreatedSince", ago ? ago : "N/A");
	doc_set_text(row, "CreatedAt", doc_text(entry, "created"));
	doc_set_text(row, "CreatedBy", short_by);
	doc_set_text(row, "Size", units_size(size, doc_number(entry, "size")));
	doc_set_text(row, "Comment", doc_text(entry, "comment"));
	return row;
}

/* Newest step first; only the last one has the image's id. */
static int run_history(const struct call *call)
{
	const struct history_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_image_ teu_image *image = NULL;
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *doc = NULL, *rows = doc_array();
	const cJSON *history;

	if (teu_image_find(call->engine, call->args[0], &image, &err) < 0 || teu_image_inspect(image, &json, &err) < 0)
		return cli_error(call, err);
	doc = doc_parse(json);
	history = doc_get(doc, "History");
	for (int i = cJSON_GetArraySize(history) - 1, n = i; i >= 0; i--)
		doc_add(rows, history_row(cJSON_GetArrayItem(history, i), i == n ? teu_image_id(image) : "<missing>",
					  o->no_trunc));
	return format_rows(call, o->quiet && !o->format ? "{{.ID}}" : o->format,
			   "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}", history_columns,
			   rows);
}

#define PULL(field) offsetof(struct pull_options, field)
#define IMAGES(field) offsetof(struct images_options, field)

static const struct option pull_options[] = {
	{ "auth-file", 0, OPT_TEXT, PULL(auth_file), "Credentials, as in ~/.docker/config.json", NULL },
	{ "ca-file", 0, OPT_TEXT, PULL(ca_file), "Trust these certificates too (PEM)", NULL },
	{ "creds", 0, OPT_TEXT, PULL(creds), "USER:PASSWORD for the registry", NULL },
	{ "insecure", 0, OPT_BOOL, PULL(insecure), "Allow plain HTTP and unsigned certificates", NULL },
	{ "parallel", 0, OPT_INT, PULL(parallel), "Layers fetched at once", NULL },
	{ "platform", 0, OPT_TEXT, PULL(platform), "Platform of the image (os/arch[/variant])", NULL },
	{ "quiet", 'q', OPT_BOOL, PULL(quiet), "Print only the name", NULL },
	{ "timeout", 0, OPT_INT, PULL(timeout), "Give up after so many seconds", NULL },
	{ 0 },
};

static const struct option images_options[] = {
	{ "all", 'a', OPT_BOOL, IMAGES(all), "No effect: there are no intermediate images", NULL },
	{ "digests", 0, OPT_BOOL, IMAGES(digests), "Digests too", NULL },
	{ "filter", 'f', OPT_LIST, IMAGES(filters), "Only those that fit (dangling=true, reference=…)", NULL },
	{ "format", 0, OPT_TEXT, IMAGES(format), "table, json or a Go template", NULL },
	{ "no-trunc", 0, OPT_BOOL, IMAGES(no_trunc), "Do not shorten", NULL },
	{ "quiet", 'q', OPT_BOOL, IMAGES(quiet), "Only ids", NULL },
	{ 0 },
};

static const struct option rmi_options[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct rmi_options, force),
	  "Also if it has several names or stopped containers use it", NULL },
	{ "no-prune", 0, OPT_BOOL, offsetof(struct rmi_options, no_prune), "No effect", NULL },
	{ 0 },
};

static const struct option prune_options[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct prune_options, force), "Do not ask", NULL },
	{ 0 },
};

static const struct option history_options[] = {
	{ "format", 0, OPT_TEXT, offsetof(struct history_options, format), "table, json or a Go template", NULL },
	{ "no-trunc", 0, OPT_BOOL, offsetof(struct history_options, no_trunc), "Do not shorten", NULL },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct history_options, quiet), "Only ids", NULL },
	{ 0 },
};

static const struct option *const pull_tables[] = { pull_options, NULL };
static const struct option *const images_tables[] = { images_options, NULL };
static const struct option *const rmi_tables[] = { rmi_options, NULL };
static const struct option *const prune_tables[] = { prune_options, NULL };
static const struct option *const history_tables[] = { history_options, NULL };

const struct command command_pull = {
	.operands = "NAME[:TAG|@DIGEST]",
	.summary = "Fetch an image from a registry",
	.run = run_pull,
	.min = 1,
	.max = 1,
	.options = pull_tables,
	.options_size = sizeof(struct pull_options),
};

const struct command command_images = {
	.operands = "[REPOSITORY[:TAG]]",
	.summary = "List images",
	.run = run_images,
	.max = 1,
	.options = images_tables,
	.options_size = sizeof(struct images_options),
};

const struct command command_tag = {
	.operands = "IMAGE NAME[:TAG]",
	.summary = "Give an image a further name",
	.run = run_tag,
	.min = 2,
	.max = 2,
};

const struct command command_rmi = {
	.operands = "IMAGE [IMAGE...]",
	.summary = "Remove images",
	.run = run_rmi,
	.min = 1,
	.max = -1,
	.options = rmi_tables,
	.options_size = sizeof(struct rmi_options),
};

const struct command command_image_prune = {
	.operands = "",
	.summary = "Remove images without a name",
	.run = run_prune,
	.options = prune_tables,
	.options_size = sizeof(struct prune_options),
};

const struct command command_history = {
	.operands = "IMAGE",
	.summary = "Show the steps that made an image",
	.run = run_history,
	.min = 1,
	.max = 1,
	.options = history_tables,
	.options_size = sizeof(struct history_options),
};
