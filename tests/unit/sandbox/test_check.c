/* check: what is said of a config that is wrong, all of it at once. */
#include "sandbox/check.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static json *parse(const char *text)
{
	teu_error *err = NULL;
	json *v = NULL;

	ck_assert_msg(json_parse(text, strlen(text), &v, &err) == 0, "%s: %s", text, teu_error_message(err));
	return v;
}

/* A config with @fields at its top, and one with @fields in "linux" beside @namespaces. */
#define TOP(fields) "{\"ociVersion\":\"1.2.0\"" fields "}"
#define LX(namespaces, fields) TOP(",\"linux\":{\"namespaces\":[" namespaces "]" fields "}")
#define NS(type) "{\"type\":\"" type "\"}"
#define MAPPED(fields)                                                                                                 \
	TOP(",\"linux\":{\"namespaces\":[" NS(                                                                         \
		"user") "],\"uidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":2}],"                             \
			"\"gidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":2}]}" fields)
#define RESOURCES(fields) LX("", ",\"resources\":{" fields "}")
#define PROCESS(fields) TOP(",\"process\":{\"cwd\":\"/\"" fields "}")
#define MOUNT(fields) TOP(",\"mounts\":[{\"destination\":\"/x\"" fields "}]")
#define SECCOMP(fields) LX("", ",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"" fields "}")

static const char *const good[] = {
	TOP(""),
	TOP(",\"root\":null,\"unheard-of\":[7]"),
	"{\"ociVersion\":\"1.0.2-dev\"}",
	"{\"ociVersion\":\"1.1.0+dev\"}",
	RESOURCES("\"memory\":{\"limit\":-1,\"swappiness\":60}"),
	RESOURCES("\"memory\":{\"limit\":9223372036854775807}"),
	RESOURCES("\"cpu\":{\"shares\":18446744073709551615,\"quota\":-9223372036854775808}"),
	RESOURCES("\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]"),
	PROCESS(",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":18446744073709551615}]"),
	PROCESS(",\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":3}"),
	LX(NS("network"), ",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\",\"net/ipv4/conf/a.1/forwarding\":\"1\"}"),
	LX(NS("ipc"), ",\"sysctl\":{\"kernel.msgmax\":\"1\",\"fs.mqueue.queues_max\":\"1\"}"),
	LX("{\"type\":\"user\",\"path\":\"/proc/1/ns/user\"}", ""),
	LX(NS("time"), ",\"timeOffsets\":{\"boottime\":{\"secs\":-5,\"nanosecs\":999999999}}"),
	MOUNT(",\"type\":\"none\",\"source\":\"rel\",\"options\":[\"rbind\",\"rro\",\"nosuid\"]"),
	SECCOMP(",\"listenerPath\":\"/l\",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]"),
};

/* What the short documents here leave out. */
static bool is_missing_top(const char *line)
{
	static const char *const missing[] = { "root: is missing", "process: is missing",
					       "process.args: expected a command" };

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		if (strcmp(missing[i], line) == 0)
			return true;
	return false;
}

START_TEST(a_good_config_passes)
{
	_cleanup_json_ json *v = parse(good[_i]);
	struct check c = { 0 };

	check_config(v, CHECK_DOCUMENT, &c);
	ck_assert_msg(c.errors.n == 0, "%s: %s", good[_i], c.errors.n ? c.errors.items[0] : "");
	ck_assert_int_eq(check_result(&c, NULL), 0);
	check_config(v, CHECK_LAUNCH, &c);
	strv_foreach (line, &c.errors)
		ck_assert_msg(is_missing_top(*line), "%s: %s", good[_i], *line);
	check_done(&c);
}
END_TEST

