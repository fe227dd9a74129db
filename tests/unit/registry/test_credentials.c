#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "registry/credentials.h"

static char dir[64], file[80];

static void write_file(const char *name, const char *text, mode_t mode)
{
	FILE *f;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	fclose(f);
	chmod(path, mode);
}

static void make_dir(void)
{
	char path[512];

	snprintf(dir, sizeof(dir), "/tmp/test_credentials.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/config.json", dir);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", dir);
	setenv("PATH", path, 1);
}

static void remove_dir(void)
{
	char path[128];
	static const char *const names[] = { "config.json", "docker-credential-ours", "docker-credential-bad" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static int find(const char *config, const char *host, struct credentials *cred, teu_error **err)
{
	write_file("config.json", config, 0600);
	return credentials_find(file, host, NULL, cred, err);
}

START_TEST(auths_are_found_by_host)
{
	static const char config[] = "{\"auths\": {\"localhost:5000\": {\"auth\": \"YWRhOnM6ZWNyZXQ=\"},"
				     "\"https://old.example/v1/\": {\"username\": \"bob\", \"password\": \"pw\"},"
				     "\"https://index.docker.io/v1/\": {\"auth\": \"aHViOmh1Yg==\"},"
				     "\"tok.example\": {\"identitytoken\": \"idtok\", \"auth\": \"PHRva2VuPjo=\"}}}";
	_cleanup_(credentials_done) struct credentials a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 }, e = { 0 };

	ck_assert_int_eq(find(config, "localhost:5000", &a, NULL), 0);
	ck_assert_str_eq(a.username, "ada");
	ck_assert_str_eq(a.password, "s:ecret");
	ck_assert_int_eq(find(config, "old.example", &b, NULL), 0);
	ck_assert_str_eq(b.username, "bob");
	ck_assert_int_eq(find(config, "docker.io", &c, NULL), 0);
	ck_assert_str_eq(c.password, "hub");
	ck_assert_int_eq(find(config, "tok.example", &d, NULL), 0);
	ck_assert_str_eq(d.identity_token, "idtok");
	ck_assert_ptr_null(d.username);
	ck_assert_int_eq(find(config, "localhost:5001", &e, NULL), 0);
	ck_assert_ptr_null(e.username);
}
END_TEST

START_TEST(a_helper_is_asked)
{
	_cleanup_(credentials_done) struct credentials cred = { 0 }, none = { 0 };

	write_file("docker-credential-ours",
		   "#!/bin/sh\nread server\n[ \"$1\" = get ] || exit 9\n"
		   "[ \"$server\" = reg.example ] || { echo credentials not found in native keychain; exit 1; }\n"
		   "echo '{\"ServerURL\": \"x\", \"Username\": \"eve\", \"Secret\": \"pass\"}'\n",
		   0755);
	ck_assert_int_eq(find("{\"credHelpers\": {\"reg.example\": \"ours\"}}", "reg.example", &cred, NULL), 0);
	ck_assert_str_eq(cred.username, "eve");
	ck_assert_str_eq(cred.password, "pass");
	ck_assert_int_eq(find("{\"credsStore\": \"ours\"}", "other.example", &none, NULL), 0);
	ck_assert_ptr_null(none.username);
}
END_TEST

START_TEST(a_helper_that_fails_is_an_error_with_its_name)
{
	static const char *const configs[] = { "{\"credsStore\": \"bad\"}", "{\"credsStore\": \"missing\"}",
					       "{\"credsStore\": \"../bad\"}" };

	write_file("docker-credential-bad", "#!/bin/sh\necho keyring locked\nexit 1\n", 0755);
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		_cleanup_(credentials_done) struct credentials cred = { 0 };
		_cleanup_error_ teu_error *err = NULL;

		ck_assert_int_lt(find(configs[i], "h", &cred, &err), 0);
		ck_assert_ptr_nonnull(strstr(teu_error_message(err), i == 1 ? "missing" : "bad"));
	}
}
END_TEST

START_TEST(malformed_files_are_refused_without_their_secrets)
{
	static const char *const configs[] = { "{", "{\"auths\": {\"h\": {\"auth\": \"c2VjcmV0\"}}}",
					       "{\"auths\": {\"h\": {\"auth\": \"!c2VjcmV0\"}}}",
					       "{\"auths\": {\"h\": {\"auth\": 7}}}",
					       "{\"auths\": {\"h\": \"secret\"}}" };

	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		_cleanup_(credentials_done) struct credentials cred = { 0 };
		_cleanup_error_ teu_error *err = NULL;

		ck_assert_msg(find(configs[i], "h", &cred, &err) < 0, "%s", configs[i]);
		ck_assert_ptr_null(cred.username);
		ck_assert_ptr_nonnull(strstr(teu_error_message(err), "config.json"));
		ck_assert_ptr_null(strstr(teu_error_message(err), "secret"));
		ck_assert_ptr_null(strstr(teu_error_message(err), "c2VjcmV0"));
	}
}
END_TEST

START_TEST(only_a_file_that_was_asked_for_has_to_be_there)
{
	_cleanup_(credentials_done) struct credentials cred = { 0 };
	_cleanup_error_ teu_error *err = NULL;

	setenv("DOCKER_CONFIG", dir, 1);
	ck_assert_int_eq(credentials_find(NULL, "h", NULL, &cred, &err), 0);
	ck_assert_ptr_null(cred.username);
	ck_assert_int_eq(credentials_find(file, "h", NULL, &cred, &err), TEU_E_NOT_FOUND);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("credentials");
	TCase *tc = tcase_create("credentials");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, auths_are_found_by_host);
	tcase_add_test(tc, a_helper_is_asked);
	tcase_add_test(tc, a_helper_that_fails_is_an_error_with_its_name);
	tcase_add_test(tc, malformed_files_are_refused_without_their_secrets);
	tcase_add_test(tc, only_a_file_that_was_asked_for_has_to_be_there);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
