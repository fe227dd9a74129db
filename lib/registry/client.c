/* client: manifests and blobs of one repository. */
#include "registry/client.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "format/json.h"
#include "oci/digest.h"
#include "registry/auth.h"

enum { MAX_COMPLAINT = 64 << 10, TLS_PROBE_MS = 5000 };

struct registry {
	char *host;	  /* for errors */
	char *repository; /* path of the repository */
	char *origin;	  /* "https://registry-1.docker.io" */
	char *scope;	  /* what tokens are asked for */
	bool secure;	  /* origin is https */
	struct credentials cred;

	pthread_mutex_t lock; /* guards what follows; held while a token is fetched */
	char *authorization;  /* NULL: none needed so far */
	unsigned generation;  /* counts the changes of authorization */
};

static char *const manifest_types[] = {
	(char *)"application/vnd.oci.image.index.v1+json",
	(char *)"application/vnd.oci.image.manifest.v1+json",
	(char *)"application/vnd.docker.distribution.manifest.list.v2+json",
	(char *)"application/vnd.docker.distribution.manifest.v2+json",
	NULL,
};

void registry_free(struct registry *reg)
{
	if (!reg)
		return;
	free(reg->host);
	free(reg->repository);
	free(reg->origin);
	free(reg->scope);
	free(reg->authorization);
	credentials_done(&reg->cred);
	pthread_mutex_destroy(&reg->lock);
	free(reg);
}

/* Where the images of Docker's own registry really are. */
static const char *server_of(const char *host)
{
	return strcmp(host, "docker.io") == 0 ? "registry-1.docker.io" : host;
}

/*
 * Does the host answer over TLS? Any certificate is an answer: then nothing is sent in plain text, and the first
 * request that counts judges the certificate.
 */
static int probe_tls(const struct registry *reg, struct http *http, bool *ret_tls, teu_error **err)
{
	_cleanup_(http_answer_done) struct http_answer answer = { 0 };
	_cleanup_free_ char *url = NULL;
	_cleanup_error_ teu_error *why = NULL;
	int r;

	if (asprintf(&url, "https://%s/v2/", server_of(reg->host)) < 0)
		return err_oom(err);
	r = http_open(http, &(struct http_request){ .url = url, .connect_ms = TLS_PROBE_MS, .any_peer = true }, &answer,
		      &why);
	*ret_tls = r == 0;
	if (r == 0 || r == TEU_E_NETWORK || r == TEU_E_TIMEOUT)
		return 0;
	if (err && !*err)
		*err = TAKE_PTR(why);
	return r;
}

static int find_origin(struct registry *reg, const struct http_options *opts, struct http *http, teu_error **err)
{
	_cleanup_free_ char *name = NULL;
	uint16_t port;
	int r;

	reg->secure = true;
	r = url_split_host(server_of(reg->host), &name, &port, err);
	if (r == 0 && (opts->insecure || url_is_loopback(name)))
		r = probe_tls(reg, http, &reg->secure, err);
	if (r < 0)
		return r;
	if (asprintf(&reg->origin, "http%s://%s", reg->secure ? "s" : "", server_of(reg->host)) < 0)
		return err_oom(err);
	return 0;
}

static int find_credentials(struct registry *reg, const struct registry_options *opts, teu_error **err)
{
	if (!opts->username)
		return credentials_find(opts->auth_file, reg->host, opts->http.cancel, &reg->cred, err);
	if (strchr(opts->username, ':'))
		return err_set(err, TEU_E_INVALID, "a user name can't have a colon in it");
	reg->cred.username = strdup(opts->username);
	reg->cred.password = strdup(opts->password ?: "");
	return reg->cred.username && reg->cred.password ? 0 : err_oom(err);
}

int registry_open(const struct registry_options *opts, struct http *http, struct registry **ret, teu_error **err)
{
	_cleanup_(registry_freep) struct registry *reg = calloc(1, sizeof(*reg));
	int r;

	if (!reg)
		return err_oom(err);
	pthread_mutex_init(&reg->lock, NULL);
	reg->host = strdup(opts->host);
	reg->repository = strdup(opts->repository);
	if (!reg->host || !reg->repository || asprintf(&reg->scope, "repository:%s:pull", opts->repository) < 0)
		return err_oom(err);
	r = find_credentials(reg, opts, err) ?: find_origin(reg, &opts->http, http, err);
	if (r == 0)
		*ret = TAKE_PTR(reg);
	return r;
}