static const struct {
	const char *config, *error;
} bad[] = {
	{ "[]", "expected an object, found an array" },
	{ "{}", "ociVersion: is missing" },
	{ "{\"ociVersion\":1}", "ociVersion: expected a string, found an integer" },
	{ "{\"ociVersion\":\"one\"}", "ociVersion: expected a version such as 1.2.0, found \"one\"" },
	{ "{\"ociVersion\":\"2.0.0\"}", "ociVersion: 2.0.0: this runtime knows 1.0 to 1.3" },
	{ TOP(",\"root\":{}"), "root.path: is missing" },
	{ TOP(",\"hooks\":{\"poststop\":[{\"path\":\"/a\"},{\"path\":\"b\"}]}"),
	  "hooks.poststop[1].path: expected an absolute path, found \"b\"" },
	{ TOP(",\"hooks\":{\"prestart\":[{\"path\":\"/a\",\"timeout\":0}]}"),
	  "hooks.prestart[0].timeout: expected an integer from 1 to 2147483647" },
	{ TOP(",\"annotations\":{\"a\":1}"), "annotations.a: expected a string, found an integer" },
	{ TOP(",\"hostname\":\"h\""), "hostname: needs a \"uts\" namespace in linux.namespaces" },
	{ TOP(",\"process\":{}"), "process.cwd: is missing" },
	{ PROCESS(",\"args\":[\"a\",2]"), "process.args[1]: expected a string, found an integer" },
	{ PROCESS(",\"terminal\":\"yes\""), "process.terminal: expected a boolean, found a string" },
	{ PROCESS(",\"user\":{\"uid\":1.5}"), "process.user.uid: expected an integer, found a number with a fraction" },
	{ PROCESS(",\"user\":{\"gid\":-1}"), "process.user.gid: expected an integer from 0 to 4294967294" },
	{ PROCESS(",\"oomScoreAdj\":1001"), "process.oomScoreAdj: expected an integer from -1000 to 1000" },
	{ PROCESS(",\"rlimits\":[{\"type\":\"RLIMIT_MOON\",\"soft\":1,\"hard\":1}]"),
	  "process.rlimits[0].type: expected a name such as RLIMIT_NOFILE, found \"RLIMIT_MOON\"" },
	{ PROCESS(",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]"),
	  "process.rlimits[0]: RLIMIT_CPU: soft is above hard" },
	{ PROCESS(",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1},{\"type\":\"RLIMIT_CPU\",\"soft\":1,"
		  "\"hard\":1}]"),
	  "process.rlimits[1]: type RLIMIT_CPU stands twice" },
	{ PROCESS(",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}"),
	  "process.ioPriority.priority: expected an integer from 0 to 7" },
	{ PROCESS(",\"scheduler\":{\"policy\":\"SCHED_MOON\"}"),
	  "process.scheduler.policy: unknown value \"SCHED_MOON\"" },
	{ PROCESS(",\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"priority\":1}"),
	  "process.scheduler: priority goes with SCHED_FIFO and SCHED_RR only" },
	{ RESOURCES("\"memory\":{\"limit\":\"1m\"}"),
	  "linux.resources.memory.limit: expected an integer, found a string" },
	{ RESOURCES("\"memory\":{\"limit\":9223372036854775808}"),
	  "linux.resources.memory.limit: expected an integer from -9223372036854775808 to 9223372036854775807" },
	{ RESOURCES("\"hugepageLimits\":[{\"pageSize\":\"64kB\",\"limit\":1}]"),
	  "linux.resources.hugepageLimits[0].pageSize: expected a size such as 2MB, found \"64kB\"" },
	{ RESOURCES("\"rdma\":{\"mlx5_1\":{\"hcaHandles\":\"many\"}}"),
	  "linux.resources.rdma.mlx5_1.hcaHandles: expected an integer, found a string" },
	{ RESOURCES("\"devices\":[{\"access\":\"rwm\"}]"), "linux.resources.devices[0].allow: is missing" },
	{ LX(NS("moon"), ""), "linux.namespaces[0].type: unknown value \"moon\"" },
	{ LX(NS("pid") "," NS("pid"), ""), "linux.namespaces[1]: type \"pid\" stands twice" },
	{ LX("{\"type\":\"pid\",\"path\":\"p\"}", ""), "linux.namespaces[0]: path \"p\" is not absolute" },
	{ LX(NS("user"), ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]"),
	  "linux.gidMappings: is missing for the user namespace" },
	{ LX("", ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]"),
	  "linux.uidMappings: needs a \"user\" namespace in linux.namespaces" },
	{ LX("{\"type\":\"user\",\"path\":\"/u\"}", ",\"uidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":2},{"
						    "\"containerID\":5,\"hostID\":10,\"size\":1}]"),
	  "linux.uidMappings: range 1 overlaps range 0" },
	{ MAPPED(",\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":2,\"gid\":1}}"),
	  "process.user.uid: id 2 has no place in linux.uidMappings" },
	{ MAPPED(",\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":1,\"gid\":1,\"additionalGids\":[1,7]}}"),
	  "process.user.additionalGids[1]: id 7 has no place in linux.gidMappings" },
	{ MAPPED(",\"mounts\":[{\"destination\":\"/x\",\"type\":\"devpts\",\"options\":[\"uid=1\",\"gid=5\"]}]"),
	  "mounts[0].options: cannot specify gid=5: id 5 has no place in linux.gidMappings" },
	{ LX("", ",\"timeOffsets\":{\"boottime\":{\"secs\":1}}"),
	  "linux.timeOffsets: needs a \"time\" namespace in linux.namespaces" },
	{ LX("", ",\"sysctl\":{\"net.core.somaxconn\":\"1\"}"),
	  "linux.sysctl.net.core.somaxconn: needs a \"network\" namespace in linux.namespaces: it would change the "
	  "host's" },
	{ LX(NS("ipc"), ",\"sysctl\":{\"kernel.panic\":\"1\"}"),
	  "linux.sysctl.kernel.panic: belongs to the whole machine, not to a namespace" },
	{ LX(NS("network"), ",\"sysctl\":{\"net/../kernel/panic\":\"1\"}"),
	  "linux.sysctl.net/../kernel/panic: is no name of a sysctl" },
	{ LX("", ",\"sysctl\":[\"a\"]"), "linux.sysctl: expected an object, found an array" },
	{ LX(NS("network"), ",\"netDevices\":[{}]"), "linux.netDevices: expected an object, found an array" },
	{ PROCESS(",\"capabilities\":[[\"CAP_MOON\"]]"), "process.capabilities: expected an object, found an array" },
	{ RESOURCES("\"rdma\":[{\"hcaHandles\":1}]"), "linux.resources.rdma: expected an object, found an array" },
	{ RESOURCES("\"unified\":[\"a\"]"), "linux.resources.unified: expected an object, found an array" },
	{ LX(NS("network"), ",\"netDevices\":{\"a/b\":{}}"), "linux.netDevices.a/b: is no name of a link" },
	{ LX(NS("mount"), ",\"rootfsPropagation\":\"wild\""), "linux.rootfsPropagation: unknown value \"wild\"" },
	{ LX("", ",\"memoryPolicy\":{\"mode\":\"MPOL_BIND\"}"),
	  "linux.memoryPolicy.nodes: MPOL_BIND: mode requires at least one node but got 0" },
	{ LX("", ",\"intelRdt\":{\"closID\":\"a/b\"}"), "linux.intelRdt.closID: \"a/b\" is no name of a group" },
	{ MOUNT(""), "mounts[0].type: is missing" },
	{ MOUNT(",\"type\":\"bind\""), "mounts[0].source: is missing" },
	{ MOUNT(",\"type\":\"bind\",\"source\":\"/s\",\"options\":[\"size=5\"]"),
	  "mounts[0]: a bind mount can't have the filesystem's option \"size=5\"" },
	{ SECCOMP(",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}]"),
	  "linux.seccomp.syscalls[0].names: expected one at least" },
	{ SECCOMP(",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]"),
	  "linux.seccomp.listenerPath: is missing for SCMP_ACT_NOTIFY" },
	{ SECCOMP(",\"listenerPath\":\"/l\",\"syscalls\":[{\"names\":[\"write\"],\"action\":\"SCMP_ACT_NOTIFY\"}]"),
	  "linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY cannot be used for the write syscall" },
};

