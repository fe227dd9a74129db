/* Containers on the bridge, played by forked processes, in network namespaces made for the test. */
#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "kernel/addr.h"
#include "kernel/link.h"
#include "kernel/nft.h"
#include "netns.h"
#include "network/bridge.h"
#include "network/endpoint.h"
#include "network/ipam.h"
#include "network/rules.h"

static char folder[64];
static struct store store;
static int rules;

static void open_store(const char *name, struct store *ret)
{
	char root[128], run[128];

	snprintf(root, sizeof(root), "%s/%s", folder, name);
	snprintf(run, sizeof(run), "%s/%s-run", folder, name);
	ck_assert_int_eq(store_open(root, run, ret, NULL), 0);
}

/* Each test is a process with a machine of its own. */
static void before(void)
{
	netns_enter();
	ck_assert_int_eq(nft_open(&rules), 0);
	snprintf(folder, sizeof(folder), "/tmp/teu-test-endpoint-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	open_store("a", &store);
}

static void after(void)
{
	close(rules);
	store_done(&store);
	fd_remove_tree(AT_FDCWD, folder, NULL);
}

static struct port_mapping port(const char *host_ip, uint16_t host_port, uint8_t protocol)
{
	return (struct port_mapping){ .host_ip = inet_addr(host_ip),
				      .host_port = host_port,
				      .port = 80,
				      .protocol = protocol,
				      .socket = -EBADF };
}

static struct endpoint open_endpoint(const char *id, const struct port_mapping *ports, size_t n)
{
	teu_error *why = NULL;
	struct endpoint ep;

	ck_assert_msg(endpoint_open(&store, id, ports, n, &ep, &why) == 0, "%s", teu_error_message(why));
	return ep;
}

static void close_endpoint(const char *id, struct endpoint *ep)
{
	teu_error *why = NULL;

	ck_assert_msg(endpoint_close(&store, id, ep, true, &why) == 0, "%s", teu_error_message(why));
	endpoint_done(ep);
}

static void send_batch(int (*make)(const struct endpoint *, struct nl_batch *, teu_error **), const struct endpoint *ep)
{
	struct nl_batch batch;
	teu_error *why = NULL;

	ck_assert_int_eq(make(ep, &batch, NULL), 0);
	ck_assert_msg(nl_batch_send(&batch, &why) == 0, "%s", teu_error_message(why));
	nl_batch_done(&batch);
}

static size_t n_elements(const char *table)
{
	struct nft_elements list = { .n = 0 };

	ck_assert_int_eq(nft_list_elements(rules, table, &rules_ports, &list), 0);
	ck_assert_int_eq(nft_list_elements(rules, table, &rules_ports_ip, &list), 0);
	free(list.items);
	return list.n;
}

#define check_fetch(from, ip, number, seen)                                                                            \
	do {                                                                                                           \
		ck_assert_str_eq(fetch_expected(from, IPPROTO_TCP, ip, number, seen), seen);                           \
		ck_assert_str_eq(fetch_expected(from, IPPROTO_UDP, ip, number, seen), seen);                           \
	} while (0)

START_TEST(published_ports_are_reached_from_everywhere)
{
	struct port_mapping ports[] = { port("0.0.0.0", 8080, IPPROTO_TCP), port("0.0.0.0", 8080, IPPROTO_UDP) };
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", ports, 2), b = open_endpoint("bbbbbbbbbbbbbbbb", NULL, 0);
	struct peer pa = peer_start(), pb = peer_start(), outside = peer_outside();
	struct bridge bridge;

	peer_plug(&pa, &a);
	peer_plug(&pb, &b);

	check_fetch(NULL, a.address, 80, a.gateway);
	check_fetch(NULL, "127.0.0.1", 8080, a.gateway);
	check_fetch(NULL, "198.51.100.1", 8080, "198.51.100.1");
	check_fetch(NULL, a.gateway, 8080, a.gateway);
	/* The real source of what comes from outside is kept. */
	check_fetch(&outside, "198.51.100.1", 8080, "198.51.100.2");
	/* From container to container: straight, and by the host's port, also to itself. */
	check_fetch(&pb, a.address, 80, b.address);
	check_fetch(&pb, "198.51.100.1", 8080, a.gateway);
	check_fetch(&pb, a.gateway, 8080, a.gateway);
	check_fetch(&pa, "198.51.100.1", 8080, a.gateway);
	/* Out, behind the host's address. */
	check_fetch(&pb, "198.51.100.2", 80, "198.51.100.1");
	/* Not published: not from outside. */
	check_fetch(&outside, a.address, 80, "");
	check_fetch(&outside, b.address, 80, "");
	check_fetch(&outside, "198.51.100.1", 8081, "");

	send_batch(endpoint_unpublish_batch, &a);
	ck_assert_int_eq(bridge_read(&store, &bridge, NULL), 0);
	ck_assert_uint_eq(n_elements(bridge.table), 0);
	check_fetch(NULL, "127.0.0.1", 8080, "");
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
	close_endpoint("bbbbbbbbbbbbbbbb", &b);
	peer_stop(&pa);
	peer_stop(&pb);
	peer_stop(&outside);
}
END_TEST

START_TEST(a_port_on_one_address_is_on_that_one_only)
{
	struct port_mapping ports[] = { port("127.0.0.1", 8080, IPPROTO_TCP), port("198.51.100.1", 9090, IPPROTO_TCP) };
	struct peer outside = peer_outside(), pa = peer_start();
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", ports, 2);

	peer_plug(&pa, &a);
	ck_assert_str_eq(fetch_expected(NULL, IPPROTO_TCP, "127.0.0.1", 8080, a.gateway), a.gateway);
	ck_assert_str_eq(fetch_expected(NULL, IPPROTO_TCP, "198.51.100.1", 8080, ""), "");
	ck_assert_str_eq(fetch_expected(&outside, IPPROTO_TCP, "198.51.100.1", 8080, ""), "");
	ck_assert_str_eq(fetch_expected(NULL, IPPROTO_TCP, "127.0.0.1", 9090, ""), "");
	ck_assert_str_eq(fetch_expected(&outside, IPPROTO_TCP, "198.51.100.1", 9090, "198.51.100.2"), "198.51.100.2");
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
	peer_stop(&pa);
	peer_stop(&outside);
}
END_TEST

/* A datagram to @ip, put onto the link as it is, so that no rule of the sender's kernel stops it. */
static void send_raw(const struct peer *from, const struct endpoint *ep, const char *ip, uint16_t number)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char data[4];
	} packet = {
		.ip = { .version = 4, .ihl = 5, .ttl = 9, .protocol = IPPROTO_UDP, .tot_len = htons(sizeof(packet)) },
		.udp = { .source = htons(5), .dest = htons(number), .len = htons(12) },
		.data = "hey",
	};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = 64, .sll_halen = 6
	};
	const uint16_t *word = (const uint16_t *)&packet.ip;
	uint32_t sum = 0;
	char ns[64];
	pid_t pid;
	int fd, status;

	packet.ip.saddr = inet_addr(ep->address);
	packet.ip.daddr = inet_addr(ip);
	for (int i = 0; i < 10; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	packet.ip.check = (uint16_t) ~(sum + (sum >> 16));
	bridge_mac(inet_addr(ep->gateway), to.sll_addr);
	snprintf(ns, sizeof(ns), "/proc/%d/ns/net", (int)from->pid);
	pid = fork();
	if (pid == 0) {
		if (setns(open(ns, O_RDONLY), CLONE_NEWNET) < 0)
			_exit(1);
		fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));
		_exit(sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) < 0);
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
}

