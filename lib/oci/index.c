/* index: the same image for several platforms, or the images of a layout. */
#include "oci/index.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "oci/document.h"
#include "oci/media_type.h"

static int read_platform(const json *object, const char *where, struct index_entry *entry, teu_error **err)
{
	const char *os = NULL, *arch = NULL, *variant = NULL;
	const json *platform = NULL;
	char place[64];
	int r = json_read_object(object, where, "platform", &platform, err);

	if (r < 0 || !platform)
		return r;
	snprintf(place, sizeof(place), "%s.platform", where);
	r = json_read_string(platform, place, "os", &os, err);
	if (r == 0)
		r = json_read_string(platform, place, "architecture", &arch, err);
	if (r == 0)
		r = json_read_string(platform, place, "variant", &variant, err);
	if (r < 0)
		return r;
	entry->has_platform = arch && *arch;
	entry->platform = platform_of(os, arch, variant);
	return 0;
}

static int read_entry(const json *object, size_t i, struct index_entry *entry, teu_error **err)
{
	const json *annotations;
	const char *name;
	char where[48];
	int r;

	snprintf(where, sizeof(where), "manifests[%zu]", i);
	r = descriptor_read(object, where, &entry->descriptor, err);
	if (r == 0)
		r = read_platform(object, where, entry, err);
	if (r < 0)
		return r;
	annotations = json_get(object, "annotations");
	name = json_get_text(annotations, ANNOTATION_IMAGE_NAME, json_get_text(annotations, ANNOTATION_REF_NAME, NULL));
	if (name) {
		entry->name = strdup(name);
		if (!entry->name)
			return err_oom(err);
	}
	return 0;
}

static int read_entries(const json *manifests, struct index *index, teu_error **err)
{
	int r;

	if (json_count(manifests) > INDEX_MAX_ENTRIES)
		return err_set(err, TEU_E_LIMIT, "manifests: more than %d", INDEX_MAX_ENTRIES);
	index->entries = calloc(json_count(manifests) + 1, sizeof(*index->entries));
	if (!index->entries)
		return err_oom(err);
	json_foreach (object, manifests) {
		r = read_entry(object, index->n_entries, &index->entries[index->n_entries], err);
		index->n_entries++;
		if (r < 0)
			return r;
	}
	return 0;
}

int index_read(const json *document, const char *content_type, struct index *ret, teu_error **err)
{
	_cleanup_(index_done) struct index index = { 0 };
	const json *manifests = NULL;
	enum media_kind kind;
	int r = document_kind(document, content_type, &kind, err);

	if (r < 0)
		return r;
	if (kind != MEDIA_INDEX)
		return err_set(err, TEU_E_CORRUPT, "a manifest where an image index belongs");
	r = json_read_array(document, "", "manifests", &manifests, err);
	if (r == 0)
		r = read_entries(manifests, &index, err);
	if (r < 0)
		return r;
	index.media_type = strdup(json_get_text(document, "mediaType", MEDIA_OCI_INDEX));
	if (!index.media_type)
		return err_oom(err);
	*ret = index;
	index = (struct index){ 0 };
	return 0;
}

int index_parse(const char *text, size_t len, const char *content_type, struct index *ret, teu_error **err)
{
	_cleanup_json_ json *document = NULL;
	int r = json_parse(text, len, &document, err);

	return r < 0 ? r : index_read(document, content_type, ret, err);
}

void index_done(struct index *index)
{
	for (size_t i = 0; i < index->n_entries; i++) {
		descriptor_done(&index->entries[i].descriptor);
		free(index->entries[i].name);
	}
	free(index->entries);
	free(index->media_type);
	*index = (struct index){ 0 };
}

static int none_fits(const struct index *index, const struct platform *platform, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf there = STRBUF_INIT;
	char text[PLATFORM_TEXT];

	for (size_t i = 0; i < index->n_entries && there.len < 300; i++) {
		/* Attestations are listed as "unknown/unknown". */
		if (!index->entries[i].has_platform || strcmp(index->entries[i].platform.os, "unknown") == 0)
			continue;
		platform_format(&index->entries[i].platform, text);
		strbuf_addf(&there, "%s%s", there.len ? ", " : "", text);
	}
	platform_format(platform, text);
	return err_set(err, TEU_E_NOT_FOUND, "no image for platform %s; there are: %s", text,
		       there.len ? there.text : "none");
}

int index_choose(const struct index *index, const struct platform *platform, const struct index_entry **ret,
		 teu_error **err)
{
	const struct index_entry *best = NULL;
	int best_rank = INT_MAX;

	for (size_t i = 0; i < index->n_entries; i++) {
		const struct index_entry *entry = &index->entries[i];
		int rank = entry->has_platform ? platform_rank(platform, &entry->platform) : INT_MAX - 1;

		if (media_kind_of(entry->descriptor.media_type) != MEDIA_MANIFEST || rank < 0 || rank >= best_rank)
			continue;
		best = entry;
		best_rank = rank;
	}
	if (!best)
		return none_fits(index, platform, err);
	*ret = best;
	return 0;
}
