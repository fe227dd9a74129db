/* bridge: the link that containers of one engine are plugged into, its address range and its packet rules. */
#include "network/bridge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/lock.h"
#include "format/json.h"
#include "kernel/addr.h"
#include "kernel/link.h"
#include "kernel/nft.h"
#include "kernel/nl_batch.h"
#include "network/rules.h"

enum { PREFIX_LEN = 16, RECORD_MAX = 4096 };

/* Second halves of the ranges to try, after 172 (RFC 1918: 16 to 31) and then 10. Docker begins at 172.17, so at the
 * end. */
static const uint8_t ranges[][2] = {
	{ 172, 29 }, { 172, 28 }, { 172, 27 }, { 172, 26 }, { 172, 25 }, { 172, 24 }, { 172, 23 }, { 172, 22 },
	{ 172, 21 }, { 172, 20 }, { 172, 30 }, { 172, 31 }, { 172, 19 }, { 172, 18 }, { 172, 17 }, { 172, 16 },
	{ 10, 229 }, { 10, 228 }, { 10, 227 }, { 10, 226 }, { 10, 225 }, { 10, 224 }, { 10, 223 }, { 10, 222 },
	{ 10, 221 }, { 10, 220 }, { 10, 129 }, { 10, 128 }, { 10, 127 }, { 10, 126 }, { 10, 125 }, { 10, 124 },
};

void bridge_table(const char *name, char ret_table[16])
{
	if (strcmp(name, "teu0") == 0)
		snprintf(ret_table, 16, "teu");
	else
		snprintf(ret_table, 16, "teu-%.11s", name + strlen("teu"));
}

void bridge_mac(uint32_t address, uint8_t ret_mac[6])
{
	ret_mac[0] = 0x02;
	ret_mac[1] = 0x42;
	memcpy(ret_mac + 2, &address, 4);
}

/* FNV-1a: a name for a path, no secret. */
static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261;

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 16777619;
	return h;
}

static int name_bridge(const struct store *store, struct bridge *b, uint32_t *ret_first, teu_error **err)
{
	_cleanup_free_ char *real = NULL;

	*ret_first = 0;
	if (strcmp(store->run_root, "/run/teu") == 0) {
		snprintf(b->name, sizeof(b->name), "teu0");
	} else {
		real = realpath(store->run_root, NULL);
		if (!real)
			return err_errno(err, errno, "find %s", store->run_root);
		*ret_first = hash(real);
		snprintf(b->name, sizeof(b->name), "teu%08x", *ret_first);
	}
	bridge_table(b->name, b->table);
	return 0;
}

/* A record that can't be read is as good as none: it only says what was chosen before. */
static void read_record(int dir_fd, const char *name, struct bridge *b)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json *record = NULL;
	int64_t prefix_len;
	size_t len;

	if (fd_read_file(dir_fd, name, RECORD_MAX, &text, &len, NULL) < 0 || json_parse(text, len, &record, NULL) < 0)
		return;
	prefix_len = json_get_number(record, "PrefixLen", 0);
	if (prefix_len != PREFIX_LEN || inet_pton(AF_INET, json_get_text(record, "Gateway", ""), &b->gateway) != 1)
		return;
	b->prefix_len = (uint8_t)prefix_len;
	b->index = (uint32_t)json_get_number(record, "Index", 0);
}

static int write_record(int dir_fd, const char *name, const struct bridge *b, teu_error **err)
{
	_cleanup_json_ json *record = json_object();
	_cleanup_free_ char *text = NULL;
	char gateway[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &b->gateway, gateway, sizeof(gateway));
	if (!json_add_string(record, "Name", b->name) || !json_add_string(record, "Gateway", gateway) ||
	    !json_add_int(record, "PrefixLen", b->prefix_len) || !json_add_int(record, "Index", b->index))
		return err_oom(err);
	text = json_print(record);
	if (!text)
		return err_oom(err);
	return fd_replace_file(dir_fd, name, text, strlen(text), 0644, FD_NO_SYNC, err);
}