/* @times: as often is a packet sent: the bridge passes none on until the kernel has seen to it that the link is up. */
static bool hears(const char *ip, const struct peer *from, const struct endpoint *ep, int times)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(7777), .sin_addr.s_addr = inet_addr(ip) };
	struct timeval wait = { .tv_usec = 300000 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char byte;
	ssize_t n = 0;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	for (int i = 0; i < times && n != 1; i++) {
		send_raw(from, ep, ip, 7777);
		n = recv(fd, &byte, 1, 0);
	}
	close(fd);
	return n == 1;
}

START_TEST(containers_do_not_reach_the_hosts_loopback)
{
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", NULL, 0);
	struct peer pa = peer_start();

	peer_plug(&pa, &a);
	ck_assert(hears(a.gateway, &pa, &a, 100)); /* the packet is good: it arrives where it may */
	ck_assert(!hears("127.0.0.1", &pa, &a, 1));
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
	peer_stop(&pa);
}
END_TEST

START_TEST(a_taken_port_is_a_conflict_and_costs_no_address)
{
	struct port_mapping ports[] = { port("0.0.0.0", 8080, IPPROTO_TCP), port("0.0.0.0", 8081, IPPROTO_TCP) };
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", &ports[1], 1), b;
	struct stat st;
	teu_error *why = NULL;
	char next[64];

	ck_assert_int_eq(endpoint_open(&store, "bbbbbbbbbbbbbbbb", ports, 2, &b, &why), TEU_E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(teu_error_message(why), "0.0.0.0:8081/tcp failed: port is already allocated"));
	teu_error_unref(why);
	ck_assert_uint_eq(b.n_ports, 0);
	snprintf(next, sizeof(next), "addresses/%.*s.%d", (int)(strrchr(a.address, '.') - a.address), a.address,
		 atoi(strrchr(a.address, '.') + 1) + 1);
	ck_assert_int_lt(fstatat(store.run_fd, next, &st, AT_SYMLINK_NOFOLLOW), 0);
	/* The port that was bound before the conflict is free again. */
	b = open_endpoint("bbbbbbbbbbbbbbbb", ports, 1);
	close_endpoint("bbbbbbbbbbbbbbbb", &b);
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
}
END_TEST

