/* http: exchanges by libcurl's multi interface, one at a time, the body pulled by the caller. */
#include "registry/http.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/library.h"
#include "base/parse.h"

enum { BODY_ROOM = 1 << 20, DRAIN_MAX = 16 << 10 };

#define CURL_CALLS(X)                                                                                                  \
	X(global_init)                                                                                                 \
	X(easy_init)                                                                                                   \
	X(easy_cleanup) X(easy_reset) X(easy_setopt) X(easy_getinfo) X(easy_pause) X(multi_init) X(multi_cleanup)      \
		X(multi_add_handle) X(multi_remove_handle) X(multi_perform) X(multi_poll) X(multi_info_read)           \
			X(slist_append) X(slist_free_all)

/* The typechecking macros of curl.h would stand in the way of the names below. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

static struct {
#define X(name) __typeof__(curl_##name) *name;
	CURL_CALLS(X)
#undef X
} curl;

static const struct library_symbol symbols[] = {
#define X(name) { "curl_" #name, &curl.name },
	CURL_CALLS(X)
#undef X
};

static struct library libcurl = {
	.soname = "libcurl.so.4",
	.package = "libcurl4",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static CURLcode initialized;

static void initialize(void)
{
	initialized = curl.global_init(CURL_GLOBAL_DEFAULT);
}

static int open_curl(teu_error **err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int r = library_open(&libcurl, err);

	if (r < 0)
		return r;
	pthread_once(&once, initialize);
	return initialized == CURLE_OK ? 0 : err_set(err, TEU_E_UNSUPPORTED, "libcurl.so.4 can't be initialized");
}

struct http {
	struct http_options opts;
	char *ca_file; /* owned copy */
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	bool added; /* easy is in multi: an exchange is under way */
	char trouble[CURL_ERROR_SIZE];

	/* The exchange under way. */
	struct url url;
	char *origin; /* of url: the subject of errors */
	struct http_answer answer;
	char *location;
	size_t head_len;
	bool head_done, finished, paused, oom;
	CURLcode result; /* once finished */
	char *body;	 /* BODY_ROOM bytes, owned */
	size_t body_len;
	bool taken;	       /* the caller has the body's bytes */
	int64_t heard_ms;      /* when the peer was last heard */
	int64_t waited_ms;     /* time spent waiting, in the window that measures the rate … */
	uint64_t waited_bytes; /* … and the bytes that came in it */
};

static void take_text(struct http *http, char **to, const char *value, size_t len)
{
	free(*to);
	*to = strndup(value, len);
	http->oom |= !*to;
}

/* "bytes 100-199/200" */
static uint64_t range_start(const char *value)
{
	_cleanup_free_ char *digits = NULL;
	uint64_t from;

	if (strncasecmp(value, "bytes ", 6) != 0)
		return UINT64_MAX;
	digits = strndup(value + 6, strcspn(value + 6, "-"));
	return digits && parse_u64(digits, &from) ? from : UINT64_MAX;
}