/* What the registry says about its refusal, "" if it says nothing: distribution-spec, "Error Codes". */
static void read_complaint(struct http *http, char text[200])
{
	_cleanup_json_ json *answer = NULL;
	_cleanup_free_ char *body = NULL;
	const json *first;
	size_t len;

	text[0] = '\0';
	if (http_read_all(http, MAX_COMPLAINT, &body, &len, NULL) < 0 || json_parse(body, len, &answer, NULL) < 0)
		return;
	first = json_first(json_get(answer, "errors"));
	if (first)
		snprintf(text, 200, ": %s", json_get_text(first, "message", json_get_text(first, "code", "")));
}

static int status_error(const struct registry *reg, struct http *http, int status, const char *what, teu_error **err)
{
	char complaint[200], number[16];
	int r;

	read_complaint(http, complaint);
	snprintf(number, sizeof(number), "%d", status);
	if (status == 404)
		r = err_set(err, TEU_E_NOT_FOUND, "%s has no %s%s", reg->host, what, complaint);
	else if (status == 401)
		r = err_set(err, TEU_E_AUTH, "%s refuses %s: %s%s", reg->host, what,
			    reg->cred.username || reg->cred.identity_token ? "the login is wrong or lacks the right"
									   : "it does not exist or wants a login",
			    complaint);
	else if (status == 403)
		r = err_set(err, TEU_E_AUTH, "%s denies access to %s%s", reg->host, what, complaint);
	else if (status == 429)
		r = err_set(err, TEU_E_NETWORK, "%s had too many requests: try later or log in%s", reg->host,
			    complaint);
	else
		r = err_set(err, TEU_E_NETWORK, "%s answers with status %d for %s%s", reg->host, status, what,
			    complaint);
	err_detail(err, "http.status", number);
	return r;
}

/* Takes the authorization as it is now. */
static int current(struct registry *reg, char **ret_value, unsigned *ret_generation, teu_error **err)
{
	bool failed;

	pthread_mutex_lock(&reg->lock);
	*ret_value = reg->authorization ? strdup(reg->authorization) : NULL;
	failed = reg->authorization && !*ret_value;
	*ret_generation = reg->generation;
	pthread_mutex_unlock(&reg->lock);
	return failed ? err_oom(err) : 0;
}

/* Gets another authorization than that of @generation, unless another thread was faster. */
static int renew(struct registry *reg, struct http *http, const struct auth_challenge *challenge, unsigned generation,
		 teu_error **err)
{
	char *value = NULL;
	int r = 0;

	pthread_mutex_lock(&reg->lock);
	if (reg->generation == generation) {
		r = auth_answer(http, challenge, &reg->cred, reg->secure, reg->scope, &value, err);
		if (r == 0) {
			free(reg->authorization);
			reg->authorization = value;
			reg->generation++;
		}
	}
	pthread_mutex_unlock(&reg->lock);
	return err_wrap(err, r, "%s", reg->host);
}

static int try_get(struct registry *reg, struct http *http, struct http_request *request, unsigned *ret_generation,
		   struct http_answer *ret, teu_error **err)
{
	_cleanup_free_ char *authorization = NULL;
	int r = current(reg, &authorization, ret_generation, err);

	if (r < 0)
		return r;
	request->authorization = authorization;
	return http_open(http, request, ret, err);
}

/*
 * A GET that answers one 401: a second one means that the credentials do not do. Only the registry itself is answered;
 * where it redirects to is somebody else's house, and gets neither password nor token (CVE-2020-15157).
 */
static int get(struct registry *reg, struct http *http, const char *resource, char *const *accept, uint64_t offset,
	       struct http_answer *ret, teu_error **err)
{
	_cleanup_(auth_challenge_done) struct auth_challenge challenge = { 0 };
	_cleanup_(http_answer_done) struct http_answer answer = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request = { .accept = accept, .offset = offset };
	unsigned generation;
	int r;

	if (asprintf(&url, "%s/v2/%s/%s", reg->origin, reg->repository, resource) < 0)
		return err_oom(err);
	request.url = url;
	r = try_get(reg, http, &request, &generation, &answer, err);
	if (r == 0 && answer.status == 401 && !answer.redirected) {
		r = auth_parse(&answer.challenges, &challenge, err);
		http_answer_done(&answer);
		r = r ?: renew(reg, http, &challenge, generation, err);
		r = r ?: try_get(reg, http, &request, &generation, &answer, err);
	}
	if (r < 0)
		return r;
	*ret = answer;
	answer = (struct http_answer){ 0 };
	return 0;
}

