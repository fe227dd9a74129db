/*
 * pull: an image from a registry into the store.
 *
 * All work is done by threads of this call with all signals blocked; the calling thread waits for them, for its cancel
 * token and for the time limit, and runs the progress callback. Whatever ends the pull early fires `stop`, which every
 * wait below looks at. The first thread to fail is the one whose error is reported.
 */
#include "engine/pull.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "engine/fetch.h"
#include "engine/image.h"
#include "engine/reports.h"
#include "engine/unpack.h"
#include "oci/digest.h"
#include "oci/document.h"
#include "oci/image_config.h"
#include "oci/index.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "store/gc.h"
#include "store/layers.h"
#include "store/leases.h"

struct pull {
	teu_engine *engine;	      /* borrowed */
	const teu_pull_options *opts; /* borrowed */
	struct reference ref;
	char *name; /* normalized */
	struct platform platform;
	struct lease lease;
	struct registry *registry;
	struct registry_document document; /* of the manifest, once it is chosen */
	char *registry_digest;		   /* what the name stands for: an index's or the manifest's */
	struct manifest manifest;
	char *config_text; /* blob of the config */
	struct image_config config;
	char *warning; /* for the log, which belongs to the calling thread; NULL: none */
	struct strv chains;
	size_t *order;	   /* layers, the largest first: it would be the last to end */
	size_t first_item; /* reports: 0 is the name, then the layers */

	struct reports reports;
	teu_cancel *stop;
	pthread_mutex_t lock; /* guards what follows */
	size_t next;	      /* in order */
	int code;	      /* of the first failure */
	teu_error *why;
	teu_image *image;
};

/* Keeps the first failure and stops the others. Takes @why. */
static void fail(struct pull *p, int code, teu_error *why)
{
	pthread_mutex_lock(&p->lock);
	if (p->code == 0) {
		p->code = code;
		p->why = TAKE_PTR(why);
	}
	pthread_mutex_unlock(&p->lock);
	teu_error_unref(why);
	teu_cancel_fire(p->stop);
}

static struct http_options http_options_of(const struct pull *p)
{
	return (struct http_options){
		.ca_file = p->opts->ca_file,
		.insecure = p->opts->insecure,
		.cancel = p->stop,
	};
}

static int open_registry(struct pull *p, struct http *http, teu_error **err)
{
	struct registry_options opts = {
		.host = p->ref.host,
		.repository = p->ref.path,
		.username = p->opts->username,
		.password = p->opts->password,
		.auth_file = p->opts->auth_file,
		.http = http_options_of(p),
	};

	reports_post(&p->reports, 0, "resolving", 0, 0);
	return registry_open(&opts, http, &p->registry, err);
}

/* From an index to the manifest of our platform. */
static int choose(struct pull *p, struct http *http, const json *document, teu_error **err)
{
	_cleanup_(index_done) struct index index = { 0 };
	const struct index_entry *entry;
	_cleanup_free_ char *digest = NULL;
	int r;

	r = index_read(document, p->document.media_type, &index, err);
	r = r ?: index_choose(&index, &p->platform, &entry, err);
	if (r < 0)
		return r;
	digest = strdup(entry->descriptor.digest);
	if (!digest)
		return err_oom(err);
	registry_document_done(&p->document);
	r = registry_get_manifest(p->registry, http, digest, &p->document, err);
	if (r == 0 && p->document.len != entry->descriptor.size)
		return err_set(err, TEU_E_CORRUPT, "manifest %s has another size than its descriptor says", digest);
	return r;
}

static int read_document(struct pull *p, json **ret, enum media_kind *ret_kind, teu_error **err)
{
	int r = json_parse(p->document.text, p->document.len, ret, err);

	r = r ?: document_kind(*ret, p->document.media_type, ret_kind, err);
	return err_wrap(err, r, "manifest %s", p->document.digest);
}