START_TEST(a_bad_config_is_told_by_its_place)
{
	_cleanup_json_ json *v = parse(bad[_i].config);
	struct check c = { 0 };

	check_config(v, CHECK_LAUNCH, &c);
	strv_foreach (line, &c.errors)
		if (!is_missing_top(*line))
			ck_assert_str_eq(*line, bad[_i].error);
	ck_assert_msg(strv_has(&c.errors, bad[_i].error), "%s: no error", bad[_i].config);
	check_done(&c);
}
END_TEST

START_TEST(every_error_is_told_at_once)
{
	_cleanup_json_ json *v = parse("{\"ociVersion\":\"1.2.0\",\"hostname\":7,\"process\":{\"cwd\":\"here\"},"
				       "\"linux\":{\"namespaces\":[" NS("mount") "],\"resources\":{\"pids\":[]}}}");
	struct check c = { 0 };
	teu_error *err = NULL;

	check_config(v, CHECK_LAUNCH, &c);
	ck_assert_int_eq(check_result(&c, &err), TEU_E_INVALID);
	ck_assert_str_eq(teu_error_message(err), "hostname: expected a string, found an integer; "
						 "process.cwd: expected an absolute path, found \"here\"; "
						 "linux.resources.pids: expected an object, found an array; "
						 "root: is missing; process.args: expected a command");
	ck_assert_str_eq(teu_error_detail(err, "field"), "hostname");
	teu_error_unref(err);
	check_done(&c);
}
END_TEST

START_TEST(a_flood_of_errors_ends)
{
	char text[8192] = "{\"ociVersion\":\"1.2.0\",\"mounts\":[0";
	struct check c = { 0 };
	json *v;

	for (int i = 0; i < 999; i++)
		strcat(text, ",0");
	v = parse(strcat(text, "]}"));
	check_config(v, CHECK_DOCUMENT, &c);
	ck_assert_uint_eq(c.errors.n, 64);
	check_done(&c);
	json_free(v);
}
END_TEST