static void take_header(struct http *http, const char *name, const char *value)
{
	struct http_answer *a = &http->answer;

	if (strcasecmp(name, "content-type") == 0) {
		take_text(http, &a->content_type, value, strcspn(value, "; \t"));
		for (char *c = a->content_type; c && *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c += 'a' - 'A';
	} else if (strcasecmp(name, "docker-content-digest") == 0) {
		take_text(http, &a->content_digest, value, strlen(value));
	} else if (strcasecmp(name, "location") == 0) {
		take_text(http, &http->location, value, strlen(value));
	} else if (strcasecmp(name, "content-range") == 0) {
		a->range_from = range_start(value);
	} else if (strcasecmp(name, "www-authenticate") == 0) {
		strv_add(&a->challenges, value);
	}
}

static void answer_reset(struct http_answer *answer)
{
	http_answer_done(answer);
	answer->length = answer->range_from = UINT64_MAX;
}

static void take_status(struct http *http, const char *line)
{
	const char *code = strchr(line, ' ');

	answer_reset(&http->answer);
	free(TAKE_PTR(http->location));
	http->answer.status = code ? atoi(code) : 0;
}

/* One line of the head; also those of a "100 Continue" before it and of trailers behind the body. */
static size_t on_header(char *bytes, size_t one, size_t len, void *data)
{
	_cleanup_free_ char *line = NULL;
	struct http *http = data;
	char *value;

	http->heard_ms = clock_monotonic_ms();
	http->head_len += len;
	if (http->head_len > HTTP_MAX_HEAD)
		return 0;
	if (http->head_done)
		return one * len;
	line = strndup(bytes, len);
	if (!line) {
		http->oom = true;
		return 0;
	}
	line[strcspn(line, "\r\n")] = '\0';
	if (strncasecmp(line, "HTTP/", 5) == 0) {
		take_status(http, line);
	} else if (!line[0]) {
		http->head_done = http->answer.status >= 200;
	} else if ((value = strchr(line, ':'))) {
		*value++ = '\0';
		take_header(http, line, value + strspn(value, " \t"));
	}
	return http->oom ? 0 : len;
}

static size_t on_body(char *bytes, size_t one, size_t len, void *data)
{
	struct http *http = data;

	http->heard_ms = clock_monotonic_ms();
	if (len > BODY_ROOM - http->body_len) {
		http->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	http->waited_bytes += len;
	memcpy(http->body + http->body_len, bytes, len);
	http->body_len += len;
	return one * len;
}

int http_new(const struct http_options *opts, struct http **ret, teu_error **err)
{
	_cleanup_(http_freep) struct http *http = NULL;
	int r = open_curl(err);

	if (r < 0)
		return r;
	http = calloc(1, sizeof(*http));
	if (!http)
		return err_oom(err);
	http->opts = *opts;
	http->ca_file = opts->ca_file ? strdup(opts->ca_file) : NULL;
	http->multi = curl.multi_init();
	http->easy = curl.easy_init();
	http->body = malloc(BODY_ROOM);
	if (!http->multi || !http->easy || !http->body || (opts->ca_file && !http->ca_file))
		return err_oom(err);
	*ret = TAKE_PTR(http);
	return 0;
}

/* Ends the exchange under way, if any: a connection whose body was not read to its end is closed. */
static void end(struct http *http)
{
	if (http->added)
		curl.multi_remove_handle(http->multi, http->easy);
	http->added = false;
	curl.slist_free_all(TAKE_PTR(http->headers));
	answer_reset(&http->answer);
	free(TAKE_PTR(http->location));
	free(TAKE_PTR(http->origin));
	url_done(&http->url);
	http->head_len = http->body_len = 0;
	http->head_done = http->finished = http->paused = http->taken = http->oom = false;
	http->waited_ms = 0;
	http->waited_bytes = 0;
	http->trouble[0] = '\0';
}

void http_free(struct http *http)
{
	if (!http)
		return;
	end(http);
	if (http->easy)
		curl.easy_cleanup(http->easy);
	if (http->multi)
		curl.multi_cleanup(http->multi);
	free(http->body);
	free(http->ca_file);
	free(http);
}

void http_answer_done(struct http_answer *answer)
{
	free(answer->content_type);
	free(answer->content_digest);
	strv_done(&answer->challenges);
	*answer = (struct http_answer){ 0 };
}

static int add_header(struct http *http, const char *name, const char *value, teu_error **err)
{
	_cleanup_free_ char *line = NULL;
	struct curl_slist *grown;

	if (asprintf(&line, "%s: %s", name, value) < 0)
		return err_oom(err);
	grown = curl.slist_append(http->headers, line);
	if (!grown)
		return err_oom(err);
	http->headers = grown;
	return 0;
}

static void set_tls(struct http *http, const struct http_request *request)
{
	CURL *easy = http->easy;

	if (http->opts.insecure || request->any_peer) {
		curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
		/* libcurl would parse the system's bundle all the same, for 20 ms. */
		curl.easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl.easy_setopt(easy, CURLOPT_CAPATH, NULL);
	} else if (http->ca_file) {
		/* The file takes the place of the system's bundle; the folder with the same certificates stays. */
		curl.easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
		curl.easy_setopt(easy, CURLOPT_CAPATH, "/etc/ssl/certs");
	}
}

static void set_basics(struct http *http, const struct http_request *request)
{
	CURL *easy = http->easy;

	curl.easy_reset(easy);
	curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, http->trouble);
	curl.easy_setopt(easy, CURLOPT_USERAGENT, "teu/" PACKAGE_VERSION);
	curl.easy_setopt(easy, CURLOPT_BUFFERSIZE, 512L << 10);
	curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl.easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* One transfer a connection: HTTP/2 would only add its windows. */
	curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(request->connect_ms ?: HTTP_CONNECT_MS));
	curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl.easy_setopt(easy, CURLOPT_HEADERDATA, http);
	curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl.easy_setopt(easy, CURLOPT_WRITEDATA, http);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A cancelled call does not wait for a name server. */
	curl.easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	if (url_is_loopback(http->url.host))
		curl.easy_setopt(easy, CURLOPT_NOPROXY, "*");
}

