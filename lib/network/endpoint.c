/* endpoint: one container's place on the default bridge. */
#include "network/endpoint.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/addr.h"
#include "kernel/conntrack.h"
#include "kernel/link.h"
#include "kernel/nft.h"
#include "network/bridge.h"
#include "network/ipam.h"

/* Known beforehand, so that the messages of the container's side can be written before the link exists. Low numbers are
 * those of tunnels which some modules put into every new namespace. */
enum { GUEST_LINK = 64 };

enum { VETH_ID_LEN = 8 };

static uint32_t address_of(const char *dotted)
{
	struct in_addr address = { 0 };

	inet_pton(AF_INET, dotted, &address);
	return address.s_addr;
}

/* With a piece of the address, as the link of the container's last run may be there for some moments yet. */
static void name_host_link(const char *container_id, uint32_t address, char ret_name[16])
{
	snprintf(ret_name, 16, "veth%.*s%03x", VETH_ID_LEN, container_id, ntohl(address) & 0xfff);
}

/* No other container of this machine has the same address, so nor has another link this number. */
static uint32_t host_link_index(const struct endpoint *ep)
{
	return ntohl(address_of(ep->address)) & INT32_MAX;
}

static int copy_ports(const struct port_mapping *ports, size_t n, struct endpoint *ep, teu_error **err)
{
	ep->ports = calloc(n + 1, sizeof(*ep->ports));
	if (!ep->ports)
		return err_oom(err);
	for (size_t i = 0; i < n; i++) {
		ep->ports[i] = ports[i];
		ep->ports[i].socket = -EBADF;
	}
	ep->n_ports = n;
	return 0;
}

static int reserve_ports(const struct bridge *bridge, const struct port_mapping *ports, size_t n, struct endpoint *ep,
			 teu_error **err)
{
	int r = copy_ports(ports, n, ep, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = port_reserve(&ep->ports[i], err);
	if (r < 0)
		return r;
	/* The ports are ours, so whatever stands in the maps for them was left by a monitor that was killed. */
	return ports_withdraw(ep->rules_socket, bridge->table, 0, ep->ports, n, err);
}

static void fill(const struct bridge *bridge, const char *container_id, uint32_t address, struct endpoint *ep)
{
	inet_ntop(AF_INET, &address, ep->address, sizeof(ep->address));
	inet_ntop(AF_INET, &bridge->gateway, ep->gateway, sizeof(ep->gateway));
	ep->prefix_len = bridge->prefix_len;
	bridge_mac(address, ep->mac);
	name_host_link(container_id, address, ep->host_link);
	snprintf(ep->bridge, sizeof(ep->bridge), "%s", bridge->name);
	ep->bridge_index = bridge->index;
}

static int open_rules_socket(struct endpoint *ep, teu_error **err)
{
	int r = nft_open(&ep->rules_socket);

	if (r < 0)
		return err_errno(err, -r, "open a netfilter socket");
	ep->has_rules_socket = true;
	return 0;
}

int endpoint_open(const struct store *store, const char *container_id, const struct port_mapping *ports, size_t n_ports,
		  struct endpoint *ret, teu_error **err)
{
	struct bridge bridge;
	uint32_t address;
	int r;

	*ret = (struct endpoint){ .n_ports = 0 };
	r = open_rules_socket(ret, err);
	if (r == 0)
		r = bridge_ensure(store, ret->rules_socket, &bridge, err);
	if (r == 0)
		r = ipam_take(store, bridge.gateway, bridge.prefix_len, container_id, &address, err);
	if (r < 0) {
		endpoint_done(ret);
		return r;
	}
	fill(&bridge, container_id, address, ret);
	r = reserve_ports(&bridge, ports, n_ports, ret, err);
	if (r < 0) {
		ipam_release(store, address, container_id, NULL);
		endpoint_done(ret);
	}
	return r;
}

int endpoint_preview(const struct store *store, const char *container_id, const struct port_mapping *ports,
		     size_t n_ports, struct endpoint *ret, teu_error **err)
{
	struct bridge bridge;
	int r = bridge_read(store, &bridge, err);

	*ret = (struct endpoint){ .n_ports = 0 };
	if (r < 0)
		return r;
	fill(&bridge, container_id, htonl(ntohl(bridge.gateway) + 1), ret);
	return copy_ports(ports, n_ports, ret, err);
}

/* Without an IPv6 address of its own, link-local as it may be, a link is quiet: otherwise each new container would
 * announce itself to all others on the bridge. */
static void put_up(struct nl_writer *w, uint32_t index)
{
	if (access("/proc/net/if_inet6", F_OK) == 0)
		link_put_no_ipv6_address(w, index);
	link_put_up(w, index);
}

int endpoint_host_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	struct link_end host = { .name = ep->host_link, .index = host_link_index(ep) };
	struct link_end guest = { .name = "eth0", .index = GUEST_LINK, .mac = ep->mac };
	size_t pid_at;
	int r;

	link_put_veth(&w, &host, ep->bridge_index, &guest, &pid_at);
	put_up(&w, host.index);
	/* Where bridged packets pass the rules too (br_netfilter), one that a container sends to its own published port
	 * never leaves the bridge, and has to go back where it came from. */
	if (ep->n_ports)
		link_put_hairpin(&w, host.index);
	r = nl_batch_take(ret, NETLINK_ROUTE, &w, err);
	if (r == 0)
		ret->pid_at = pid_at;
	return r;
}

