/* json: integers of 64 bits keep all their digits, though the parser below holds them as doubles. */
#include "format/json.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static json *parse(const char *text)
{
	json *v = NULL;

	ck_assert_int_eq(json_parse(text, strlen(text), &v, NULL), 0);
	return v;
}

static const struct {
	const char *text;
	bool whole; /* json_unsigned() takes it */
	uint64_t number;
	int64_t clamped; /* json_number() */
} numbers[] = {
	{ "0", true, 0, 0 },
	{ "-0", true, 0, 0 },
	{ "9007199254740993", true, UINT64_C(9007199254740993), INT64_C(9007199254740993) },
	{ "9223372036854775807", true, INT64_MAX, INT64_MAX },
	{ "18446744073709551615", true, UINT64_MAX, INT64_MAX },
	{ "18446744073709551616", false, 0, INT64_MAX },
	{ "99999999999999999999999999", false, 0, INT64_MAX },
	{ "-9223372036854775808", false, 0, INT64_MIN },
	{ "-9223372036854775809", false, 0, INT64_MIN },
	{ "-1", false, 0, -1 },
	{ "1.5", false, 0, 77 },
	{ "1e3", true, 1000, 1000 },
	{ "\"5\"", false, 0, 77 },
};

START_TEST(a_number_keeps_its_digits)
{
	_cleanup_json_ json *v = parse(numbers[_i].text);
	uint64_t n = 0;

	ck_assert_int_eq(json_unsigned(v, &n), numbers[_i].whole);
	ck_assert_uint_eq(n, numbers[_i].number);
	ck_assert_int_eq(json_number(v, 77), numbers[_i].clamped);
}
END_TEST

START_TEST(digits_find_their_place)
{
	static const char text[] = "{\"1234567890123456789\":[\"9999999999999999999\\\"1\",-1,"
				   "12345678901234567890],\"b\":{\"c\":1.5,\"d\":9223372036854775806},\"e\":7}";
	_cleanup_json_ json *v = parse(text), *copy = json_copy(v);
	_cleanup_free_ char *printed = json_print(copy);

	ck_assert_str_eq(printed, text);
	ck_assert_int_eq(json_number(json_find(v, "b.d"), 0), INT64_C(9223372036854775806));
	ck_assert_int_eq(json_get_number(v, "e", 0), 7);
}
END_TEST

START_TEST(a_wrong_number_names_its_place)
{
	_cleanup_json_ json *v = parse("{\"a\":-1,\"b\":\"x\",\"c\":18446744073709551615}");
	teu_error *err = NULL;
	uint64_t n = 5;

	ck_assert_int_eq(json_read_uint(v, "top", "a", &n, &err), TEU_E_INVALID);
	ck_assert_str_eq(teu_error_message(err), "top.a: expected an integer from 0 to 18446744073709551615");
	teu_error_unref(err);
	err = NULL;
	ck_assert_int_eq(json_read_uint(v, "top", "b", &n, &err), TEU_E_INVALID);
	ck_assert_str_eq(teu_error_message(err), "top.b: expected an integer, found a string");
	teu_error_unref(err);
	ck_assert_int_eq(json_read_uint(v, "top", "missing", &n, NULL), 0);
	ck_assert_uint_eq(n, 5);
	ck_assert_int_eq(json_read_uint(v, "top", "c", &n, NULL), 0);
	ck_assert_uint_eq(n, UINT64_MAX);
}
END_TEST

/* A sanitizer sees a step beyond it. */
START_TEST(a_text_needs_no_end_of_its_own)
{
	static const char text[] = "[1.5,9007199254740993";
	_cleanup_json_ json *v = NULL;
	uint64_t n = 0;
	char *copy = malloc(16);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text + 5, 16);
	ck_assert_int_eq(json_parse(copy, 16, &v, NULL), 0);
	ck_assert(json_unsigned(v, &n));
	ck_assert_uint_eq(n, UINT64_C(9007199254740993));
	free(copy);
}
END_TEST

static const struct {
	const char *text;
	size_t len;
	int result;
} zeros[] = {
	{ "{\"a\":\"b\\u0000c\"}", 16, TEU_E_INVALID },
	{ "{\"a\\u0000\":1}", 14, TEU_E_INVALID },
	{ "[\"b\0c\"]", 7, TEU_E_INVALID },
	{ "[\"b\\\\u0000\"]", 12, 0 },
	{ "[\"b\\\"\\u0001\"]\0", 14, 0 },
};

START_TEST(a_zero_byte_is_no_part_of_a_given_text)
{
	_cleanup_json_ json *v = NULL;

	ck_assert_int_eq(json_parse_given(zeros[_i].text, zeros[_i].len, "x", &v, NULL), zeros[_i].result);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json");
	TCase *cases = tcase_create("json");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(cases, a_number_keeps_its_digits, 0, ARRAY_SIZE(numbers));
	tcase_add_loop_test(cases, a_zero_byte_is_no_part_of_a_given_text, 0, ARRAY_SIZE(zeros));
	tcase_add_test(cases, digits_find_their_place);
	tcase_add_test(cases, a_wrong_number_names_its_place);
	tcase_add_test(cases, a_text_needs_no_end_of_its_own);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
