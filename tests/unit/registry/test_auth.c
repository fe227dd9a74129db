#include <check.h>
#include <stdlib.h>

#include "registry/auth.h"

static struct auth_challenge parse(const char *first, const char *second)
{
	_cleanup_(strv_done) struct strv headers = STRV_INIT;
	struct auth_challenge c = { 0 };

	strv_add(&headers, first);
	if (second)
		strv_add(&headers, second);
	ck_assert_int_eq(auth_parse(&headers, &c, NULL), 0);
	return c;
}

START_TEST(a_bearer_challenge_has_its_parameters)
{
	struct auth_challenge c = parse("Bearer realm=\"https://auth.example/token\",service=\"reg, \\\"x\\\"\" , "
					"scope=\"repository:a/b:pull,push\",error=invalid",
					NULL);

	ck_assert_int_eq(c.scheme, AUTH_BEARER);
	ck_assert_str_eq(c.realm, "https://auth.example/token");
	ck_assert_str_eq(c.service, "reg, \"x\"");
	ck_assert_str_eq(c.scope, "repository:a/b:pull,push");
	auth_challenge_done(&c);
}
END_TEST

START_TEST(bearer_is_preferred_to_basic)
{
	struct auth_challenge one = parse("Basic realm=\"x\", Bearer realm=\"https://y\"", NULL);
	struct auth_challenge two = parse("Bearer realm=\"https://y\"", "basic realm=x");

	ck_assert_int_eq(one.scheme, AUTH_BEARER);
	ck_assert_str_eq(one.realm, "https://y");
	ck_assert_int_eq(two.scheme, AUTH_BEARER);
	auth_challenge_done(&one);
	auth_challenge_done(&two);
}
END_TEST

START_TEST(unknown_schemes_are_passed_over)
{
	struct auth_challenge basic = parse("Negotiate YII/abc==, NTLM, Basic realm=\"r\"", NULL);
	struct auth_challenge none = parse("Negotiate", "Digest realm=\"r\", nonce=\"n\"");

	ck_assert_int_eq(basic.scheme, AUTH_BASIC);
	ck_assert_str_eq(basic.realm, "r");
	ck_assert_int_eq(none.scheme, AUTH_NONE);
	auth_challenge_done(&basic);
	auth_challenge_done(&none);
}
END_TEST

START_TEST(malformed_challenges_are_no_challenge)
{
	static const char *const bad[] = { "",	       "Bearer",   "Bearer realm",
					   "=",	       ",,,",	   "Bearer service=\"x\"",
					   "\"Bearer", "Bearer =", "\x01\x02 realm=\"x\"",
					   "=\"" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct auth_challenge c = parse(bad[i], NULL);

		ck_assert_msg(c.scheme == AUTH_NONE, "%s", bad[i]);
		auth_challenge_done(&c);
	}
}
END_TEST

START_TEST(the_first_realm_counts)
{
	struct auth_challenge c = parse("Bearer realm=\"https://a\",realm=\"https://b\"", NULL);

	ck_assert_str_eq(c.realm, "https://a");
	auth_challenge_done(&c);
}
END_TEST

START_TEST(basic_is_base64)
{
	_cleanup_free_ char *value = auth_basic("Aladdin", "open sesame");

	ck_assert_str_eq(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}
END_TEST

START_TEST(without_a_login_basic_fails_before_anything_is_sent)
{
	_cleanup_error_ teu_error *err = NULL;
	struct auth_challenge c = { .scheme = AUTH_BASIC };
	struct credentials nobody = { 0 };
	char *value = NULL;

	ck_assert_int_eq(auth_answer(NULL, &c, &nobody, true, "s", &value, &err), TEU_E_AUTH);
	ck_assert_ptr_null(value);
}
END_TEST

START_TEST(a_token_service_without_tls_is_refused_for_a_registry_with)
{
	_cleanup_error_ teu_error *err = NULL;
	struct auth_challenge c = { .scheme = AUTH_BEARER, .realm = (char *)"http://127.0.0.1/token" };
	struct credentials nobody = { 0 };
	char *value = NULL;

	ck_assert_int_eq(auth_answer(NULL, &c, &nobody, true, "s", &value, &err), TEU_E_AUTH);
	ck_assert_ptr_null(value);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("auth");
	TCase *tc = tcase_create("auth");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, a_bearer_challenge_has_its_parameters);
	tcase_add_test(tc, bearer_is_preferred_to_basic);
	tcase_add_test(tc, unknown_schemes_are_passed_over);
	tcase_add_test(tc, malformed_challenges_are_no_challenge);
	tcase_add_test(tc, the_first_realm_counts);
	tcase_add_test(tc, basic_is_base64);
	tcase_add_test(tc, without_a_login_basic_fails_before_anything_is_sent);
	tcase_add_test(tc, a_token_service_without_tls_is_refused_for_a_registry_with);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