static int get_manifest(struct pull *p, struct http *http, teu_error **err)
{
	_cleanup_json_ json *document = NULL;
	enum media_kind kind;
	int r;

	r = registry_get_manifest(p->registry, http, p->ref.digest ?: p->ref.tag, &p->document, err);
	r = r ?: read_document(p, &document, &kind, err);
	if (r < 0)
		return r;
	p->registry_digest = strdup(p->document.digest);
	if (!p->registry_digest)
		return err_oom(err);
	if (kind == MEDIA_INDEX) {
		r = choose(p, http, document, err);
		if (r < 0)
			return r;
		json_free(TAKE_PTR(document));
		r = read_document(p, &document, &kind, err);
	}
	r = r ?: lease_add(&p->lease, p->document.digest, err);
	if (r < 0)
		return r;
	return err_wrap(err, manifest_read(document, p->document.media_type, &p->manifest, err), "manifest %s",
			p->document.digest);
}

static int check_config(struct pull *p, teu_error **err)
{
	char has[PLATFORM_TEXT], wanted[PLATFORM_TEXT];

	if (p->config.diff_ids.n != p->manifest.n_layers)
		return err_set(err, TEU_E_CORRUPT, "it names %zu diffIDs, the manifest %zu layers",
			       p->config.diff_ids.n, p->manifest.n_layers);
	platform_format(&p->config.platform, has);
	platform_format(&p->platform, wanted);
	if (platform_rank(&p->platform, &p->config.platform) >= 0)
		return 0;
	if (p->opts->platform)
		return err_set(err, TEU_E_NOT_FOUND, "the image is for %s, not for %s", has, wanted);
	if (asprintf(&p->warning, "%s is for %s, this machine is %s", p->name, has, wanted) < 0)
		return err_oom(err);
	return 0;
}

static int get_config(struct pull *p, struct http *http, teu_error **err)
{
	const struct descriptor *blob = &p->manifest.config;
	size_t len = (size_t)blob->size;
	int r;

	if (blob->size > JSON_MAX_SIZE)
		return err_set(err, TEU_E_LIMIT, "config %s has more than %d bytes", blob->digest, JSON_MAX_SIZE);
	r = lease_add(&p->lease, blob->digest, err);
	if (r < 0)
		return r;
	if (content_has(&p->engine->store, blob->digest))
		r = content_read(&p->engine->store, blob->digest, &p->config_text, &len, err);
	else
		r = registry_get_blob(p->registry, http, blob->digest, blob->size, &p->config_text, err);
	r = r ?: image_config_parse(p->config_text, len, &p->config, err);
	r = r ?: check_config(p, err);
	r = r ?: image_config_chains(&p->config.diff_ids, &p->chains, err);
	return err_wrap(err, r, "config %s", blob->digest);
}

/* One layer on its way: what its callbacks need. */
struct layer_job {
	struct pull *pull;
	size_t i;
	size_t item;
};

static void show(const struct layer_job *job, const char *action, uint64_t done)
{
	reports_post(&job->pull->reports, job->item, action, done, job->pull->manifest.layers[job->i].size);
}

static void show_fetched(uint64_t bytes, void *data)
{
	const struct layer_job *job = data;
	uint64_t size = job->pull->manifest.layers[job->i].size;

	show(job, bytes < size ? "downloading" : "unpacking", bytes);
}

static void show_unpacked(uint64_t bytes, void *data)
{
	show(data, "unpacking", bytes);
}

static const char *parent_of(const struct pull *p, size_t i)
{
	return i ? p->chains.items[i - 1] : NULL;
}

/* Reads the blob to its end for its own sake: the layer is unpacked already. */
static int fetch_only(struct fetch *f, teu_error **err)
{
	const void *bytes;
	ssize_t n;

	while ((n = fetch_next(f, &bytes, err)) > 0)
		;
	return n < 0 ? (int)n : fetch_verify(f, err);
}

static int fetch_layer(const struct layer_job *job, struct http *http, struct content_draft *draft, teu_error **err)
{
	struct pull *p = job->pull;
	_cleanup_(fetch_done) struct fetch f = {
		.registry = p->registry,
		.http = http,
		.cancel = p->stop,
		.blob = &p->manifest.layers[job->i],
		.draft = draft,
		.progress = show_fetched,
		.progress_data = (void *)job,
	};
	struct unpack_options opts = { .max_size = p->opts->max_layer_size, .cancel = p->stop };
	const char *chain = p->chains.items[job->i];
	int r = fetch_begin(&f, err);

	if (r < 0)
		return r;
	if (layers_has(&p->engine->store, chain))
		return fetch_only(&f, err);
	return unpack_stream(p->engine, fetch_next, fetch_verify, &f, p->config.diff_ids.items[job->i], chain,
			     parent_of(p, job->i), &opts, err);
}

