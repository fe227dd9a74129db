#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "format/gvariant.h"
#include "kernel/cgroup_impl.h"

static const struct cgroup_machine v2 = { .v2 = true, .root = (char *)"/nonexistent" };
static const struct cgroup_machine v1 = { .mounts = { [CG_MEMORY] = (char *)"/nonexistent" } };

/* The properties, one a line; each has to be a value that systemd_start() can read. */
static char *translate(const struct cgroup_machine *m, const char *resources, teu_error **err)
{
	_cleanup_(strv_done) struct strv properties = STRV_INIT;
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	_cleanup_json_ json *doc = NULL;

	ck_assert_msg(json_parse(resources, strlen(resources), &doc, NULL) == 0, "%s", resources);
	if (cgroup_unit_on(m, "/x", doc, "linux.resources", false, &properties, err) < 0)
		return NULL;
	strv_foreach (p, &properties) {
		_cleanup_(gvariant_done) struct gvariant v = { 0 };

		ck_assert_msg(gvariant_parse(strchr(*p, '=') + 1, &v, NULL) == 0, "%s", *p);
		strbuf_addf(&text, "%s%s", text.len ? "\n" : "", *p);
	}
	return strbuf_take(&text);
}

static void expect(const struct cgroup_machine *m, const char *resources, const char *expected)
{
	_cleanup_free_ char *text = translate(m, resources, NULL);

	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, expected);
}

START_TEST(nothing_asked_is_nothing_said)
{
	expect(&v2, "{}", "");
	expect(&v1, "{\"memory\": {}, \"cpu\": {\"shares\": 0}}", "");
}
END_TEST

START_TEST(memory_on_both_hierarchies)
{
	static const char all[] = "{\"memory\": {\"limit\": 1000, \"swap\": 1500, \"reservation\": 500}}";

	expect(&v2, all, "MemoryMax=uint64 1000\nMemoryLow=uint64 500\nMemorySwapMax=uint64 500");
	expect(&v1, all, "MemoryLimit=uint64 1000");
	expect(&v2, "{\"memory\": {\"limit\": -1}}",
	       "MemoryMax=uint64 18446744073709551615\nMemorySwapMax=uint64 18446744073709551615");
	expect(&v2, "{\"memory\": {\"limit\": 1000, \"swap\": -1}}",
	       "MemoryMax=uint64 1000\nMemorySwapMax=uint64 18446744073709551615");
}
END_TEST

START_TEST(a_quota_is_time_in_a_second_rounded_up)
{
	expect(&v2, "{\"cpu\": {\"quota\": 33333, \"period\": 100000}}",
	       "CPUQuotaPeriodUSec=uint64 100000\nCPUQuotaPerSecUSec=uint64 340000");
	expect(&v2, "{\"cpu\": {\"quota\": 50000}}", "CPUQuotaPerSecUSec=uint64 500000");
	expect(&v2, "{\"cpu\": {\"quota\": -1}}", "CPUQuotaPerSecUSec=uint64 18446744073709551615");
	expect(&v2, "{\"cpu\": {\"period\": 5000}}",
	       "CPUQuotaPeriodUSec=uint64 5000\nCPUQuotaPerSecUSec=uint64 18446744073709551615");
}
END_TEST

