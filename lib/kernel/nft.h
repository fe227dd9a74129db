/*
 * nft: nftables of the family ip: tables, chains, rules and maps, as messages. What a rule looks for is put into it
 * piece by piece, and all pieces have to match, in this order, until one of them decides.
 * Source: linux/netfilter/nf_tables.h; nft(8). Nothing but the pieces that the rules of lib/network need.
 */
#ifndef TEU_KERNEL_NFT_H
#define TEU_KERNEL_NFT_H

#include "base/strbuf.h"
#include "kernel/netlink.h"

/* A transaction: what is put between these two is done as a whole or not at all. */
void nft_put_begin(struct nl_writer *w);
void nft_put_commit(struct nl_writer *w);

void nft_put_table(struct nl_writer *w, const char *table); /* fails when it is there */
void nft_put_remove_table(struct nl_writer *w, const char *table);

/* @type NULL: a chain that others jump to. Otherwise "filter" or "nat" at a hook (NF_INET_…), which accepts at its end.
 */
void nft_put_chain(struct nl_writer *w, const char *table, const char *chain, const char *type, uint32_t hook,
		   int32_t priority);

/* From published place to container: keys are [address,] protocol, port; values are address, port. */
struct nft_map {
	const char *name;
	bool with_address; /* in the key */
};

struct nft_element {
	uint32_t host_ip; /* network order, of a map with_address */
	uint32_t ip;	  /* network order */
	uint16_t host_port, port;
	uint8_t protocol; /* IPPROTO_… */
};

/* @id: another one for each map of a transaction. */
void nft_put_map(struct nl_writer *w, const char *table, const struct nft_map *map, uint32_t id);
/* -EEXIST if one is there. Only the last message asks for an answer: failures are told of any. */
void nft_put_elements(struct nl_writer *w, const char *table, const struct nft_map *map,
		      const struct nft_element *elements, size_t n);
void nft_put_remove_elements(struct nl_writer *w, const char *table, const struct nft_map *map,
			     const struct nft_element *elements, size_t n);

struct nft_rule {
	struct nl_writer *w;
	struct nlmsghdr *m;
	struct nlattr *pieces;
};

enum nft_link { NFT_FROM_LINK, NFT_TO_LINK };
enum nft_end { NFT_SOURCE, NFT_DESTINATION };

struct nft_rule nft_begin_rule(struct nl_writer *w, const char *table, const char *chain);
void nft_end_rule(struct nft_rule *rule);
void nft_if_link(struct nft_rule *rule, enum nft_link which, bool equal, const char *link);
void nft_if_network(struct nft_rule *rule, enum nft_end which, uint32_t address, uint8_t prefix_len); /* 8, 16, 24 */
void nft_if_local(struct nft_rule *rule);		     /* the destination is an address of this host */
void nft_if_ct_state(struct nft_rule *rule, uint32_t bits);  /* any of NF_CT_STATE_BIT(…) */
void nft_if_ct_status(struct nft_rule *rule, uint32_t bits); /* any of IPS_… */
void nft_jump(struct nft_rule *rule, const char *chain);
void nft_decide(struct nft_rule *rule, int32_t verdict); /* NF_ACCEPT, NF_DROP */
void nft_masquerade(struct nft_rule *rule);
void nft_dnat_by(struct nft_rule *rule, const struct nft_map *map); /* goes on with the next rule if it isn't in @map */

/*
 * Asking, on a socket of nft_open(). All return 0 or -errno; -ENOENT: no such table, map or element. When the last user
 * of a socket that was used closes it, whoever it is waits until the kernel has freed what was last removed from any
 * table, some 10 ms, and others can change nothing meanwhile.
 */
int nft_open(int *ret_fd);
int nft_find_table(int fd, const char *table);
/* Fills in where @element (its key) leads to. */
int nft_find_element(int fd, const char *table, const struct nft_map *map, struct nft_element *element);
struct nft_elements {
	struct nft_element *items; /* owned */
	size_t n;
};
int nft_list_elements(int fd, const char *table, const struct nft_map *map, struct nft_elements *ret);

/* What a message says, in words like nft(8)'s. False: it is about something else. */
bool nft_describe(const struct nlmsghdr *m, struct strbuf *text);

#endif
