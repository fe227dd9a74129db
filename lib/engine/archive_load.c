/*
 * archive_load: images from an OCI archive (a tar of an image layout) or a docker-archive (what docker save writes).
 * Sources: image-spec image-layout.md; Docker's image specification v1.2, "Combined Image JSON + Filesystem Changeset
 * Format" (manifest.json).
 */
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "engine/archive_spool.h"
#include "engine/image.h"
#include "format/compress.h"
#include "oci/digest.h"
#include "oci/document.h"
#include "oci/image_config.h"
#include "oci/index.h"
#include "oci/manifest.h"
#include "oci/media_type.h"
#include "oci/reference.h"
#include "store/content.h"
#include "store/gc.h"
#include "store/leases.h"

enum { MAX_IMAGES = 1000, BLOB_PATH_MAX = 96 };

struct loading {
	teu_engine *engine;
	const teu_load_options *opts;
	struct platform platform;
	struct progress progress;
	struct lease lease;
	struct spool spool;
	teu_image_list *images;
};

static void loading_done(struct loading *l)
{
	spool_done(&l->spool);
	lease_done(&l->lease);
	progress_done(&l->progress);
	teu_image_list_unref(l->images);
}

static int unpack_layer(struct loading *l, const struct descriptor *layer, const char *diff_id, const char *chain,
			const char *parent, teu_error **err)
{
	struct unpack_options unpack = progress_unpack_options(&l->progress, l->opts->max_layer_size);
	char id[DIGEST_SHORT_MAX];
	int r;

	digest_short(layer->digest, id);
	progress_subject(&l->progress, id, "unpacking", layer->size);
	r = unpack_blob(l->engine, layer->digest, diff_id, chain, parent, &unpack, err);
	return progress_check(&l->progress, r, err);
}

static int unpack_layers(struct loading *l, const struct descriptor *layers, size_t n_layers,
			 const struct strv *diff_ids, teu_error **err)
{
	_cleanup_(strv_done) struct strv chains = STRV_INIT;
	int r;

	if (diff_ids->n != n_layers)
		return err_set(err, TEU_E_CORRUPT, "the manifest has %zu layers, the config %zu", n_layers,
			       diff_ids->n);
	r = image_config_chains(diff_ids, &chains, err);
	for (size_t i = 0; r == 0 && i < n_layers; i++)
		r = unpack_layer(l, &layers[i], diff_ids->items[i], chains.items[i], i ? chains.items[i - 1] : NULL,
				 err);
	return r;
}

/* Stores the image under each of @names (none: without a name) and adds it to the list. */
static int name_image(struct loading *l, const char *manifest, const struct strv *names, teu_error **err)
{
	_cleanup_(teu_image_unrefp) teu_image *image = NULL;
	int r = 0;

	if (names->n == 0)
		r = image_store(l->engine, manifest, NULL, NULL, &image, err);
	for (size_t i = 0; r == 0 && i < names->n; i++) {
		teu_image_unref(TAKE_PTR(image));
		r = image_store(l->engine, manifest, names->items[i], NULL, &image, err);
	}
	return r < 0 ? r : image_list_add(l->images, image, err);
}

/* A name that is none is passed over: the image is still worth having. */
static void add_name(struct loading *l, const char *text, struct strv *names)
{
	_cleanup_error_ teu_error *malformed = NULL;
	_cleanup_free_ char *normalized = NULL;

	if (reference_normalize(text, &normalized, &malformed) == 0)
		strv_add(names, normalized);
	else
		engine_log(l->engine, TEU_LOG_WARNING, "the archive names an image \"%.80s\": %s", text,
			   teu_error_message(malformed));
}

/* --- OCI archives --- */

/* A blob of the layout, from the archive or already in the store. */
static int take_blob(struct loading *l, const struct descriptor *d, teu_error **err)
{
	char path[BLOB_PATH_MAX];
	uint64_t size;
	int r;

	if (content_has(&l->engine->store, d->digest))
		return 0;
	snprintf(path, sizeof(path), "/blobs/sha256/%s", digest_hex(d->digest));
	r = spool_blob(&l->spool, path, d->digest, NULL, &size, err);
	if (r == 0 && size != d->size)
		return err_set(err, TEU_E_CORRUPT, "%s has %llu bytes, its descriptor says %llu", path,
			       (unsigned long long)size, (unsigned long long)d->size);
	return r;
}

