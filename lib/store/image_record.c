/* image_record: the chainIDs and the size of an image. */
#include "store/image_record.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "oci/digest.h"
#include "oci/image_config.h"
#include "store/layers.h"

enum { PATH_MAX_LEN = 96, RECORD_MAX = 256 << 10 };

static void record_path(const char *id, char path[PATH_MAX_LEN])
{
	snprintf(path, PATH_MAX_LEN, "images/%s.json", digest_hex(id));
}

/* Anything that looks wrong counts as not there. */
static bool read_kept(const struct store *store, const char *path, struct image_record *record)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *object = NULL;
	size_t len;

	if (fd_read_file(store->root_fd, path, RECORD_MAX, &text, &len, NULL) < 0 ||
	    json_parse(text, len, &object, NULL) < 0 ||
	    json_read_strings(object, "", "chains", &record->chains, NULL) < 0 || !json_get(object, "size"))
		return false;
	for (size_t i = 0; i < record->chains.n; i++)
		if (!digest_is_valid(record->chains.items[i]))
			return false;
	record->size = (uint64_t)json_get_number(object, "size", 0);
	return true;
}

static int compute(const struct store *store, const json *config, struct image_record *record, teu_error **err)
{
	_cleanup_(image_config_done) struct image_config parsed = { 0 };
	int r = image_config_read(config, &parsed, err);

	if (r == 0)
		r = image_config_chains(&parsed.diff_ids, &record->chains, err);
	for (size_t i = 0; r == 0 && i < record->chains.n; i++) {
		_cleanup_(layer_done) struct layer layer = { 0 };

		if (!layers_has(store, record->chains.items[i]))
			return err_set(err, TEU_E_CORRUPT, "layer %s is not in the store", record->chains.items[i]);
		r = layers_read(store, record->chains.items[i], &layer, err);
		record->size += layer.size;
	}
	return r;
}

/* It may fail: the next reader computes it again. */
static void keep(const struct store *store, const char *path, const struct image_record *record)
{
	_cleanup_json_ json *object = json_object();
	_cleanup_free_ char *text = NULL;

	if (json_add(object, "chains", json_strings(record->chains.items)) &&
	    json_add_int(object, "size", (int64_t)record->size) && (text = json_print(object)))
		fd_replace_file(store->root_fd, path, text, strlen(text), 0644, FD_NO_SYNC, NULL);
}

int image_record_read(const struct store *store, const char *id, const json *config, struct image_record *ret,
		      teu_error **err)
{
	_cleanup_(image_record_done) struct image_record record = { 0 };
	char path[PATH_MAX_LEN];
	int r = digest_check(id, "image id", err);

	if (r < 0)
		return r;
	record_path(id, path);
	if (!read_kept(store, path, &record)) {
		image_record_done(&record);
		r = compute(store, config, &record, err);
		if (r < 0)
			return r;
		keep(store, path, &record);
	}
	*ret = record;
	record = (struct image_record){ 0 };
	return 0;
}

void image_record_done(struct image_record *record)
{
	strv_done(&record->chains);
	*record = (struct image_record){ 0 };
}
