#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "network/ipam.h"

static char folder[64];
static struct store store;

static void before(void)
{
	snprintf(folder, sizeof(folder), "/tmp/teu-test-ipam-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	store = (struct store){ .run_root = folder, .run_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
}

static void after(void)
{
	close(store.run_fd);
	fd_remove_tree(AT_FDCWD, folder, NULL);
}

START_TEST(addresses_come_one_after_the_other_and_rest)
{
	uint32_t a, b, c;

	ck_assert_int_eq(ipam_take(&store, inet_addr("172.29.0.1"), 16, "one", &a, NULL), 0);
	ck_assert_int_eq(ipam_take(&store, inet_addr("172.29.0.1"), 16, "two", &b, NULL), 0);
	ck_assert_uint_eq(a, inet_addr("172.29.0.2"));
	ck_assert_uint_eq(b, inet_addr("172.29.0.3"));
	ck_assert_int_eq(ipam_release(&store, a, "one", NULL), 0);
	ck_assert_int_eq(ipam_take(&store, inet_addr("172.29.0.1"), 16, "three", &c, NULL), 0);
	ck_assert_uint_eq(c, inet_addr("172.29.0.4"));
}
END_TEST

START_TEST(only_the_owner_gives_an_address_back)
{
	char owner[IPAM_ID_MAX];
	uint32_t a;

	ck_assert_int_eq(ipam_take(&store, inet_addr("172.29.0.1"), 16, "one", &a, NULL), 0);
	ck_assert_int_eq(ipam_release(&store, a, "two", NULL), 0);
	ck_assert_int_eq(ipam_owner(&store, a, owner, NULL), 0);
	ck_assert_str_eq(owner, "one");
	ck_assert_int_eq(ipam_release(&store, a, "one", NULL), 0);
	ck_assert_int_eq(ipam_release(&store, a, "one", NULL), 0);
	ck_assert_int_eq(ipam_owner(&store, a, owner, NULL), 0);
	ck_assert_str_eq(owner, "");
}
END_TEST

START_TEST(a_full_range_says_so)
{
	uint32_t a;

	/* 192.0.2.0/29: six hosts, one of them the gateway */
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(ipam_take(&store, inet_addr("192.0.2.1"), 29, "one", &a, NULL), 0);
		ck_assert_uint_eq(a, htonl(0xc0000202 + (uint32_t)i));
	}
	ck_assert_int_eq(ipam_take(&store, inet_addr("192.0.2.1"), 29, "one", &a, NULL), TEU_E_NO_SPACE);
	ck_assert_int_eq(ipam_release(&store, inet_addr("192.0.2.4"), "one", NULL), 0);
	ck_assert_int_eq(ipam_take(&store, inet_addr("192.0.2.1"), 29, "one", &a, NULL), 0);
	ck_assert_uint_eq(a, inet_addr("192.0.2.4"));
}
END_TEST

START_TEST(an_id_that_is_none_is_refused)
{
	char longer[IPAM_ID_MAX + 1];
	uint32_t a;

	memset(longer, 'a', IPAM_ID_MAX);
	longer[IPAM_ID_MAX] = '\0';
	ck_assert_int_eq(ipam_take(&store, inet_addr("172.29.0.1"), 16, "", &a, NULL), TEU_E_INVALID);
	ck_assert_int_eq(ipam_take(&store, inet_addr("172.29.0.1"), 16, longer, &a, NULL), TEU_E_INVALID);
}
END_TEST

static int count(uint32_t address, const char *id, void *data, teu_error **err)
{
	(void)address;
	(void)id;
	(void)err;
	++*(int *)data;
	return 0;
}

static void take_and_release(int who)
{
	char id[32];
	uint32_t a;

	snprintf(id, sizeof(id), "%d", who);
	for (int i = 0; i < 20; i++) {
		if (ipam_take(&store, inet_addr("10.1.0.1"), 22, id, &a, NULL) < 0)
			_exit(1);
		if (i % 10 && ipam_release(&store, a, id, NULL) < 0)
			_exit(2);
	}
	_exit(0);
}

START_TEST(a_hundred_processes_do_not_meet)
{
	int status, n = 0;

	for (int who = 0; who < 100; who++)
		if (fork() == 0)
			take_and_release(who);
	while (wait(&status) > 0)
		ck_assert_int_eq(status, 0);
	ck_assert_int_eq(ipam_each(&store, count, &n, NULL), 0);
	ck_assert_int_eq(n, 200);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ipam");
	TCase *tc = tcase_create("ipam");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, before, after);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, addresses_come_one_after_the_other_and_rest);
	tcase_add_test(tc, only_the_owner_gives_an_address_back);
	tcase_add_test(tc, a_full_range_says_so);
	tcase_add_test(tc, an_id_that_is_none_is_refused);
	tcase_add_test(tc, a_hundred_processes_do_not_meet);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