/* Here, or in a thread that failed first: then what is kept for another try only keeps the disk full. */
static bool disk_is_full(struct pull *p, int code)
{
	pthread_mutex_lock(&p->lock);
	if (p->code)
		code = p->code;
	pthread_mutex_unlock(&p->lock);
	return code == TEU_E_NO_SPACE;
}

/*
 * Bytes that proved wrong are thrown away. If an earlier pull left some of them, the fault may be there: then once more
 * from the beginning.
 */
static int fetch_into_draft(const struct layer_job *job, struct http *http, struct content_draft *draft,
			    teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	bool resumed = draft->have > 0;
	int r = fetch_layer(job, http, draft, &why);

	if (r == TEU_E_CORRUPT && resumed) {
		content_discard(draft);
		teu_error_unref(TAKE_PTR(why));
		r = fetch_layer(job, http, draft, &why);
	}
	if (r == TEU_E_CORRUPT || r == TEU_E_LIMIT || (r < 0 && disk_is_full(job->pull, r)))
		content_discard(draft);
	if (r < 0 && err && !*err)
		*err = TAKE_PTR(why);
	return r < 0 ? r : content_commit(draft, err);
}

static int unpack_stored(const struct layer_job *job, teu_error **err)
{
	struct pull *p = job->pull;
	struct unpack_options opts = {
		.max_size = p->opts->max_layer_size,
		.cancel = p->stop,
		.progress = show_unpacked,
		.progress_data = (void *)job,
	};

	return unpack_blob(p->engine, p->manifest.layers[job->i].digest, p->config.diff_ids.items[job->i],
			   p->chains.items[job->i], parent_of(p, job->i), &opts, err);
}

static int pull_layer(const struct layer_job *job, struct http *http, teu_error **err)
{
	_cleanup_(content_draft_done) struct content_draft draft = { .fd = -EBADF };
	struct pull *p = job->pull;
	const struct descriptor *blob = &p->manifest.layers[job->i];
	const char *chain = p->chains.items[job->i];
	const struct store *store = &p->engine->store;
	bool exists;
	int r;

	r = cancel_check(p->stop, err) ?: lease_add(&p->lease, blob->digest, err) ?: lease_add(&p->lease, chain, err);
	r = r ?: content_begin(store, blob->digest, p->stop, &draft, &exists, err);
	if (r < 0)
		return r;
	if (exists && layers_has(store, chain)) {
		show(job, "exists", blob->size);
		return 0;
	}
	r = exists ? unpack_stored(job, err) : fetch_into_draft(job, http, &draft, err);
	if (r == 0)
		show(job, "done", blob->size);
	return r;
}

/* Takes layers until there are none, or somebody failed. */
static void take_layers(struct pull *p, struct http *http)
{
	for (;;) {
		_cleanup_error_ teu_error *why = NULL;
		struct layer_job job = { .pull = p };
		bool more;
		int r;

		pthread_mutex_lock(&p->lock);
		more = p->code == 0 && p->next < p->manifest.n_layers;
		if (more)
			job.i = p->order[p->next++];
		pthread_mutex_unlock(&p->lock);
		if (!more)
			return;
		job.item = p->first_item + job.i;
		r = pull_layer(&job, http, &why);
		if (r < 0) {
			err_wrap(&why, r, "layer %s", p->manifest.layers[job.i].digest);
			fail(p, r, TAKE_PTR(why));
		}
	}
}

static void *layer_thread(void *data)
{
	_cleanup_(http_freep) struct http *http = NULL;
	struct pull *p = data;
	struct http_options opts = http_options_of(p);
	teu_error *why = NULL;
	int r = http_new(&opts, &http, &why);

	if (r < 0)
		fail(p, r, why);
	else
		take_layers(p, http);
	return NULL;
}