START_TEST(port_0_gets_a_number_of_the_kernels)
{
	struct port_mapping ports[] = { port("0.0.0.0", 0, IPPROTO_TCP), port("0.0.0.0", 0, IPPROTO_UDP) };
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", ports, 2);

	ck_assert_uint_ne(a.ports[0].host_port, 0);
	ck_assert_uint_ne(a.ports[1].host_port, 0);
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
}
END_TEST

START_TEST(an_endpoint_survives_its_json)
{
	struct port_mapping ports[] = { port("127.0.0.1", 8080, IPPROTO_UDP) };
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", ports, 1), b;
	json *text = endpoint_to_json(&a);

	ck_assert_int_eq(endpoint_from_json(text, &b, NULL), 0);
	ck_assert_str_eq(a.address, b.address);
	ck_assert_str_eq(a.host_link, b.host_link);
	ck_assert_str_eq(a.bridge, b.bridge);
	ck_assert_mem_eq(a.mac, b.mac, 6);
	ck_assert_uint_eq(b.n_ports, 1);
	ck_assert_uint_eq(b.ports[0].host_ip, ports[0].host_ip);
	ck_assert_uint_eq(b.ports[0].protocol, IPPROTO_UDP);
	ck_assert_int_lt(b.ports[0].socket, 0);
	json_free(text);
	endpoint_done(&b);
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
}
END_TEST

START_TEST(batches_tell_what_they_do)
{
	struct port_mapping ports[] = { port("0.0.0.0", 8080, IPPROTO_TCP) };
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", ports, 1);
	char expected[128];
	struct nl_batch batch;
	json *text;

	ck_assert_int_eq(endpoint_publish_batch(&a, &batch, NULL), 0);
	text = nl_batch_json(&batch);
	snprintf(expected, sizeof(expected), "add element teu-%s ports 0.0.0.0:8080/tcp -> %s:80", a.bridge + 3,
		 a.address);
	ck_assert_str_eq(json_text(json_next(json_first(json_get(text, "messages"))), ""), expected);
	json_free(text);
	nl_batch_done(&batch);

	ck_assert_int_eq(endpoint_host_batch(&a, &batch, NULL), 0);
	text = nl_batch_json(&batch);
	ck_assert_ptr_nonnull(strstr(json_text(json_first(json_get(text, "messages")), ""), "type veth peer eth0"));
	json_free(text);
	nl_batch_done(&batch);
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
}
END_TEST

START_TEST(what_somebody_took_away_is_set_up_again)
{
	struct port_mapping ports[] = { port("0.0.0.0", 8080, IPPROTO_TCP) };
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", ports, 1);
	char gateway[16];
	struct bridge bridge;
	struct peer pa;

	memcpy(gateway, a.gateway, sizeof(gateway));
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
	ck_assert_int_eq(bridge_read(&store, &bridge, NULL), 0);
	ck_assert_int_eq(rules_remove(bridge.table, NULL), 0);
	a = open_endpoint("aaaaaaaaaaaaaaaa", ports, 1);
	ck_assert_int_eq(nft_find_table(rules, bridge.table), 0);
	close_endpoint("aaaaaaaaaaaaaaaa", &a);

	ck_assert_int_eq(bridge_remove(&store, NULL), 0);
	ck_assert_int_eq(bridge_remove(&store, NULL), 0);
	ck_assert_int_eq(link_find(bridge.name, &bridge.index), -ENODEV);
	a = open_endpoint("aaaaaaaaaaaaaaaa", ports, 1);
	ck_assert_str_eq(a.gateway, gateway);
	pa = peer_start();
	peer_plug(&pa, &a);
	ck_assert_str_eq(fetch_expected(NULL, IPPROTO_TCP, "127.0.0.1", 8080, a.gateway), a.gateway);
	peer_stop(&pa);
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
}
END_TEST

