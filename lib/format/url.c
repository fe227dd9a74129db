/* url: http and https URLs. */
#include "format/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/parse.h"

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool is_host(const char *host)
{
	struct in6_addr address;

	if (strchr(host, ':'))
		return inet_pton(AF_INET6, host, &address) == 1;
	return *host && strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == strlen(host);
}

static void lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text += 'a' - 'A';
}

int url_split_host(const char *text, char **ret_host, uint16_t *ret_port, teu_error **err)
{
	const char *host = text, *end, *port = NULL;
	_cleanup_free_ char *copy = NULL;
	uint32_t number = 0;

	if (*text == '[') {
		host = text + 1;
		end = strchr(host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return err_set(err, TEU_E_INVALID, "malformed host \"%s\"", text);
		port = end[1] ? end + 2 : NULL;
	} else {
		end = strchrnul(host, ':');
		port = *end ? end + 1 : NULL;
	}
	if (port && (!parse_u32(port, &number) || number == 0 || number > UINT16_MAX))
		return err_set(err, TEU_E_INVALID, "malformed port in \"%s\"", text);
	copy = strndup(host, (size_t)(end - host));
	if (!copy)
		return err_oom(err);
	lower(copy);
	if (!is_host(copy) || (*text == '[') != !!strchr(copy, ':'))
		return err_set(err, TEU_E_INVALID, "malformed host \"%s\"", text);
	*ret_host = TAKE_PTR(copy);
	*ret_port = (uint16_t)number;
	return 0;
}

/* @text: what stands behind "//". */
static int parse_rest(const char *text, bool https, struct url *ret, teu_error **err)
{
	size_t authority_len = strcspn(text, "/?#");
	_cleanup_free_ char *authority = strndup(text, authority_len);
	_cleanup_free_ char *host = NULL, *resource = NULL;
	const char *rest = text + authority_len;
	uint16_t port;
	int r;

	if (!authority)
		return err_oom(err);
	if (strchr(authority, '@'))
		return err_set(err, TEU_E_INVALID, "a URL with a user name in it is refused");
	r = url_split_host(authority, &host, &port, err);
	if (r < 0)
		return r;
	if (asprintf(&resource, "%s%.*s", *rest == '/' ? "" : "/", (int)strcspn(rest, "#"), rest) < 0)
		return err_oom(err);
	*ret = (struct url){
		.https = https,
		.host = TAKE_PTR(host),
		.port = port	? port
			: https ? 443
				: 80,
		.resource = TAKE_PTR(resource),
	};
	return 0;
}

int url_parse(const char *text, struct url *ret, teu_error **err)
{
	if (strnlen(text, URL_MAX + 1) > URL_MAX)
		return err_set(err, TEU_E_INVALID, "a URL of more than %d bytes", URL_MAX);
	if (!is_plain(text))
		return err_set(err, TEU_E_INVALID, "a URL with blanks or control characters");
	if (strncasecmp(text, "https://", 8) == 0)
		return parse_rest(text + 8, true, ret, err);
	if (strncasecmp(text, "http://", 7) == 0)
		return parse_rest(text + 7, false, ret, err);
	return err_set(err, TEU_E_INVALID, "\"%.100s\" is no http or https URL", text);
}

/* Does @text begin with "scheme:"? A path may have colons too, but only behind a slash. */
static bool has_scheme(const char *text)
{
	return text[strcspn(text, ":/?#")] == ':';
}

int url_resolve(const struct url *base, const char *location, struct url *ret, teu_error **err)
{
	_cleanup_free_ char *origin = NULL, *text = NULL;
	size_t keep;

	if (has_scheme(location))
		return url_parse(location, ret, err);
	if (strncmp(location, "//", 2) == 0) {
		if (asprintf(&text, "%s:%s", base->https ? "https" : "http", location) < 0)
			return err_oom(err);
		return url_parse(text, ret, err);
	}
	keep = strcspn(base->resource, "?");
	if (*location == '/')
		keep = 0;
	else if (*location != '?')
		while (keep && base->resource[keep - 1] != '/')
			keep--;
	origin = url_origin(base);
	if (!origin || asprintf(&text, "%s%.*s%s", origin, (int)keep, base->resource, location) < 0)
		return err_oom(err);
	return url_parse(text, ret, err);
}

char *url_origin(const struct url *url)
{
	struct strbuf b = STRBUF_INIT;
	bool v6 = strchr(url->host, ':');

	strbuf_addf(&b, "%s://%s%s%s", url->https ? "https" : "http", v6 ? "[" : "", url->host, v6 ? "]" : "");
	if (url->port != (url->https ? 443 : 80))
		strbuf_addf(&b, ":%u", url->port);
	return strbuf_take(&b);
}

char *url_format(const struct url *url)
{
	_cleanup_free_ char *origin = url_origin(url);
	char *text;

	return origin && asprintf(&text, "%s%s", origin, url->resource) >= 0 ? text : NULL;
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

bool url_is_loopback(const char *host)
{
	size_t len = strlen(host);
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return strcasecmp(host, "localhost") == 0 || (len > 10 && strcasecmp(host + len - 10, ".localhost") == 0);
}

static void add_escaped(struct strbuf *b, const char *text)
{
	/* RFC 3986, 2.3: unreserved characters stand as they are. */
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c);

		strbuf_addf(b, plain ? "%c" : "%%%02X", c);
	}
}

static void add_pair(struct strbuf *b, const char *key, const char *value)
{
	add_escaped(b, key);
	strbuf_adds(b, "=");
	add_escaped(b, value);
}

void url_add_query(struct strbuf *b, const char *key, const char *value)
{
	strbuf_adds(b, b->text && strchr(b->text, '?') ? "&" : "?");
	add_pair(b, key, value);
}

void url_add_form(struct strbuf *b, const char *key, const char *value)
{
	if (b->len)
		strbuf_adds(b, "&");
	add_pair(b, key, value);
}

void url_done(struct url *url)
{
	free(url->host);
	free(url->resource);
	*url = (struct url){ 0 };
}