static void choose(struct bridge *b, uint32_t nth)
{
	const uint8_t *range = ranges[nth % ARRAY_SIZE(ranges)];

	b->gateway = htonl((uint32_t)range[0] << 24 | (uint32_t)range[1] << 16 | 1);
	b->prefix_len = PREFIX_LEN;
}

int bridge_read(const struct store *store, struct bridge *ret, teu_error **err)
{
	uint32_t first;
	int r;

	*ret = (struct bridge){ .index = 0 };
	r = name_bridge(store, ret, &first, err);
	if (r < 0)
		return r;
	choose(ret, first);
	read_record(store->root_fd, "networks/bridge.json", ret);
	ret->index = 0;
	read_record(store->run_fd, "network/bridge.json", ret);
	return 0;
}

/* Does the kernel still have what the record says? Somebody may have flushed all rules, or the machine was restarted.
 */
static bool is_whole(const struct bridge *b, int rules_fd)
{
	uint32_t index;

	return b->index && link_find(b->name, &index) == 0 && index == b->index &&
	       nft_find_table(rules_fd, b->table) == 0;
}

static int send_link_batch(struct nl_writer *w, teu_error **err)
{
	_cleanup_(nl_batch_done) struct nl_batch batch = { .bytes = NULL };
	int r = nl_batch_take(&batch, NETLINK_ROUTE, w, err);

	return r < 0 ? r : nl_batch_send(&batch, err);
}

static int set_up_link(struct bridge *b, teu_error **err)
{
	_cleanup_(nl_writer_done) struct nl_writer link = { .seq = 0 }, address = { .seq = 0 };
	uint8_t mac[6];
	int r;

	/* With a MAC of its own the bridge does not take over that of a port, which would change as containers go. */
	bridge_mac(b->gateway, mac);
	link_put_bridge(&link, b->name, mac);
	r = send_link_batch(&link, err);
	if (r < 0)
		return r;
	r = link_find(b->name, &b->index);
	if (r < 0)
		return err_errno(err, -r, "find bridge %s", b->name);
	addr_put(&address, b->index, b->gateway, b->prefix_len);
	return send_link_batch(&address, err);
}

/* Written only where it is not so already: /proc/sys may be read-only, and set as we need it. */
static int set_sysctl(const char *path, const char *value, teu_error **err)
{
	_cleanup_free_ char *old = NULL;
	size_t len;
	int r = fd_read_file(AT_FDCWD, path, 64, &old, &len, err);

	if (r < 0)
		return r;
	if (strncmp(old, value, strlen(value)) == 0 && len == strlen(value) + 1)
		return 0;
	r = fd_write_value(AT_FDCWD, path, value);
	return r < 0 ? err_errno(err, -r, "write %s to %s", value, path) : 0;
}

static int set_sysctls(const struct bridge *b, teu_error **err)
{
	char path[96];
	int r = set_sysctl("/proc/sys/net/ipv4/ip_forward", "1", err);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/route_localnet", b->name);
	return set_sysctl(path, "1", err);
}

static int check_free(const struct bridge *b, bool *ret_free, teu_error **err)
{
	_cleanup_(addr_ranges_done) struct addr_ranges used = { .n = 0 };
	struct addr_range range = { .address = b->gateway, .prefix_len = b->prefix_len };
	uint32_t own = 0;
	int r;

	if (link_find(b->name, &own) < 0)
		own = 0;
	r = addr_list(&used);
	if (r < 0)
		return err_errno(err, -r, "list addresses and routes of the host");
	*ret_free = !addr_taken(&used, &range, own);
	return 0;
}

