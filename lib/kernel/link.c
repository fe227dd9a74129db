/* link: network devices: the bridge, veth pairs, up and gone. */
#include "kernel/link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/socket.h>

static void put_end(struct nlmsghdr *m, const struct link_end *end)
{
	mnl_attr_put_strz(m, IFLA_IFNAME, end->name);
	if (end->mac)
		mnl_attr_put(m, IFLA_ADDRESS, 6, end->mac);
}

/* A queue a processor is the default, each with its folder in sysfs: many times the work, and veth needs none of it. */
static void put_one_queue(struct nlmsghdr *m)
{
	mnl_attr_put_u32(m, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(m, IFLA_NUM_RX_QUEUES, 1);
}

void link_put_veth(struct nl_writer *w, const struct link_end *host, uint32_t bridge, const struct link_end *peer,
		   size_t *ret_pid_at)
{
	struct nlattr *info, *data, *inner;
	struct ifinfomsg *head;
	struct nlmsghdr *m =
		nl_begin(w, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, sizeof(*head), (void *)&head);

	head->ifi_index = (int)host->index;
	put_end(m, host);
	put_one_queue(m);
	mnl_attr_put_u32(m, IFLA_MASTER, bridge);

	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	inner = mnl_attr_nest_start(m, VETH_INFO_PEER);
	head = mnl_nlmsg_put_extra_header(m, sizeof(*head));
	head->ifi_index = (int)peer->index;
	put_end(m, peer);
	put_one_queue(m);
	*ret_pid_at = nl_offset(w, mnl_attr_get_payload(mnl_nlmsg_get_payload_tail(m)));
	mnl_attr_put_u32(m, IFLA_NET_NS_PID, 0);
	mnl_attr_nest_end(m, inner);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
	nl_end(w);
}

void link_put_bridge(struct nl_writer *w, const char *name, const uint8_t mac[6])
{
	struct link_end end = { .name = name, .mac = mac };
	struct ifinfomsg *head;
	struct nlmsghdr *m = nl_begin(w, RTM_NEWLINK, NLM_F_CREATE | NLM_F_ACK, sizeof(*head), (void *)&head);
	struct nlattr *info;

	head->ifi_flags = head->ifi_change = IFF_UP;
	put_end(m, &end);
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(m, info);
	nl_end(w);
}

void link_put_hairpin(struct nl_writer *w, uint32_t index)
{
	struct ifinfomsg *head;
	struct nlmsghdr *m = nl_begin(w, RTM_NEWLINK, NLM_F_ACK, sizeof(*head), (void *)&head);
	struct nlattr *info, *data;

	head->ifi_index = (int)index;
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(m, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(m, IFLA_BRPORT_MODE, 1);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
	nl_end(w);
}

void link_put_up(struct nl_writer *w, uint32_t index)
{
	struct ifinfomsg *head;

	nl_begin(w, RTM_NEWLINK, NLM_F_ACK, sizeof(*head), (void *)&head);
	head->ifi_index = (int)index;
	head->ifi_flags = head->ifi_change = IFF_UP;
	nl_end(w);
}

void link_put_move(struct nl_writer *w, uint32_t index, const char *name, size_t *ret_pid_at)
{
	struct ifinfomsg *head;
	struct nlmsghdr *m = nl_begin(w, RTM_NEWLINK, NLM_F_ACK, sizeof(*head), (void *)&head);

	head->ifi_index = (int)index;
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	*ret_pid_at = nl_offset(w, mnl_attr_get_payload(mnl_nlmsg_get_payload_tail(m)));
	mnl_attr_put_u32(m, IFLA_NET_NS_PID, 0);
	nl_end(w);
}

void link_put_no_ipv6_address(struct nl_writer *w, uint32_t index)
{
	struct ifinfomsg *head;
	struct nlmsghdr *m = nl_begin(w, RTM_NEWLINK, NLM_F_ACK, sizeof(*head), (void *)&head);
	struct nlattr *families, *inet6;

	head->ifi_index = (int)index;
	families = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(m, AF_INET6);
	mnl_attr_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(m, inet6);
	mnl_attr_nest_end(m, families);
	nl_end(w);
}

void link_put_remove(struct nl_writer *w, const char *name)
{
	struct ifinfomsg *head;
	struct nlmsghdr *m = nl_begin(w, RTM_DELLINK, NLM_F_ACK, sizeof(*head), (void *)&head);

	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	nl_end(w);
}

static int take_index(const struct nlmsghdr *m, void *data)
{
	const struct ifinfomsg *head = mnl_nlmsg_get_payload(m);

	*(uint32_t *)data = (uint32_t)head->ifi_index;
	return 0;
}

int link_find(const char *name, uint32_t *ret_index)
{
	_cleanup_(nl_writer_done) struct nl_writer w = { .seq = 0 };
	_cleanup_close_ int fd = -EBADF;
	struct ifinfomsg *head;
	struct nlmsghdr *m = nl_begin(&w, RTM_GETLINK, 0, sizeof(*head), (void *)&head);
	int r;

	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	nl_end(&w);
	r = nl_open(NETLINK_ROUTE, &fd);
	return r < 0 ? r : nl_ask(fd, &w, take_index, ret_index);
}

static void describe_end(const struct nlattr *first, size_t len, struct strbuf *text);

static void describe_info(const struct nlattr *info, struct strbuf *text)
{
	const struct nlattr *a, *inner;

	mnl_attr_for_each_nested (a, info) {
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			strbuf_addf(text, " type %s", mnl_attr_get_str(a));
		if (mnl_attr_get_type(a) == IFLA_INFO_SLAVE_DATA)
			strbuf_adds(text, " hairpin on");
		if (mnl_attr_get_type(a) != IFLA_INFO_DATA)
			continue;
		inner = mnl_attr_get_payload(a);
		strbuf_adds(text, " peer");
		describe_end(
			(const struct nlattr *)((const char *)mnl_attr_get_payload(inner) + sizeof(struct ifinfomsg)),
			mnl_attr_get_payload_len(inner) - sizeof(struct ifinfomsg), text);
	}
}

static void describe_end(const struct nlattr *first, size_t len, struct strbuf *text)
{
	const uint8_t *mac;

	for (const struct nlattr *a = first; mnl_attr_ok(a, (int)(len - (size_t)((char *)a - (char *)first)));
	     a = mnl_attr_next(a))
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			strbuf_addf(text, " %s", mnl_attr_get_str(a));
			break;
		case IFLA_ADDRESS:
			mac = mnl_attr_get_payload(a);
			strbuf_addf(text, " address %02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
				    mac[4], mac[5]);
			break;
		case IFLA_MASTER:
			strbuf_addf(text, " master %u", mnl_attr_get_u32(a));
			break;
		case IFLA_NET_NS_PID:
			strbuf_adds(text, " netns of the container");
			break;
		case IFLA_AF_SPEC:
			strbuf_adds(text, " addrgenmode none");
			break;
		case IFLA_LINKINFO:
			describe_info(a, text);
			break;
		}
}

bool link_describe(const struct nlmsghdr *m, struct strbuf *text)
{
	const struct ifinfomsg *head = mnl_nlmsg_get_payload(m);

	if (m->nlmsg_type != RTM_NEWLINK && m->nlmsg_type != RTM_DELLINK)
		return false;
	strbuf_adds(text, m->nlmsg_type == RTM_DELLINK	  ? "link delete"
			  : m->nlmsg_flags & NLM_F_CREATE ? "link add"
							  : "link set");
	if (head->ifi_index)
		strbuf_addf(text, " index %d", head->ifi_index);
	if (head->ifi_flags & IFF_UP)
		strbuf_adds(text, " up");
	describe_end(mnl_nlmsg_get_payload_offset(m, sizeof(*head)), mnl_nlmsg_get_payload_len(m) - sizeof(*head),
		     text);
	return true;
}
