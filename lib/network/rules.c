/* rules: the packet rules of a bridge: one nftables table. */
#include "network/rules.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>

const struct nft_map rules_ports = { "ports", false }, rules_ports_ip = { "ports-ip", true };

/* nft(8), "standard priority names" */
enum { PRIORITY_RAW = -300, PRIORITY_DSTNAT = -100, PRIORITY_FILTER = 0, PRIORITY_SRCNAT = 100 };

enum { LOOPBACK_PREFIX_LEN = 8 };

/* enum ip_conntrack_info, as NF_CT_STATE_BIT of the kernel counts it */
enum { STATE_ESTABLISHED = 1 << 1, STATE_RELATED = 1 << 2 };

static uint32_t loopback(void)
{
	return htonl(INADDR_LOOPBACK);
}

static void put_guard(struct nl_writer *w, const struct bridge *b)
{
	struct nft_rule rule;

	nft_put_chain(w, b->table, "guard", "filter", NF_INET_PRE_ROUTING, PRIORITY_RAW);
	rule = nft_begin_rule(w, b->table, "guard");
	nft_if_link(&rule, NFT_FROM_LINK, true, b->name);
	nft_if_network(&rule, NFT_DESTINATION, loopback(), LOOPBACK_PREFIX_LEN);
	nft_decide(&rule, NF_DROP);
	nft_end_rule(&rule);
}

static void put_published(struct nl_writer *w, const struct bridge *b)
{
	static const struct nft_map *const maps[] = { &rules_ports_ip, &rules_ports };

	nft_put_chain(w, b->table, "published", NULL, 0, 0);
	for (uint32_t i = 0; i < ARRAY_SIZE(maps); i++) {
		struct nft_rule rule;

		nft_put_map(w, b->table, maps[i], i + 1);
		rule = nft_begin_rule(w, b->table, "published");
		nft_dnat_by(&rule, maps[i]);
		nft_end_rule(&rule);
	}
}

static void put_dnat(struct nl_writer *w, const struct bridge *b, const char *chain, uint32_t hook)
{
	struct nft_rule rule;

	nft_put_chain(w, b->table, chain, "nat", hook, PRIORITY_DSTNAT);
	rule = nft_begin_rule(w, b->table, chain);
	nft_if_local(&rule);
	nft_jump(&rule, "published");
	nft_end_rule(&rule);
}

static void put_masquerade(struct nl_writer *w, const struct bridge *b, uint32_t network, uint8_t prefix_len,
			   bool to_bridge, bool published)
{
	struct nft_rule rule = nft_begin_rule(w, b->table, "postrouting");

	nft_if_network(&rule, NFT_SOURCE, network, prefix_len);
	nft_if_link(&rule, NFT_TO_LINK, to_bridge, b->name);
	if (published)
		nft_if_ct_status(&rule, IPS_DST_NAT);
	nft_masquerade(&rule);
	nft_end_rule(&rule);
}

static void put_postrouting(struct nl_writer *w, const struct bridge *b)
{
	nft_put_chain(w, b->table, "postrouting", "nat", NF_INET_POST_ROUTING, PRIORITY_SRCNAT);
	put_masquerade(w, b, b->gateway, b->prefix_len, false, false);
	put_masquerade(w, b, loopback(), LOOPBACK_PREFIX_LEN, true, false);
	put_masquerade(w, b, b->gateway, b->prefix_len, true, true);
}

/* What reaches the end of the chain is accepted, so the rules say who does, and the last one drops the rest. */
static void put_forward(struct nl_writer *w, const struct bridge *b)
{
	struct nft_rule rule;

	nft_put_chain(w, b->table, "forward", "filter", NF_INET_FORWARD, PRIORITY_FILTER);
	for (int i = 0; i < 5; i++) {
		rule = nft_begin_rule(w, b->table, "forward");
		if (i == 0)
			nft_if_link(&rule, NFT_TO_LINK, false, b->name);
		else if (i == 1)
			nft_if_link(&rule, NFT_FROM_LINK, true, b->name);
		else if (i == 2)
			nft_if_ct_state(&rule, STATE_ESTABLISHED | STATE_RELATED);
		else if (i == 3)
			nft_if_ct_status(&rule, IPS_DST_NAT);
		nft_decide(&rule, i == 4 ? NF_DROP : NF_ACCEPT);
		nft_end_rule(&rule);
	}
}

static int send_transaction(struct nl_writer *w, teu_error **err)
{
	_cleanup_(nl_batch_done) struct nl_batch batch = { .bytes = NULL };
	int r = nl_batch_take(&batch, NETLINK_NETFILTER, w, err);

	return r < 0 ? r : nl_batch_send(&batch, err);
}

int rules_make(const struct bridge *bridge, bool replace, teu_error **err)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	int r;

	nft_put_begin(&w);
	if (replace)
		nft_put_remove_table(&w, bridge->table);
	nft_put_table(&w, bridge->table);
	put_guard(&w, bridge);
	put_published(&w, bridge);
	put_dnat(&w, bridge, "prerouting", NF_INET_PRE_ROUTING);
	put_dnat(&w, bridge, "output", NF_INET_LOCAL_OUT);
	put_postrouting(&w, bridge);
	put_forward(&w, bridge);
	nft_put_commit(&w);
	r = send_transaction(&w, err);
	return r < 0 ? err_wrap(err, r, "packet rules") : 0;
}

int rules_remove(const char *table, teu_error **err)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	_cleanup_error_ teu_error *why = NULL;
	int r;

	nft_put_begin(&w);
	nft_put_remove_table(&w, table);
	nft_put_commit(&w);
	r = send_transaction(&w, &why);
	if (r < 0 && teu_error_errno(why) == ENOENT)
		return 0;
	if (r < 0 && err && !*err)
		*err = teu_error_ref(why);
	return r;
}
