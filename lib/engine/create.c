/* create: from a Docker create body to a container on disk. */
#include "engine/create.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/lock.h"
#include "engine/create_parts.h"
#include "engine/names.h"
#include "engine/spec.h"
#include "store/container_write.h"
#include "store/layers.h"
#include "store/volumes.h"

enum { NAME_TRIES = 16 };

static void create_done(struct create *c)
{
	json_free(c->body);
	json_free(c->record);
}

static int parse_body(const char *text, json **ret, teu_error **err)
{
	_cleanup_error_ teu_error *cause = NULL;
	int r;

	if (!text)
		return err_set(err, TEU_E_INVALID, "container config: missing");
	r = json_parse(text, strlen(text), ret, &cause);
	if (r < 0)
		return err_set(err, r == TEU_E_CORRUPT ? TEU_E_INVALID : r, "container config: %s",
			       teu_error_message(cause));
	return create_check_fields(*ret, err);
}

static int fill_head(struct create *c, const char *name, teu_error **err)
{
	_cleanup_free_ char *made_up = NULL;
	char now[CLOCK_TEXT_MAX];
	int r = containers_new_id(c->id, err);

	if (r == 0 && !name)
		r = names_make_up(0, &made_up, err);
	if (r < 0)
		return r;
	clock_format(clock_now_ns(), now);
	c->record = json_object();
	if (!json_add_string(c->record, "Id", c->id) || !json_add_string(c->record, "Name", name ? name : made_up) ||
	    !json_add_string(c->record, "Created", now) || !json_add_string(c->record, "Image", c->image->id) ||
	    !json_add_string(c->record, "ImageName", json_get_text(c->body, "Image", "")) ||
	    !json_add(c->record, "Layers", json_strings(c->image->chains.items)) ||
	    !json_add(c->record, "Config", json_copy(c->body)))
		return err_oom(err);
	c->config = json_get_mutable(c->record, "Config");
	c->host = json_add_object(c->record, "HostConfig");
	return c->host ? 0 : err_oom(err);
}

static int fill_tail(struct create *c, teu_error **err)
{
	const char *log = json_text(json_find(c->host, "LogConfig.Type"), "");
	_cleanup_free_ char *path = NULL;

	if (strcmp(log, "none") == 0)
		return json_add_string(c->record, "LogPath", "") ? 0 : err_oom(err);
	if (asprintf(&path, "%s/containers/%s/%s-json.log", c->engine->store.root, c->id, c->id) < 0 ||
	    !json_add_string(c->record, "LogPath", path))
		return err_oom(err);
	return 0;
}

static int fill_record(struct create *c, const char *name, json **ret_record, teu_error **err)
{
	int r = fill_head(c, name && *name == '/' ? name + 1 : name, err);

	if (r == 0)
		r = create_config(c, err);
	if (r == 0)
		r = create_host_config(c, err);
	if (r == 0)
		r = create_mounts(c, err);
	if (r == 0)
		r = fill_tail(c, err);
	if (r == 0)
		*ret_record = TAKE_PTR(c->record);
	return r;
}

int create_record_from(teu_engine *engine, const char *config_json, const teu_image *image, const char *name,
		       json **ret_record, teu_error **err)
{
	_cleanup_(create_done) struct create c = { .engine = engine, .image = image };
	int r = parse_body(config_json, &c.body, err);

	return r < 0 ? r : fill_record(&c, name, ret_record, err);
}

int create_record(teu_engine *engine, const char *config_json, const char *name, json **ret_record, teu_error **err)
{
	_cleanup_(create_done) struct create c = { .engine = engine };
	_cleanup_(teu_image_unrefp) teu_image *image = NULL;
	int r = parse_body(config_json, &c.body, err);

	if (r < 0)
		return r;
	if (!*json_get_text(c.body, "Image", ""))
		return json_field_error(err, "", "Image", "expected the name or the id of an image");
	r = image_find(engine, json_get_text(c.body, "Image", ""), &image, err);
	c.image = image;
	return r < 0 ? r : fill_record(&c, name, ret_record, err);
}

