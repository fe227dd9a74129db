#include <check.h>
#include <stdlib.h>

#include "network/resolv.h"

static const char standard[] = "127.0.0.1\tlocalhost\n"
			       "::1\tlocalhost ip6-localhost ip6-loopback\n"
			       "fe00::\tip6-localnet\n"
			       "ff00::\tip6-mcastprefix\n"
			       "ff02::1\tip6-allnodes\n"
			       "ff02::2\tip6-allrouters\n";

static struct strv list(const char *a, const char *b)
{
	struct strv v = STRV_INIT;

	if (a)
		strv_add(&v, a);
	if (b)
		strv_add(&v, b);
	return v;
}

static void check_hosts(const char *domain, const char *address, struct strv extra, const char *more)
{
	struct strbuf text = STRBUF_INIT, expected = STRBUF_INIT;

	strbuf_addf(&expected, "%s%s", standard, more);
	ck_assert_int_eq(resolv_hosts("box", domain, address, "172.29.0.1", &extra, &text, NULL), 0);
	ck_assert_str_eq(text.text, expected.text);
	strbuf_done(&text);
	strbuf_done(&expected);
	strv_done(&extra);
}

START_TEST(hosts_as_docker_writes_them)
{
	check_hosts(NULL, NULL, list(NULL, NULL), "");
	check_hosts("", "172.29.0.5", list(NULL, NULL), "172.29.0.5\tbox\n");
	check_hosts("lan", "172.29.0.5", list("db:10.0.0.1", "up:host-gateway"),
		    "10.0.0.1\tdb\n172.29.0.1\tup\n172.29.0.5\tbox.lan box\n");
	check_hosts(NULL, NULL, list("six:fd00::1", "again=[fd00::2]"), "fd00::1\tsix\nfd00::2\tagain\n");
}
END_TEST

START_TEST(hosts_of_the_host_get_the_extra_ones)
{
	struct strv extra = list("db:10.0.0.1", "up:host-gateway");
	struct strbuf text = STRBUF_INIT;

	ck_assert_int_eq(resolv_hosts_of_host("127.0.0.1 localhost", &extra, &text, NULL), 0);
	ck_assert_str_eq(text.text, "127.0.0.1 localhost\n10.0.0.1\tdb\n127.0.0.1\tup\n");
	strbuf_done(&text);
	strv_done(&extra);
}
END_TEST

START_TEST(bad_hosts_are_refused)
{
	static const char *const bad[] = { "db",
					   ":10.0.0.1",
					   "db:",
					   "db:10.0.0",
					   "db:[fd00",
					   "d b:10.0.0.1",
					   "db:10.0.0.1\n1.2.3.4 evil",
					   "db:1234567890123456789012345678901234567890123456789" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct strv extra = list(bad[i], NULL);
		struct strbuf text = STRBUF_INIT;
		teu_error *why = NULL;

		ck_assert_msg(resolv_hosts("box", NULL, NULL, NULL, &extra, &text, &why) == TEU_E_INVALID, "%s",
			      bad[i]);
		ck_assert_ptr_nonnull(why);
		teu_error_unref(why);
		strbuf_done(&text);
		strv_done(&extra);
	}
}
END_TEST

static void check_conf(const char *host, bool host_network, struct strv servers, struct strv search,
		       struct strv options, const char *expected)
{
	struct strbuf text = STRBUF_INIT;

	ck_assert_int_eq(resolv_conf(host, host_network, &servers, &search, &options, &text, NULL), 0);
	ck_assert_str_eq(text.text, expected);
	strbuf_done(&text);
	strv_done(&servers);
	strv_done(&search);
	strv_done(&options);
}

#define NONE list(NULL, NULL)

START_TEST(servers_that_the_bridge_cannot_reach_are_left_out)
{
	static const char host[] = "# of the host\n"
				   "nameserver 127.0.0.1\n"
				   "  nameserver\t192.0.2.53 # ours\n"
				   "nameserver ::1\n"
				   "nameserver fd00::53\n"
				   "domain old\n"
				   "search lan example.org\n"
				   "options ndots:2 edns0\n";

	check_conf(host, false, NONE, NONE, NONE,
		   "nameserver 192.0.2.53\nsearch lan example.org\noptions ndots:2 edns0\n");
	check_conf(host, true, NONE, NONE, NONE, host);
	check_conf(host, false, list("9.9.9.9", "fd00::1"), list(".", NULL), list("rotate", NULL),
		   "nameserver 9.9.9.9\nnameserver fd00::1\noptions rotate\n");
	check_conf(host, true, NONE, list("a", "b"), NONE,
		   "nameserver 127.0.0.1\nnameserver 192.0.2.53\nnameserver ::1\nnameserver fd00::53\n"
		   "search a b\noptions ndots:2 edns0\n");
}
END_TEST

START_TEST(no_server_left_means_googles)
{
	check_conf("", false, NONE, NONE, NONE, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
	check_conf("nameserver 127.0.0.53\noptions edns0\n", false, NONE, NONE, NONE,
		   "nameserver 8.8.8.8\nnameserver 8.8.4.4\noptions edns0\n");
	check_conf("nameserver\nnameserver \n", false, NONE, NONE, NONE, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
}
END_TEST

START_TEST(the_stub_of_systemd_is_known)
{
	ck_assert(resolv_is_stub("nameserver 127.0.0.53\noptions edns0 trust-ad\n"));
	ck_assert(!resolv_is_stub("nameserver 127.0.0.53\nnameserver 192.0.2.1\n"));
	ck_assert(!resolv_is_stub("nameserver 127.0.0.1\n"));
	ck_assert(!resolv_is_stub(""));
}
END_TEST

START_TEST(a_server_has_to_be_an_address)
{
	struct strv servers = list("dns.example", NULL), none = NONE;
	struct strbuf text = STRBUF_INIT;

	ck_assert_int_eq(resolv_conf("", false, &servers, &none, &none, &text, NULL), TEU_E_INVALID);
	strbuf_done(&text);
	strv_done(&servers);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("resolv");
	TCase *tc = tcase_create("resolv");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, hosts_as_docker_writes_them);
	tcase_add_test(tc, hosts_of_the_host_get_the_extra_ones);
	tcase_add_test(tc, bad_hosts_are_refused);
	tcase_add_test(tc, servers_that_the_bridge_cannot_reach_are_left_out);
	tcase_add_test(tc, no_server_left_means_googles);
	tcase_add_test(tc, the_stub_of_systemd_is_known);
	tcase_add_test(tc, a_server_has_to_be_an_address);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
