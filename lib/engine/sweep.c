/*
 * sweep: puts right what crashed processes left, and checks what is kept. The parts: image_check below for the store of
 * images; what belongs to containers has its own.
 */
#include "engine/sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/strv.h"
#include "engine/finish.h"
#include "engine/image.h"
#include "format/sha256.h"
#include "oci/digest.h"
#include "oci/image_config.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "store/container_write.h"
#include "store/content.h"
#include "store/gc.h"
#include "store/layers.h"

int engine_sweep(teu_engine *engine, teu_error **err)
{
	int r = finish_sweep(engine, err);

	if (r == 0)
		r = containers_sweep(&engine->store, err);
	return r < 0 ? r : gc_collect(&engine->store, GC_LEFTOVERS, NULL, err);
}

static int list_folder(const struct store *store, const char *folder, struct strv *ret, teu_error **err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int fd, r = fd_open_dir(store->root_fd, folder, 0710, &fd, err);

	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_oom(err);
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(ret, entry->d_name);
	return ret->oom ? err_oom(err) : 0;
}

/* What is there, and what is reached, at one moment. */
struct inventory {
	struct images images;
	struct gc_marks marks;
	struct strv blobs, layers, containers; /* names in their folders */
};

static void inventory_done(struct inventory *inv)
{
	images_done(&inv->images);
	gc_marks_done(&inv->marks);
	strv_done(&inv->blobs);
	strv_done(&inv->layers);
	strv_done(&inv->containers);
}

static int take_inventory(const struct store *store, struct inventory *inv, teu_error **err)
{
	_cleanup_close_ int lock = -EBADF;
	int r = store_lock(store, LOCK_SHARED, &lock, err);

	if (r == 0)
		r = gc_mark(store, &inv->marks, err);
	if (r == 0)
		r = images_read(store, &inv->images, err);
	if (r == 0)
		r = list_folder(store, "blobs/sha256", &inv->blobs, err);
	if (r == 0)
		r = list_folder(store, "layers", &inv->layers, err);
	if (r == 0)
		r = list_folder(store, "containers", &inv->containers, err);
	return r;
}

/* The digest of a blob's bytes; TEU_E_NOT_FOUND: it went meanwhile. */
static int sum_blob(const struct store *store, const char *digest, char sum[SHA256_TEXT_MAX], teu_error **err)
{
	enum { CHUNK = 1 << 20 };
	_cleanup_(sha256_freep) struct sha256 *hash = NULL;
	_cleanup_free_ char *buffer = malloc(CHUNK);
	_cleanup_close_ int fd = -EBADF;
	ssize_t n;
	int r;

	if (!buffer)
		return err_oom(err);
	r = content_open(store, digest, &fd, NULL, err);
	if (r == 0)
		r = sha256_new(&hash, err);
	if (r < 0)
		return r;
	while ((n = fd_read_full(fd, buffer, CHUNK)) > 0)
		sha256_add(hash, buffer, (size_t)n);
	if (n < 0)
		return err_errno(err, (int)-n, "read blob %s", digest);
	sha256_text(hash, sum);
	return 0;
}

static int check_blobs(const struct store *store, const struct inventory *inv, struct strv *problems, teu_error **err)
{
	strv_foreach (name, &inv->blobs) {
		char digest[DIGEST_LEN + 1], sum[SHA256_TEXT_MAX];
		_cleanup_error_ teu_error *trouble = NULL;
		int r;

		snprintf(digest, sizeof(digest), "sha256:%s", *name);
		if (!digest_is_valid(digest)) {
			strv_addf(problems, "blobs/sha256/%s: not the name of a blob", *name);
			continue;
		}
		if (!gc_is_marked(&inv->marks, digest))
			strv_addf(problems, "blob %s: nothing refers to it", digest);
		r = sum_blob(store, digest, sum, &trouble);
		if (r < 0 && r != TEU_E_NOT_FOUND && r != TEU_E_SYSTEM) {
			if (err)
				*err = TAKE_PTR(trouble);
			return r;
		}
		if (r == TEU_E_SYSTEM)
			strv_addf(problems, "%s", teu_error_message(trouble));
		else if (r == 0 && strcmp(sum, digest) != 0)
			strv_addf(problems, "blob %s: its bytes have the digest %s", digest, sum);
	}
	return 0;
}