/* Beside the network, for it may take seconds; what goes wrong here is the sweep's to tell. */
static void *tidy_thread(void *data)
{
	const struct pull *p = data;

	gc_tidy(&p->engine->store, NULL);
	return NULL;
}

static int by_size(const void *a, const void *b, void *data)
{
	const struct descriptor *layers = data;
	uint64_t x = layers[*(const size_t *)a].size, y = layers[*(const size_t *)b].size;

	return x < y ? 1 : x > y ? -1 : 0;
}

static int plan_layers(struct pull *p, teu_error **err)
{
	size_t n = p->manifest.n_layers;

	p->order = calloc(n + 1, sizeof(*p->order));
	if (!p->order)
		return err_oom(err);
	for (size_t i = 0; i < n; i++) {
		char id[DIGEST_SHORT_MAX];
		size_t item;
		int r;

		if (p->opts->max_layer_size && p->manifest.layers[i].size > p->opts->max_layer_size)
			return err_set(err, TEU_E_LIMIT, "layer %s is larger than the limit",
				       p->manifest.layers[i].digest);
		digest_short(p->manifest.layers[i].digest, id);
		r = reports_add(&p->reports, id, &item, err);
		if (r < 0)
			return r;
		if (i == 0)
			p->first_item = item;
		p->order[i] = i;
		reports_post(&p->reports, item, "waiting", 0, p->manifest.layers[i].size);
	}
	qsort_r(p->order, n, sizeof(*p->order), by_size, p->manifest.layers);
	return 0;
}

/* This thread takes layers like the others. */
static int get_layers(struct pull *p, struct http *http, teu_error **err)
{
	pthread_t threads[PULL_MAX_PARALLEL], tidy;
	bool tidies;
	size_t n = 0, wanted = (size_t)(p->opts->parallel ?: PULL_PARALLEL);
	int r = plan_layers(p, err);

	if (r < 0)
		return r;
	wanted = wanted < p->manifest.n_layers ? wanted : p->manifest.n_layers;
	tidies = pthread_create(&tidy, NULL, tidy_thread, p) == 0;
	/* A thread that can't be had is one layer less at once, and no failure. */
	while (n + 1 < wanted && pthread_create(&threads[n], NULL, layer_thread, p) == 0)
		n++;
	take_layers(p, http);
	while (n)
		pthread_join(threads[--n], NULL);
	if (tidies)
		pthread_join(tidy, NULL);
	return p->code;
}

/* Only now, with all layers there, do the documents enter the store, and the name last. */
static int record(struct pull *p, struct http *http, teu_error **err)
{
	_cleanup_free_ char *config = NULL, *manifest = NULL;
	const struct store *store = &p->engine->store;
	int r = cancel_check(p->stop, err);

	(void)http;
	r = r ?: content_put(store, p->config_text, (size_t)p->manifest.config.size, &config, err);
	r = r ?: content_put(store, p->document.text, p->document.len, &manifest, err);
	r = r ?: image_store(p->engine, manifest, p->name, p->registry_digest, &p->image, err);
	if (r == 0)
		reports_post(&p->reports, 0, "done", 0, 0);
	return r;
}

static int (*const steps[])(struct pull *p, struct http *http, teu_error **err) = {
	open_registry, get_manifest, get_config, get_layers, record,
};

static void *pull_thread(void *data)
{
	_cleanup_(http_freep) struct http *http = NULL;
	struct pull *p = data;
	struct http_options opts = http_options_of(p);
	teu_error *why = NULL;
	int r = http_new(&opts, &http, &why);

	for (size_t i = 0; i < ARRAY_SIZE(steps) && r == 0; i++)
		r = steps[i](p, http, &why);
	if (r < 0)
		fail(p, r, why);
	reports_end(&p->reports);
	return NULL;
}