static int set_request(struct http *http, const struct http_request *request, teu_error **err)
{
	_cleanup_free_ char *url = url_format(&http->url);
	CURL *easy = http->easy;
	char range[32];
	int r = 0;

	set_basics(http, request);
	set_tls(http, request);
	for (char *const *type = request->accept; type && *type && r == 0; type++)
		r = add_header(http, "Accept", *type, err);
	if (r == 0 && request->authorization)
		r = add_header(http, "Authorization", request->authorization, err);
	if (r < 0)
		return r;
	if (!url || curl.easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK)
		return err_oom(err);
	curl.easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
	if (request->offset) {
		snprintf(range, sizeof(range), "%" PRIu64 "-", request->offset);
		curl.easy_setopt(easy, CURLOPT_RANGE, range);
	}
	if (request->form)
		curl.easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->form);
	return 0;
}

/* OpenSSL's words for a peer that answers in plain text or hangs up are many: every failed handshake counts as one. */
static int report_tls(struct http *http, teu_error **err)
{
	switch (http->result) {
	case CURLE_SSL_CONNECT_ERROR:
		return err_set(err, TEU_E_NETWORK, "%s: no TLS connection: %s", http->origin, http->trouble);
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(err, TEU_E_INVALID, "CA file %s can't be used: %s", http->ca_file ?: "of the system",
			       http->trouble);
	default:
		return err_set(
			err, TEU_E_NETWORK,
			"%s: its certificate is not trusted (%s): name its CA file, or allow the host as insecure",
			http->origin, http->trouble);
	}
}

static int report_connect(struct http *http, teu_error **err)
{
	long eno = 0;
	const char *why;

	curl.easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &eno);
	why = eno ? strerrordesc_np((int)eno) : NULL;
	return err_set(err, TEU_E_NETWORK, "%s: can't connect: %s", http->origin, why ?: http->trouble);
}

/* Why the exchange failed, from libcurl's code. */
static int report(struct http *http, teu_error **err)
{
	if (http->oom || http->result == CURLE_OUT_OF_MEMORY)
		return err_oom(err);
	if (http->head_len > HTTP_MAX_HEAD)
		return err_set(err, TEU_E_LIMIT, "%s: the head of its answer has more than %d bytes", http->origin,
			       HTTP_MAX_HEAD);
	switch (http->result) {
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return report_tls(http, err);
	case CURLE_COULDNT_CONNECT:
		return report_connect(http, err);
	case CURLE_COULDNT_RESOLVE_HOST:
		return err_set(err, TEU_E_NETWORK, "%s: host name not found", http->origin);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, TEU_E_TIMEOUT, "%s: no connection in time: %s", http->origin, http->trouble);
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return err_set(err, TEU_E_NETWORK, "%s: the connection broke off", http->origin);
	default:
		return err_set(err, TEU_E_NETWORK, "%s: %s", http->origin,
			       http->trouble[0] ? http->trouble : "the exchange failed");
	}
}

