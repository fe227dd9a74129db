/* resctrl: groups in a folder that stands for a mounted resctrl, which this machine may not have. */
#include "kernel/resctrl.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/test-resctrl.XXXXXX";

static void put(const char *file, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, file);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static const char *get(const char *file)
{
	static char text[256];
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, file);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

static void setup(void)
{
	char path[256];

	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/gold", root);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/gold/mon_groups", root);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	put("gold/schemata", "    MB:0= 20;1= 70\n    L3:0=07f;1=01f\n");
}

static void teardown(void)
{
	static const char *const made[] = { "gold/schemata", "gold/mon_groups", "gold", "" };
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, made[i]);
		remove(path);
	}
	ck_assert_int_ne(access(root, F_OK), 0);
	strcpy(root, "/tmp/test-resctrl.XXXXXX");
}

static int make(const char *text, struct resctrl *ret, teu_error **err)
{
	_cleanup_json_ json *rdt = NULL;

	ck_assert_int_eq(json_parse(text, strlen(text), &rdt, NULL), 0);
	return resctrl_make(root, rdt, "box", ret, err);
}

START_TEST(a_class_of_its_own_goes_with_the_container)
{
	_cleanup_(resctrl_done) struct resctrl g = { 0 };

	ck_assert_int_eq(make("{}", &g, NULL), 0);
	ck_assert_uint_eq(g.tasks.n, 1);
	ck_assert_str_eq(g.tasks.items[0] + strlen(root), "/box/tasks");
	ck_assert_int_eq(access(g.dir, F_OK), 0);
	resctrl_remove(&g.made);
	ck_assert_int_ne(access(g.dir, F_OK), 0);
}
END_TEST

START_TEST(a_class_with_a_name_is_shared)
{
	_cleanup_(resctrl_done) struct resctrl g = { 0 };

	ck_assert_int_eq(
		make("{\"closID\":\"gold\",\"l3CacheSchema\":\"L3:1=1F;0=7f\",\"enableMonitoring\":true}", &g, NULL),
		0);
	ck_assert_uint_eq(g.tasks.n, 2);
	ck_assert_str_eq(g.tasks.items[1] + strlen(root), "/gold/mon_groups/box/tasks");
	resctrl_remove(&g.made);
	ck_assert_int_eq(access(g.dir, F_OK), 0);
}
END_TEST

START_TEST(the_topmost_class_is_a_slash)
{
	_cleanup_(resctrl_done) struct resctrl g = { 0 };

	ck_assert_int_eq(make("{\"closID\":\"/\"}", &g, NULL), 0);
	ck_assert_str_eq(g.tasks.items[0] + strlen(root), "/tasks");
	ck_assert_uint_eq(g.made.n, 0);
}
END_TEST

static const struct {
	const char *text;
	int code;
	const char *said;
} refused[] = {
	{ "{\"closID\":\"iron\"}", TEU_E_NOT_FOUND, "no class" },
	{ "{\"closID\":\"gold\",\"memBwSchema\":\"MB:0=30\"}", TEU_E_CONFLICT, "is in use" },
	{ "{\"closID\":\"gold\",\"schemata\":[\"L2:0=f\"]}", TEU_E_CONFLICT, "is in use" },
	/* In the folder there is no kernel that makes the file. */
	{ "{\"closID\":\"iron\",\"memBwSchema\":\"MB:0=30\"}", TEU_E_NOT_FOUND, "iron/schemata" },
	{ "{\"schemata\":[\"MB:0=30\"]}", TEU_E_NOT_FOUND, "box/schemata" },
};

START_TEST(what_is_refused_leaves_nothing)
{
	_cleanup_(resctrl_done) struct resctrl g = { 0 };
	teu_error *err = NULL;

	ck_assert_int_eq(make(refused[_i].text, &g, &err), refused[_i].code);
	ck_assert_msg(strstr(teu_error_message(err), refused[_i].said), "%s", teu_error_message(err));
	teu_error_unref(err);
}
END_TEST

START_TEST(schemata_are_written_in_order)
{
	static const char text[] =
		"{\"memBwSchema\":\"MB:0=30\",\"l3CacheSchema\":\"L3:0=3\",\"schemata\":[\"L2:0=1\"]}";
	_cleanup_json_ json *rdt = NULL;
	char dir[256];

	snprintf(dir, sizeof(dir), "%s/gold", root);
	put("gold/schemata", "");
	ck_assert_int_eq(json_parse(text, strlen(text), &rdt, NULL), 0);
	ck_assert_int_eq(resctrl_set(dir, rdt, NULL), 0);
	/* Each write begins at the file's begin, so that the last line stands there. */
	ck_assert_msg(strncmp(get("gold/schemata"), "L2:0=1\n", 7) == 0, "%s", get("gold/schemata"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resctrl");
	TCase *cases = tcase_create("resctrl");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, a_class_of_its_own_goes_with_the_container);
	tcase_add_test(cases, a_class_with_a_name_is_shared);
	tcase_add_test(cases, the_topmost_class_is_a_slash);
	tcase_add_loop_test(cases, what_is_refused_leaves_nothing, 0, ARRAY_SIZE(refused));
	tcase_add_test(cases, schemata_are_written_in_order);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