int endpoint_guest_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };

	link_put_up(&w, LINK_LOOPBACK);
	addr_put(&w, GUEST_LINK, address_of(ep->address), ep->prefix_len);
	put_up(&w, GUEST_LINK);
	addr_put_default_route(&w, GUEST_LINK, address_of(ep->gateway));
	return nl_batch_take(ret, NETLINK_ROUTE, &w, err);
}

int endpoint_loopback_batch(struct nl_batch *ret, teu_error **err)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };

	link_put_up(&w, LINK_LOOPBACK);
	return nl_batch_take(ret, NETLINK_ROUTE, &w, err);
}

static int ports_batch(const struct endpoint *ep, bool add, struct nl_batch *ret, teu_error **err)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	char table[16];

	*ret = (struct nl_batch){ .protocol = NETLINK_NETFILTER, .pid_at = SIZE_MAX };
	if (ep->n_ports == 0)
		return 0;
	bridge_table(ep->bridge, table);
	ports_put(&w, table, address_of(ep->address), ep->ports, ep->n_ports, add);
	return nl_batch_take(ret, NETLINK_NETFILTER, &w, err);
}

int endpoint_publish_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err)
{
	return ports_batch(ep, true, ret, err);
}

int endpoint_unpublish_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err)
{
	return ports_batch(ep, false, ret, err);
}

static bool has_udp(const struct endpoint *ep)
{
	for (size_t i = 0; i < ep->n_ports; i++)
		if (ep->ports[i].protocol == IPPROTO_UDP)
			return true;
	return false;
}

int endpoint_forget_batch(const struct endpoint *ep, struct nl_batch *ret, teu_error **err)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };

	*ret = (struct nl_batch){ .protocol = NETLINK_NETFILTER, .pid_at = SIZE_MAX };
	if (!has_udp(ep))
		return 0;
	conntrack_put_forget(&w, address_of(ep->address));
	return nl_batch_take(ret, NETLINK_NETFILTER, &w, err);
}

int endpoint_settle(const struct endpoint *ep, teu_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ep->n_ports; i++)
		if (ep->ports[i].protocol == IPPROTO_UDP)
			r = conntrack_forget_stale(ep->ports[i].host_ip, ep->ports[i].host_port,
						   address_of(ep->address));
	return r < 0 ? err_errno(err, -r, "forget old conversations with published udp ports") : 0;
}

json *nl_batch_json(const struct nl_batch *batch)
{
	_cleanup_(strv_done) struct strv lines = STRV_INIT;
	_cleanup_json_ json *text = json_object();

	nl_batch_describe(batch, &lines);
	if (lines.oom || !json_add_string(text, "protocol", batch->protocol == NETLINK_ROUTE ? "route" : "netfilter") ||
	    !json_add(text, "messages", json_strings(lines.items)))
		return NULL;
	return TAKE_PTR(text);
}

static bool ports_to_json(const struct endpoint *ep, json *array)
{
	char ip[INET_ADDRSTRLEN];

	for (size_t i = 0; i < ep->n_ports; i++) {
		const struct port_mapping *port = &ep->ports[i];
		json *text = json_append_object(array);

		inet_ntop(AF_INET, &port->host_ip, ip, sizeof(ip));
		if (!json_add_string(text, "HostIp", ip) || !json_add_int(text, "HostPort", port->host_port) ||
		    !json_add_int(text, "Port", port->port) ||
		    !json_add_string(text, "Protocol", port_protocol_name(port->protocol)))
			return false;
	}
	return true;
}

