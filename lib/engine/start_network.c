/* start_network: the network part of a launch. */
#include "engine/start_network.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "engine/ports.h"

void start_network_init(struct start_network *n)
{
	*n = (struct start_network){ 0 };
	n->host.pid_at = n->guest.pid_at = n->publish.pid_at = n->unpublish.pid_at = SIZE_MAX;
}

void start_network_done(struct start_network *n)
{
	endpoint_done(&n->endpoint);
	nl_batch_done(&n->host);
	nl_batch_done(&n->guest);
	nl_batch_done(&n->publish);
	nl_batch_done(&n->unpublish);
}

/* Written before the kernel is told anything of it, so that a sweep can take it back. */
static int record(const teu_container *container, const struct endpoint *ep, teu_error **err)
{
	_cleanup_json_ json *text = endpoint_to_json(ep);
	_cleanup_free_ char *bytes = text ? json_print(text) : NULL;
	char path[128];

	if (!bytes)
		return err_oom(err);
	snprintf(path, sizeof(path), "containers/%s/network.json", container->id);
	return fd_replace_file(container->engine->store.run_fd, path, bytes, strlen(bytes), 0600, FD_NO_SYNC, err);
}

static int build_batches(struct start_network *n, teu_error **err)
{
	int r = endpoint_host_batch(&n->endpoint, &n->host, err);

	if (r == 0)
		r = endpoint_guest_batch(&n->endpoint, &n->guest, err);
	if (r == 0)
		r = endpoint_publish_batch(&n->endpoint, &n->publish, err);
	if (r == 0)
		r = endpoint_unpublish_batch(&n->endpoint, &n->unpublish, err);
	return r;
}

typedef int (*open_fn)(const struct store *store, const char *container_id, const struct port_mapping *ports,
		       size_t n_ports, struct endpoint *ret, teu_error **err);

/* @open: endpoint_open or endpoint_preview. */
static int open_bridge(teu_container *container, open_fn open, struct start_network *n, teu_error **err)
{
	_cleanup_free_ struct port_mapping *ports = NULL;
	size_t n_ports = 0;
	int r = ports_of(json_get(container->record, "HostConfig"), &ports, &n_ports, err);

	if (r == 0)
		r = open(&container->engine->store, container->id, ports, n_ports, &n->endpoint, err);
	n->has_endpoint = r == 0;
	return r;
}

int start_network_open(teu_container *container, const char *mode, struct start_network *n, teu_error **err)
{
	int r;

	if (strcmp(mode, "none") == 0)
		return endpoint_loopback_batch(&n->guest, err);
	if (strcmp(mode, "bridge") != 0)
		return 0;
	r = open_bridge(container, endpoint_open, n, err);
	if (r == 0)
		r = record(container, &n->endpoint, err);
	return r < 0 ? r : build_batches(n, err);
}

int start_network_preview(teu_container *container, const char *mode, struct start_network *n, teu_error **err)
{
	int r;

	if (strcmp(mode, "none") == 0)
		return endpoint_loopback_batch(&n->guest, err);
	if (strcmp(mode, "bridge") != 0)
		return 0;
	r = open_bridge(container, endpoint_preview, n, err);
	return r < 0 ? r : build_batches(n, err);
}

json *start_network_json(const struct start_network *n)
{
	const struct {
		const char *by;
		const struct nl_batch *batch;
	} all[] = { { "monitor, at birth", &n->host },
		    { "monitor, at birth", &n->publish },
		    { "container", &n->guest },
		    { "monitor, after", &n->unpublish } };
	_cleanup_json_ json *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		json *o;

		if (!all[i].batch->n_bytes)
			continue;
		o = json_append_object(list);
		if (!json_add_string(o, "by", all[i].by) || !json_add(o, "netlink", nl_batch_json(all[i].batch)))
			return NULL;
	}
	return TAKE_PTR(list);
}
