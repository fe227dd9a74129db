#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "format/sha256.h"

/* FIPS 180-4 examples: "", "abc", and a million times "a". */
START_TEST(known_digests)
{
	char text[SHA256_TEXT_MAX];

	ck_assert_int_eq(sha256_of("", 0, text, NULL), 0);
	ck_assert_str_eq(text, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ck_assert_int_eq(sha256_of("abc", 3, text, NULL), 0);
	ck_assert_str_eq(text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

START_TEST(pieces_make_the_same_digest)
{
	_cleanup_(sha256_freep) struct sha256 *h = NULL;
	char text[SHA256_TEXT_MAX], a[1000];

	memset(a, 'a', sizeof(a));
	ck_assert_int_eq(sha256_new(&h, NULL), 0);
	for (int i = 0; i < 1000; i++)
		sha256_add(h, a, sizeof(a));
	sha256_text(h, text);
	ck_assert_str_eq(text, "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sha256");
	TCase *tc = tcase_create("sha256");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, known_digests);
	tcase_add_test(tc, pieces_make_the_same_digest);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
