#include <check.h>
#include <stdlib.h>

#include "base/parse.h"

START_TEST(sizes_as_docker_writes_them)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = { { "0", 0 },       { "512", 512 },	{ "64m", 64 << 20 }, { "1G", 1 << 30 },
		     { "1.5k", 1536 }, { "2kb", 2048 }, { "2KiB", 2048 },    { "10b", 10 } };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t bytes = 1;

		ck_assert_msg(parse_size(good[i].text, &bytes), "%s", good[i].text);
		ck_assert_uint_eq(bytes, good[i].bytes);
	}
}
END_TEST

START_TEST(malformed_numbers_are_refused)
{
	static const char *const bad[] = { "",	   " 1", "-1",	"+1",  "1x",
					   "0x10", "m",	 "1mm", "1 m", "99999999999999999999999" };
	uint64_t n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(!parse_size(bad[i], &n), "%s", bad[i]);
		ck_assert_msg(!parse_u64(bad[i], &n), "%s", bad[i]);
	}
}
END_TEST

START_TEST(lists_of_processors)
{
	static const struct {
		const char *text;
		uint64_t first, last;
	} good[] = { { "", 0, 0 },
		     { "0", 1, 0 },
		     { "0-3,5", 0x2f, 0 },
		     { " 1 - 2 , 7", 0x86, 0 },
		     { "127", 0, UINT64_C(1) << 63 },
		     { "63-64", UINT64_C(1) << 63, 1 } };
	static const char *const bad[] = {
		"128", "a", "3-1", "1-", "-1", "1 2", "0-9876543210", "18446744073709551617"
	};
	uint64_t bits[2] = { 7, 7 };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(parse_bits(good[i].text, bits, 128), "%s", good[i].text);
		ck_assert_uint_eq(bits[0], good[i].first);
		ck_assert_uint_eq(bits[1], good[i].last);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!parse_bits(bad[i], bits, 128), "%s", bad[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("parse");
	TCase *tc = tcase_create("parse");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, sizes_as_docker_writes_them);
	tcase_add_test(tc, malformed_numbers_are_refused);
	tcase_add_test(tc, lists_of_processors);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
