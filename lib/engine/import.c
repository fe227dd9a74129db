/* import: an image with one layer from the tar of a root filesystem. Source: Docker Engine API, "ImageCreate", fromSrc.
 */
#include <string.h>

#include "base/clock.h"
#include "engine/image.h"
#include "engine/progress.h"
#include "engine/unpack.h"
#include "oci/image_config.h"
#include "oci/manifest.h"
#include "oci/media_type.h"
#include "oci/reference.h"
#include "store/content.h"
#include "store/gc.h"
#include "store/leases.h"

/* What the caller asked for, checked before a byte is read. */
struct request {
	struct platform platform;
	char *name;   /* normalized, owned; NULL: none */
	json *config; /* owned; NULL: empty */
	const char *message;
	int64_t created;
};

static void request_done(struct request *req)
{
	free(req->name);
	json_free(req->config);
}

static int print_config(const struct request *req, const char *diff_id, char **ret, teu_error **err)
{
	return image_config_print(&req->platform, diff_id, req->config, req->created, req->message, ret, err);
}

/* The whole document is made once for the check alone, so that a wrong field is told before a long import. */
static int check_config(const struct request *req, teu_error **err)
{
	static const char any[] = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
	_cleanup_(image_config_done) struct image_config parsed = { 0 };
	_cleanup_free_ char *text = NULL;
	int r;

	if (req->config && !json_is_object(req->config))
		return err_set(err, TEU_E_INVALID, "changes: expected a JSON object");
	r = print_config(req, any, &text, err);
	return r < 0 ? r : image_config_parse(text, strlen(text), &parsed, err);
}

static int read_name(const char *reference, char **ret, teu_error **err)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	int r = reference_parse(reference, &ref, err);

	if (r < 0)
		return r;
	if (ref.digest)
		return err_set(err, TEU_E_INVALID, "an imported image can't be named by a digest: %s", reference);
	*ret = reference_format(&ref);
	return *ret ? 0 : err_oom(err);
}

static int read_request(const char *reference, const teu_import_options *opts, struct request *req, teu_error **err)
{
	int r = platform_parse(opts->platform, &req->platform, err);

	if (r == 0 && reference)
		r = read_name(reference, &req->name, err);
	if (r == 0 && opts->changes_json)
		r = err_wrap(err, json_parse(opts->changes_json, strlen(opts->changes_json), &req->config, err),
			     "changes");
	if (r < 0)
		return r;
	req->message = opts->message ? opts->message : "imported";
	req->created = clock_now_ns();
	return check_config(req, err);
}

static int store_documents(teu_engine *engine, const struct request *req, const struct descriptor *layer,
			   const char *diff_id, char **ret_manifest, teu_error **err)
{
	_cleanup_free_ char *config_text = NULL, *config_digest = NULL, *text = NULL;
	struct descriptor config = { (char *)MEDIA_OCI_CONFIG, NULL, 0 };
	int r = print_config(req, diff_id, &config_text, err);

	if (r == 0)
		r = content_put(&engine->store, config_text, strlen(config_text), &config_digest, err);
	if (r < 0)
		return r;
	config.digest = config_digest;
	config.size = strlen(config_text);
	r = manifest_print(&config, layer, 1, &text, err);
	return r < 0 ? r : content_put(&engine->store, text, strlen(text), ret_manifest, err);
}

static int import(teu_engine *engine, int fd, const struct request *req, struct progress *progress, uint64_t max_size,
		  teu_image **ret, teu_error **err)
{
	_cleanup_free_ char *digest = NULL, *diff_id = NULL, *manifest = NULL;
	struct unpack_options unpack;
	struct descriptor layer = { 0 };
	const char *media_type = NULL;
	int r;

	progress_subject(progress, req->name ? reference_shorten(req->name) : "import", "unpacking", 0);
	unpack = progress_unpack_options(progress, max_size);
	r = unpack_import(engine, fd, &unpack, &digest, &layer.size, &media_type, &diff_id, err);
	r = progress_check(progress, r, err);
	if (r < 0)
		return r;
	layer.digest = digest;
	layer.media_type = (char *)media_type;
	r = store_documents(engine, req, &layer, diff_id, &manifest, err);
	return r < 0 ? r : image_store(engine, manifest, req->name, NULL, ret, err);
}

int image_import(teu_engine *engine, int fd, const char *reference, const teu_import_options *opts, teu_image **ret,
		 teu_error **err)
{
	_cleanup_(request_done) struct request req = { 0 };
	_cleanup_(lease_done) struct lease lease = LEASE_INIT;
	_cleanup_(progress_done) struct progress progress = PROGRESS_INIT;
	int r = read_request(reference, opts, &req, err);

	if (r == 0)
		r = progress_begin(&progress, opts->progress, opts->progress_data, opts->cancel, err);
	if (r == 0)
		r = lease_take(&engine->store, &lease, err);
	/* Nobody knows the digests before the last byte. */
	if (r == 0)
		r = lease_add_all(&lease, err);
	if (r < 0)
		return r;
	r = import(engine, fd, &req, &progress, opts->max_layer_size, ret, err);
	if (r < 0) {
		lease_done(&lease);
		gc_collect(&engine->store, GC_UNREACHED, NULL, NULL);
	}
	return err_wrap(err, r, "import");
}
