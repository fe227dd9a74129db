/*
 * url: the http and https URLs that a registry client meets, and query pieces. Source: RFC 3986. No user names in URLs:
 * a secret does not belong into a text that errors print.
 */
#ifndef TEU_FORMAT_URL_H
#define TEU_FORMAT_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

enum { URL_MAX = 16384 };

struct url {
	bool https;
	char *host;	/* lower case, an IPv6 address without its brackets; owned */
	uint16_t port;	/* the scheme's own if the text has none */
	char *resource; /* path and query, begins with "/"; owned */
};

/*
 * TEU_E_INVALID: no http or https URL, with a user name, with blanks or control characters, or longer than URL_MAX.
 * A fragment is cut off: servers never see it.
 */
int url_parse(const char *text, struct url *ret, teu_error **err);

/* A Location header as seen from @base: a whole URL, "//host/path", "/path", "?query" or a path beside @base's. */
int url_resolve(const struct url *base, const char *location, struct url *ret, teu_error **err);

/* "https://host[:port]/path?query"; for the caller to free; NULL: no memory. */
char *url_format(const struct url *url);

/* "https://host[:port]": what an error or a log may print, since queries of storage services are secrets. */
char *url_origin(const struct url *url);

/* Same scheme, host and port: only then a password may travel on. */
bool url_same_origin(const struct url *a, const struct url *b);

/* "localhost", names below it, 127.0.0.0/8 and ::1. */
bool url_is_loopback(const char *host);

/* Splits "host", "host:port", "[::1]:port"; @ret_port 0: none given. @ret_host is for the caller to free. */
int url_split_host(const char *text, char **ret_host, uint16_t *ret_port, teu_error **err);

/* Adds "?key=value" or "&key=value", escaped, as the text of @b needs it. */
void url_add_query(struct strbuf *b, const char *key, const char *value);
/* As above for a form body: no "?" before the first. */
void url_add_form(struct strbuf *b, const char *key, const char *value);

void url_done(struct url *url);

#endif
