/* test_protobuf: messages written and read field by field; the bytes are those of protobuf.dev, "Encoding". */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <teu/error.h>

#include "format/protobuf.h"

static void expect(const struct strbuf *b, const char *bytes, size_t len)
{
	ck_assert_uint_eq(b->len, len);
	ck_assert_mem_eq(b->text, bytes, len);
}

START_TEST(fields_are_written)
{
	struct strbuf b = STRBUF_INIT, inner = STRBUF_INIT;

	protobuf_int(&b, 1, 150);
	expect(&b, "\x08\x96\x01", 3);
	strbuf_reset(&b);
	protobuf_text(&b, 2, "testing");
	expect(&b, "\x12\x07testing", 9);
	strbuf_reset(&b);
	protobuf_int(&inner, 1, 150);
	protobuf_message(&b, 3, &inner);
	expect(&b, "\x1a\x03\x08\x96\x01", 5);
	strbuf_reset(&b);
	protobuf_int(&b, 1, -2);
	expect(&b, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
	strbuf_reset(&b);
	protobuf_bool(&b, 63, true);
	expect(&b, "\xf8\x03\x01", 3);
	strbuf_reset(&b);
	protobuf_bool(&b, 1, false);
	protobuf_text(&b, 1, NULL);
	ck_assert_uint_eq(b.len, 0);
	strbuf_reset(&inner);
	protobuf_message(&b, 4, &inner);
	expect(&b, "\x22\x00", 2);
	strbuf_done(&b);
	strbuf_done(&inner);
}
END_TEST

START_TEST(fields_are_read)
{
	static const char bytes[] = "\x08\x96\x01\x12\x02hi\x1d"
				    "1234\x21"
				    "12345678\xf8\x03\x01";
	struct protobuf_reader r = { bytes, bytes + sizeof(bytes) - 1 };
	struct protobuf_field f;

	ck_assert_int_eq(protobuf_next(&r, &f), 1);
	ck_assert(f.number == 1 && f.value == 150 && !f.bytes);
	ck_assert_int_eq(protobuf_next(&r, &f), 1);
	ck_assert(f.number == 2 && f.len == 2 && memcmp(f.bytes, "hi", 2) == 0);
	ck_assert_int_eq(protobuf_next(&r, &f), 1);
	ck_assert(f.number == 3 && f.len == 4);
	ck_assert_int_eq(protobuf_next(&r, &f), 1);
	ck_assert(f.number == 4 && f.len == 8);
	ck_assert_int_eq(protobuf_next(&r, &f), 1);
	ck_assert(f.number == 63 && f.value == 1);
	ck_assert_int_eq(protobuf_next(&r, &f), 0);
}
END_TEST

/* Cut off, longer than what is left, of no field, of a kind that is none. */
START_TEST(malformed_messages_are_refused)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = { { "\x08", 1 },
		    { "\x08\x96", 2 },
		    { "\x12\x05hi", 4 },
		    { "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
		    { "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12 },
		    { "\x02\x00", 2 },
		    { "\x0b\x00", 2 },
		    { "\x1d"
		      "123",
		      4 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct protobuf_reader r = { bad[i].bytes, bad[i].bytes + bad[i].len };
		struct protobuf_field f;

		ck_assert_int_eq(protobuf_next(&r, &f), TEU_E_CORRUPT);
	}
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("protobuf");
	Suite *s = suite_create("protobuf");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(c, fields_are_written);
	tcase_add_test(c, fields_are_read);
	tcase_add_test(c, malformed_messages_are_refused);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