START_TEST(a_range_that_the_host_uses_is_passed_over)
{
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", NULL, 0);
	static struct nl_writer w;
	struct nl_batch batch;
	char gateway[16];

	memcpy(gateway, a.gateway, sizeof(gateway));
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
	ck_assert_int_eq(endpoint_down(&store, NULL), 0);
	addr_put(&w, LINK_LOOPBACK, inet_addr(gateway) | htonl(0x0505), 24);
	ck_assert_int_eq(nl_batch_take(&batch, NETLINK_ROUTE, &w, NULL), 0);
	ck_assert_int_eq(nl_batch_send(&batch, NULL), 0);
	nl_batch_done(&batch);
	a = open_endpoint("aaaaaaaaaaaaaaaa", NULL, 0);
	ck_assert_str_ne(a.gateway, gateway);
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
	ck_assert_int_eq(endpoint_down(&store, NULL), 0);
}
END_TEST

START_TEST(a_killed_monitors_ports_can_be_taken_again)
{
	struct port_mapping ports[] = { port("0.0.0.0", 8080, IPPROTO_TCP) };
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", ports, 1), b, left;
	json *text = endpoint_to_json(&a);
	struct bridge bridge;

	send_batch(endpoint_publish_batch, &a);
	endpoint_done(&a);
	b = open_endpoint("bbbbbbbbbbbbbbbb", ports, 1);
	send_batch(endpoint_publish_batch, &b);
	/* When the dead one's things are given back, those of the living one stay. */
	ck_assert_int_eq(endpoint_from_json(text, &left, NULL), 0);
	close_endpoint("aaaaaaaaaaaaaaaa", &left);
	ck_assert_int_eq(bridge_read(&store, &bridge, NULL), 0);
	ck_assert_uint_eq(n_elements(bridge.table), 1);
	close_endpoint("bbbbbbbbbbbbbbbb", &b);
	ck_assert_uint_eq(n_elements(bridge.table), 0);
	json_free(text);
}
END_TEST

static bool only_b(const char *id, void *data)
{
	(void)data;
	return *id == 'b';
}

START_TEST(a_sweep_gives_back_what_the_dead_left)
{
	struct port_mapping ports[] = { port("0.0.0.0", 8080, IPPROTO_TCP), port("127.0.0.1", 8081, IPPROTO_TCP) };
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", ports, 1),
			b = open_endpoint("bbbbbbbbbbbbbbbb", ports + 1, 1);
	struct peer pa = peer_start(), pb = peer_start();
	struct bridge bridge;
	uint32_t index;

	peer_plug(&pa, &a);
	peer_plug(&pb, &b);
	ck_assert_int_eq(endpoint_down(&store, NULL), TEU_E_CONFLICT);
	ck_assert_int_eq(endpoint_sweep(&store, only_b, NULL, NULL), 0);
	ck_assert_int_eq(link_find(a.host_link, &index), -ENODEV);
	ck_assert_int_eq(link_find(b.host_link, &index), 0);
	ck_assert_int_eq(bridge_read(&store, &bridge, NULL), 0);
	ck_assert_uint_eq(n_elements(bridge.table), 1);
	ck_assert_str_eq(fetch_expected(NULL, IPPROTO_TCP, "127.0.0.1", 8081, b.gateway), b.gateway);
	endpoint_done(&a);
	close_endpoint("bbbbbbbbbbbbbbbb", &b);
	ck_assert_int_eq(endpoint_down(&store, NULL), 0);
	ck_assert_int_eq(nft_find_table(rules, bridge.table), -ENOENT);
	peer_stop(&pa);
	peer_stop(&pb);
}
END_TEST

START_TEST(engines_side_by_side_do_not_meet)
{
	struct port_mapping ports[] = { port("0.0.0.0", 8080, IPPROTO_TCP), port("0.0.0.0", 8081, IPPROTO_TCP) };
	struct endpoint a = open_endpoint("aaaaaaaaaaaaaaaa", ports, 1), b;
	struct peer pa = peer_start(), pb = peer_start();
	struct store other;

	open_store("b", &other);
	ck_assert_int_eq(endpoint_open(&other, "bbbbbbbbbbbbbbbb", ports + 1, 1, &b, NULL), 0);
	ck_assert_str_ne(a.bridge, b.bridge);
	ck_assert_str_ne(a.gateway, b.gateway);
	peer_plug(&pa, &a);
	peer_plug(&pb, &b);
	ck_assert_str_eq(fetch_expected(NULL, IPPROTO_TCP, "127.0.0.1", 8080, a.gateway), a.gateway);
	ck_assert_str_eq(fetch_expected(NULL, IPPROTO_TCP, "127.0.0.1", 8081, b.gateway), b.gateway);
	ck_assert_str_eq(fetch_expected(&pa, IPPROTO_TCP, b.address, 80, ""), "");
	ck_assert_int_eq(endpoint_close(&other, "bbbbbbbbbbbbbbbb", &b, true, NULL), 0);
	ck_assert_int_eq(endpoint_down(&other, NULL), 0);
	endpoint_done(&b);
	store_done(&other);
	ck_assert_str_eq(fetch_expected(NULL, IPPROTO_TCP, "127.0.0.1", 8080, a.gateway), a.gateway);
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
	peer_stop(&pa);
	peer_stop(&pb);
}
END_TEST