/* mkdir -p, as Docker does for a bind whose source is missing. */
static int make_host_folder(const char *path, teu_error **err)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return err_oom(err);
	for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_errno(err, errno, "make host folder %s", copy);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int make_sources(teu_engine *engine, const json *record, teu_error **err)
{
	json_foreach (mount, json_get(record, "Mounts")) {
		const char *name = json_get_text(mount, "Name", "");
		bool anonymous = false;
		int r = 0;

		json_foreach (one, json_get(record, "AnonymousVolumes"))
			anonymous |= strcmp(json_text(one, ""), name) == 0;
		if (*name)
			r = volumes_create(&engine->store, name, anonymous, err);
		else if (json_get_truth(mount, "Create", false))
			r = make_host_folder(json_get_text(mount, "Source", ""), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int begin(teu_engine *engine, json *record, bool keep_name, struct container_draft *draft, teu_error **err)
{
	for (unsigned tries = 0;; tries++) {
		_cleanup_error_ teu_error *cause = NULL;
		_cleanup_free_ char *name = NULL;
		int r = containers_begin(&engine->store, json_get_text(record, "Id", ""),
					 json_get_text(record, "Name", ""), draft, &cause);

		if (r == 0)
			return 0;
		if (keep_name || r != TEU_E_CONFLICT || tries == NAME_TRIES) {
			if (err && !*err)
				*err = TAKE_PTR(cause);
			return r;
		}
		r = names_make_up(tries + 1, &name, err);
		if (r < 0)
			return r;
		if (!json_add_string(record, "Name", name))
			return err_oom(err);
	}
}

static int put_document(const struct container_draft *draft, const char *file, const json *document, enum fd_sync sync,
			teu_error **err)
{
	_cleanup_free_ char *text = json_print(document);

	return text ? containers_put(draft, file, text, sync, err) : err_oom(err);
}

/* The record first: a sweep learns from it which volumes were made for a draft. */
static int fill_folder(const struct container_draft *draft, const json *record, const json *spec, teu_error **err)
{
	static const struct {
		const char *name;
		mode_t mode;
	} folders[] = { { "rootfs", 0755 }, { "upper", 0755 }, { "work", 0700 } };
	bool short_lived = json_truth(json_find(record, "HostConfig.AutoRemove"), false);
	int r = put_document(draft, "container.json", record, short_lived ? FD_NO_SYNC : FD_SYNC, err);

	if (r == 0)
		r = put_document(draft, "config.json", spec, FD_NO_SYNC, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(folders); i++)
		if (mkdirat(draft->dir_fd, folders[i].name, folders[i].mode) < 0)
			r = err_errno(err, errno, "make folder %s of container %.12s", folders[i].name, draft->id);
	return r;
}

/* From here until the record is visible no collector may run: it would not know that the layers are needed. */
static int check_layers(teu_engine *engine, const json *record, teu_error **err)
{
	json_foreach (layer, json_get(record, "Layers"))
		if (!layers_has(&engine->store, json_text(layer, "")))
			return err_set(err, TEU_E_NOT_FOUND, "image %s was removed meanwhile",
				       json_get_text(record, "ImageName", ""));
	return 0;
}

static int publish(teu_engine *engine, const json *record, struct container_draft *draft, teu_error **err)
{
	_cleanup_close_ int inventory = -EBADF;
	int r = lock_take(engine->store.root_fd, "lock", LOCK_SHARED, &inventory, err);

	if (r == 0)
		r = check_layers(engine, record, err);
	if (r == 0)
		r = make_sources(engine, record, err);
	return r < 0 ? r : containers_commit(draft, err);
}

int create_commit(teu_engine *engine, json *record, const json *spec, bool keep_name, teu_error **err)
{
	_cleanup_(containers_draft_done) struct container_draft draft = CONTAINER_DRAFT_INIT;
	int r = begin(engine, record, keep_name, &draft, err);

	if (r == 0)
		r = fill_folder(&draft, record, spec, err);
	if (r < 0)
		return r;
	r = publish(engine, record, &draft, err);
	if (r < 0)
		json_foreach (volume, json_get(record, "AnonymousVolumes"))
			volumes_remove(&engine->store, json_text(volume, ""), NULL);
	return r;
}

int container_create(teu_engine *engine, const char *config_json, const char *name, teu_container **ret,
		     teu_error **err)
{
	_cleanup_json_ json *record = NULL, *spec = NULL;
	int r = create_record(engine, config_json, name, &record, err);

	if (r == 0)
		r = spec_build(engine, record, &spec, err);
	if (r == 0)
		r = create_commit(engine, record, spec, name != NULL, err);
	return r < 0 ? r : container_new(engine, TAKE_PTR(record), TAKE_PTR(spec), ret, err);
}
