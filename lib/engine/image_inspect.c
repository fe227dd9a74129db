/* image_inspect: Docker's image inspect document. Source: Docker Engine API, "ImageInspect". */
#include "engine/image.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "oci/digest.h"
#include "oci/reference.h"
#include "store/layers.h"

static json *familiar_names(const struct strv *names)
{
	_cleanup_json_ json *list = json_array();

	strv_foreach (name, names)
		if (!json_append_string(list, reference_shorten(*name)))
			return NULL;
	return TAKE_PTR(list);
}

/* Docker always shows these fields, null where the image says nothing: templates rely on them. */
static json *whole_config(const json *config)
{
	static const struct {
		const char *key;
		bool text;
	} fields[] = { { "User", true },       { "Env", false },	{ "Cmd", false },     { "Volumes", false },
		       { "WorkingDir", true }, { "Entrypoint", false }, { "OnBuild", false }, { "Labels", false } };
	_cleanup_json_ json *whole = json_is_object(config) ? json_copy(config) : json_object();

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!json_get(whole, fields[i].key) &&
		    !json_add_string(whole, fields[i].key, fields[i].text ? "" : NULL))
			return NULL;
	return TAKE_PTR(whole);
}

/* The trees of the layers as Docker's overlay2 driver names them: the highest one, then those below it. */
static json *graph_driver(const teu_image *image)
{
	_cleanup_json_ json *driver = json_object();
	_cleanup_(strbuf_done) struct strbuf lower = STRBUF_INIT;
	json *data = json_add_object(driver, "Data");

	for (size_t i = image->chains.n; i-- > 0;) {
		_cleanup_free_ char *path = layers_path(&image->engine->store, image->chains.items[i]);

		if (!path)
			return NULL;
		if (i + 1 == image->chains.n) {
			if (!json_add_string(data, "UpperDir", path))
				return NULL;
			continue;
		}
		strbuf_addf(&lower, "%s%s", lower.len ? ":" : "", path);
	}
	if (lower.oom || (lower.len && !json_add_string(data, "LowerDir", lower.text)) ||
	    !json_add_string(driver, "Name", "overlay"))
		return NULL;
	return TAKE_PTR(driver);
}

static json *rootfs(const teu_image *image)
{
	const json *diff_ids = json_find(image->config, "rootfs.diff_ids");
	_cleanup_json_ json *object = json_object();

	if (!json_add_string(object, "Type", "layers") ||
	    !json_add(object, "Layers", diff_ids ? json_copy(diff_ids) : json_array()))
		return NULL;
	return TAKE_PTR(object);
}

static const char *last_comment(const teu_image *image)
{
	const char *comment = json_get_text(image->config, "comment", "");

	json_foreach (step, json_get(image->config, "history"))
		comment = json_get_text(step, "comment", comment);
	return comment;
}

static bool add_fields(json *document, const teu_image *image)
{
	const char *variant = json_get_text(image->config, "variant", NULL);
	char created[CLOCK_TEXT_MAX];

	clock_format(image->created, created);
	return json_add_string(document, "Id", image->id) &&
	       json_add(document, "RepoTags", familiar_names(&image->names)) &&
	       json_add(document, "RepoDigests", familiar_names(&image->digests)) &&
	       json_add_string(document, "Parent", "") && json_add_string(document, "Comment", last_comment(image)) &&
	       json_add_string(document, "Created", created) &&
	       json_add_string(document, "DockerVersion", json_get_text(image->config, "docker_version", "")) &&
	       json_add_string(document, "Author", json_get_text(image->config, "author", "")) &&
	       json_add(document, "Config", whole_config(json_get(image->config, "config"))) &&
	       json_add_string(document, "Architecture", json_get_text(image->config, "architecture", "")) &&
	       (!variant || json_add_string(document, "Variant", variant)) &&
	       json_add_string(document, "Os", json_get_text(image->config, "os", "linux")) &&
	       json_add_int(document, "Size", (int64_t)image->size) &&
	       json_add(document, "GraphDriver", graph_driver(image)) && json_add(document, "RootFS", rootfs(image));
}

/* Unpacked bytes of the @i-th layer, lowest first; 0 where its record is gone. */
static int64_t layer_size(const teu_image *image, size_t i)
{
	_cleanup_(layer_done) struct layer layer = { 0 };

	if (i >= image->chains.n || layers_read(&image->engine->store, image->chains.items[i], &layer, NULL) < 0)
		return 0;
	return (int64_t)layer.size;
}

/*
 * The steps that made the image, oldest first, as its config has them and with the "size" of their layers: what
 * Docker's GET /images/{name}/history needs, which has no call of its own.
 */
static bool add_history(json *document, const teu_image *image)
{
	json *list = json_add_array(document, "History");
	size_t layer = 0;

	json_foreach (step, json_get(image->config, "history")) {
		json *copy = json_copy(step);
		bool empty = json_get_truth(step, "empty_layer", false);

		if (!json_append(list, copy) || !json_add_int(copy, "size", empty ? 0 : layer_size(image, layer++)))
			return false;
	}
	return list != NULL;
}

/* Docker's containerd store shows the manifest like this; it has no other place in the document. */
static bool add_descriptor(json *document, const teu_image *image)
{
	json *descriptor = json_add_object(document, "Descriptor");

	return json_add_string(descriptor, "mediaType", json_get_text(image->manifest, "mediaType", "")) &&
	       json_add_string(descriptor, "digest", image->digest);
}

int image_inspect(teu_image *image, char **ret_json, teu_error **err)
{
	_cleanup_json_ json *document = json_object();

	*ret_json = add_fields(document, image) && add_descriptor(document, image) && add_history(document, image)
			    ? json_print(document)
			    : NULL;
	return *ret_json ? 0 : err_oom(err);
}