static int load_manifest(struct loading *l, const struct descriptor *d, const json *document, const struct strv *names,
			 teu_error **err)
{
	_cleanup_(manifest_done) struct manifest manifest = { 0 };
	_cleanup_(image_config_done) struct image_config config = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = manifest_read(document, d->media_type, &manifest, err);

	if (r == 0)
		r = take_blob(l, &manifest.config, err);
	if (r == 0)
		r = content_read(&l->engine->store, manifest.config.digest, &text, &len, err);
	if (r == 0)
		r = image_config_parse(text, len, &config, err);
	for (size_t i = 0; r == 0 && i < manifest.n_layers; i++)
		r = take_blob(l, &manifest.layers[i], err);
	if (r == 0)
		r = unpack_layers(l, manifest.layers, manifest.n_layers, &config.diff_ids, err);
	return r < 0 ? r : name_image(l, d->digest, names, err);
}

static int load_entry(struct loading *l, const struct descriptor *d, const struct strv *names, int depth,
		      teu_error **err)
{
	_cleanup_(index_done) struct index index = { 0 };
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *document = NULL;
	const struct index_entry *chosen;
	enum media_kind kind;
	size_t len;
	int r = take_blob(l, d, err);

	if (r == 0)
		r = content_read(&l->engine->store, d->digest, &text, &len, err);
	if (r == 0)
		r = json_parse(text, len, &document, err);
	if (r == 0)
		r = document_kind(document, d->media_type, &kind, err);
	if (r < 0)
		return r;
	if (kind == MEDIA_MANIFEST)
		return load_manifest(l, d, document, names, err);
	/* index_choose() answers with manifests only, so an index in an index ends here. */
	if (depth > 0)
		return err_set(err, TEU_E_UNSUPPORTED, "an image index inside an image index");
	r = index_read(document, d->media_type, &index, err);
	if (r == 0)
		r = index_choose(&index, &l->platform, &chosen, err);
	return r < 0 ? r : load_entry(l, &chosen->descriptor, names, depth + 1, err);
}

/* Of several entries those for other platforms are none of ours. */
static bool is_wanted(const struct loading *l, const struct index *index, const struct index_entry *entry)
{
	return index->n_entries == 1 || !entry->has_platform || platform_rank(&l->platform, &entry->platform) >= 0;
}

/* The same manifest may stand there once a name. */
static bool is_first(const struct index *index, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(index->entries[j].descriptor.digest, index->entries[i].descriptor.digest) == 0)
			return false;
	return true;
}

static int load_layout(struct loading *l, teu_error **err)
{
	_cleanup_(index_done) struct index index = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = spool_text(&l->spool, "/index.json", &text, &len, err);

	if (r == 0)
		r = err_wrap(err, index_parse(text, len, MEDIA_OCI_INDEX, &index, err), "index.json");
	for (size_t i = 0; r == 0 && i < index.n_entries; i++) {
		const struct index_entry *entry = &index.entries[i];
		_cleanup_(strv_done) struct strv names = STRV_INIT;

		if (!is_wanted(l, &index, entry) || !is_first(&index, i))
			continue;
		for (size_t j = i; j < index.n_entries; j++)
			if (index.entries[j].name &&
			    strcmp(index.entries[j].descriptor.digest, entry->descriptor.digest) == 0)
				add_name(l, index.entries[j].name, &names);
		r = load_entry(l, &entry->descriptor, &names, 0, err);
		err_wrap(err, r, "%s", entry->name ? entry->name : entry->descriptor.digest);
	}
	if (r == 0 && l->images->n == 0) {
		char platform[PLATFORM_TEXT];

		platform_format(&l->platform, platform);
		return err_set(err, TEU_E_NOT_FOUND, "the archive has no image for platform %s", platform);
	}
	return r;
}

