#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/base64.h"
#include "format/url.h"

START_TEST(urls_are_taken_apart)
{
	static const struct {
		const char *text, *host, *resource, *formatted;
		int port;
		bool https;
	} good[] = {
		{ "https://Registry.Example/v2/", "registry.example", "/v2/", "https://registry.example/v2/", 443,
		  true },
		{ "http://127.0.0.1:5000", "127.0.0.1", "/", "http://127.0.0.1:5000/", 5000, false },
		{ "HTTPS://[::1]:443/a?b=c#d", "::1", "/a?b=c", "https://[::1]/a?b=c", 443, true },
		{ "http://h?q", "h", "/?q", "http://h/?q", 80, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_(url_done) struct url url = { 0 };
		_cleanup_free_ char *text = NULL;

		ck_assert_msg(url_parse(good[i].text, &url, NULL) == 0, "%s", good[i].text);
		ck_assert_str_eq(url.host, good[i].host);
		ck_assert_str_eq(url.resource, good[i].resource);
		ck_assert_int_eq(url.port, good[i].port);
		ck_assert(url.https == good[i].https);
		text = url_format(&url);
		ck_assert_str_eq(text, good[i].formatted);
	}
}
END_TEST

START_TEST(other_urls_are_refused)
{
	static const char *const bad[] = { "",
					   "ftp://host/",
					   "file:///etc/passwd",
					   "https://",
					   "https:///path",
					   "https://user:pass@host/",
					   "https://host:0/",
					   "https://host:99999/",
					   "https://host:/",
					   "https://[::1/",
					   "https://[nothex]/",
					   "https://host/a b",
					   "https://host/a\r\nX: y",
					   "https://ho$t/",
					   "//host/" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_error_ teu_error *err = NULL;
		struct url url = { 0 };

		ck_assert_msg(url_parse(bad[i], &url, &err) == TEU_E_INVALID, "%s", bad[i]);
		ck_assert_ptr_null(url.host);
		ck_assert(*teu_error_message(err));
	}
}
END_TEST

START_TEST(locations_are_seen_from_their_page)
{
	static const char base_text[] = "https://host:8443/v2/a/blobs/x?q=1";
	static const struct {
		const char *location, *result;
	} good[] = {
		{ "http://other/y", "http://other/y" },	      { "//other:1/y", "https://other:1/y" },
		{ "/y?z", "https://host:8443/y?z" },	      { "y", "https://host:8443/v2/a/blobs/y" },
		{ "?z", "https://host:8443/v2/a/blobs/x?z" },
	};
	_cleanup_(url_done) struct url base = { 0 };

	ck_assert_int_eq(url_parse(base_text, &base, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_(url_done) struct url url = { 0 };
		_cleanup_free_ char *text = NULL;

		ck_assert_int_eq(url_resolve(&base, good[i].location, &url, NULL), 0);
		text = url_format(&url);
		ck_assert_str_eq(text, good[i].result);
	}
	{
		_cleanup_(url_done) struct url url = { 0 };

		ck_assert_int_eq(url_resolve(&base, "javascript:alert(1)", &url, NULL), TEU_E_INVALID);
	}
}
END_TEST

START_TEST(an_origin_is_scheme_host_and_port)
{
	static const struct {
		const char *text;
		bool same;
	} others[] = { { "https://a/", true },
		       { "https://A:443/x", true },
		       { "http://a/", false },
		       { "https://a:8/", false },
		       { "https://a.b/", false } };
	_cleanup_(url_done) struct url a = { 0 };

	ck_assert_int_eq(url_parse("https://a/v2/", &a, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_(url_done) struct url b = { 0 };

		ck_assert_int_eq(url_parse(others[i].text, &b, NULL), 0);
		ck_assert_msg(url_same_origin(&a, &b) == others[i].same, "%s", others[i].text);
	}
}
END_TEST

START_TEST(loopback_is_this_machine_only)
{
	static const char *const yes[] = { "localhost", "LOCALHOST", "x.localhost", "127.0.0.1", "127.9.9.9", "::1" };
	static const char *const no[] = {
		"localhost.example", "notlocalhost", "128.0.0.1", "127.0.0.1.example", "127.1", "::2", "0.0.0.0"
	};

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		ck_assert_msg(url_is_loopback(yes[i]), "%s", yes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		ck_assert_msg(!url_is_loopback(no[i]), "%s", no[i]);
}
END_TEST

START_TEST(queries_are_escaped)
{
	_cleanup_(strbuf_done) struct strbuf url = STRBUF_INIT, form = STRBUF_INIT;

	strbuf_adds(&url, "https://h/t");
	url_add_query(&url, "scope", "repository:a/b:pull");
	url_add_query(&url, "s", "a&b c\xc3\xa4");
	ck_assert_str_eq(url.text, "https://h/t?scope=repository%3Aa%2Fb%3Apull&s=a%26b%20c%C3%A4");
	url_add_form(&form, "a", "1");
	url_add_form(&form, "b", "=");
	ck_assert_str_eq(form.text, "a=1&b=%3D");
}
END_TEST

START_TEST(base64_goes_both_ways)
{
	static const char *const pairs[][2] = {
		{ "", "" },	   { "f", "Zg==" },	   { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "user:p\xff", "dXNlcjpw/w==" }
	};
	static const char *const bad[] = { "Z", "Zg=x", "Zg===", "Z g", "Zm9v\n", "Z-_9" };

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_free_ char *text = base64_encode(pairs[i][0], strlen(pairs[i][0])), *back = NULL;
		size_t len;

		ck_assert_str_eq(text, pairs[i][1]);
		back = base64_decode(text, &len);
		ck_assert_str_eq(back, pairs[i][0]);
		ck_assert_uint_eq(len, strlen(pairs[i][0]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t len;

		ck_assert_msg(!base64_decode(bad[i], &len), "%s", bad[i]);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("url");
	TCase *tc = tcase_create("url");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, urls_are_taken_apart);
	tcase_add_test(tc, other_urls_are_refused);
	tcase_add_test(tc, locations_are_seen_from_their_page);
	tcase_add_test(tc, an_origin_is_scheme_host_and_port);
	tcase_add_test(tc, loopback_is_this_machine_only);
	tcase_add_test(tc, queries_are_escaped);
	tcase_add_test(tc, base64_goes_both_ways);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
