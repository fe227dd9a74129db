/* Links and addresses in a network namespace of the test's own. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/addr.h"
#include "kernel/link.h"
#include "kernel/nl_batch.h"

static const uint8_t mac[6] = { 2, 0x42, 10, 0, 0, 1 };

static void before(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
}

static int send_all(struct nl_writer *w, teu_error **err)
{
	struct nl_batch batch;
	int r;

	ck_assert_int_eq(nl_batch_take(&batch, NETLINK_ROUTE, w, NULL), 0);
	r = nl_batch_send(&batch, err);
	nl_batch_done(&batch);
	return r;
}

static void put_pair(struct nl_writer *w, const char *name, uint32_t index, uint32_t bridge, size_t *pid_at)
{
	struct link_end host = { .name = name, .index = index }, peer = { .name = "eth0", .index = 64, .mac = mac };

	link_put_veth(w, &host, bridge, &peer, pid_at);
}

START_TEST(numbers_asked_for_are_given)
{
	struct nl_writer w = { .seq = 0 };
	struct nl_batch batch;
	uint32_t bridge, index, pid = (uint32_t)getpid();
	size_t pid_at;

	link_put_bridge(&w, "br9", mac);
	link_put_bridge(&w, "br9", mac); /* one that is there is fine */
	ck_assert_int_eq(send_all(&w, NULL), 0);
	ck_assert_int_eq(link_find("br9", &bridge), 0);

	put_pair(&w, "veth9", 0x2c1d0005, bridge, &pid_at);
	ck_assert_int_eq(nl_batch_take(&batch, NETLINK_ROUTE, &w, NULL), 0);
	memcpy((char *)batch.bytes + pid_at, &pid, sizeof(pid));
	ck_assert_int_eq(nl_batch_send(&batch, NULL), 0);
	nl_batch_done(&batch);
	ck_assert_int_eq(link_find("veth9", &index), 0);
	ck_assert_uint_eq(index, 0x2c1d0005);
	ck_assert_int_eq(link_find("eth0", &index), 0);
	ck_assert_uint_eq(index, 64);

	link_put_remove(&w, "veth9");
	ck_assert_int_eq(send_all(&w, NULL), 0);
	ck_assert_int_eq(link_find("eth0", &index), -ENODEV);
}
END_TEST

START_TEST(an_error_names_what_failed)
{
	struct nl_writer w = { .seq = 0 };
	teu_error *why = NULL;

	link_put_up(&w, LINK_LOOPBACK);
	addr_put(&w, 77, inet_addr("192.0.2.1"), 24);
	link_put_remove(&w, "nothing");
	ck_assert_int_lt(send_all(&w, &why), 0);
	ck_assert_str_eq(teu_error_message(why), "addr add 192.0.2.1/24 dev index 77: No such device");
	ck_assert_int_eq(teu_error_errno(why), ENODEV);
	teu_error_unref(why);
}
END_TEST

START_TEST(a_failing_message_without_ack_fails_its_batch)
{
	struct nl_writer w = { .seq = 0 };
	struct nlmsghdr *m;

	link_put_remove(&w, "nothing");
	link_put_up(&w, LINK_LOOPBACK);
	m = (struct nlmsghdr *)w.bytes.text;
	m->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	ck_assert_int_lt(send_all(&w, NULL), 0);
}
END_TEST

START_TEST(hundreds_of_answers_are_read)
{
	struct nl_writer w = { .seq = 0 };

	for (int i = 0; i < 200; i++)
		link_put_up(&w, LINK_LOOPBACK);
	ck_assert_int_eq(send_all(&w, NULL), 0);
}
END_TEST

START_TEST(ranges_in_use_are_found)
{
	static const struct {
		const char *address;
		uint8_t prefix_len;
		bool taken;
	} cases[] = {
		{ "192.0.2.0", 24, true },  { "192.0.2.128", 25, true }, { "192.0.0.0", 16, true },
		{ "192.0.3.0", 24, false }, { "10.9.0.0", 16, true },	 { "10.9.4.0", 24, true },
		{ "10.10.0.0", 16, false }, { "172.29.0.0", 16, false },
	};
	struct nl_writer w = { .seq = 0 };
	struct addr_ranges used = { .n = 0 };

	link_put_up(&w, LINK_LOOPBACK);
	addr_put(&w, LINK_LOOPBACK, inet_addr("192.0.2.77"), 24);
	addr_put(&w, LINK_LOOPBACK, inet_addr("10.9.3.3"), 16);
	ck_assert_int_eq(send_all(&w, NULL), 0);
	ck_assert_int_eq(addr_list(&used), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr_range range = { .address = inet_addr(cases[i].address), .prefix_len = cases[i].prefix_len };

		ck_assert_msg(addr_taken(&used, &range, 0) == cases[i].taken, "%s", cases[i].address);
		ck_assert(!addr_taken(&used, &range, LINK_LOOPBACK));
	}
	addr_ranges_done(&used);
}
END_TEST

START_TEST(a_default_route_is_no_range)
{
	struct addr_range all = { .prefix_len = 8, .address = inet_addr("10.0.0.0") };
	struct nl_writer w = { .seq = 0 };
	struct addr_ranges used = { .n = 0 };

	link_put_up(&w, LINK_LOOPBACK);
	addr_put(&w, LINK_LOOPBACK, inet_addr("192.0.2.1"), 24);
	addr_put_default_route(&w, LINK_LOOPBACK, inet_addr("192.0.2.9"));
	ck_assert_int_eq(send_all(&w, NULL), 0);
	ck_assert_int_eq(addr_list(&used), 0);
	ck_assert(!addr_taken(&used, &all, 0));
	addr_ranges_done(&used);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("netlink");
	TCase *tc = tcase_create("netlink");
	SRunner *sr = srunner_create(s);
	int failed;

	if (geteuid() != 0) {
		printf("SKIP: only root makes network namespaces\n");
		return 77;
	}
	tcase_add_checked_fixture(tc, before, NULL);
	tcase_add_test(tc, numbers_asked_for_are_given);
	tcase_add_test(tc, an_error_names_what_failed);
	tcase_add_test(tc, a_failing_message_without_ack_fails_its_batch);
	tcase_add_test(tc, hundreds_of_answers_are_read);
	tcase_add_test(tc, ranges_in_use_are_found);
	tcase_add_test(tc, a_default_route_is_no_range);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
