/* manifest: one image: its config and its layers. */
#include "oci/manifest.h"

#include <stdio.h>
#include <string.h>

#include "oci/document.h"
#include "oci/media_type.h"

static int read_layer(const json *object, size_t i, struct descriptor *ret, teu_error **err)
{
	char where[32];
	enum media_kind kind;
	int r;

	snprintf(where, sizeof(where), "layers[%zu]", i);
	r = descriptor_read(object, where, ret, err);
	if (r < 0)
		return r;
	kind = media_kind_of(ret->media_type);
	if (kind == MEDIA_LAYER)
		return 0;
	r = err_set(err, TEU_E_UNSUPPORTED, "%s.mediaType: \"%s\" is not a layer that can be unpacked", where,
		    ret->media_type);
	descriptor_done(ret);
	return r;
}

static int read_layers(const json *document, struct manifest *m, teu_error **err)
{
	const json *layers = NULL;
	int r = json_read_array(document, "", "layers", &layers, err);

	if (r < 0)
		return r;
	if (!layers)
		return json_field_error(err, "", "layers", "missing");
	if (json_count(layers) > MANIFEST_MAX_LAYERS)
		return err_set(err, TEU_E_LIMIT, "layers: more than %d", MANIFEST_MAX_LAYERS);
	m->layers = calloc(json_count(layers) + 1, sizeof(*m->layers));
	if (!m->layers)
		return err_oom(err);
	json_foreach (layer, layers) {
		r = read_layer(layer, m->n_layers, &m->layers[m->n_layers], err);
		if (r < 0)
			return r;
		m->n_layers++;
	}
	return 0;
}

/* Artifacts (signatures, charts) have manifests too, with configs of other types. */
static int check_config(const struct manifest *m, teu_error **err)
{
	if (media_kind_of(m->config.media_type) != MEDIA_CONFIG)
		return err_set(err, TEU_E_UNSUPPORTED, "config.mediaType: \"%s\" is not an image's",
			       m->config.media_type);
	return 0;
}

static const char *own_type(const json *document, const struct manifest *m)
{
	return json_get_text(document, "mediaType",
			     strcmp(m->config.media_type, MEDIA_DOCKER_CONFIG) == 0 ? MEDIA_DOCKER_MANIFEST
										    : MEDIA_OCI_MANIFEST);
}

int manifest_read(const json *document, const char *content_type, struct manifest *ret, teu_error **err)
{
	_cleanup_(manifest_done) struct manifest m = { 0 };
	enum media_kind kind;
	int r = document_kind(document, content_type, &kind, err);

	if (r < 0)
		return r;
	if (kind != MEDIA_MANIFEST)
		return err_set(err, TEU_E_CORRUPT, "an image index where a manifest belongs");
	r = descriptor_read(json_get(document, "config"), "config", &m.config, err);
	if (r == 0)
		r = check_config(&m, err);
	if (r == 0)
		r = read_layers(document, &m, err);
	if (r < 0)
		return r;
	m.media_type = strdup(own_type(document, &m));
	if (!m.media_type)
		return err_oom(err);
	*ret = m;
	m = (struct manifest){ 0 };
	return 0;
}

int manifest_parse(const char *text, size_t len, const char *content_type, struct manifest *ret, teu_error **err)
{
	_cleanup_json_ json *document = NULL;
	int r = json_parse(text, len, &document, err);

	return r < 0 ? r : manifest_read(document, content_type, ret, err);
}

void manifest_done(struct manifest *m)
{
	for (size_t i = 0; i < m->n_layers; i++)
		descriptor_done(&m->layers[i]);
	free(m->layers);
	descriptor_done(&m->config);
	free(m->media_type);
	*m = (struct manifest){ 0 };
}

int manifest_print(const struct descriptor *config, const struct descriptor *layers, size_t n_layers, char **ret,
		   teu_error **err)
{
	_cleanup_json_ json *document = json_object();
	json *list;
	bool ok;

	ok = json_add_int(document, "schemaVersion", 2) && json_add_string(document, "mediaType", MEDIA_OCI_MANIFEST) &&
	     json_add(document, "config", descriptor_json(config->media_type, config->digest, config->size));
	list = ok ? json_add_array(document, "layers") : NULL;
	for (size_t i = 0; list && ok && i < n_layers; i++)
		ok = json_append(list, descriptor_json(layers[i].media_type, layers[i].digest, layers[i].size));
	*ret = list && ok ? json_print(document) : NULL;
	return *ret ? 0 : err_oom(err);
}
