#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "format/gvariant.h"

START_TEST(types_follow_from_form_word_or_annotation)
{
	static const struct {
		const char *text, *type;
	} good[] = {
		{ "true", "b" },
		{ "5", "i" },
		{ "-0x10", "i" },
		{ "1.5", "d" },
		{ "1e3", "d" },
		{ "uint64 18446744073709551615", "t" },
		{ "int64 -9223372036854775808", "x" },
		{ "byte 0xfe", "y" },
		{ "'a'", "s" },
		{ "\"it's\"", "s" },
		{ "objectpath '/a'", "o" },
		{ "['a', 'b']", "as" },
		{ "[byte 1, 2]", "ay" },
		{ "@as []", "as" },
		{ "@a(st) [('/dev/sda', 5)]", "a(st)" },
		{ "[('a', 'rw'), ('b', 'm')]", "a(ss)" },
		{ "('a', uint64 3,)", "(st)" },
		{ "b'/x'", "ay" },
		{ "<['a']>", "v" },
		{ " \t@(sb) ( 'x' , false ) ", "(sb)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_(gvariant_done) struct gvariant v = { 0 };

		ck_assert_msg(gvariant_parse(good[i].text, &v, NULL) == 0, "%s", good[i].text);
		ck_assert_str_eq(v.type, good[i].type);
	}
}
END_TEST

START_TEST(values_are_kept)
{
	_cleanup_(gvariant_done) struct gvariant v = { 0 };

	ck_assert_int_eq(gvariant_parse("@a(std) [('a\\n\\u00e9\\'', 0x10, -2.5)]", &v, NULL), 0);
	ck_assert_uint_eq(v.n, 1);
	ck_assert_str_eq(v.items[0].items[0].text, "a\n\xc3\xa9'");
	ck_assert_uint_eq(v.items[0].items[1].basic.uint64, 16);
	ck_assert(v.items[0].items[2].basic.real == -2.5);
	gvariant_done(&v);
	ck_assert_int_eq(gvariant_parse("int16 -32768", &v, NULL), 0);
	ck_assert_int_eq(v.basic.int16, -32768);
	ck_assert_int_eq(gvariant_parse("b'ab'", &v, NULL), 0);
	ck_assert_uint_eq(v.n, 3);
	ck_assert_uint_eq(v.items[1].basic.byte, 'b');
	ck_assert_uint_eq(v.items[2].basic.byte, 0);
}
END_TEST

START_TEST(others_are_refused)
{
	static const char *const bad[] = {
		"",
		"x",
		"tru",
		"5 6",
		"--5",
		"byte 256",
		"uint64 -1",
		"'a",
		"[]",
		"[1,]",
		"[1 2]",
		"[1, 'a']",
		"()",
		"@as [1]",
		"@s 5",
		"@",
		"@aq",
		"(1",
		"<1",
		"{'a': 1}",
		"just 1",
		"int64 'a'",
		"'\\u12'",
		"0x",
		"uint64 18446744073709551616",
		"@(ss) ('a',)",
		"'\\u0000'",
		"@(s) ('a', 'b')",
		"-",
		"byte byte 1 2",
		"99999999999",
		"[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_error_ teu_error *err = NULL;
		struct gvariant v;

		ck_assert_msg(gvariant_parse(bad[i], &v, &err) == TEU_E_INVALID, "%s", bad[i]);
		ck_assert_ptr_nonnull(err);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gvariant");
	TCase *tc = tcase_create("gvariant");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, types_follow_from_form_word_or_annotation);
	tcase_add_test(tc, values_are_kept);
	tcase_add_test(tc, others_are_refused);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