static int check_manifest_digest(const struct registry *reg, const char *name, const char *announced,
				 const char *digest, teu_error **err)
{
	if (digest_is_valid(name) && strcmp(name, digest) != 0)
		return err_set(err, TEU_E_CORRUPT, "%s sent a manifest with digest %s when asked for %s", reg->host,
			       digest, name);
	/* Other algorithms than ours may be announced; they say nothing here. */
	if (announced && strncmp(announced, "sha256:", 7) == 0 && strcmp(announced, digest) != 0)
		return err_set(err, TEU_E_CORRUPT, "%s sent a manifest with digest %s but announced %.80s", reg->host,
			       digest, announced);
	return 0;
}

int registry_get_manifest(struct registry *reg, struct http *http, const char *name, struct registry_document *ret,
			  teu_error **err)
{
	_cleanup_(registry_document_done) struct registry_document doc = { 0 };
	_cleanup_(http_answer_done) struct http_answer answer = { 0 };
	_cleanup_free_ char *resource = NULL, *what = NULL;
	int r;

	if (asprintf(&resource, "manifests/%s", name) < 0 ||
	    asprintf(&what, "%s%s%s", reg->repository, digest_is_valid(name) ? "@" : ":", name) < 0)
		return err_oom(err);
	r = get(reg, http, resource, manifest_types, 0, &answer, err);
	if (r < 0)
		return r;
	if (answer.status != 200)
		return status_error(reg, http, answer.status, what, err);
	r = http_read_all(http, REGISTRY_MAX_MANIFEST, &doc.text, &doc.len, err);
	r = r ?: sha256_of(doc.text, doc.len, doc.digest, err);
	r = r ?: check_manifest_digest(reg, name, answer.content_digest, doc.digest, err);
	if (r < 0)
		return r;
	doc.media_type = TAKE_PTR(answer.content_type);
	*ret = doc;
	doc = (struct registry_document){ 0 };
	return 0;
}

void registry_document_done(struct registry_document *doc)
{
	free(doc->text);
	free(doc->media_type);
	*doc = (struct registry_document){ 0 };
}

/* Checks the head that came for the bytes of a blob from @offset on. */
static int check_blob_head(const struct registry *reg, const struct http_answer *answer, uint64_t size, uint64_t offset,
			   uint64_t *ret_from, teu_error **err)
{
	*ret_from = answer->status == 206 ? offset : 0;
	if (answer->status == 206 && answer->range_from != offset)
		return err_set(err, TEU_E_CORRUPT, "%s sends another part than asked for", reg->host);
	if (answer->length != UINT64_MAX && answer->length != size - *ret_from)
		return err_set(err, TEU_E_CORRUPT, "%s announces %" PRIu64 " bytes, the descriptor says %" PRIu64,
			       reg->host, *ret_from + answer->length, size);
	return 0;
}

int registry_open_blob(struct registry *reg, struct http *http, const char *digest, uint64_t size, uint64_t offset,
		       uint64_t *ret_from, teu_error **err)
{
	_cleanup_(http_answer_done) struct http_answer answer = { 0 };
	_cleanup_free_ char *resource = NULL, *what = NULL;
	int r;

	if (asprintf(&resource, "blobs/%s", digest) < 0 || asprintf(&what, "blob %s", digest) < 0)
		return err_oom(err);
	r = get(reg, http, resource, NULL, offset, &answer, err);
	if (r < 0)
		return r;
	if (answer.status != 200 && answer.status != 206)
		return status_error(reg, http, answer.status, what, err);
	return check_blob_head(reg, &answer, size, offset, ret_from, err);
}

int registry_get_blob(struct registry *reg, struct http *http, const char *digest, uint64_t size, char **ret_text,
		      teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	char found[SHA256_TEXT_MAX];
	uint64_t from;
	size_t len;
	int r;

	r = registry_open_blob(reg, http, digest, size, 0, &from, err);
	r = r ?: http_read_all(http, (size_t)size, &text, &len, err);
	r = r ?: sha256_of(text, len, found, err);
	if (r < 0)
		return r;
	if (len != size || strcmp(found, digest) != 0)
		return err_set(err, TEU_E_CORRUPT, "%s sent %zu bytes with digest %s", reg->host, len, found);
	*ret_text = TAKE_PTR(text);
	return 0;
}
