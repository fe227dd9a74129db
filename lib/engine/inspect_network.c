/* inspect_network: where a container is on the network, and what it has mounted, as Docker's API shows them. */
#include "engine/inspect_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "engine/ports.h"

bool inspect_endpoint(const teu_container *container, struct endpoint *ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *document = NULL;
	char path[CONTAINER_ID_LEN + 40];
	size_t len;

	snprintf(path, sizeof(path), "containers/%s/network.json", container->id);
	return fd_read_file(container->engine->store.run_fd, path, JSON_MAX_SIZE, &text, &len, NULL) == 0 &&
	       json_parse(text, len, &document, NULL) == 0 && endpoint_from_json(document, ret, NULL) == 0;
}

static bool add_address(json *to, const struct endpoint *ep)
{
	char mac[18] = "";

	if (ep)
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", ep->mac[0], ep->mac[1], ep->mac[2],
			 ep->mac[3], ep->mac[4], ep->mac[5]);
	return json_add_string(to, "Gateway", ep ? ep->gateway : "") &&
	       json_add_string(to, "IPAddress", ep ? ep->address : "") &&
	       json_add_int(to, "IPPrefixLen", ep ? ep->prefix_len : 0) && json_add_string(to, "IPv6Gateway", "") &&
	       json_add_string(to, "GlobalIPv6Address", "") && json_add_int(to, "GlobalIPv6PrefixLen", 0) &&
	       json_add_string(to, "MacAddress", mac);
}

json *inspect_network(const teu_container *container, const struct endpoint *ep)
{
	const char *mode = json_text(json_find(container->record, "HostConfig.NetworkMode"), "bridge");
	_cleanup_json_ json *settings = json_object();
	json *network;
	bool ok;

	ok = json_add_string(settings, "Bridge", ep ? ep->bridge : "") && json_add_string(settings, "SandboxID", "") &&
	     json_add_string(settings, "SandboxKey", "") &&
	     json_add(settings, "Ports",
		      ports_to_json(ep ? ep->ports : NULL, ep ? ep->n_ports : 0,
				    ep ? json_find(container->record, "Config.ExposedPorts") : NULL)) &&
	     add_address(settings, ep) && json_add_object(settings, "Networks");
	if (ok && strncmp(mode, "container:", 10) != 0) {
		network = json_add_object(json_get_mutable(settings, "Networks"), mode);
		ok = json_add_string(network, "NetworkID", mode) && json_add_string(network, "EndpointID", "") &&
		     add_address(network, ep);
	}
	return ok ? TAKE_PTR(settings) : NULL;
}

json *inspect_mounts(const teu_container *container)
{
	_cleanup_json_ json *list = json_array();
	bool ok = list;

	json_foreach (mount, json_get(container->record, "Mounts")) {
		json *copy;

		if (!ok || json_get_truth(mount, "Hidden", false))
			continue;
		copy = json_copy(mount);
		if (copy) {
			json_remove(copy, "Options");
			json_remove(copy, "Create");
		}
		ok = json_append(list, copy);
	}
	return ok ? TAKE_PTR(list) : NULL;
}
