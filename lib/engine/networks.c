/* networks: the default bridge as Docker's documents show it. Source: Docker Engine API, "GET /networks". */
#include "engine/networks.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/fd.h"
#include "format/json.h"
#include "network/bridge.h"
#include "network/endpoint.h"
#include "network/ipam.h"

enum { ID_WORDS = 4, ID_MAX = ID_WORDS * 16 + 1 };

/* The same for the same network of the same engine, which is all that an id has to be. FNV-1a. */
static void make_id(const char *name, const char *run_root, char id[ID_MAX])
{
	uint64_t h = 14695981039346656037u;

	for (int word = 0; word < ID_WORDS; word++) {
		for (const char *c = name; *c; c++)
			h = (h ^ (uint8_t)*c) * 1099511628211u;
		for (const char *c = run_root; *c; c++)
			h = (h ^ (uint8_t)*c) * 1099511628211u;
		snprintf(id + word * 16, 17, "%016" PRIx64, h);
	}
}

static json *describe(teu_engine *engine, const char *name, const char *driver, json *list)
{
	json *network = json_append_object(list);
	char id[ID_MAX];
	json *ipam;

	make_id(name, engine->store.run_root, id);
	if (!json_add_string(network, "Name", name) || !json_add_string(network, "Id", id) ||
	    !json_add_string(network, "Created", "0001-01-01T00:00:00Z") ||
	    !json_add_string(network, "Scope", "local") || !json_add_string(network, "Driver", driver) ||
	    !json_add_bool(network, "EnableIPv6", false) || !json_add_bool(network, "Internal", false) ||
	    !json_add_bool(network, "Attachable", false) || !json_add_bool(network, "Ingress", false) ||
	    !json_add_bool(network, "ConfigOnly", false) || !json_add_object(network, "Containers") ||
	    !json_add_object(network, "Options") || !json_add_object(network, "Labels"))
		return NULL;
	ipam = json_add_object(network, "IPAM");
	if (!json_add_string(ipam, "Driver", "default") || !json_add_array(ipam, "Config"))
		return NULL;
	return network;
}

/* The name that stands in a container's record, which may be on its way out: then none. */
static json *read_name(const struct store *store, const char *id)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *record = NULL;
	char path[IPAM_ID_MAX + 32];
	size_t len;

	snprintf(path, sizeof(path), "containers/%s/container.json", id);
	if (fd_read_file(store->root_fd, path, JSON_MAX_SIZE, &text, &len, NULL) < 0 ||
	    json_parse(text, len, &record, NULL) < 0)
		return json_string("");
	return json_string(json_get_text(record, "Name", ""));
}

struct members {
	const struct store *store;
	const struct bridge *bridge;
	json *list;
};

static int add_member(uint32_t address, const char *id, void *data, teu_error **err)
{
	const struct members *members = data;
	json *member = json_add_object(members->list, id);
	char text[INET_ADDRSTRLEN], place[INET_ADDRSTRLEN + 4], mac_text[18];
	uint8_t mac[6];

	bridge_mac(address, mac);
	snprintf(mac_text, sizeof(mac_text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	snprintf(place, sizeof(place), "%s/%u", inet_ntop(AF_INET, &address, text, sizeof(text)),
		 members->bridge->prefix_len);
	if (!json_add(member, "Name", read_name(members->store, id)) || !json_add_string(member, "EndpointID", id) ||
	    !json_add_string(member, "MacAddress", mac_text) || !json_add_string(member, "IPv4Address", place) ||
	    !json_add_string(member, "IPv6Address", ""))
		return err_oom(err);
	return 0;
}

static int describe_bridge(teu_engine *engine, json *list, teu_error **err)
{
	json *network = describe(engine, "bridge", "bridge", list), *config, *options;
	char gateway[INET_ADDRSTRLEN], subnet[INET_ADDRSTRLEN + 4], text[INET_ADDRSTRLEN];
	struct bridge bridge;
	uint32_t base;
	int r = bridge_read(&engine->store, &bridge, err);

	if (r < 0)
		return r;
	base = htonl(ntohl(bridge.gateway) & ~(UINT32_MAX >> bridge.prefix_len));
	inet_ntop(AF_INET, &bridge.gateway, gateway, sizeof(gateway));
	snprintf(subnet, sizeof(subnet), "%s/%u", inet_ntop(AF_INET, &base, text, sizeof(text)), bridge.prefix_len);
	config = json_append_object(json_get_mutable(json_get_mutable(network, "IPAM"), "Config"));
	options = json_get_mutable(network, "Options");
	if (!json_add_string(config, "Subnet", subnet) || !json_add_string(config, "Gateway", gateway) ||
	    !json_add_string(options, "com.docker.network.bridge.default_bridge", "true") ||
	    !json_add_string(options, "com.docker.network.bridge.name", bridge.name))
		return err_oom(err);
	return ipam_each(&engine->store, add_member,
			 &(struct members){ .store = &engine->store,
					    .bridge = &bridge,
					    .list = json_get_mutable(network, "Containers") },
			 err);
}

int networks_list(teu_engine *engine, char **ret_json, teu_error **err)
{
	_cleanup_json_ json *list = json_array();
	int r = describe_bridge(engine, list, err);

	if (r < 0)
		return r;
	if (!describe(engine, "host", "host", list) || !describe(engine, "none", "null", list))
		return err_oom(err);
	*ret_json = json_print(list);
	return *ret_json ? 0 : err_oom(err);
}

int networks_down(teu_engine *engine, teu_error **err)
{
	return endpoint_down(&engine->store, err);
}