/* What the calling thread does meanwhile. */
static int wait_for_end(struct pull *p, teu_error **err)
{
	int64_t deadline = p->opts->timeout_ms > 0 ? clock_monotonic_ms() + p->opts->timeout_ms : 0;
	struct pollfd fds[] = { { .fd = p->reports.fd, .events = POLLIN },
				{ .fd = cancel_fd(p->opts->cancel), .events = POLLIN } };
	bool ended = false;
	int r = 0, n;

	while (!ended) {
		n = poll(fds, ARRAY_SIZE(fds), clock_left_ms(deadline));
		if (n < 0 && errno != EINTR)
			r = err_errno(err, errno, "poll");
		if (n == 0)
			r = err_set(err, TEU_E_TIMEOUT, "not done within %" PRIi64 " ms", p->opts->timeout_ms);
		if (n > 0 && fds[1].revents)
			r = cancel_check(p->opts->cancel, err);
		if (reports_deliver(&p->reports, r ? NULL : p->opts->progress, p->opts->progress_data, &ended))
			r = err_set(err, TEU_E_CANCELLED, "stopped by the caller");
		if (r == 0)
			continue;
		/* From now on only the end is of interest. */
		teu_cancel_fire(p->stop);
		fds[1].fd = -1;
		deadline = 0;
	}
	return r;
}

static int run(struct pull *p, teu_error **err)
{
	sigset_t all, before;
	pthread_t thread;
	int r, eno;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	eno = pthread_create(&thread, NULL, pull_thread, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (eno)
		return err_errno(err, eno, "start a thread");
	r = wait_for_end(p, err);
	pthread_join(thread, NULL);
	if (p->warning)
		engine_log(p->engine, TEU_LOG_WARNING, "%s", p->warning);
	/* All was done before the stop was noticed: then it is done. */
	if (p->code == 0) {
		if (r < 0 && err) {
			teu_error_unref(*err);
			*err = NULL;
		}
		return 0;
	}
	if (r < 0)
		return r;
	if (err && !*err)
		*err = TAKE_PTR(p->why);
	return p->code;
}

static int prepare(struct pull *p, const char *reference, teu_error **err)
{
	_cleanup_free_ char *shown = NULL;
	size_t item;
	int r;

	if (p->opts->parallel < 0 || p->opts->parallel > PULL_MAX_PARALLEL)
		return err_set(err, TEU_E_INVALID, "parallel: expected 0 to %d", PULL_MAX_PARALLEL);
	if (p->opts->timeout_ms < 0)
		return err_set(err, TEU_E_INVALID, "timeout_ms: negative");
	r = reference_parse(reference, &p->ref, err) ?: platform_parse(p->opts->platform, &p->platform, err);
	if (r < 0)
		return r;
	p->name = reference_format(&p->ref);
	shown = reference_familiar(&p->ref);
	if (!p->name || !shown)
		return err_oom(err);
	r = reports_init(&p->reports, err) ?: reports_add(&p->reports, shown, &item, err);
	r = r ?: teu_cancel_new(&p->stop, err);
	return r ?: lease_take(&p->engine->store, &p->lease, err);
}

static void pull_done(struct pull *p)
{
	lease_done(&p->lease);
	reports_done(&p->reports);
	registry_free(p->registry);
	registry_document_done(&p->document);
	manifest_done(&p->manifest);
	image_config_done(&p->config);
	strv_done(&p->chains);
	reference_done(&p->ref);
	teu_cancel_unref(p->stop);
	teu_error_unref(p->why);
	teu_image_unref(p->image);
	pthread_mutex_destroy(&p->lock);
	free(p->registry_digest);
	free(p->warning);
	free(p->config_text);
	free(p->order);
	free(p->name);
}

int pull(teu_engine *engine, const char *reference, const teu_pull_options *opts, teu_image **ret, teu_error **err)
{
	_cleanup_(pull_done) struct pull p = {
		.engine = engine,
		.opts = opts,
		.lease = LEASE_INIT,
		.reports.fd = -EBADF,
	};
	int r;

	pthread_mutex_init(&p.lock, NULL);
	r = prepare(&p, reference, err) ?: run(&p, err);
	if (r < 0)
		return err_wrap(err, r, "pull %s", p.name ? reference_shorten(p.name) : reference);
	*ret = TAKE_PTR(p.image);
	return 0;
}
