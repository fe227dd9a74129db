/* nft: nftables of the family ip: tables, chains, rules and maps, as messages. */
#include "kernel/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* One element takes 48 bytes of a message at most. */
enum { ELEMENTS_A_MESSAGE = 128 };

/* Numbers of nft's own for the types of keys and values, which the kernel keeps so that nft can show them. */
enum { TYPE_IPV4_ADDR = 7, TYPE_INET_PROTO = 12, TYPE_INET_SERVICE = 13, TYPE_BITS = 6 };

/* The 16-byte registers are the 4-byte ones by fours, and concatenated keys lie in 4-byte ones side by side. */
enum { FIRST = NFT_REG_1, SECOND = NFT_REG32_01, THIRD = NFT_REG32_02 };

static struct nlmsghdr *begin(struct nl_writer *w, int type, uint16_t flags)
{
	struct nfgenmsg *head;
	struct nlmsghdr *m =
		nl_begin(w, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, sizeof(*head), (void *)&head);

	head->nfgen_family = NFPROTO_IPV4;
	head->version = NFNETLINK_V0;
	return m;
}

static void put_mark(struct nl_writer *w, uint16_t type)
{
	struct nfgenmsg *head;

	nl_begin(w, type, 0, sizeof(*head), (void *)&head);
	head->version = NFNETLINK_V0;
	head->res_id = htons(NFNL_SUBSYS_NFTABLES);
	nl_end(w);
}

void nft_put_begin(struct nl_writer *w)
{
	put_mark(w, NFNL_MSG_BATCH_BEGIN);
}

void nft_put_commit(struct nl_writer *w)
{
	put_mark(w, NFNL_MSG_BATCH_END);
}

static void put_u32(struct nlmsghdr *m, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(m, type, htonl(value));
}

void nft_put_table(struct nl_writer *w, const char *table)
{
	struct nlmsghdr *m = begin(w, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);

	mnl_attr_put_strz(m, NFTA_TABLE_NAME, table);
	nl_end(w);
}

void nft_put_remove_table(struct nl_writer *w, const char *table)
{
	struct nlmsghdr *m = begin(w, NFT_MSG_DELTABLE, NLM_F_ACK);

	mnl_attr_put_strz(m, NFTA_TABLE_NAME, table);
	nl_end(w);
}

