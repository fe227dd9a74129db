#include <check.h>
#include <stdlib.h>

#include "base/clock.h"

START_TEST(times_print_and_read_back)
{
	static const struct {
		const char *text, *printed;
		int64_t ns;
	} good[] = {
		{ "1970-01-01T00:00:01Z", "1970-01-01T00:00:01.000000000Z", 1000000000 },
		{ "2026-01-02T03:04:05.000000006Z", "2026-01-02T03:04:05.000000006Z", 1767323045000000006 },
		{ "2026-01-02T03:04:05.5+02:00", "2026-01-02T01:04:05.500000000Z", 1767315845500000000 },
		{ "1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.250000000Z", -750000000 },
		{ "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", 0 },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char text[CLOCK_TEXT_MAX];
		int64_t ns;

		ck_assert_msg(clock_parse(good[i].text, &ns), "%s", good[i].text);
		ck_assert_int_eq(ns, good[i].ns);
		clock_format(ns, text);
		ck_assert_str_eq(text, good[i].printed);
	}
}
END_TEST

/* Found by fuzz_documents: the sum overflowed. */
START_TEST(times_out_of_range_are_refused)
{
	static const char *const bad[] = { "0026-01-02T03:04:05Z", "9999-01-02T03:04:05Z", "", "2026-01-02",
					   "2026-01-02T03:04:05" };
	int64_t ns;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!clock_parse(bad[i], &ns), "%s", bad[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = tcase_create("clock");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, times_print_and_read_back);
	tcase_add_test(tc, times_out_of_range_are_refused);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
