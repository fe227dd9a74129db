/* addr: IPv4 addresses and routes. */
#include "kernel/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

static uint32_t mask_of(uint8_t prefix_len)
{
	return prefix_len ? htonl(UINT32_MAX << (32 - prefix_len)) : 0;
}

void addr_put(struct nl_writer *w, uint32_t link, uint32_t address, uint8_t prefix_len)
{
	struct ifaddrmsg *head;
	struct nlmsghdr *m =
		nl_begin(w, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, sizeof(*head), (void *)&head);

	head->ifa_family = AF_INET;
	head->ifa_prefixlen = prefix_len;
	head->ifa_index = link;
	mnl_attr_put_u32(m, IFA_LOCAL, address);
	mnl_attr_put_u32(m, IFA_ADDRESS, address);
	mnl_attr_put_u32(m, IFA_BROADCAST, address | ~mask_of(prefix_len));
	nl_end(w);
}

void addr_put_default_route(struct nl_writer *w, uint32_t link, uint32_t gateway)
{
	struct rtmsg *head;
	struct nlmsghdr *m =
		nl_begin(w, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, sizeof(*head), (void *)&head);

	head->rtm_family = AF_INET;
	head->rtm_table = RT_TABLE_MAIN;
	head->rtm_protocol = RTPROT_BOOT;
	head->rtm_scope = RT_SCOPE_UNIVERSE;
	head->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(m, RTA_GATEWAY, gateway);
	mnl_attr_put_u32(m, RTA_OIF, link);
	nl_end(w);
}

static int add_range(struct addr_ranges *ranges, struct addr_range range)
{
	struct addr_range *grown = reallocarray(ranges->items, ranges->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	ranges->items = grown;
	ranges->items[ranges->n++] = range;
	return 0;
}

static int take_address(const struct nlmsghdr *m, void *data)
{
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(m);
	struct addr_range range = { .prefix_len = head->ifa_prefixlen, .link = head->ifa_index };
	const struct nlattr *a;

	mnl_attr_for_each (a, m, sizeof(*head))
		if (mnl_attr_get_type(a) == IFA_ADDRESS)
			range.address = mnl_attr_get_u32(a);
	return head->ifa_family == AF_INET ? add_range(data, range) : 0;
}

static int take_route(const struct nlmsghdr *m, void *data)
{
	const struct rtmsg *head = mnl_nlmsg_get_payload(m);
	struct addr_range range = { .prefix_len = head->rtm_dst_len };
	const struct nlattr *a;

	if (head->rtm_family != AF_INET || head->rtm_dst_len == 0)
		return 0;
	mnl_attr_for_each (a, m, sizeof(*head)) {
		if (mnl_attr_get_type(a) == RTA_DST)
			range.address = mnl_attr_get_u32(a);
		if (mnl_attr_get_type(a) == RTA_OIF)
			range.link = mnl_attr_get_u32(a);
	}
	return add_range(data, range);
}

static int dump(int fd, uint16_t type, nl_each each, struct addr_ranges *ret)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	struct rtmsg *head; /* as long as struct ifaddrmsg or longer, and begins with the family as it does */

	nl_begin(&w, type, NLM_F_DUMP, sizeof(*head), (void *)&head);
	head->rtm_family = AF_INET;
	nl_end(&w);
	return nl_ask(fd, &w, each, ret);
}

struct copies {
	struct nl_writer *to;
	uint32_t link;
};

static int copy_address(const struct nlmsghdr *m, void *data)
{
	static const uint16_t kept[] = { IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST };
	const struct ifaddrmsg *from = mnl_nlmsg_get_payload(m);
	const struct copies *c = data;
	struct ifaddrmsg *head;
	const struct nlattr *a;
	struct nlmsghdr *copy;

	if (from->ifa_index != c->link || from->ifa_scope != RT_SCOPE_UNIVERSE || !(from->ifa_flags & IFA_F_PERMANENT))
		return 0;
	copy = nl_begin(c->to, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, sizeof(*head), (void *)&head);
	head->ifa_family = from->ifa_family;
	head->ifa_prefixlen = from->ifa_prefixlen;
	head->ifa_index = c->link;
	mnl_attr_for_each (a, m, sizeof(*from))
		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			if (mnl_attr_get_type(a) == kept[i])
				mnl_attr_put(copy, kept[i], mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
	nl_end(c->to);
	return 0;
}

int addr_put_copies(struct nl_writer *to, uint32_t link)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	struct copies copies = { .to = to, .link = link };
	_cleanup_close_ int fd = -EBADF;
	struct rtmsg *head;
	int r = nl_open(NETLINK_ROUTE, &fd);

	nl_begin(&w, RTM_GETADDR, NLM_F_DUMP, sizeof(*head), (void *)&head);
	head->rtm_family = AF_UNSPEC;
	nl_end(&w);
	return r < 0 ? r : nl_ask(fd, &w, copy_address, &copies);
}

int addr_list(struct addr_ranges *ret)
{
	_cleanup_close_ int fd = -EBADF;
	int r = nl_open(NETLINK_ROUTE, &fd);

	if (r == 0)
		r = dump(fd, RTM_GETADDR, take_address, ret);
	return r < 0 ? r : dump(fd, RTM_GETROUTE, take_route, ret);
}

void addr_ranges_done(struct addr_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct addr_ranges){ 0 };
}

bool addr_taken(const struct addr_ranges *ranges, const struct addr_range *range, uint32_t but)
{
	for (size_t i = 0; i < ranges->n; i++) {
		const struct addr_range *old = &ranges->items[i];
		uint8_t wider = old->prefix_len < range->prefix_len ? old->prefix_len : range->prefix_len;

		if ((!but || old->link != but) && ((old->address ^ range->address) & mask_of(wider)) == 0)
			return true;
	}
	return false;
}

static void describe_ip(struct strbuf *text, const char *before, const struct nlattr *a)
{
	char dotted[INET_ADDRSTRLEN];

	strbuf_addf(text, "%s%s", before, inet_ntop(AF_INET, mnl_attr_get_payload(a), dotted, sizeof(dotted)));
}

static void describe_address(const struct nlmsghdr *m, struct strbuf *text)
{
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(m);
	const struct nlattr *a;

	strbuf_adds(text, "addr add");
	mnl_attr_for_each (a, m, sizeof(*head))
		if (mnl_attr_get_type(a) == IFA_LOCAL)
			describe_ip(text, " ", a);
	strbuf_addf(text, "/%u dev index %u", head->ifa_prefixlen, head->ifa_index);
}

static void describe_route(const struct nlmsghdr *m, struct strbuf *text)
{
	const struct nlattr *a;

	strbuf_adds(text, "route add default");
	mnl_attr_for_each (a, m, sizeof(struct rtmsg)) {
		if (mnl_attr_get_type(a) == RTA_GATEWAY)
			describe_ip(text, " via ", a);
		if (mnl_attr_get_type(a) == RTA_OIF)
			strbuf_addf(text, " dev index %u", mnl_attr_get_u32(a));
	}
}

bool addr_describe(const struct nlmsghdr *m, struct strbuf *text)
{
	if (m->nlmsg_type == RTM_NEWADDR)
		describe_address(m, text);
	else if (m->nlmsg_type == RTM_NEWROUTE)
		describe_route(m, text);
	else
		return false;
	return true;
}