static int check_rate(struct http *http, int64_t waited, teu_error **err)
{
	uint64_t bytes;

	http->waited_ms += waited;
	if (http->waited_ms < HTTP_SLOW_MS)
		return 0;
	bytes = http->waited_bytes;
	http->waited_ms = 0;
	http->waited_bytes = 0;
	if (bytes < (uint64_t)HTTP_SLOW_BYTES * (HTTP_SLOW_MS / 1000))
		return err_set(err, TEU_E_TIMEOUT, "%s: sends less than %d bytes a second", http->origin,
			       HTTP_SLOW_BYTES);
	return 0;
}

/* Waits until the peer is heard, or @deadline_ms. */
static int wait_for_peer(struct http *http, int64_t deadline_ms, teu_error **err)
{
	int32_t stall_ms = http->opts.stall_ms ?: HTTP_STALL_MS;
	struct curl_waitfd stop = { .fd = cancel_fd(http->opts.cancel), .events = CURL_WAIT_POLLIN };
	int64_t now = clock_monotonic_ms(), after, left = http->heard_ms + stall_ms - now;

	if (left <= 0)
		return err_set(err, TEU_E_TIMEOUT, "%s: sent nothing for %d s", http->origin, stall_ms / 1000);
	if (deadline_ms && deadline_ms <= now)
		return err_set(err, TEU_E_TIMEOUT, "%s: gave no answer within %d s", http->origin, HTTP_HEAD_MS / 1000);
	if (deadline_ms && deadline_ms - now < left)
		left = deadline_ms - now;
	if (curl.multi_poll(http->multi, &stop, stop.fd >= 0, (int)left, NULL) != CURLM_OK)
		return err_set(err, TEU_E_SYSTEM, "%s: libcurl can't poll", http->origin);
	after = clock_monotonic_ms();
	/* A head has its deadline, a body its least rate. */
	return deadline_ms ? 0 : check_rate(http, after - now, err);
}

/* Moves the exchange on without waiting. */
static int step(struct http *http, teu_error **err)
{
	int running, queued, r;
	CURLMsg *message;

	r = cancel_check(http->opts.cancel, err);
	if (r < 0)
		return r;
	if (curl.multi_perform(http->multi, &running) != CURLM_OK)
		return err_set(err, TEU_E_SYSTEM, "%s: libcurl can't go on", http->origin);
	while ((message = curl.multi_info_read(http->multi, &queued)))
		if (message->msg == CURLMSG_DONE && message->easy_handle == http->easy) {
			http->finished = true;
			http->result = message->data.result;
		}
	return 0;
}