START_TEST(files_get_what_the_manager_keeps)
{
	static const struct {
		const char *given;
		int64_t quota;
	} cases[] = {
		{ "{\"cpu\": {\"quota\": 500000, \"period\": 900000}}", 504000 },
		{ "{\"cpu\": {\"quota\": 33333, \"period\": 100000}}", 34000 },
		{ "{\"cpu\": {\"quota\": 50000}}", 50000 },
		{ "{\"cpu\": {\"quota\": -1, \"period\": 5000}}", -1 },
		{ "{\"cpu\": {\"quota\": 9223372036854775, \"period\": 1}}", 9223372036854775 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_ json *doc = NULL;

		ck_assert_int_eq(json_parse(cases[i].given, strlen(cases[i].given), &doc, NULL), 0);
		ck_assert_int_eq(cgroup_unit_fit("/teu-no-such-group", doc, "linux.resources", false, NULL), 0);
		ck_assert_int_eq(json_get_number(json_get(doc, "cpu"), "quota", 0), cases[i].quota);
	}
}
END_TEST

START_TEST(weights_and_counts)
{
	expect(&v2, "{\"cpu\": {\"shares\": 1024}, \"pids\": {\"limit\": 7}, \"blockIO\": {\"weight\": 10}}",
	       "CPUWeight=uint64 100\nTasksMax=uint64 7\nIOWeight=uint64 1");
	expect(&v1, "{\"cpu\": {\"shares\": 1024}, \"pids\": {\"limit\": -1}, \"blockIO\": {\"weight\": 10}}",
	       "CPUShares=uint64 1024\nTasksMax=uint64 18446744073709551615\nBlockIOWeight=uint64 10");
	expect(&v2, "{\"cpu\": {\"shares\": 1024, \"idle\": 1}}", "CPUWeight=uint64 0");
}
END_TEST

START_TEST(lists_are_bytes_of_bits)
{
	_cleanup_error_ teu_error *err = NULL;

	expect(&v2, "{\"cpu\": {\"cpus\": \"0-2,9\", \"mems\": \"0\"}}",
	       "AllowedCPUs=[byte 7, 2]\nAllowedMemoryNodes=[byte 1]");
	ck_assert_ptr_null(translate(&v2, "{\"cpu\": {\"cpus\": \"3-1\"}}", &err));
	ck_assert_str_eq(teu_error_detail(err, "field"), "linux.resources.cpu.cpus");
}
END_TEST

START_TEST(files_by_name_are_properties_too)
{
	expect(&v2,
	       "{\"unified\": {\"memory.high\": \"5\", \"pids.max\": \"max\", \"cpu.max\": \"max 5000\", \"cpu.idle\": "
	       "\"1\", \"cpuset.cpus\": \"8\", \"hugetlb.2MB.max\": \"0\"}}",
	       "MemoryHigh=uint64 5\nTasksMax=uint64 18446744073709551615\nCPUQuotaPeriodUSec=uint64 5000\n"
	       "CPUQuotaPerSecUSec=uint64 18446744073709551615\nCPUWeight=uint64 0\nAllowedCPUs=[byte 0, 1]");
}
END_TEST

START_TEST(devices_are_an_allowed_list_or_nothing)
{
	_cleanup_free_ char *list =
		translate(&v2,
			  "{\"devices\": [{\"allow\": false, \"access\": \"rwm\"}, {\"allow\": true, "
			  "\"type\": \"b\", \"major\": 7, \"minor\": 0, \"access\": \"r\"}]}",
			  NULL);

	ck_assert_ptr_nonnull(strstr(list, "DevicePolicy='strict'\nDeviceAllow=@a(ss) []\n"));
	ck_assert_ptr_nonnull(strstr(list, "('/dev/block/7:0', 'r'), ('char-*', 'm'), ('block-*', 'm')"));
	ck_assert_ptr_nonnull(strstr(list, "('/dev/char/1:3', 'rwm')"));
	expect(&v2, "{\"devices\": [{\"allow\": true, \"access\": \"rwm\"}]}",
	       "DevicePolicy='auto'\nDeviceAllow=@a(ss) []");
	/* What a list can't say is left to the rules of the cgroup. */
	free(list);
	list = translate(&v2,
			 "{\"devices\": [{\"allow\": true, \"access\": \"rwm\"}, {\"allow\": false, \"type\": \"c\", "
			 "\"major\": 1, \"minor\": 1, \"access\": \"rwm\"}]}",
			 NULL);
	ck_assert_str_eq(list, "DevicePolicy='auto'\nDeviceAllow=@a(ss) []");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cgroup_unit");
	TCase *tc = tcase_create("cgroup_unit");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, nothing_asked_is_nothing_said);
	tcase_add_test(tc, memory_on_both_hierarchies);
	tcase_add_test(tc, a_quota_is_time_in_a_second_rounded_up);
	tcase_add_test(tc, files_get_what_the_manager_keeps);
	tcase_add_test(tc, weights_and_counts);
	tcase_add_test(tc, lists_are_bytes_of_bits);
	tcase_add_test(tc, files_by_name_are_properties_too);
	tcase_add_test(tc, devices_are_an_allowed_list_or_nothing);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
