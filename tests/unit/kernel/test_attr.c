/* Attributes as the kernel lays them out: written, read again, and cut short. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/attr.h"

static union {
	struct nlmsghdr message;
	char bytes[256];
} room;

static struct nlmsghdr *begin(void)
{
	memset(&room, 0xff, sizeof(room));
	room.message = (struct nlmsghdr){ .nlmsg_len = NLMSG_HDRLEN };
	return &room.message;
}

START_TEST(bytes_are_those_of_the_protocol)
{
	static const unsigned char expected[] = {
		0,  0, 0, 0,		      /* a family's header of two bytes */
		6,  0, 1, 0,	'a', 0, 0, 0, /* a text, and what fills it up */
		12, 0, 2, 0x80, 8,   0, 3, 0, /* one in another */
		1,  2, 3, 4,
	};
	struct nlmsghdr *m = begin();
	struct nlattr *outer;
	uint32_t n;

	memcpy(&n, "\1\2\3\4", sizeof(n));
	nl_put_header(m, 2);
	attr_put_text(m, 1, "a");
	outer = attr_begin(m, 2);
	attr_put_u32(m, 3, n);
	attr_end(m, outer);
	ck_assert_uint_eq(nl_payload_len(m), sizeof(expected));
	ck_assert_mem_eq(nl_payload(m), expected, sizeof(expected));
}
END_TEST

START_TEST(what_was_written_is_read)
{
	struct nlmsghdr *m = begin();
	const struct nlattr *a, *in;
	struct nlattr *outer;
	unsigned seen = 0;

	nl_put_header(m, 4);
	attr_put_u8(m, 1, 200);
	attr_put_u16(m, 2, 60000);
	outer = attr_begin(m, 3);
	attr_put_text(m, 4, "eth0");
	attr_end(m, outer);
	attr_foreach (a, m, 4) {
		seen |= 1U << attr_type(a);
		if (attr_type(a) == 1)
			ck_assert_uint_eq(attr_u8(a), 200);
		if (attr_type(a) == 2)
			ck_assert_uint_eq(attr_u16(a), 60000);
		if (attr_type(a) != 3)
			continue;
		attr_foreach_in (in, a) {
			seen |= 1U << attr_type(in);
			ck_assert_str_eq(attr_text(in), "eth0");
			ck_assert_uint_eq(attr_len(in), 5);
		}
	}
	ck_assert_uint_eq(seen, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4);
}
END_TEST

START_TEST(what_is_cut_short_is_not_read)
{
	struct nlattr a = { .nla_len = 12 };
	struct nlmsghdr m = { .nlmsg_len = 20 };

	ck_assert(attr_ok(&a, 12));
	ck_assert(!attr_ok(&a, 11));
	ck_assert(!attr_ok(&a, 3));
	ck_assert(!attr_ok(&a, -4));
	a.nla_len = 3;
	ck_assert(!attr_ok(&a, 12));
	ck_assert(nl_ok(&m, 20));
	ck_assert(!nl_ok(&m, 19));
	ck_assert(!nl_ok(&m, -1));
	m.nlmsg_len = 15;
	ck_assert(!nl_ok(&m, 20));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("attr");
	TCase *tc = tcase_create("attr");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, bytes_are_those_of_the_protocol);
	tcase_add_test(tc, what_was_written_is_read);
	tcase_add_test(tc, what_is_cut_short_is_not_read);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
