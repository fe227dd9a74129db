#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/options.h"

/* The same struct in three releases. */
struct older {
	size_t size;
	int first;
};

struct options {
	size_t size;
	int first;
	const char *second;
};

struct newer {
	size_t size;
	int first;
	const char *second;
	int64_t third;
};

START_TEST(no_options_are_the_defaults)
{
	struct options own;

	memset(&own, 0xff, sizeof(own));
	ck_assert_int_eq(options_take(&own, NULL, "options", NULL), 0);
	ck_assert_uint_eq(own.size, sizeof(own));
	ck_assert_int_eq(own.first, 0);
	ck_assert_ptr_null(own.second);
}
END_TEST

START_TEST(what_an_older_struct_lacks_is_zero)
{
	struct older older = { sizeof(older), 7 };
	struct options own;

	memset(&own, 0xff, sizeof(own));
	ck_assert_int_eq(options_take(&own, &older, "options", NULL), 0);
	ck_assert_int_eq(own.first, 7);
	ck_assert_ptr_null(own.second);
}
END_TEST

START_TEST(a_newer_struct_must_leave_its_tail_alone)
{
	struct newer newer = { sizeof(newer), 7, "x", 0 };
	struct options own;
	teu_error *err = NULL;

	ck_assert_int_eq(options_take(&own, &newer, "options", NULL), 0);
	ck_assert_str_eq(own.second, "x");
	newer.third = 1;
	ck_assert_int_eq(options_take(&own, &newer, "options", &err), TEU_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(teu_error_message(err), "options has a field set"));
	teu_error_unref(err);
}
END_TEST

START_TEST(a_forgotten_init_is_told)
{
	struct options wrong = { 0 }, own;

	ck_assert_int_eq(options_take(&own, &wrong, "options", NULL), TEU_E_INVALID);
	wrong.size = SIZE_MAX;
	ck_assert_int_eq(options_take(&own, &wrong, "options", NULL), TEU_E_INVALID);
}
END_TEST

START_TEST(a_smaller_struct_is_filled_and_no_more)
{
	static const struct newer defaults = { .first = -1, .third = 3 };
	struct {
		struct older older;
		char after[8];
	} caller;
	struct newer newer;

	memset(&caller, 0xff, sizeof(caller));
	options_fill(&caller.older, sizeof(caller.older), &defaults, sizeof(defaults));
	ck_assert_uint_eq(caller.older.size, sizeof(caller.older));
	ck_assert_int_eq(caller.older.first, -1);
	for (size_t i = 0; i < sizeof(caller.after); i++)
		ck_assert_int_eq((unsigned char)caller.after[i], 0xff);
	memset(&newer, 0xff, sizeof(newer));
	options_fill(&newer, sizeof(newer), NULL, 0);
	ck_assert_uint_eq(newer.size, sizeof(newer));
	ck_assert_int_eq(newer.third, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("options");
	TCase *tc = tcase_create("options");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, no_options_are_the_defaults);
	tcase_add_test(tc, what_an_older_struct_lacks_is_zero);
	tcase_add_test(tc, a_newer_struct_must_leave_its_tail_alone);
	tcase_add_test(tc, a_smaller_struct_is_filled_and_no_more);
	tcase_add_test(tc, a_forgotten_init_is_told);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
