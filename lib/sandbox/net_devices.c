/*
 * net_devices: links of the host that become the container's: moved, renamed, with the lasting global addresses they
 * had, and up. Source: runtime-spec config-linux.md, "Network Devices".
 */
#include <stdio.h>
#include <string.h>

#include "kernel/addr.h"
#include "kernel/link.h"
#include "sandbox/compile.h"

static int add(const char *from, const char *to, struct net_devices *d, teu_error **err)
{
	_cleanup_(nl_writer_done) struct nl_writer host = { .seq = 0 }, inside = { .seq = 0 };
	size_t pid_at;
	uint32_t index;
	int r = link_find(from, &index);

	if (r < 0)
		return json_field_error(err, "linux.netDevices", from, "no such link on the host: %s",
					strerrordesc_np(-r));
	link_put_move(&host, index, to, &pid_at);
	r = addr_put_copies(&inside, index);
	if (r < 0)
		return err_errno(err, -r, "read the addresses of %s", from);
	link_put_up(&inside, index);
	r = nl_batch_take(&d->host[d->n], NETLINK_ROUTE, &host, err);
	d->host[d->n].pid_at = pid_at;
	if (r == 0)
		r = nl_batch_take(&d->inside[d->n], NETLINK_ROUTE, &inside, err);
	d->n++;
	return r;
}

int net_devices_compile(const json *spec, struct net_devices *ret, teu_error **err)
{
	const json *list = NULL;
	int r = json_read_object(json_get(spec, "linux"), "linux", "netDevices", &list, err);

	if (r == 0 && json_count(list) > MAX_NET_DEVICES)
		return json_field_error(err, "linux", "netDevices", "more than %d", MAX_NET_DEVICES);
	json_foreach_member (v, list) {
		const char *name = json_get_text(v, "name", "");

		r = r == 0 ? add(json_key(v), *name ? name : json_key(v), ret, err) : r;
	}
	return r;
}

void net_devices_done(struct net_devices *d)
{
	for (size_t i = 0; i < d->n; i++) {
		nl_batch_done(&d->host[i]);
		nl_batch_done(&d->inside[i]);
	}
	d->n = 0;
}
