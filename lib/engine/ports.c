/* ports: published ports of a record. Source: Docker Engine API, "PortMap". */
#include "engine/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define WHERE "HostConfig.PortBindings"

bool ports_parse_key(const char *text, uint16_t *ret_port, uint8_t *ret_protocol)
{
	size_t len = strcspn(text, "/");
	char digits[6];
	uint32_t port;

	if (len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (!parse_u32(digits, &port) || port == 0 || port > UINT16_MAX)
		return false;
	if (text[len] == '\0' || strcmp(text + len, "/tcp") == 0)
		*ret_protocol = IPPROTO_TCP;
	else if (strcmp(text + len, "/udp") == 0)
		*ret_protocol = IPPROTO_UDP;
	else
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

const char *ports_protocol(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : "tcp";
}

static int read_binding(const char *key, const json *binding, struct port_mapping *ret, teu_error **err)
{
	const char *ip = "", *port = "";
	uint32_t host_port = 0;
	int r = json_read_string(binding, WHERE, "HostIp", &ip, err);

	if (r == 0)
		r = json_read_string(binding, WHERE, "HostPort", &port, err);
	if (r < 0)
		return r;
	ret->socket = -EBADF;
	if (!ports_parse_key(key, &ret->port, &ret->protocol))
		return json_field_error(err, WHERE, key,
					"invalid container port \"%s\": expected 1 to 65535, then /tcp or /udp", key);
	if (*ip && inet_pton(AF_INET, ip, &ret->host_ip) != 1)
		return json_field_error(err, WHERE, key, "invalid host address \"%s\": expected an IPv4 address", ip);
	if (*port && (!parse_u32(port, &host_port) || host_port > UINT16_MAX))
		return json_field_error(err, WHERE, key, "invalid host port \"%s\": expected 0 to 65535", port);
	ret->host_port = (uint16_t)host_port;
	return 0;
}

static size_t count_bindings(const json *bindings)
{
	size_t n = 0;

	json_foreach (list, bindings)
		n += json_count(list) ? json_count(list) : 1;
	return n;
}

int ports_of(const json *host_config, struct port_mapping **ret, size_t *ret_n, teu_error **err)
{
	const json *bindings = json_get(host_config, "PortBindings");
	_cleanup_free_ struct port_mapping *ports = NULL;
	size_t n = 0, max = count_bindings(bindings);
	int r;

	*ret = NULL;
	*ret_n = 0;
	if (!max)
		return 0;
	ports = calloc(max, sizeof(*ports));
	if (!ports)
		return err_oom(err);
	json_foreach_member (list, bindings) {
		/* A port without bindings, null or [], is published on any free one. */
		if (!json_count(list)) {
			r = read_binding(json_key(list), NULL, &ports[n++], err);
			if (r < 0)
				return r;
		}
		json_foreach (binding, list) {
			r = read_binding(json_key(list), binding, &ports[n++], err);
			if (r < 0)
				return r;
		}
	}
	*ret = TAKE_PTR(ports);
	*ret_n = n;
	return 0;
}

static bool is_published(const struct port_mapping *ports, size_t n, const char *key)
{
	uint8_t protocol;
	uint16_t port;

	if (!ports_parse_key(key, &port, &protocol))
		return true;
	for (size_t i = 0; i < n; i++)
		if (ports[i].port == port && ports[i].protocol == protocol)
			return true;
	return false;
}

json *ports_to_json(const struct port_mapping *ports, size_t n, const json *exposed)
{
	_cleanup_json_ json *object = json_object();
	bool ok = object;

	for (size_t i = 0; ok && i < n; i++) {
		char key[16], ip[INET_ADDRSTRLEN], port[8];
		json *list, *one;

		snprintf(key, sizeof(key), "%u/%s", ports[i].port, ports_protocol(ports[i].protocol));
		snprintf(port, sizeof(port), "%u", ports[i].host_port);
		inet_ntop(AF_INET, &ports[i].host_ip, ip, sizeof(ip));
		list = json_get_mutable(object, key);
		one = json_append_object(list ? list : json_add_array(object, key));
		ok = json_add_string(one, "HostIp", ip) && json_add_string(one, "HostPort", port);
	}
	json_foreach_member (port, exposed)
		if (ok && !is_published(ports, n, json_key(port)))
			ok = json_add(object, json_key(port), json_null());
	return ok ? TAKE_PTR(object) : NULL;
}

json *ports_to_list(const struct port_mapping *ports, size_t n, const json *exposed)
{
	_cleanup_json_ json *list = json_array();
	bool ok = list;

	for (size_t i = 0; ok && i < n; i++) {
		json *one = json_append_object(list);
		char ip[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &ports[i].host_ip, ip, sizeof(ip));
		ok = json_add_string(one, "IP", ip) && json_add_int(one, "PrivatePort", ports[i].port) &&
		     json_add_int(one, "PublicPort", ports[i].host_port) &&
		     json_add_string(one, "Type", ports_protocol(ports[i].protocol));
	}
	json_foreach_member (port, exposed) {
		uint8_t protocol;
		uint16_t number;

		if (!ok || is_published(ports, n, json_key(port)) ||
		    !ports_parse_key(json_key(port), &number, &protocol))
			continue;
		json *one = json_append_object(list);

		ok = json_add_int(one, "PrivatePort", number) && json_add_string(one, "Type", ports_protocol(protocol));
	}
	return ok ? TAKE_PTR(list) : NULL;
}
