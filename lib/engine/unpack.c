/* unpack: a compressed blob in the content store becomes a layer; a stream of tar becomes blob and layer at once. */
#include "engine/unpack.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/fd.h"
#include "engine/pipeline.h"
#include "store/content.h"
#include "store/layers.h"

enum { READ_SIZE = 256 << 10 };

/* One unpacking: the layer's draft, the pipeline that fills it, and what the caller asked for. */
struct unpack {
	struct pipeline pipeline;
	struct layer_draft draft;
	const struct unpack_options *options;
	uint64_t packed; /* compressed bytes so far */
};

static void unpack_done(struct unpack *u)
{
	pipeline_done(&u->pipeline);
	layers_draft_done(&u->draft);
}

#define UNPACK_INIT                                                                                                    \
	{                                                                                                              \
		.draft = {.fs_fd = -EBADF, .lock_fd = -EBADF }                                                         \
	}

static int unpack_begin(struct unpack *u, teu_engine *engine, const struct unpack_options *options, teu_error **err)
{
	static const struct unpack_options none;
	struct apply_options apply;
	int r;

	u->options = options ? options : &none;
	apply = (struct apply_options){ .max_size = u->options->max_size, .cancel = u->options->cancel };
	r = layers_begin(&engine->store, &u->draft, err);
	return r < 0 ? r : pipeline_start(&u->pipeline, u->draft.fs_fd, &apply, err);
}

/* All of @source through the pipeline. */
static int run(struct unpack *u, unpack_source_cb source, void *data, teu_error **err)
{
	const void *bytes;
	ssize_t n;

	while ((n = source(data, &bytes, err)) > 0) {
		if (!pipeline_feed(&u->pipeline, bytes, (size_t)n))
			break;
		u->packed += (uint64_t)n;
		if (u->options->progress)
			u->options->progress(u->packed, u->options->progress_data);
		n = cancel_check(u->options->cancel, err);
		if (n < 0)
			break;
	}
	return n < 0 ? (int)n : pipeline_finish(&u->pipeline, err);
}

/* The layer is there already; the bytes may still be wanted by whoever hands them over. */
static int pass_by(unpack_source_cb source, int (*verify)(void *data, teu_error **err), void *data, teu_error **err)
{
	const void *bytes;
	ssize_t n;

	if (!verify)
		return 0;
	while ((n = source(data, &bytes, err)) > 0)
		;
	return n < 0 ? (int)n : verify(data, err);
}

int unpack_stream(teu_engine *engine, unpack_source_cb source, int (*verify)(void *data, teu_error **err), void *data,
		  const char *diff_id, const char *chain_id, const char *parent_chain_id,
		  const struct unpack_options *opts, teu_error **err)
{
	_cleanup_(unpack_done) struct unpack u = UNPACK_INIT;
	int r;

	if (layers_has(&engine->store, chain_id))
		return pass_by(source, verify, data, err);
	r = unpack_begin(&u, engine, opts, err);
	if (r == 0)
		r = run(&u, source, data, err);
	if (r == 0 && verify)
		r = verify(data, err);
	if (r < 0)
		return r;
	if (strcmp(u.pipeline.diff_id, diff_id) != 0)
		return err_set(err, TEU_E_CORRUPT, "its diffID is %s, where the image says %s", u.pipeline.diff_id,
			       diff_id);
	return layers_commit(&u.draft, chain_id, diff_id, parent_chain_id, u.pipeline.size, err);
}

struct blob_source {
	int fd;
	char *buffer; /* READ_SIZE */
};

static ssize_t read_blob(void *data, const void **ret_bytes, teu_error **err)
{
	struct blob_source *blob = data;
	ssize_t n = fd_read_full(blob->fd, blob->buffer, READ_SIZE);

	if (n < 0)
		return err_errno(err, (int)-n, "read blob");
	*ret_bytes = blob->buffer;
	return n;
}

int unpack_blob(teu_engine *engine, const char *digest, const char *diff_id, const char *chain_id,
		const char *parent_chain_id, const struct unpack_options *opts, teu_error **err)
{
	_cleanup_free_ char *buffer = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (layers_has(&engine->store, chain_id))
		return 0;
	r = content_open(&engine->store, digest, &fd, NULL, err);
	if (r < 0)
		return r;
	buffer = malloc(READ_SIZE);
	if (!buffer)
		return err_oom(err);
	r = unpack_stream(engine, read_blob, NULL, &(struct blob_source){ fd, buffer }, diff_id, chain_id,
			  parent_chain_id, opts, err);
	return err_wrap(err, r, "layer %s", digest);
}