START_TEST(a_restart_does_not_wait_for_the_old_link)
{
	struct port_mapping ports[] = { port("0.0.0.0", 8080, IPPROTO_TCP) };
	struct peer old = peer_start(), again = peer_start();
	struct endpoint ep = open_endpoint("aaaaaaaaaaaaaaaa", ports, 1);

	peer_plug(&old, &ep);
	close_endpoint("aaaaaaaaaaaaaaaa", &ep);
	ep = open_endpoint("aaaaaaaaaaaaaaaa", ports, 1);
	peer_plug(&again, &ep);
	ck_assert_str_eq(fetch_expected(NULL, IPPROTO_TCP, "127.0.0.1", 8080, ep.gateway), ep.gateway);
	close_endpoint("aaaaaaaaaaaaaaaa", &ep);
	peer_stop(&old);
	peer_stop(&again);
}
END_TEST

/* A caller among many, on a machine where nothing is set up yet. */
static void start_one(int who)
{
	struct peer peer = peer_start();
	struct endpoint ep;
	char id[32];

	snprintf(id, sizeof(id), "%08x%08x", who, who);
	if (endpoint_open(&store, id, NULL, 0, &ep, NULL) < 0)
		_exit(1);
	peer_plug(&peer, &ep);
	if (strcmp(fetch_expected(NULL, IPPROTO_TCP, ep.address, 80, ep.gateway), ep.gateway) != 0)
		_exit(2);
	_exit(endpoint_close(&store, id, &ep, true, NULL) < 0 ? 3 : 0);
}

START_TEST(many_callers_at_once_share_one_bridge)
{
	int status;

	for (int who = 0; who < 60; who++)
		if (fork() == 0)
			start_one(who);
	while (wait(&status) > 0)
		ck_assert_int_eq(status, 0);
	ck_assert_int_eq(endpoint_down(&store, NULL), 0);
}
END_TEST

START_TEST(five_hundred_ports_are_one_batch)
{
	struct port_mapping ports[500];
	struct bridge bridge;
	struct endpoint a;

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		ports[i] = port(i % 2 ? "127.0.0.1" : "0.0.0.0", (uint16_t)(20000 + i), IPPROTO_TCP);
	a = open_endpoint("aaaaaaaaaaaaaaaa", ports, ARRAY_SIZE(ports));
	send_batch(endpoint_publish_batch, &a);
	ck_assert_int_eq(bridge_read(&store, &bridge, NULL), 0);
	ck_assert_uint_eq(n_elements(bridge.table), 500);
	send_batch(endpoint_unpublish_batch, &a);
	ck_assert_uint_eq(n_elements(bridge.table), 0);
	close_endpoint("aaaaaaaaaaaaaaaa", &a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("endpoint");
	TCase *tc = tcase_create("endpoint");
	SRunner *sr;
	int failed;

	netns_enter();
	sr = srunner_create(s);
	tcase_add_checked_fixture(tc, before, after);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, published_ports_are_reached_from_everywhere);
	tcase_add_test(tc, a_port_on_one_address_is_on_that_one_only);
	tcase_add_test(tc, containers_do_not_reach_the_hosts_loopback);
	tcase_add_test(tc, a_taken_port_is_a_conflict_and_costs_no_address);
	tcase_add_test(tc, port_0_gets_a_number_of_the_kernels);
	tcase_add_test(tc, an_endpoint_survives_its_json);
	tcase_add_test(tc, batches_tell_what_they_do);
	tcase_add_test(tc, what_somebody_took_away_is_set_up_again);
	tcase_add_test(tc, a_killed_monitors_ports_can_be_taken_again);
	tcase_add_test(tc, engines_side_by_side_do_not_meet);
	tcase_add_test(tc, a_restart_does_not_wait_for_the_old_link);
	tcase_add_test(tc, many_callers_at_once_share_one_bridge);
	tcase_add_test(tc, five_hundred_ports_are_one_batch);
	tcase_add_test(tc, a_sweep_gives_back_what_the_dead_left);
	tcase_add_test(tc, a_range_that_the_host_uses_is_passed_over);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