static void check_layer(const struct store *store, const char *chain, struct strv *problems)
{
	_cleanup_(layer_done) struct layer layer = { 0 };
	_cleanup_error_ teu_error *trouble = NULL;
	_cleanup_free_ char *sum = NULL, *tree = layers_path(store, chain);

	if (layers_read(store, chain, &layer, &trouble) < 0 ||
	    image_config_chain(layer.parent, layer.diff_id, &sum, &trouble) < 0) {
		strv_addf(problems, "%s", teu_error_message(trouble));
		return;
	}
	if (strcmp(sum, chain) != 0)
		strv_addf(problems, "layer %s: its record has the chainID %s", chain, sum);
	if (layer.parent && !layers_has(store, layer.parent))
		strv_addf(problems, "layer %s: its parent %s is missing", chain, layer.parent);
	if (!tree || access(tree, F_OK) < 0)
		strv_addf(problems, "layer %s: its tree is missing", chain);
}

/* Its maker died; a maker that ended meanwhile took the folder along. */
static bool is_left(const struct store *store, const char *name)
{
	char path[NAME_MAX + 32];

	snprintf(path, sizeof(path), "layers/%s/lock", name);
	if (lock_is_held(store->root_fd, path))
		return false;
	snprintf(path, sizeof(path), "layers/%s", name);
	return faccessat(store->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void check_layers(const struct store *store, const struct inventory *inv, struct strv *problems)
{
	strv_foreach (name, &inv->layers) {
		char chain[DIGEST_LEN + 1];

		snprintf(chain, sizeof(chain), "sha256:%s", *name);
		if (!digest_is_valid(chain)) {
			if (is_left(store, *name))
				strv_addf(problems, "layers/%s: left by a process that died", *name);
			continue;
		}
		if (!gc_is_marked(&inv->marks, chain))
			strv_addf(problems, "layer %s: nothing refers to it", chain);
		check_layer(store, chain, problems);
	}
}

/* A name's manifest, its config, and all that they speak of. */
static int check_image(const struct store *store, const char *digest, teu_error **err)
{
	_cleanup_(manifest_done) struct manifest manifest = { 0 };
	_cleanup_(image_config_done) struct image_config config = { 0 };
	_cleanup_(strv_done) struct strv chains = STRV_INIT;
	_cleanup_free_ char *text = NULL, *config_text = NULL;
	size_t len, config_len;
	int r = content_read(store, digest, &text, &len, err);

	if (r == 0)
		r = manifest_parse(text, len, NULL, &manifest, err);
	if (r == 0)
		r = content_read(store, manifest.config.digest, &config_text, &config_len, err);
	if (r == 0)
		r = image_config_parse(config_text, config_len, &config, err);
	if (r == 0)
		r = image_config_chains(&config.diff_ids, &chains, err);
	for (size_t i = 0; r == 0 && i < manifest.n_layers; i++)
		if (!content_has(store, manifest.layers[i].digest))
			r = err_set(err, TEU_E_CORRUPT, "blob %s is missing", manifest.layers[i].digest);
	for (size_t i = 0; r == 0 && i < chains.n; i++)
		if (!layers_has(store, chains.items[i]))
			r = err_set(err, TEU_E_CORRUPT, "layer %s is missing", chains.items[i]);
	return r;
}

static size_t check_images(const struct store *store, const struct inventory *inv, struct strv *problems)
{
	const struct images *images = &inv->images;
	size_t n = 0;

	for (size_t i = 0; i < images->n_rows; i++) {
		const struct image_row *row = &images->rows[i];
		_cleanup_error_ teu_error *trouble = NULL;

		n += !row->id || images_find_id(images, row->id) == row;
		if (check_image(store, row->manifest, &trouble) < 0)
			strv_addf(problems, "image %s: %s", row->name ? reference_shorten(row->name) : row->manifest,
				  teu_error_message(trouble));
	}
	return n;
}

static size_t count_valid(const struct strv *names)
{
	size_t n = 0;

	strv_foreach (name, names)
		n += strlen(*name) == DIGEST_HEX_LEN;
	return n;
}

int engine_check_store(teu_engine *engine, char **ret_report, teu_error **err)
{
	_cleanup_(inventory_done) struct inventory inv = { .images = IMAGES_INIT };
	_cleanup_(strv_done) struct strv problems = STRV_INIT;
	_cleanup_json_ json *report = json_object();
	size_t n_images;
	int r = take_inventory(&engine->store, &inv, err);

	if (r == 0)
		r = check_blobs(&engine->store, &inv, &problems, err);
	if (r < 0)
		return r;
	check_layers(&engine->store, &inv, &problems);
	n_images = check_images(&engine->store, &inv, &problems);
	if (problems.oom || !json_add(report, "problems", json_strings(problems.items)) ||
	    !json_add_int(report, "blobs", (int64_t)inv.blobs.n) ||
	    !json_add_int(report, "layers", (int64_t)count_valid(&inv.layers)) ||
	    !json_add_int(report, "images", (int64_t)n_images) ||
	    !json_add_int(report, "containers", (int64_t)count_valid(&inv.containers)))
		return err_oom(err);
	*ret_report = json_print(report);
	return *ret_report ? 0 : err_oom(err);
}
