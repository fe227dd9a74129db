/*
 * http: one exchange after another over kept connections; the only user of libcurl (opened on first use: it is heavy).
 * Sources: RFC 9110 (HTTP semantics), libcurl-multi(3).
 *
 * The body is pulled: http_open() comes back with the head of the answer, http_read() gives the body's next bytes. So
 * whoever reads slowly slows down the peer and no memory.
 *
 * Redirects are followed here and not by libcurl, at most 10: never from https to http, to plain http only where the
 * options allow it, and without Authorization as soon as the host changes (CVE-2020-15157).
 */
#ifndef TEU_REGISTRY_HTTP_H
#define TEU_REGISTRY_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/strv.h"
#include "format/url.h"

enum {
	HTTP_CONNECT_MS = 15000, /* name lookup, connection and TLS handshake */
	HTTP_STALL_MS = 30000,	 /* no byte for so long ends the exchange */
	HTTP_HEAD_MS = 60000,	 /* for the whole head of an answer */
	HTTP_SLOW_BYTES = 256,	 /* a body slower than this many bytes a second … */
	HTTP_SLOW_MS = 60000,	 /* … over this time is as good as stalled */
	HTTP_MAX_REDIRECTS = 10,
	HTTP_MAX_HEAD = 256 << 10,
};

struct http_options {
	const char *ca_file;	  /* PEM, trusted besides the system's; NULL: none; borrowed */
	bool insecure;		  /* any certificate will do, and plain HTTP to any host */
	const teu_cancel *cancel; /* borrowed */
	int32_t stall_ms;	  /* 0: HTTP_STALL_MS */
};

struct http_request {
	const char *url;
	const char *authorization; /* the whole value, "Bearer …"; NULL: none */
	char *const *accept;	   /* media types, NULL-terminated; NULL: none */
	uint64_t offset;	   /* asks for the bytes from here on; 0: all */
	const char *form;	   /* a POST of application/x-www-form-urlencoded; NULL: a GET */
	int32_t connect_ms;	   /* 0: HTTP_CONNECT_MS */
	bool any_peer;		   /* whatever its certificate: only to be told apart from one that speaks no TLS */
};

/* The head of an answer. */
struct http_answer {
	int status;
	uint64_t length;	/* bytes of body announced; UINT64_MAX: not known */
	uint64_t range_from;	/* of a 206: its first byte; UINT64_MAX: malformed or none */
	char *content_type;	/* without parameters, lower case; NULL: none */
	char *content_digest;	/* Docker-Content-Digest; NULL: none */
	struct strv challenges; /* WWW-Authenticate headers */
	bool redirected;	/* another host than the one asked gave it */
};

struct http;

/* One for each thread. TEU_E_UNSUPPORTED names the package when libcurl can't be opened. */
int http_new(const struct http_options *opts, struct http **ret, teu_error **err);
void http_free(struct http *http);
DEFINE_CLEANUP(struct http *, http_free)

/*
 * Sends @request and receives the head. Any status but a redirect is success; an exchange before it is broken off.
 * TEU_E_NETWORK, TEU_E_TIMEOUT (with the host's name), TEU_E_CANCELLED; TEU_E_LIMIT, an endless head; TEU_E_INVALID, a
 * URL.
 */
int http_open(struct http *http, const struct http_request *request, struct http_answer *ret, teu_error **err);

/* The next bytes of the body, good until the next call: their count, 0 at the end, or a code as above. */
ssize_t http_read(struct http *http, const void **ret_bytes, teu_error **err);

/* The rest of the body as text, at most @max bytes (TEU_E_LIMIT). @ret_text is for the caller to free. */
int http_read_all(struct http *http, size_t max, char **ret_text, size_t *ret_len, teu_error **err);

void http_answer_done(struct http_answer *answer);

#endif