static int receive_head(struct http *http, teu_error **err)
{
	int64_t deadline = clock_monotonic_ms() + HTTP_HEAD_MS;
	curl_off_t length = -1;
	int r;

	http->heard_ms = clock_monotonic_ms();
	if (curl.multi_add_handle(http->multi, http->easy) != CURLM_OK)
		return err_oom(err);
	http->added = true;
	for (;;) {
		r = step(http, err);
		if (r < 0)
			return r;
		if (http->head_done)
			break;
		if (http->finished)
			return report(http, err);
		r = wait_for_peer(http, deadline, err);
		if (r < 0)
			return r;
	}
	curl.easy_getinfo(http->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	http->answer.length = length < 0 ? UINT64_MAX : (uint64_t)length;
	return http->answer.challenges.oom ? err_oom(err) : 0;
}

/* One hop. Takes @url. */
static int exchange(struct http *http, struct url *url, const struct http_request *request, teu_error **err)
{
	int r;

	end(http);
	http->url = *url;
	*url = (struct url){ 0 };
	http->origin = url_origin(&http->url);
	if (!http->origin)
		return err_oom(err);
	if (!http->url.https && !http->opts.insecure && !url_is_loopback(http->url.host))
		return err_set(err, TEU_E_INVALID,
			       "%s: plain HTTP is refused but to this machine: allow the host as insecure",
			       http->origin);
	r = set_request(http, request, err);
	return r < 0 ? r : receive_head(http, err);
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Reads what little body a redirect has, so that the connection can be kept. */
static void drain(struct http *http)
{
	const void *bytes;
	size_t sum = 0;
	ssize_t n;

	while (sum < DRAIN_MAX && (n = http_read(http, &bytes, NULL)) > 0)
		sum += (size_t)n;
}

static int next_hop(struct http *http, struct url *ret, teu_error **err)
{
	_cleanup_(url_done) struct url next = { 0 };
	_cleanup_free_ char *origin = NULL;
	int r;

	if (!http->location)
		return err_set(err, TEU_E_NETWORK, "%s: a redirect (status %d) to nowhere", http->origin,
			       http->answer.status);
	r = url_resolve(&http->url, http->location, &next, err);
	if (r < 0)
		return err_wrap(err, r, "%s: a redirect is refused", http->origin);
	origin = url_origin(&next);
	if (!origin)
		return err_oom(err);
	if (http->url.https && !next.https)
		return err_set(err, TEU_E_NETWORK, "%s: a redirect from https to http is refused (%s)", http->origin,
			       origin);
	drain(http);
	*ret = next;
	next = (struct url){ 0 };
	return 0;
}

int http_open(struct http *http, const struct http_request *request, struct http_answer *ret, teu_error **err)
{
	_cleanup_(url_done) struct url next = { 0 };
	struct http_request hop = *request;
	bool redirected = false;
	int r;

	r = url_parse(request->url, &next, err);
	for (int hops = 0; r == 0; hops++) {
		r = exchange(http, &next, &hop, err);
		if (r < 0 || !is_redirect(http->answer.status) || request->form)
			break;
		if (hops == HTTP_MAX_REDIRECTS)
			return err_set(err, TEU_E_NETWORK, "%s: more than %d redirects", http->origin,
				       HTTP_MAX_REDIRECTS);
		r = next_hop(http, &next, err);
		if (r == 0 && !url_same_origin(&http->url, &next)) {
			hop.authorization = NULL;
			redirected = true;
		}
	}
	if (r < 0)
		return r;
	*ret = http->answer;
	ret->redirected = redirected;
	http->answer = (struct http_answer){ 0 };
	return 0;
}

ssize_t http_read(struct http *http, const void **ret_bytes, teu_error **err)
{
	int r;

	if (http->taken)
		http->body_len = 0;
	http->taken = false;
	http->heard_ms = clock_monotonic_ms();
	while (http->body_len == 0) {
		if (http->paused) {
			http->paused = false;
			curl.easy_pause(http->easy, CURLPAUSE_CONT);
			continue;
		}
		if (http->finished)
			return http->result == CURLE_OK ? 0 : report(http, err);
		r = step(http, err);
		if (r == 0 && http->body_len == 0 && !http->finished)
			r = wait_for_peer(http, 0, err);
		if (r < 0)
			return r;
	}
	http->taken = true;
	*ret_bytes = http->body;
	return (ssize_t)http->body_len;
}

int http_read_all(struct http *http, size_t max, char **ret_text, size_t *ret_len, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	const void *bytes;
	ssize_t n;

	while ((n = http_read(http, &bytes, err)) > 0) {
		if ((size_t)n > max - text.len)
			return err_set(err, TEU_E_LIMIT, "%s: an answer of more than %zu bytes", http->origin, max);
		strbuf_add(&text, bytes, (size_t)n);
	}
	if (n < 0)
		return (int)n;
	*ret_len = text.len;
	*ret_text = strbuf_take(&text);
	return *ret_text ? 0 : err_oom(err);
}