/* --- docker-archives --- */

/* What a layer is must be seen: docker writes plain tars, others compress them. */
static int sniff(const struct store *store, const char *digest, const char **ret_media_type, teu_error **err)
{
	static const char *const types[] = {
		[COMPRESSION_NONE] = MEDIA_OCI_LAYER,
		[COMPRESSION_GZIP] = MEDIA_OCI_LAYER_GZIP,
		[COMPRESSION_ZSTD] = MEDIA_OCI_LAYER_ZSTD,
	};
	_cleanup_close_ int fd = -EBADF;
	char magic[COMPRESSION_MAGIC];
	ssize_t len;
	int r = content_open(store, digest, &fd, NULL, err);

	if (r < 0)
		return r;
	len = fd_read_full(fd, magic, sizeof(magic));
	if (len < 0)
		return err_errno(err, (int)-len, "read blob %s", digest);
	*ret_media_type = types[compression_of(magic, (size_t)len)];
	return 0;
}

static int take_layer(struct loading *l, const char *path, const char *diff_id, struct descriptor *ret, teu_error **err)
{
	_cleanup_free_ char *rooted = NULL;
	const char *media_type = NULL;
	int r;

	if (asprintf(&rooted, "/%s", path) < 0)
		return err_oom(err);
	r = spool_blob(&l->spool, rooted, NULL, &ret->digest, &ret->size, err);
	if (r == 0)
		r = sniff(&l->engine->store, ret->digest, &media_type, err);
	if (r < 0)
		return r;
	if (strcmp(media_type, MEDIA_OCI_LAYER) == 0 && strcmp(ret->digest, diff_id) != 0)
		return err_set(err, TEU_E_CORRUPT, "%s has the digest %s, where the image says %s", path, ret->digest,
			       diff_id);
	ret->media_type = strdup(media_type);
	return ret->media_type ? 0 : err_oom(err);
}

/* One object of manifest.json. */
struct docker_image {
	const char *config;
	struct strv tags, layers;
	struct manifest manifest; /* what is made of it */
};

static void docker_image_done(struct docker_image *image)
{
	strv_done(&image->tags);
	strv_done(&image->layers);
	manifest_done(&image->manifest);
}

static int read_docker_image(const json *object, size_t i, struct docker_image *image, teu_error **err)
{
	char where[32];
	int r;

	snprintf(where, sizeof(where), "manifest.json[%zu]", i);
	if (!json_is_object(object))
		return json_field_error(err, where, "", "expected an object");
	r = json_read_string(object, where, "Config", &image->config, err);
	if (r == 0)
		r = json_read_strings(object, where, "RepoTags", &image->tags, err);
	if (r == 0)
		r = json_read_strings(object, where, "Layers", &image->layers, err);
	if (r < 0)
		return r;
	if (!image->config)
		return json_field_error(err, where, "Config", "missing");
	if (image->layers.n > MANIFEST_MAX_LAYERS)
		return err_set(err, TEU_E_LIMIT, "%s.Layers: more than %d", where, MANIFEST_MAX_LAYERS);
	return 0;
}

static int take_layers(struct loading *l, struct docker_image *image, const struct strv *diff_ids, teu_error **err)
{
	struct manifest *m = &image->manifest;
	int r = 0;

	if (image->layers.n != diff_ids->n)
		return err_set(err, TEU_E_CORRUPT, "%s: manifest.json has %zu layers, the config %zu", image->config,
			       image->layers.n, diff_ids->n);
	m->layers = calloc(diff_ids->n + 1, sizeof(*m->layers));
	if (!m->layers)
		return err_oom(err);
	for (size_t i = 0; r == 0 && i < diff_ids->n; i++) {
		r = take_layer(l, image->layers.items[i], diff_ids->items[i], &m->layers[i], err);
		m->n_layers++;
	}
	return r;
}

