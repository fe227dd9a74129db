/* conntrack: the kernel's memory of UDP conversations through translated addresses. */
#include "kernel/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stddef.h>

/* Which parts of a tuple count, in CTA_FILTER (since Linux 5.8): its bits stand in no header for programs. */
enum { FILTER_SOURCE = 1 << 0, FILTER_PROTOCOL = 1 << 3, FILTER_DESTINATION_PORT = 1 << 5 };

static struct nlmsghdr *begin(struct nl_writer *w, uint16_t type, uint16_t flags)
{
	struct nfgenmsg *head;
	struct nlmsghdr *m = nl_begin(w, NFNL_SUBSYS_CTNETLINK << 8 | type, flags, sizeof(*head), (void *)&head);

	head->nfgen_family = AF_INET;
	head->version = NFNETLINK_V0;
	return m;
}

/* @which: CTA_TUPLE_ORIG or CTA_TUPLE_REPLY; @source and @port 0: any. */
static void put_tuple(struct nlmsghdr *m, uint16_t which, uint32_t source, uint16_t port)
{
	struct nlattr *tuple = mnl_attr_nest_start(m, which), *part;

	if (source) {
		part = mnl_attr_nest_start(m, CTA_TUPLE_IP);
		mnl_attr_put_u32(m, CTA_IP_V4_SRC, source);
		mnl_attr_nest_end(m, part);
	}
	part = mnl_attr_nest_start(m, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(m, CTA_PROTO_NUM, IPPROTO_UDP);
	if (port)
		mnl_attr_put_u16(m, CTA_PROTO_DST_PORT, htons(port));
	mnl_attr_nest_end(m, part);
	mnl_attr_nest_end(m, tuple);
}

static void put_filter(struct nlmsghdr *m, uint16_t which, uint32_t parts)
{
	struct nlattr *filter = mnl_attr_nest_start(m, CTA_FILTER);

	mnl_attr_put_u32(m, which, parts);
	mnl_attr_nest_end(m, filter);
}

/* Without the filter the tuple would be that of one conversation, of which too little is said: hence EINVAL. */
void conntrack_put_forget(struct nl_writer *w, uint32_t address)
{
	struct nlmsghdr *m = begin(w, IPCTNL_MSG_CT_DELETE, NLM_F_ACK);

	put_tuple(m, CTA_TUPLE_REPLY, address, 0);
	put_filter(m, CTA_FILTER_REPLY_FLAGS, FILTER_SOURCE | FILTER_PROTOCOL);
	nl_end(w);
}

/* One direction of a conversation. */
struct tuple {
	uint32_t source, destination;
	uint16_t port; /* of the destination */
	uint8_t protocol;
};

static void read_tuple(const struct nlattr *tuple, struct tuple *ret)
{
	const struct nlattr *part, *a;

	mnl_attr_for_each_nested (part, tuple)
		mnl_attr_for_each_nested (a, part) {
			bool ip = mnl_attr_get_type(part) == CTA_TUPLE_IP;
			bool proto = mnl_attr_get_type(part) == CTA_TUPLE_PROTO;

			if (ip && mnl_attr_get_type(a) == CTA_IP_V4_SRC)
				ret->source = mnl_attr_get_u32(a);
			else if (ip && mnl_attr_get_type(a) == CTA_IP_V4_DST)
				ret->destination = mnl_attr_get_u32(a);
			else if (proto && mnl_attr_get_type(a) == CTA_PROTO_NUM)
				ret->protocol = mnl_attr_get_u8(a);
			else if (proto && mnl_attr_get_type(a) == CTA_PROTO_DST_PORT)
				ret->port = ntohs(mnl_attr_get_u16(a));
		}
}

/* What is looked for, and the messages that forget what was found. */
struct search {
	uint32_t host_ip, address;
	uint16_t host_port;
	struct nl_writer forget;
};

/* A conversation that only its sender's address was changed of goes out into the world: it is none of ours. */
static bool is_stale(const struct search *s, const struct tuple *to, const struct tuple *back, uint32_t status)
{
	if (to->protocol != IPPROTO_UDP || to->port != s->host_port || (s->host_ip && to->destination != s->host_ip))
		return false;
	return back->source != s->address && ((status & IPS_DST_NAT) || !(status & IPS_SRC_NAT));
}

static int look_at(const struct nlmsghdr *m, void *data)
{
	struct tuple to = { .port = 0 }, back = { .port = 0 };
	const struct nlattr *a, *name = NULL;
	struct search *s = data;
	uint32_t status = 0;
	struct nlmsghdr *order;

	mnl_attr_for_each (a, m, sizeof(struct nfgenmsg))
		switch (mnl_attr_get_type(a)) {
		case CTA_TUPLE_ORIG:
			read_tuple(a, &to);
			name = a;
			break;
		case CTA_TUPLE_REPLY:
			read_tuple(a, &back);
			break;
		case CTA_STATUS:
			status = ntohl(mnl_attr_get_u32(a));
			break;
		}
	if (!name || !is_stale(s, &to, &back, status))
		return 0;
	order = begin(&s->forget, IPCTNL_MSG_CT_DELETE, 0);
	mnl_attr_put(order, CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload_len(name), mnl_attr_get_payload(name));
	nl_end(&s->forget);
	return 0;
}

/* Kernels that know no filter list everything: each is looked at once more. */
static int find(struct search *s)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	struct nlmsghdr *m = begin(&w, IPCTNL_MSG_CT_GET, NLM_F_DUMP);
	_cleanup_close_ int fd = -EBADF;
	int r = nl_open(NETLINK_NETFILTER, &fd);

	if (r < 0)
		return r;
	put_tuple(m, CTA_TUPLE_ORIG, 0, s->host_port);
	put_filter(m, CTA_FILTER_ORIG_FLAGS, FILTER_PROTOCOL | FILTER_DESTINATION_PORT);
	nl_end(&w);
	return nl_ask(fd, &w, look_at, s);
}

int conntrack_forget_stale(uint32_t host_ip, uint16_t host_port, uint32_t address)
{
	struct search s = { .host_ip = host_ip, .host_port = host_port, .address = address };
	const struct nlmsghdr *failed;
	int r = find(&s);

	if (r == 0 && s.forget.bytes.oom)
		r = -ENOMEM;
	if (r == 0 && s.forget.bytes.len)
		r = nl_send(NETLINK_NETFILTER, s.forget.bytes.text, s.forget.bytes.len, &failed);
	nl_writer_done(&s.forget);
	return r;
}

bool conntrack_describe(const struct nlmsghdr *m, struct strbuf *text)
{
	if (m->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE))
		return false;
	strbuf_adds(text, "forget the udp conversations of the container");
	return true;
}