START_TEST(what_can_be_left_out_is_a_warning)
{
	_cleanup_json_ json *v = parse("{\"cwd\":\"/\",\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_MOON\"],"
				       "\"permitted\":[\"CAP_KILL\",\"CAP_CHOWN\"],\"inheritable\":[\"CAP_KILL\"],"
				       "\"ambient\":[\"CAP_KILL\",\"CAP_CHOWN\"]}}");
	struct check c = { 0 };

	check_process(v, &c);
	ck_assert_uint_eq(c.errors.n, 0);
	ck_assert_uint_eq(c.warnings.n, 2);
	ck_assert_str_eq(c.warnings.items[0], "process.capabilities.bounding: unknown capability CAP_MOON is left out");
	ck_assert_str_eq(c.warnings.items[1],
			 "process.capabilities.ambient: can't raise ambient capability CAP_CHOWN: it "
			 "is not permitted and inheritable");
	check_done(&c);
}
END_TEST

START_TEST(fields_in_another_case_are_found)
{
	_cleanup_json_ json *v = parse("{\"ociVersion\":\"1.2.0\",\"hostname\":\"a\",\"HOSTNAME\":\"b\",\"Linux\":{"
				       "\"resources\":{\"hugepageLimits\":[{\"pagesize\":\"2MB\",\"limit\":0}],"
				       "\"unified\":{\"Linux\":\"1\"}}}}");
	_cleanup_free_ char *text = NULL;
	struct check c = { 0 };

	check_config(v, CHECK_DOCUMENT, &c);
	ck_assert(c.respelled);
	ck_assert_int_eq(check_respell_config(v, NULL), 0);
	text = json_print(v);
	ck_assert_str_eq(text,
			 "{\"ociVersion\":\"1.2.0\",\"hostname\":\"a\",\"HOSTNAME\":\"b\",\"linux\":{\"resources\":{"
			 "\"hugepageLimits\":[{\"limit\":0,\"pageSize\":\"2MB\"}],\"unified\":{\"Linux\":\"1\"}}}}");
	check_config(v, CHECK_DOCUMENT, &c);
	ck_assert_uint_eq(c.errors.n, 0);
	check_done(&c);
}
END_TEST

START_TEST(a_line_stays_one)
{
	_cleanup_json_ json *v = parse("{\"cwd\":\"/\",\"rlimits\":[{\"type\":\"A\\nprocess.args: is fine\"}]}");
	struct check c = { 0 };

	check_process(v, &c);
	ck_assert_uint_gt(c.errors.n, 0);
	strv_foreach (line, &c.errors)
		ck_assert_ptr_null(strchr(*line, '\n'));
	check_done(&c);
}
END_TEST

#define STATE(status) "{\"ociVersion\":\"1.2.0\",\"id\":\"a\",\"bundle\":\"/b\",\"status\":\"" status "\"}"

static const struct {
	const char *what, *text, *said; /* said NULL: nothing */
} documents[] = {
	{ "state", STATE("created"), NULL },
	{ "state", STATE("asleep"), "status: unknown value \"asleep\"" },
	{ "features", "{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"1.2.0\"}", NULL },
	{ "features", "{\"ociVersionMin\":\"1.0.0\"}", "ociVersionMax: is missing" },
	{ "config", TOP(""), NULL },
	{ "bundle", TOP(""), "root: is missing" },
	{ "process", "{\"args\":[\"true\"]}", "process.cwd: is missing" },
};

START_TEST(other_documents_are_checked_too)
{
	_cleanup_json_ json *v = parse(documents[_i].text);
	struct check c = { 0 };

	ck_assert(check_document(documents[_i].what, v, &c));
	if (documents[_i].said)
		ck_assert_str_eq(c.errors.n ? c.errors.items[0] : "", documents[_i].said);
	else
		ck_assert_uint_eq(c.errors.n, 0);
	ck_assert(!check_document("letter", v, &c));
	check_done(&c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check");
	TCase *cases = tcase_create("check");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(cases, a_good_config_passes, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(cases, a_bad_config_is_told_by_its_place, 0, ARRAY_SIZE(bad));
	tcase_add_test(cases, every_error_is_told_at_once);
	tcase_add_test(cases, a_flood_of_errors_ends);
	tcase_add_test(cases, what_can_be_left_out_is_a_warning);
	tcase_add_test(cases, fields_in_another_case_are_found);
	tcase_add_test(cases, a_line_stays_one);
	tcase_add_loop_test(cases, other_documents_are_checked_too, 0, ARRAY_SIZE(documents));
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
