#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/library.h"

static double (*function)(double);

static const struct library_symbol good[] = { { "cos", &function } };
static const struct library_symbol bad[] = { { "cos", &function }, { "no_such_function", &function } };

START_TEST(symbols_are_filled)
{
	struct library libm = { "libm.so.6", "libc6", good, 1, PTHREAD_MUTEX_INITIALIZER, false };

	ck_assert_int_eq(library_open(&libm, NULL), 0);
	ck_assert_int_eq(library_open(&libm, NULL), 0);
	ck_assert(function(0) == 1);
}
END_TEST

START_TEST(the_error_names_the_package)
{
	struct library none = { "libnone.so.9", "libnone9", good, 1, PTHREAD_MUTEX_INITIALIZER, false };
	struct library old = { "libm.so.6", "libc6", bad, 2, PTHREAD_MUTEX_INITIALIZER, false };
	_cleanup_error_ teu_error *err = NULL, *old_err = NULL;

	ck_assert_int_eq(library_open(&none, &err), TEU_E_UNSUPPORTED);
	ck_assert_str_eq(teu_error_message(err), "libnone.so.9 can't be opened: install the package libnone9");
	ck_assert_int_eq(library_open(&old, &old_err), TEU_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(teu_error_message(old_err), "no_such_function"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("library");
	TCase *tc = tcase_create("library");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, symbols_are_filled);
	tcase_add_test(tc, the_error_names_the_package);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
