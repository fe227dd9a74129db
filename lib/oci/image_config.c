/* image_config: how to run an image, and the diffIDs of its layers. */
#include "oci/image_config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "format/sha256.h"
#include "oci/digest.h"
#include "oci/manifest.h"

/* Fields of "config" that the engine reads later; a wrong type is told here, where the image's name is at hand. */
static int check_run_fields(const json *document, teu_error **err)
{
	static const char *const lists[] = { "Env", "Cmd", "Entrypoint", "Shell", "OnBuild" };
	static const char *const words[] = { "User", "WorkingDir", "StopSignal" };
	static const char *const maps[] = { "ExposedPorts", "Volumes", "Labels", "Healthcheck" };
	const json *config = NULL, *map = NULL;
	const char *word;
	int r = json_read_object(document, "", "config", &config, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++) {
		_cleanup_(strv_done) struct strv list = STRV_INIT;

		r = json_read_strings(config, "config", lists[i], &list, err);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(words); i++)
		r = json_read_string(config, "config", words[i], &word, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(maps); i++)
		r = json_read_object(config, "config", maps[i], &map, err);
	return r;
}

static int read_diff_ids(const json *document, struct strv *ret, teu_error **err)
{
	const json *rootfs = NULL;
	char place[48];
	int r = json_read_object(document, "", "rootfs", &rootfs, err);

	if (r < 0)
		return r;
	if (!rootfs)
		return json_field_error(err, "", "rootfs", "missing");
	r = json_read_strings(rootfs, "rootfs", "diff_ids", ret, err);
	if (r < 0)
		return r;
	if (ret->n > MANIFEST_MAX_LAYERS)
		return err_set(err, TEU_E_LIMIT, "rootfs.diff_ids: more than %d", MANIFEST_MAX_LAYERS);
	for (size_t i = 0; i < ret->n; i++) {
		snprintf(place, sizeof(place), "rootfs.diff_ids[%zu]", i);
		r = digest_check(ret->items[i], place, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int image_config_read(const json *document, struct image_config *ret, teu_error **err)
{
	_cleanup_(image_config_done) struct image_config config = { 0 };
	const char *os = NULL, *arch = NULL, *variant = NULL, *created = NULL;
	int r;

	if (!json_is_object(document))
		return err_set(err, TEU_E_INVALID, "the image config is not a JSON object");
	r = json_read_string(document, "", "os", &os, err);
	if (r == 0)
		r = json_read_string(document, "", "architecture", &arch, err);
	if (r == 0)
		r = json_read_string(document, "", "variant", &variant, err);
	if (r == 0)
		r = json_read_string(document, "", "created", &created, err);
	if (r == 0)
		r = check_run_fields(document, err);
	if (r == 0)
		r = read_diff_ids(document, &config.diff_ids, err);
	if (r < 0)
		return r;
	config.platform = platform_of(os, arch, variant);
	if (created && !clock_parse(created, &config.created))
		config.created = 0;
	*ret = config;
	config = (struct image_config){ 0 };
	return 0;
}

int image_config_parse(const char *text, size_t len, struct image_config *ret, teu_error **err)
{
	_cleanup_json_ json *document = NULL;
	int r = json_parse(text, len, &document, err);

	return r < 0 ? r : image_config_read(document, ret, err);
}

void image_config_done(struct image_config *config)
{
	strv_done(&config->diff_ids);
	*config = (struct image_config){ 0 };
}

int image_config_chain(const char *parent, const char *diff_id, char **ret, teu_error **err)
{
	char text[2 * SHA256_TEXT_MAX], sum[SHA256_TEXT_MAX];
	int len, r;

	if (parent) {
		len = snprintf(text, sizeof(text), "%s %s", parent, diff_id);
		r = sha256_of(text, (size_t)len, sum, err);
		if (r < 0)
			return r;
	}
	*ret = strdup(parent ? sum : diff_id);
	return *ret ? 0 : err_oom(err);
}

int image_config_chains(const struct strv *diff_ids, struct strv *ret, teu_error **err)
{
	const char *parent = NULL;

	for (size_t i = 0; i < diff_ids->n; i++) {
		_cleanup_free_ char *chain = NULL;
		int r = image_config_chain(parent, diff_ids->items[i], &chain, err);

		if (r < 0)
			return r;
		strv_add(ret, chain);
		if (ret->oom)
			return err_oom(err);
		parent = ret->items[ret->n - 1];
	}
	return 0;
}

static bool add_history(json *document, const char *created, const char *message)
{
	json *step = json_append_object(json_add_array(document, "history"));

	return json_add_string(step, "created", created) && json_add_string(step, "comment", message);
}

static bool add_rootfs(json *document, const char *diff_id)
{
	json *rootfs = json_add_object(document, "rootfs");

	return json_add_string(rootfs, "type", "layers") &&
	       json_append_string(json_add_array(rootfs, "diff_ids"), diff_id);
}

int image_config_print(const struct platform *platform, const char *diff_id, const json *config, int64_t created,
		       const char *message, char **ret, teu_error **err)
{
	_cleanup_json_ json *document = json_object();
	char when[CLOCK_TEXT_MAX];
	bool ok;

	clock_format(created, when);
	ok = json_add_string(document, "created", when) && json_add_string(document, "architecture", platform->arch) &&
	     (!platform->variant[0] || json_add_string(document, "variant", platform->variant)) &&
	     json_add_string(document, "os", platform->os) &&
	     json_add(document, "config", config ? json_copy(config) : json_object()) &&
	     add_rootfs(document, diff_id) && add_history(document, when, message);
	*ret = ok ? json_print(document) : NULL;
	return *ret ? 0 : err_oom(err);
}