static int undo(const struct bridge *b, teu_error **err)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	_cleanup_error_ teu_error *why = NULL;
	int r;

	link_put_remove(&w, b->name);
	r = send_link_batch(&w, &why);
	if (r < 0 && teu_error_errno(why) != ENODEV) {
		if (err && !*err)
			*err = teu_error_ref(why);
		return r;
	}
	return rules_remove(b->table, err);
}

/*
 * Sets the bridge up with the range that @b names. Rules come before the link, as its address lets packets in. Another
 * engine may have chosen the same range just now: whoever sees two of them at the end gives way.
 */
static int set_up(struct bridge *b, int rules_fd, bool same_rules, bool *ret_done, teu_error **err)
{
	bool have_table = nft_find_table(rules_fd, b->table) == 0;
	int r = check_free(b, ret_done, err);

	if (r < 0 || !*ret_done)
		return r;
	if (!have_table || !same_rules) {
		r = rules_make(b, have_table, err);
		if (r < 0)
			return r;
	}
	r = set_up_link(b, err);
	if (r == 0)
		r = set_sysctls(b, err);
	if (r == 0)
		r = check_free(b, ret_done, err);
	return r == 0 && !*ret_done ? undo(b, err) : r;
}

/* The recorded range first, so that containers keep their addresses; then the list, from a place of one's own. */
static int choose_and_set_up(struct bridge *b, int rules_fd, bool same_rules, uint32_t first, teu_error **err)
{
	bool done = false;
	int r = set_up(b, rules_fd, same_rules, &done, err);

	for (uint32_t i = 0; r == 0 && !done && i < ARRAY_SIZE(ranges); i++) {
		choose(b, first + i);
		r = set_up(b, rules_fd, false, &done, err);
	}
	if (r < 0 || done)
		return r;
	return err_set(err, TEU_E_NO_SPACE,
		       "no private /16 is free for bridge %s: addresses or routes of the host cover 172.16.0.0/12 and "
		       "10.0.0.0/8; run the container with --network host or none",
		       b->name);
}

static int record(const struct store *store, const struct bridge *b, teu_error **err)
{
	_cleanup_close_ int networks = -EBADF;
	int r = fd_open_dir(store->root_fd, "networks", 0710, &networks, err);

	if (r == 0)
		r = write_record(networks, "bridge.json", b, err);
	return r < 0 ? r : write_record(store->run_fd, "network/bridge.json", b, err);
}

int bridge_ensure(const struct store *store, int rules_fd, struct bridge *ret, teu_error **err)
{
	_cleanup_close_ int dir = -EBADF, lock = -EBADF;
	uint32_t first;
	int r = bridge_read(store, ret, err);

	if (r < 0 || is_whole(ret, rules_fd))
		return r;
	r = fd_open_dir(store->run_fd, "network", 0710, &dir, err);
	if (r == 0)
		r = lock_take(dir, "lock", LOCK_EXCLUSIVE, &lock, err);
	if (r == 0)
		r = bridge_read(store, ret, err);
	if (r < 0 || is_whole(ret, rules_fd))
		return r;
	r = name_bridge(store, ret, &first, err);
	if (r == 0)
		r = choose_and_set_up(ret, rules_fd, ret->index != 0, first, err);
	if (r < 0)
		return err_wrap(err, r, "bridge %s", ret->name);
	return record(store, ret, err);
}

int bridge_remove(const struct store *store, teu_error **err)
{
	_cleanup_close_ int dir = -EBADF, lock = -EBADF;
	struct bridge b;
	int r = bridge_read(store, &b, err);

	if (r == 0)
		r = fd_open_dir(store->run_fd, "network", 0710, &dir, err);
	if (r == 0)
		r = lock_take(dir, "lock", LOCK_EXCLUSIVE, &lock, err);
	if (r == 0)
		r = undo(&b, err);
	if (r < 0)
		return r;
	if (unlinkat(dir, "bridge.json", 0) < 0 && errno != ENOENT)
		return err_errno(err, errno, "remove %s/network/bridge.json", store->run_root);
	return 0;
}
