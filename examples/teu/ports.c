/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ports: -p [IP:]HOSTPORT:PORT[/PROTOCOL] with ranges, and --expose. Source: docs.docker.com, "docker run", --publish.
 */
#include "body.h"

#include <stdio.h>
#include <string.h>

#include "units.h"

struct port_range {
	int first, last; /* 0, 0: none given */
};

static bool parse_port(const char *text, size_t len, int *ret)
{
	char digits[6] = "";
	int64_t n;

	if (len == 0 || len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	if (!units_parse_int(digits, &n) || n < 0 || n > 65535)
		return false;
	*ret = (int)n;
	return true;
}

/* "80" or "80-90"; "" is none. */
static bool parse_range(const char *text, struct port_range *ret)
{
	const char *dash = strchr(text, '-');

	*ret = (struct port_range){ 0 };
	if (!*text)
		return true;
	if (!parse_port(text, dash ? (size_t)(dash - text) : strlen(text), &ret->first))
		return false;
	ret->last = ret->first;
	return !dash || (parse_port(dash + 1, strlen(dash + 1), &ret->last) && ret->first <= ret->last);
}

/* Cuts "/udp" off @text and returns it; NULL: no protocol of that name. */
static const char *cut_protocol(char *text)
{
	static const char *const known[] = { "tcp", "udp", "sctp" };
	char *slash = strrchr(text, '/');

	if (!slash)
		return "tcp";
	*slash = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcasecmp(slash + 1, known[i]) == 0)
			return known[i];
	return NULL;
}

static void expose(struct body *b, int port, const char *protocol)
{
	_cleanup_free_ char *key = cli_format("%d/%s", port, protocol);

	doc_object_at(doc_object_at(b->config, "ExposedPorts"), key);
}

static void bind(struct body *b, int port, const char *protocol, const char *ip, const char *host_port)
{
	_cleanup_free_ char *key = cli_format("%d/%s", port, protocol);
	cJSON *binding = doc_object();

	doc_set_text(binding, "HostIp", ip);
	doc_set_text(binding, "HostPort", host_port);
	doc_add(doc_array_at(doc_object_at(b->host, "PortBindings"), key), binding);
	expose(b, port, protocol);
}

struct publish {
	const char *ip, *host, *inside, *protocol;
};

static bool publish(struct body *b, const char *text, const struct publish *p)
{
	struct port_range inside, host;

	if (!*p->inside || !parse_range(p->inside, &inside) || inside.first == 0)
		return body_fail(b, "invalid argument \"%s\" for --publish: invalid container port \"%s\"", text,
				 p->inside);
	if (!parse_range(p->host, &host))
		return body_fail(b, "invalid argument \"%s\" for --publish: invalid host port \"%s\"", text, p->host);
	/* A range on the host for one port inside: whichever is free. */
	if (*p->host && inside.first == inside.last) {
		_cleanup_free_ char *port = host.first == host.last ? cli_format("%d", host.first)
								    : cli_format("%d-%d", host.first, host.last);

		bind(b, inside.first, p->protocol, p->ip, port);
		return true;
	}
	if (*p->host && host.last - host.first != inside.last - inside.first)
		return body_fail(b, "invalid argument \"%s\" for --publish: the two ranges differ in length", text);
	for (int i = 0; i <= inside.last - inside.first; i++) {
		_cleanup_free_ char *port = *p->host ? cli_format("%d", host.first + i) : cli_copy("", 0);

		bind(b, inside.first + i, p->protocol, p->ip, port);
	}
	return true;
}

/* "[IP:]HOSTPORT:PORT", "IP::PORT", "PORT"; an IPv6 address in brackets. */
static bool publish_short(struct body *b, const char *text)
{
	_cleanup_free_ char *copy = cli_copy(text, strlen(text));
	struct publish p = { .ip = "", .host = "", .protocol = cut_protocol(copy) };
	char *colon = strrchr(copy, ':');

	if (!p.protocol)
		return body_fail(b, "invalid argument \"%s\" for --publish: the protocol must be tcp, udp or sctp",
				 text);
	p.inside = colon ? colon + 1 : copy;
	if (colon) {
		*colon = '\0';
		colon = strrchr(copy, ':');
		p.host = colon ? colon + 1 : copy;
		if (colon) {
			*colon = '\0';
			p.ip = copy;
		}
	}
	if (*p.ip == '[' && p.ip[strlen(p.ip) - 1] == ']') {
		copy[strlen(copy) - 1] = '\0';
		p.ip++;
	}
	if (*p.ip && !body_is_address(p.ip))
		return body_fail(b, "invalid argument \"%s\" for --publish: \"%s\" is not an IP address", text, p.ip);
	return publish(b, text, &p);
}

/* "target=80,published=8080,protocol=udp". */
static bool publish_long(struct body *b, const char *text)
{
	struct publish p = { .ip = "", .host = "", .inside = "", .protocol = "tcp" };
	const char *rest = text;
	char *fields[8] = { 0 };
	size_t n = 0;
	bool ok = true;

	while (ok && n < ARRAY_SIZE(fields) && (fields[n] = body_next_field(&rest))) {
		char *value = strchr(fields[n], '=');

		if (value)
			*value++ = '\0';
		if (value && strcmp(fields[n], "target") == 0)
			p.inside = value;
		else if (value && strcmp(fields[n], "published") == 0)
			p.host = value;
		else if (value && strcmp(fields[n], "protocol") == 0)
			p.protocol = value;
		else
			ok = value && strcmp(fields[n], "mode") == 0;
		if (!ok)
			body_fail(b, "invalid argument \"%s\" for --publish: invalid field %s", text, fields[n]);
		n++;
	}
	if (ok && strcmp(p.protocol, "tcp") != 0 && strcmp(p.protocol, "udp") != 0 && strcmp(p.protocol, "sctp") != 0)
		ok = body_fail(b, "invalid argument \"%s\" for --publish: the protocol must be tcp, udp or sctp", text);
	ok = ok && publish(b, text, &p);
	while (n)
		free(fields[--n]);
	return ok;
}

static bool expose_range(struct body *b, const char *text)
{
	_cleanup_free_ char *copy = cli_copy(text, strlen(text));
	const char *protocol = cut_protocol(copy);
	struct port_range range;

	if (!protocol || !parse_range(copy, &range) || range.first == 0)
		return body_fail(b, "invalid argument \"%s\" for --expose: expected PORT[-PORT][/PROTOCOL]", text);
	for (int port = range.first; port <= range.last; port++)
		expose(b, port, protocol);
	return true;
}

bool body_ports(struct body *b)
{
	const struct create_options *o = b->options;

	for (size_t i = 0; i < o->publish.n; i++) {
		const char *text = o->publish.items[i];

		if (!(strchr(text, '=') ? publish_long(b, text) : publish_short(b, text)))
			return false;
	}
	for (size_t i = 0; i < o->expose.n; i++)
		if (!expose_range(b, o->expose.items[i]))
			return false;
	return true;
}