/* What import reads goes to the blob's draft and to the pipeline. */
struct import_source {
	struct content_draft draft;
	struct sha256 *sum; /* owned */
	char *buffer;	    /* owned, READ_SIZE */
	int fd;
	const teu_cancel *cancel;
};

static void import_source_done(struct import_source *source)
{
	content_draft_done(&source->draft);
	sha256_free(source->sum);
	free(source->buffer);
}

/* It may be a pipe or terminal that gives nothing for a long time. */
static int wait_readable(const struct import_source *source, teu_error **err)
{
	struct pollfd fds[] = { { .fd = source->fd, .events = POLLIN },
				{ .fd = cancel_fd(source->cancel), .events = POLLIN } };

	while (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		if (errno != EINTR)
			return err_errno(err, errno, "wait for the archive");
	return cancel_check(source->cancel, err);
}

static ssize_t read_import(void *data, const void **ret_bytes, teu_error **err)
{
	struct import_source *source = data;
	ssize_t n;
	int r;

	do {
		r = wait_readable(source, err);
		if (r < 0)
			return r;
		n = read(source->fd, source->buffer, READ_SIZE);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return err_errno(err, errno, "read the archive");
	sha256_add(source->sum, source->buffer, (size_t)n);
	r = fd_write_all(source->draft.fd, source->buffer, (size_t)n);
	if (r < 0)
		return err_errno(err, -r, "write blob");
	*ret_bytes = source->buffer;
	return n;
}

static int import_begin(struct import_source *source, teu_engine *engine, teu_error **err)
{
	int r = sha256_new(&source->sum, err);

	if (r < 0)
		return r;
	source->buffer = malloc(READ_SIZE);
	if (!source->buffer)
		return err_oom(err);
	return content_begin_new(&engine->store, &source->draft, err);
}

static const char *media_type_of(enum compression kind)
{
	switch (kind) {
	case COMPRESSION_GZIP:
		return "application/vnd.oci.image.layer.v1.tar+gzip";
	case COMPRESSION_ZSTD:
		return "application/vnd.oci.image.layer.v1.tar+zstd";
	default:
		return "application/vnd.oci.image.layer.v1.tar";
	}
}

/* Blob before layer: a layer without its blob could not be pushed. */
static int import_commit(struct import_source *source, struct unpack *u, const char *digest, teu_error **err)
{
	int r = content_draft_name(&source->draft, digest, err);

	if (r == 0)
		r = content_commit(&source->draft, err);
	if (r == 0)
		r = layers_commit(&u->draft, u->pipeline.diff_id, u->pipeline.diff_id, NULL, u->pipeline.size, err);
	return r;
}

int unpack_import(teu_engine *engine, int fd, const struct unpack_options *opts, char **ret_digest,
		  uint64_t *ret_blob_size, const char **ret_media_type, char **ret_diff_id, teu_error **err)
{
	_cleanup_(import_source_done) struct import_source source = {
		.draft = { .fd = -EBADF },
		.fd = fd,
		.cancel = opts ? opts->cancel : NULL,
	};
	_cleanup_(unpack_done) struct unpack u = UNPACK_INIT;
	_cleanup_free_ char *diff_id = NULL;
	char digest[SHA256_TEXT_MAX];
	int r = import_begin(&source, engine, err);

	if (r == 0)
		r = unpack_begin(&u, engine, opts, err);
	if (r == 0)
		r = run(&u, read_import, &source, err);
	if (r < 0)
		return r;
	sha256_text(source.sum, digest);
	diff_id = strdup(u.pipeline.diff_id);
	if (!diff_id)
		return err_oom(err);
	r = import_commit(&source, &u, digest, err);
	if (r < 0)
		return r;
	*ret_digest = strdup(digest);
	if (!*ret_digest)
		return err_oom(err);
	*ret_diff_id = TAKE_PTR(diff_id);
	*ret_blob_size = u.packed;
	*ret_media_type = media_type_of(u.pipeline.kind);
	return 0;
}
