/* ports: published ports: a socket that keeps others off each one, and elements that lead packets to the container. */
#include "network/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "kernel/nft.h"
#include "kernel/nl_batch.h"
#include "network/rules.h"

const char *port_protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : "tcp";
}

static int bind_failed(const struct port_mapping *port, int eno, teu_error **err)
{
	char ip[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &port->host_ip, ip, sizeof(ip));
	if (eno == EADDRINUSE)
		return err_set(
			err, TEU_E_CONFLICT,
			"bind for %s:%u/%s failed: port is already allocated: stop what uses it, or publish another",
			ip, port->host_port, port_protocol_name(port->protocol));
	if (eno == EADDRNOTAVAIL)
		return err_set(err, TEU_E_INVALID, "bind for %s:%u/%s failed: the host has no such address", ip,
			       port->host_port, port_protocol_name(port->protocol));
	return err_errno(err, eno, "bind for %s:%u/%s", ip, port->host_port, port_protocol_name(port->protocol));
}

/*
 * Connections that a server left behind in TIME_WAIT keep its port for a minute, but not from a listener with
 * SO_REUSEADDR. So where a plain bind fails, one tries to listen. Shut down again, the socket keeps the port.
 */
static int bind_again(int fd, const struct sockaddr_in *address)
{
	int yes = 1, no = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 || listen(fd, 0) < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &no, sizeof(no)) < 0 || shutdown(fd, SHUT_RDWR) < 0)
		return -errno;
	return 0;
}

int port_reserve(struct port_mapping *port, teu_error **err)
{
	bool tcp = port->protocol == IPPROTO_TCP;
	_cleanup_close_ int fd = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = port->host_ip,
				       .sin_port = htons(port->host_port) };
	socklen_t len = sizeof(address);
	int r = 0;

	if (fd < 0)
		return err_errno(err, errno, "make a socket for port %u", port->host_port);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = errno == EADDRINUSE && tcp ? bind_again(fd, &address) : -errno;
	if (r < 0)
		return bind_failed(port, -r, err);
	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return err_errno(err, errno, "ask for the number of a port");
	port->host_port = ntohs(address.sin_port);
	port->socket = TAKE_FD(fd);
	return 0;
}

void port_release(struct port_mapping *port)
{
	if (port->socket >= 0)
		close(port->socket);
	port->socket = -EBADF;
}

static const struct nft_map *map_of(const struct port_mapping *port)
{
	return port->host_ip ? &rules_ports_ip : &rules_ports;
}

static struct nft_element element_of(const struct port_mapping *port, uint32_t address)
{
	return (struct nft_element){ .host_ip = port->host_ip,
				     .host_port = port->host_port,
				     .protocol = port->protocol,
				     .ip = address,
				     .port = port->port };
}

/* False: no memory, which @w remembers. */
static bool put_of_map(struct nl_writer *w, const char *table, uint32_t address, const struct nft_map *map,
		       const struct port_mapping *ports, size_t n, bool add)
{
	_cleanup_free_ struct nft_element *elements = calloc(n, sizeof(*elements));
	size_t n_elements = 0;

	if (!elements)
		return false;
	for (size_t i = 0; i < n; i++)
		if (map_of(&ports[i]) == map)
			elements[n_elements++] = element_of(&ports[i], address);
	(add ? nft_put_elements : nft_put_remove_elements)(w, table, map, elements, n_elements);
	return true;
}

void ports_put(struct nl_writer *w, const char *table, uint32_t address, const struct port_mapping *ports, size_t n,
	       bool add)
{
	nft_put_begin(w);
	if (n && (!put_of_map(w, table, address, &rules_ports, ports, n, add) ||
		  !put_of_map(w, table, address, &rules_ports_ip, ports, n, add)))
		w->bytes.oom = true;
	nft_put_commit(w);
}

static int remove_ports(const char *table, const struct port_mapping *ports, size_t n, teu_error **err)
{
	_cleanup_(nl_batch_done) struct nl_batch batch = { .bytes = NULL };
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	int r;

	if (n == 0)
		return 0;
	ports_put(&w, table, 0, ports, n, false);
	r = nl_batch_take(&batch, NETLINK_NETFILTER, &w, err);
	return r < 0 ? r : nl_batch_send(&batch, err);
}

int ports_withdraw(int rules_fd, const char *table, uint32_t address, const struct port_mapping *ports, size_t n,
		   teu_error **err)
{
	_cleanup_free_ struct port_mapping *found = calloc(n + 1, sizeof(*found));
	size_t n_found = 0;
	int r;

	if (!found)
		return err_oom(err);
	for (size_t i = 0; i < n; i++) {
		struct nft_element element = element_of(&ports[i], 0);

		r = nft_find_element(rules_fd, table, map_of(&ports[i]), &element);
		if (r < 0 && r != -ENOENT)
			return err_errno(err, -r, "look for published port %u", ports[i].host_port);
		if (r == 0 && (!address || element.ip == address))
			found[n_found++] = ports[i];
	}
	return remove_ports(table, found, n_found, err);
}

static int sweep_map(int rules_fd, const char *table, const struct nft_map *map,
		     bool (*stale)(uint32_t address, void *data), void *data, teu_error **err)
{
	_cleanup_free_ struct port_mapping *found = NULL;
	struct nft_elements all = { .n = 0 };
	size_t n_found = 0;
	int r = nft_list_elements(rules_fd, table, map, &all);

	found = calloc(all.n + 1, sizeof(*found));
	for (size_t i = 0; found && i < all.n; i++)
		if (stale(all.items[i].ip, data))
			found[n_found++] = (struct port_mapping){ .host_ip = all.items[i].host_ip,
								  .host_port = all.items[i].host_port,
								  .protocol = all.items[i].protocol };
	free(all.items);
	if (!found)
		return err_oom(err);
	if (r < 0 && r != -ENOENT)
		return err_errno(err, -r, "list published ports");
	return remove_ports(table, found, n_found, err);
}

int ports_sweep(const char *table, bool (*stale)(uint32_t address, void *data), void *data, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r = nft_open(&fd);

	if (r < 0)
		return err_errno(err, -r, "open a netfilter socket");
	r = sweep_map(fd, table, &rules_ports, stale, data, err);
	return r < 0 ? r : sweep_map(fd, table, &rules_ports_ip, stale, data, err);
}
