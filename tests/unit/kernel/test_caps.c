#include <check.h>
#include <linux/capability.h>
#include <stdlib.h>

#include "kernel/caps.h"

START_TEST(names_with_and_without_prefix_in_any_case)
{
	ck_assert_int_eq(caps_number("CAP_NET_ADMIN"), CAP_NET_ADMIN);
	ck_assert_int_eq(caps_number("NET_ADMIN"), CAP_NET_ADMIN);
	ck_assert_int_eq(caps_number("cap_net_admin"), CAP_NET_ADMIN);
	ck_assert_int_eq(caps_number("net_admin"), CAP_NET_ADMIN);
	ck_assert_int_eq(caps_number("CHOWN"), 0);
	ck_assert_int_eq(caps_number("checkpoint_restore"), CAP_CHECKPOINT_RESTORE);
}
END_TEST

START_TEST(what_is_no_capability)
{
	static const char *const bad[] = { "", "CAP_", "NET_ADMI", "NET_ADMINS", "CAP_CAP_CHOWN", "ALL", "21" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(caps_number(bad[i]) == -1, "%s", bad[i]);
	ck_assert_ptr_null(caps_name(-1));
	ck_assert_ptr_null(caps_name(64));
}
END_TEST

START_TEST(every_number_has_a_name_that_leads_back)
{
	for (int n = 0; n <= CAP_LAST_CAP && n <= CAP_CHECKPOINT_RESTORE; n++)
		ck_assert_int_eq(caps_number(caps_name(n)), n);
}
END_TEST

START_TEST(sets)
{
	ck_assert_int_eq(__builtin_popcountll(caps_default()), 14);
	ck_assert(caps_default() & UINT64_C(1) << CAP_AUDIT_WRITE);
	ck_assert(!(caps_default() & UINT64_C(1) << CAP_SYS_ADMIN));
	ck_assert((caps_all() & caps_default()) == caps_default());
	ck_assert(caps_all() & UINT64_C(1) << CAP_SYS_ADMIN);
	ck_assert(caps_all() == caps_all());
	ck_assert((caps_own() & ~caps_all()) == 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("caps");
	TCase *tc = tcase_create("caps");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, names_with_and_without_prefix_in_any_case);
	tcase_add_test(tc, what_is_no_capability);
	tcase_add_test(tc, every_number_has_a_name_that_leads_back);
	tcase_add_test(tc, sets);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
