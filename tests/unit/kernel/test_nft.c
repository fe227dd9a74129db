/* Tables, maps and elements in a network namespace of the test's own; what the rules do is tested in test_endpoint.c.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kernel/nft.h"
#include "kernel/nl_batch.h"

static const struct nft_map plain = { "plain", false }, with_address = { "with", true };

static int rules;

static int send_all(struct nl_writer *w, teu_error **err)
{
	struct nl_batch batch;
	int r;

	ck_assert_int_eq(nl_batch_take(&batch, NETLINK_NETFILTER, w, NULL), 0);
	r = nl_batch_send(&batch, err);
	nl_batch_done(&batch);
	return r;
}

static void before(void)
{
	struct nl_writer w = { .seq = 0 };

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ck_assert_int_eq(nft_open(&rules), 0);
	nft_put_begin(&w);
	nft_put_table(&w, "t");
	nft_put_map(&w, "t", &plain, 1);
	nft_put_map(&w, "t", &with_address, 2);
	nft_put_commit(&w);
	ck_assert_int_eq(send_all(&w, NULL), 0);
}

static struct nft_element element(const char *host_ip, uint16_t host_port)
{
	return (struct nft_element){ .host_ip = inet_addr(host_ip),
				     .host_port = host_port,
				     .protocol = IPPROTO_TCP,
				     .ip = inet_addr("172.29.0.5"),
				     .port = 80 };
}

static int put(const struct nft_map *map, const struct nft_element *elements, size_t n, bool add, teu_error **err)
{
	struct nl_writer w = { .seq = 0 };

	nft_put_begin(&w);
	(add ? nft_put_elements : nft_put_remove_elements)(&w, "t", map, elements, n);
	nft_put_commit(&w);
	return send_all(&w, err);
}

START_TEST(elements_are_found_as_they_were_put)
{
	const struct nft_map *maps[] = { &plain, &with_address };

	for (int i = 0; i < 2; i++) {
		struct nft_element e = element(i ? "192.0.2.1" : "0.0.0.0", 8080), asked = e, other = e;

		asked.ip = 0;
		asked.port = 0;
		ck_assert_int_eq(nft_find_element(rules, "t", maps[i], &asked), -ENOENT);
		ck_assert_int_eq(put(maps[i], &e, 1, true, NULL), 0);
		ck_assert_int_eq(nft_find_element(rules, "t", maps[i], &asked), 0);
		ck_assert_uint_eq(asked.ip, e.ip);
		ck_assert_uint_eq(asked.port, 80);
		other.protocol = IPPROTO_UDP;
		ck_assert_int_eq(nft_find_element(rules, "t", maps[i], &other), -ENOENT);
		ck_assert_int_eq(put(maps[i], &e, 1, false, NULL), 0);
		ck_assert_int_eq(nft_find_element(rules, "t", maps[i], &asked), -ENOENT);
	}
}
END_TEST

START_TEST(a_taken_key_fails_the_whole_transaction)
{
	struct nft_element first = element("0.0.0.0", 300), many[400];
	struct nft_elements list = { .n = 0 };
	teu_error *why = NULL;

	for (uint16_t i = 0; i < 400; i++)
		many[i] = element("0.0.0.0", i);
	ck_assert_int_eq(put(&plain, &first, 1, true, NULL), 0);
	ck_assert_int_eq(put(&plain, many, 400, true, &why), TEU_E_CONFLICT);
	ck_assert_int_eq(teu_error_errno(why), EEXIST);
	teu_error_unref(why);
	ck_assert_int_eq(nft_list_elements(rules, "t", &plain, &list), 0);
	ck_assert_uint_eq(list.n, 1);
	ck_assert_uint_eq(list.items[0].host_port, 300);
	free(list.items);
}
END_TEST

START_TEST(long_lists_are_read_in_pieces)
{
	static struct nft_element many[5000];
	struct nft_elements list = { .n = 0 };

	for (uint16_t i = 0; i < 5000; i++)
		many[i] = element("192.0.2.1", i);
	ck_assert_int_eq(put(&with_address, many, 5000, true, NULL), 0);
	ck_assert_int_eq(nft_list_elements(rules, "t", &with_address, &list), 0);
	ck_assert_uint_eq(list.n, 5000);
	free(list.items);
	ck_assert_int_eq(put(&with_address, many, 5000, false, NULL), 0);
}
END_TEST

START_TEST(tables_are_found_until_removed)
{
	struct nl_writer w = { .seq = 0 };
	struct nft_elements list = { .n = 0 };

	ck_assert_int_eq(nft_find_table(rules, "t"), 0);
	ck_assert_int_eq(nft_find_table(rules, "other"), -ENOENT);
	ck_assert_int_eq(nft_list_elements(rules, "other", &plain, &list), -ENOENT);
	nft_put_begin(&w);
	nft_put_remove_table(&w, "t");
	nft_put_commit(&w);
	ck_assert_int_eq(send_all(&w, NULL), 0);
	ck_assert_int_eq(nft_find_table(rules, "t"), -ENOENT);
}
END_TEST

START_TEST(an_error_names_the_transaction)
{
	struct nl_writer w = { .seq = 0 };
	teu_error *why = NULL;

	nft_put_begin(&w);
	nft_put_table(&w, "t");
	nft_put_commit(&w);
	ck_assert_int_lt(send_all(&w, &why), 0);
	ck_assert_str_eq(teu_error_message(why), "add table t: File exists");
	teu_error_unref(why);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nft");
	TCase *tc = tcase_create("nft");
	SRunner *sr = srunner_create(s);
	int failed;

	if (geteuid() != 0) {
		printf("SKIP: only root makes network namespaces\n");
		return 77;
	}
	tcase_add_checked_fixture(tc, before, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, elements_are_found_as_they_were_put);
	tcase_add_test(tc, a_taken_key_fails_the_whole_transaction);
	tcase_add_test(tc, long_lists_are_read_in_pieces);
	tcase_add_test(tc, tables_are_found_until_removed);
	tcase_add_test(tc, an_error_names_the_transaction);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