void nft_put_chain(struct nl_writer *w, const char *table, const char *chain, const char *type, uint32_t hook,
		   int32_t priority)
{
	struct nlmsghdr *m = begin(w, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK);
	struct nlattr *nest;

	mnl_attr_put_strz(m, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(m, NFTA_CHAIN_NAME, chain);
	if (type) {
		mnl_attr_put_strz(m, NFTA_CHAIN_TYPE, type);
		nest = mnl_attr_nest_start(m, NFTA_CHAIN_HOOK);
		put_u32(m, NFTA_HOOK_HOOKNUM, hook);
		put_u32(m, NFTA_HOOK_PRIORITY, (uint32_t)priority);
		mnl_attr_nest_end(m, nest);
		put_u32(m, NFTA_CHAIN_POLICY, NF_ACCEPT);
	}
	nl_end(w);
}

void nft_put_map(struct nl_writer *w, const char *table, const struct nft_map *map, uint32_t id)
{
	struct nlmsghdr *m = begin(w, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_ACK);
	uint32_t key = TYPE_INET_PROTO << TYPE_BITS | TYPE_INET_SERVICE;

	if (map->with_address)
		key |= TYPE_IPV4_ADDR << 2 * TYPE_BITS;
	mnl_attr_put_strz(m, NFTA_SET_TABLE, table);
	mnl_attr_put_strz(m, NFTA_SET_NAME, map->name);
	put_u32(m, NFTA_SET_FLAGS, NFT_SET_MAP);
	put_u32(m, NFTA_SET_KEY_TYPE, key);
	put_u32(m, NFTA_SET_KEY_LEN, map->with_address ? 12 : 8);
	put_u32(m, NFTA_SET_DATA_TYPE, TYPE_IPV4_ADDR << TYPE_BITS | TYPE_INET_SERVICE);
	put_u32(m, NFTA_SET_DATA_LEN, 8);
	put_u32(m, NFTA_SET_ID, id);
	nl_end(w);
}

static void put_value(struct nlmsghdr *m, uint16_t type, const void *value, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(m, type);

	mnl_attr_put(m, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(m, nest);
}

/* Keys and values are concatenations: each part begins at the next four bytes. */
static void put_element(struct nlmsghdr *m, const struct nft_map *map, const struct nft_element *element, bool value)
{
	uint8_t key[12] = { 0 }, data[8] = { 0 }, *at = key;
	uint16_t host_port = htons(element->host_port), port = htons(element->port);
	struct nlattr *nest = mnl_attr_nest_start(m, NFTA_LIST_ELEM);

	if (map->with_address) {
		memcpy(at, &element->host_ip, 4);
		at += 4;
	}
	at[0] = element->protocol;
	memcpy(at + 4, &host_port, 2);
	memcpy(data, &element->ip, 4);
	memcpy(data + 4, &port, 2);

	put_value(m, NFTA_SET_ELEM_KEY, key, (size_t)(at + 8 - key));
	if (value)
		put_value(m, NFTA_SET_ELEM_DATA, data, sizeof(data));
	mnl_attr_nest_end(m, nest);
}

static struct nlmsghdr *begin_elements(struct nl_writer *w, int type, uint16_t flags, const char *table,
				       const struct nft_map *map, struct nlattr **ret_list)
{
	struct nlmsghdr *m = begin(w, type, flags);

	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, map->name);
	*ret_list = mnl_attr_nest_start(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	return m;
}

/* Answers are asked for sparingly: hundreds of them would not fit into the sender's socket. */
static void put_elements(struct nl_writer *w, int type, uint16_t flags, const char *table, const struct nft_map *map,
			 const struct nft_element *elements, size_t n)
{
	while (n) {
		size_t some = n < ELEMENTS_A_MESSAGE ? n : ELEMENTS_A_MESSAGE;
		struct nlattr *list;
		struct nlmsghdr *m = begin_elements(w, type, n == some ? flags | NLM_F_ACK : flags, table, map, &list);

		for (size_t i = 0; i < some; i++)
			put_element(m, map, &elements[i], type == NFT_MSG_NEWSETELEM);
		mnl_attr_nest_end(m, list);
		nl_end(w);
		elements += some;
		n -= some;
	}
}

void nft_put_elements(struct nl_writer *w, const char *table, const struct nft_map *map,
		      const struct nft_element *elements, size_t n)
{
	put_elements(w, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, table, map, elements, n);
}

void nft_put_remove_elements(struct nl_writer *w, const char *table, const struct nft_map *map,
			     const struct nft_element *elements, size_t n)
{
	put_elements(w, NFT_MSG_DELSETELEM, 0, table, map, elements, n);
}

struct nft_rule nft_begin_rule(struct nl_writer *w, const char *table, const char *chain)
{
	struct nft_rule rule = { .w = w, .m = begin(w, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK) };

	mnl_attr_put_strz(rule.m, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(rule.m, NFTA_RULE_CHAIN, chain);
	rule.pieces = mnl_attr_nest_start(rule.m, NFTA_RULE_EXPRESSIONS);
	return rule;
}

void nft_end_rule(struct nft_rule *rule)
{
	mnl_attr_nest_end(rule->m, rule->pieces);
	nl_end(rule->w);
}

struct piece {
	struct nlattr *whole, *data;
};

static struct piece begin_piece(struct nft_rule *rule, const char *name)
{
	struct piece piece = { .whole = mnl_attr_nest_start(rule->m, NFTA_LIST_ELEM) };

	mnl_attr_put_strz(rule->m, NFTA_EXPR_NAME, name);
	piece.data = mnl_attr_nest_start(rule->m, NFTA_EXPR_DATA);
	return piece;
}

static void end_piece(struct nft_rule *rule, struct piece piece)
{
	mnl_attr_nest_end(rule->m, piece.data);
	mnl_attr_nest_end(rule->m, piece.whole);
}

static void load_meta(struct nft_rule *rule, uint32_t key, uint32_t reg)
{
	struct piece piece = begin_piece(rule, "meta");

	put_u32(rule->m, NFTA_META_KEY, key);
	put_u32(rule->m, NFTA_META_DREG, reg);
	end_piece(rule, piece);
}

static void load_payload(struct nft_rule *rule, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct piece piece = begin_piece(rule, "payload");

	put_u32(rule->m, NFTA_PAYLOAD_DREG, reg);
	put_u32(rule->m, NFTA_PAYLOAD_BASE, base);
	put_u32(rule->m, NFTA_PAYLOAD_OFFSET, offset);
	put_u32(rule->m, NFTA_PAYLOAD_LEN, len);
	end_piece(rule, piece);
}

static void compare(struct nft_rule *rule, uint32_t op, const void *value, size_t len)
{
	struct piece piece = begin_piece(rule, "cmp");

	put_u32(rule->m, NFTA_CMP_SREG, FIRST);
	put_u32(rule->m, NFTA_CMP_OP, op);
	put_value(rule->m, NFTA_CMP_DATA, value, len);
	end_piece(rule, piece);
}

void nft_if_link(struct nft_rule *rule, enum nft_link which, bool equal, const char *link)
{
	char name[IFNAMSIZ] = { 0 };

	strncpy(name, link, sizeof(name) - 1);
	load_meta(rule, which == NFT_FROM_LINK ? NFT_META_IIFNAME : NFT_META_OIFNAME, FIRST);
	compare(rule, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, name, sizeof(name));
}

/* RFC 791, 3.1: the source stands at byte 12 of the header, the destination at 16. */
void nft_if_network(struct nft_rule *rule, enum nft_end which, uint32_t address, uint8_t prefix_len)
{
	load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, which == NFT_SOURCE ? 12 : 16, prefix_len / 8, FIRST);
	compare(rule, NFT_CMP_EQ, &address, prefix_len / 8);
}

void nft_if_local(struct nft_rule *rule)
{
	struct piece piece = begin_piece(rule, "fib");
	uint32_t local = 2; /* RTN_LOCAL */

	put_u32(rule->m, NFTA_FIB_DREG, FIRST);
	put_u32(rule->m, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	put_u32(rule->m, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	end_piece(rule, piece);
	compare(rule, NFT_CMP_EQ, &local, sizeof(local));
}

static void if_ct_bits(struct nft_rule *rule, uint32_t key, uint32_t bits)
{
	uint32_t none = 0;
	struct piece piece = begin_piece(rule, "ct");

	put_u32(rule->m, NFTA_CT_KEY, key);
	put_u32(rule->m, NFTA_CT_DREG, FIRST);
	end_piece(rule, piece);

	piece = begin_piece(rule, "bitwise");
	put_u32(rule->m, NFTA_BITWISE_SREG, FIRST);
	put_u32(rule->m, NFTA_BITWISE_DREG, FIRST);
	put_u32(rule->m, NFTA_BITWISE_LEN, sizeof(bits));
	put_value(rule->m, NFTA_BITWISE_MASK, &bits, sizeof(bits));
	put_value(rule->m, NFTA_BITWISE_XOR, &none, sizeof(none));
	end_piece(rule, piece);
	compare(rule, NFT_CMP_NEQ, &none, sizeof(none));
}

void nft_if_ct_state(struct nft_rule *rule, uint32_t bits)
{
	if_ct_bits(rule, NFT_CT_STATE, bits);
}

void nft_if_ct_status(struct nft_rule *rule, uint32_t bits)
{
	if_ct_bits(rule, NFT_CT_STATUS, bits);
}

static void put_verdict(struct nft_rule *rule, int32_t code, const char *chain)
{
	struct piece piece = begin_piece(rule, "immediate");
	struct nlattr *data, *verdict;

	put_u32(rule->m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(rule->m, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(rule->m, NFTA_DATA_VERDICT);
	put_u32(rule->m, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		mnl_attr_put_strz(rule->m, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(rule->m, verdict);
	mnl_attr_nest_end(rule->m, data);
	end_piece(rule, piece);
}

void nft_jump(struct nft_rule *rule, const char *chain)
{
	put_verdict(rule, NFT_JUMP, chain);
}

void nft_decide(struct nft_rule *rule, int32_t verdict)
{
	put_verdict(rule, verdict, NULL);
}

void nft_masquerade(struct nft_rule *rule)
{
	end_piece(rule, begin_piece(rule, "masq"));
}

void nft_dnat_by(struct nft_rule *rule, const struct nft_map *map)
{
	struct piece piece;

	if (map->with_address)
		load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, FIRST);
	load_meta(rule, NFT_META_L4PROTO, map->with_address ? SECOND : FIRST);
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, map->with_address ? THIRD : SECOND);

	piece = begin_piece(rule, "lookup");
	mnl_attr_put_strz(rule->m, NFTA_LOOKUP_SET, map->name);
	put_u32(rule->m, NFTA_LOOKUP_SREG, FIRST);
	put_u32(rule->m, NFTA_LOOKUP_DREG, FIRST);
	end_piece(rule, piece);

	piece = begin_piece(rule, "nat");
	put_u32(rule->m, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	put_u32(rule->m, NFTA_NAT_FAMILY, NFPROTO_IPV4);
	put_u32(rule->m, NFTA_NAT_REG_ADDR_MIN, FIRST);
	put_u32(rule->m, NFTA_NAT_REG_PROTO_MIN, SECOND);
	end_piece(rule, piece);
}

static int ignore(const struct nlmsghdr *m, void *data)
{
	(void)m;
	(void)data;
	return 0;
}

int nft_open(int *ret_fd)
{
	return nl_open(NETLINK_NETFILTER, ret_fd);
}

int nft_find_table(int fd, const char *table)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	struct nlmsghdr *m = begin(&w, NFT_MSG_GETTABLE, 0);

	mnl_attr_put_strz(m, NFTA_TABLE_NAME, table);
	nl_end(&w);
	return nl_ask(fd, &w, ignore, NULL);
}

/* The bytes in an NFTA_SET_ELEM_KEY or _DATA, NULL unless there are @len of them. */
static const uint8_t *value_of(const struct nlattr *nest, size_t len)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, nest)
		if (mnl_attr_get_type(a) == NFTA_DATA_VALUE && mnl_attr_get_payload_len(a) == len)
			return mnl_attr_get_payload(a);
	return NULL;
}

static uint16_t port_at(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static struct nft_element parse_element(const struct nlattr *element)
{
	struct nft_element e = { .protocol = 0 };
	const uint8_t *value;
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, element) {
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_KEY) {
			value = value_of(a, 12);
			if (value)
				memcpy(&e.host_ip, value, 4);
			value = value ? value + 4 : value_of(a, 8);
			if (!value)
				continue;
			e.protocol = value[0];
			e.host_port = port_at(value + 4);
		} else if (mnl_attr_get_type(a) == NFTA_SET_ELEM_DATA) {
			value = value_of(a, 8);
			if (!value)
				continue;
			memcpy(&e.ip, value, 4);
			e.port = port_at(value + 4);
		}
	}
	return e;
}

static int for_elements(const struct nlmsghdr *m, int (*each)(struct nft_element e, void *data), void *data)
{
	const struct nlattr *a, *element;
	int r = 0;

	mnl_attr_for_each (a, m, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(a) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested (element, a)
			if (r == 0)
				r = each(parse_element(element), data);
	}
	return r;
}

static int add_element(struct nft_element e, void *data)
{
	struct nft_elements *list = data;
	struct nft_element *grown;

	/* Grows by doubling: full whenever the count is a power of two. */
	if ((list->n & (list->n - 1)) == 0) {
		grown = reallocarray(list->items, list->n ? list->n * 2 : 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->items = grown;
	}
	list->items[list->n++] = e;
	return 0;
}

static int take_elements(const struct nlmsghdr *m, void *data)
{
	return for_elements(m, add_element, data);
}

int nft_list_elements(int fd, const char *table, const struct nft_map *map, struct nft_elements *ret)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	struct nlmsghdr *m = begin(&w, NFT_MSG_GETSETELEM, NLM_F_DUMP);

	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, map->name);
	nl_end(&w);
	return nl_ask(fd, &w, take_elements, ret);
}

static int set_element(struct nft_element e, void *data)
{
	*(struct nft_element *)data = e;
	return 0;
}

static int take_element(const struct nlmsghdr *m, void *data)
{
	return for_elements(m, set_element, data);
}

int nft_find_element(int fd, const char *table, const struct nft_map *map, struct nft_element *element)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	struct nlattr *list;
	struct nlmsghdr *m = begin_elements(&w, NFT_MSG_GETSETELEM, 0, table, map, &list);

	put_element(m, map, element, false);
	mnl_attr_nest_end(m, list);
	nl_end(&w);
	return nl_ask(fd, &w, take_element, element);
}

static int describe_element(struct nft_element e, void *data)
{
	char from[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN];

	strbuf_addf(data, " %s:%u/%s", inet_ntop(AF_INET, &e.host_ip, from, sizeof(from)), e.host_port,
		    e.protocol == IPPROTO_UDP ? "udp" : "tcp");
	if (e.ip)
		strbuf_addf(data, " -> %s:%u", inet_ntop(AF_INET, &e.ip, to, sizeof(to)), e.port);
	return 0;
}

/* The first two attributes of what is made are its table and, but for tables, its name. */
static void describe_names(const struct nlmsghdr *m, bool table, struct strbuf *text)
{
	const struct nlattr *a;

	mnl_attr_for_each (a, m, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == 1 || (mnl_attr_get_type(a) == (table ? 1 : 2)))
			strbuf_addf(text, " %s", mnl_attr_get_str(a));
}

bool nft_describe(const struct nlmsghdr *m, struct strbuf *text)
{
	static const char *const words[] = {
		[NFT_MSG_NEWTABLE] = "add table",	 [NFT_MSG_DELTABLE] = "delete table",
		[NFT_MSG_NEWCHAIN] = "add chain",	 [NFT_MSG_NEWSET] = "add map",
		[NFT_MSG_NEWRULE] = "add rule",		 [NFT_MSG_NEWSETELEM] = "add element",
		[NFT_MSG_DELSETELEM] = "delete element",
	};
	unsigned int type = m->nlmsg_type & 0xff;

	if (m->nlmsg_type == NFNL_MSG_BATCH_BEGIN || m->nlmsg_type == NFNL_MSG_BATCH_END) {
		strbuf_adds(text, m->nlmsg_type == NFNL_MSG_BATCH_BEGIN ? "begin" : "commit");
		return true;
	}
	if (m->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || type >= ARRAY_SIZE(words) || !words[type])
		return false;
	strbuf_adds(text, words[type]);
	describe_names(m, type == NFT_MSG_NEWTABLE || type == NFT_MSG_DELTABLE, text);
	if (type == NFT_MSG_NEWSETELEM || type == NFT_MSG_DELSETELEM)
		for_elements(m, describe_element, text);
	return true;
}