json *endpoint_to_json(const struct endpoint *ep)
{
	_cleanup_json_ json *text = json_object();
	const uint8_t *mac = ep->mac;
	char mac_text[18];

	snprintf(mac_text, sizeof(mac_text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	if (!json_add_string(text, "Address", ep->address) || !json_add_string(text, "Gateway", ep->gateway) ||
	    !json_add_int(text, "PrefixLen", ep->prefix_len) || !json_add_string(text, "MacAddress", mac_text) ||
	    !json_add_string(text, "HostLink", ep->host_link) || !json_add_string(text, "Bridge", ep->bridge) ||
	    !json_add_int(text, "BridgeIndex", ep->bridge_index) || !ports_to_json(ep, json_add_array(text, "Ports")))
		return NULL;
	return TAKE_PTR(text);
}

static int ports_from_json(const json *array, struct endpoint *ep, teu_error **err)
{
	ep->ports = calloc(json_count(array) + 1, sizeof(*ep->ports));
	if (!ep->ports)
		return err_oom(err);
	json_foreach (text, array)
		ep->ports[ep->n_ports++] = (struct port_mapping){
			.host_ip = address_of(json_get_text(text, "HostIp", "")),
			.host_port = (uint16_t)json_get_number(text, "HostPort", 0),
			.port = (uint16_t)json_get_number(text, "Port", 0),
			.protocol = strcmp(json_get_text(text, "Protocol", ""), "udp") == 0 ? IPPROTO_UDP : IPPROTO_TCP,
			.socket = -EBADF,
		};
	return 0;
}

int endpoint_from_json(const json *text, struct endpoint *ret, teu_error **err)
{
	struct in_addr address;

	*ret = (struct endpoint){ .n_ports = 0 };
	if (inet_pton(AF_INET, json_get_text(text, "Address", ""), &address) != 1)
		return err_set(err, TEU_E_CORRUPT, "record of a network endpoint has no address");
	snprintf(ret->address, sizeof(ret->address), "%s", json_get_text(text, "Address", ""));
	snprintf(ret->gateway, sizeof(ret->gateway), "%s", json_get_text(text, "Gateway", ""));
	snprintf(ret->host_link, sizeof(ret->host_link), "%s", json_get_text(text, "HostLink", ""));
	snprintf(ret->bridge, sizeof(ret->bridge), "%s", json_get_text(text, "Bridge", ""));
	ret->prefix_len = (uint8_t)json_get_number(text, "PrefixLen", 0);
	ret->bridge_index = (uint32_t)json_get_number(text, "BridgeIndex", 0);
	bridge_mac(address.s_addr, ret->mac);
	return ports_from_json(json_get(text, "Ports"), ret, err);
}

static int remove_link(const char *name, teu_error **err)
{
	_cleanup_(nl_batch_done) struct nl_batch batch = { .bytes = NULL };
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	_cleanup_error_ teu_error *why = NULL;
	int r;

	link_put_remove(&w, name);
	r = nl_batch_take(&batch, NETLINK_ROUTE, &w, &why);
	if (r == 0)
		r = nl_batch_send(&batch, &why);
	if (r == 0 || teu_error_errno(why) == ENODEV)
		return 0;
	if (err && !*err)
		*err = teu_error_ref(why);
	return r;
}

static int withdraw(const struct endpoint *ep, uint32_t address, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	char table[16];
	int r = nft_open(&fd);

	if (r < 0)
		return err_errno(err, -r, "open a netfilter socket");
	bridge_table(ep->bridge, table);
	return ports_withdraw(fd, table, address, ep->ports, ep->n_ports, err);
}

int endpoint_close(const struct store *store, const char *container_id, const struct endpoint *ep, bool ports_left,
		   teu_error **err)
{
	uint32_t address = address_of(ep->address);
	char owner[IPAM_ID_MAX];
	int r = ipam_owner(store, address, owner, err);

	if (r < 0 || strcmp(owner, container_id) != 0)
		return r;
	if (ports_left && ep->n_ports)
		r = withdraw(ep, address, err);
	return r < 0 ? r : ipam_release(store, address, container_id, err);
}

void endpoint_done(struct endpoint *ep)
{
	for (size_t i = 0; i < ep->n_ports; i++)
		port_release(&ep->ports[i]);
	if (ep->has_rules_socket)
		close(ep->rules_socket);
	free(ep->ports);
	*ep = (struct endpoint){ .n_ports = 0 };
}

struct sweep {
	const struct store *store;
	bool (*is_alive)(const char *container_id, void *data);
	void *data;
};

/* When it can't be told whose an address is, it is left alone. */
static bool is_stale(uint32_t address, void *data)
{
	const struct sweep *sweep = data;
	char owner[IPAM_ID_MAX];

	return ipam_owner(sweep->store, address, owner, NULL) == 0 &&
	       (*owner == '\0' || !sweep->is_alive(owner, sweep->data));
}

static int release_dead(uint32_t address, const char *id, void *data, teu_error **err)
{
	const struct sweep *sweep = data;
	char link[16];
	int r;

	if (sweep->is_alive(id, sweep->data))
		return 0;
	name_host_link(id, address, link);
	r = remove_link(link, err);
	return r < 0 ? r : ipam_release(sweep->store, address, id, err);
}

int endpoint_sweep(const struct store *store, bool (*is_alive)(const char *container_id, void *data), void *data,
		   teu_error **err)
{
	struct sweep sweep = { .store = store, .is_alive = is_alive, .data = data };
	struct bridge bridge;
	int r = bridge_read(store, &bridge, err);

	if (r == 0)
		r = ports_sweep(bridge.table, is_stale, &sweep, err);
	return r < 0 ? r : ipam_each(store, release_dead, &sweep, err);
}

static int refuse(uint32_t address, const char *id, void *data, teu_error **err)
{
	char text[INET_ADDRSTRLEN];

	(void)data;
	return err_set(err, TEU_E_CONFLICT, "container %.12s has address %s on the bridge: stop it first", id,
		       inet_ntop(AF_INET, &address, text, sizeof(text)));
}

int endpoint_down(const struct store *store, teu_error **err)
{
	int r = ipam_each(store, refuse, NULL, err);

	return r < 0 ? r : bridge_remove(store, err);
}