static int load_docker_image(struct loading *l, struct docker_image *image, teu_error **err)
{
	_cleanup_(image_config_done) struct image_config config = { 0 };
	_cleanup_(strv_done) struct strv names = STRV_INIT;
	_cleanup_free_ char *path = NULL, *text = NULL, *manifest_text = NULL, *digest = NULL;
	struct manifest *m = &image->manifest;
	size_t len;
	int r;

	if (asprintf(&path, "/%s", image->config) < 0)
		return err_oom(err);
	r = spool_text(&l->spool, path, &text, &len, err);
	if (r == 0)
		r = err_wrap(err, image_config_parse(text, len, &config, err), "%s", image->config);
	if (r == 0)
		r = content_put(&l->engine->store, text, len, &m->config.digest, err);
	if (r == 0)
		r = take_layers(l, image, &config.diff_ids, err);
	if (r == 0)
		r = unpack_layers(l, m->layers, m->n_layers, &config.diff_ids, err);
	if (r < 0)
		return r;
	m->config.size = len;
	m->config.media_type = strdup(MEDIA_OCI_CONFIG);
	if (!m->config.media_type)
		return err_oom(err);
	r = manifest_print(&m->config, m->layers, m->n_layers, &manifest_text, err);
	if (r == 0)
		r = content_put(&l->engine->store, manifest_text, strlen(manifest_text), &digest, err);
	strv_foreach (tag, &image->tags)
		add_name(l, *tag, &names);
	return r < 0 ? r : name_image(l, digest, &names, err);
}

static int load_docker(struct loading *l, teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *list = NULL;
	size_t len, i = 0;
	int r = spool_text(&l->spool, "/manifest.json", &text, &len, err);

	if (r == 0)
		r = err_wrap(err, json_parse(text, len, &list, err), "manifest.json");
	if (r < 0)
		return r;
	if (!json_is_array(list) || json_count(list) == 0)
		return err_set(err, TEU_E_CORRUPT, "manifest.json: expected a list of images");
	if (json_count(list) > MAX_IMAGES)
		return err_set(err, TEU_E_LIMIT, "manifest.json: more than %d images", MAX_IMAGES);
	json_foreach (object, list) {
		_cleanup_(docker_image_done) struct docker_image image = { 0 };

		r = read_docker_image(object, i++, &image, err);
		if (r == 0)
			r = load_docker_image(l, &image, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int begin(struct loading *l, teu_error **err)
{
	int r = platform_parse(l->opts->platform, &l->platform, err);

	if (r == 0)
		r = image_list_new(&l->images, err);
	if (r == 0)
		r = progress_begin(&l->progress, l->opts->progress, l->opts->progress_data, l->opts->cancel, err);
	if (r == 0)
		r = lease_take(&l->engine->store, &l->lease, err);
	return r < 0 ? r : lease_add_all(&l->lease, err);
}

static int load(struct loading *l, int fd, teu_error **err)
{
	int r;

	progress_subject(&l->progress, "archive", "reading", 0);
	r = spool_read(&l->spool, &l->engine->store, fd, l->opts->max_layer_size, &l->progress, err);
	if (r < 0)
		return r;
	/* docker writes both; the layout keeps the digests that the images had. */
	if (spool_has(&l->spool, "/oci-layout") && spool_has(&l->spool, "/index.json"))
		return load_layout(l, err);
	if (spool_has(&l->spool, "/manifest.json"))
		return load_docker(l, err);
	return err_set(err, TEU_E_CORRUPT,
		       "neither an OCI archive nor a docker-archive: it has no index.json and no manifest.json");
}

int image_load_archive(teu_engine *engine, int fd, const teu_load_options *opts, teu_image_list **ret, teu_error **err)
{
	_cleanup_(loading_done) struct loading l = { .engine = engine, .opts = opts, .lease = LEASE_INIT };
	int r = begin(&l, err);

	if (r < 0)
		return r;
	r = load(&l, fd, err);
	/* What a bad archive left, and files that no image of a good one spoke of. */
	lease_done(&l.lease);
	gc_collect(&engine->store, GC_UNREACHED, NULL, NULL);
	if (r < 0)
		return err_wrap(err, r, "load");
	*ret = TAKE_PTR(l.images);
	return 0;
}
