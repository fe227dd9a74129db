/* compile: what a spec becomes, and what is said of one that is wrong. */
#include "sandbox/compile.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compile_as(enum idmap_rights rights, const char *text, struct plan *plan, teu_error **err)
{
	struct launch launch = { .seccomp_cache_fd = -1, .id = "id", .rights = rights };
	json *spec = NULL;
	int r;

	ck_assert_msg(json_parse(text, strlen(text), &spec, err) == 0, "%s: %s", text, teu_error_message(*err));
	launch.spec = spec;
	r = compile_launch(&launch, plan, err);
	json_free(spec);
	return r;
}

static int compile_text(const char *text, struct plan *plan, teu_error **err)
{
	return compile_as(IDMAP_ROOT, text, plan, err);
}

/* A whole spec of a process' fields, those of "linux" behind the namespaces, and those of the top. */
#define MOUNT_NS "{\"type\":\"mount\"}"
#define SPEC(process, lx, top)                                                                                         \
	"{\"process\":{\"args\":[\"true\"]" process                                                                    \
	"},\"root\":{\"path\":\"/r\"},\"linux\":{\"namespaces\":[" MOUNT_NS "]" lx "}" top "}"
#define NAMESPACES(list, lx)                                                                                           \
	"{\"process\":{\"args\":[\"true\"]},\"root\":{\"path\":\"/r\"},\"linux\":{\"namespaces\":[" list "]" lx "}}"

#define NOTIFY(fields)                                                                                                 \
	SPEC("",                                                                                                       \
	     ",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"" fields                                               \
	     ",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}",                                \
	     "")
#define MAPPED(options, more)                                                                                          \
	SPEC("", "",                                                                                                   \
	     ",\"mounts\":[{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"/s\"" options                        \
	     ",\"uidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":2}]" more                                     \
	     ",\"gidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":2}]}]")
#define BIND(options)                                                                                                  \
	SPEC("", "", ",\"mounts\":[{\"destination\":\"/x\",\"source\":\"/s\",\"options\":[\"rbind\"," options "]}]")

static const struct {
	const char *spec, *step; /* the step as plan_to_json() shows it */
} steps[] = {
	{ SPEC("", "", ""), "{\"by\":\"container\",\"step\":\"rootfs\",\"path\":\"/r\",\"from\":\"root.path\"}" },
	{ SPEC(",\"env\":[\"\",\"A=b\"]", "", ""),
	  "{\"by\":\"container\",\"step\":\"exec\",\"argv\":[\"true\"],\"env\":[\"\",\"A=b\"]}" },
	{ SPEC(",\"cwd\":\"/a/../b\"", "", ""), "\"step\":\"cwd\",\"path\":\"/b\"" },
	{ SPEC(",\"oomScoreAdj\":-7", "", ""), "\"step\":\"oom-score-adj\",\"value\":\"-7\"" },
	{ SPEC(",\"noNewPrivileges\":true", "", ""), "\"step\":\"no-new-privileges\"" },
	{ SPEC(",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":5,\"hard\":6}]", "", ""),
	  "\"step\":\"rlimit\",\"resource\":7,\"soft\":5,\"hard\":6" },
	{ SPEC(",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":18446744073709551615,\"hard\":18446744073709551615}]",
	       "", ""),
	  "\"step\":\"rlimit\",\"resource\":4,\"soft\":-1,\"hard\":-1" },
	{ SPEC("", ",\"maskedPaths\":[\"/proc/kcore\"]", ""), "\"step\":\"mask\",\"path\":\"/proc/kcore\"" },
	{ SPEC("", ",\"readonlyPaths\":[\"/proc/sys\"]", ""), "\"step\":\"read-only\",\"path\":\"/proc/sys\"" },
	{ SPEC("", ",\"sysctl\":{\"net.ipv4.conf.eth0/1.forwarding\":\"1\"}", ""),
	  "\"step\":\"sysctl\",\"path\":\"net/ipv4/conf/eth0.1/forwarding\",\"value\":\"1\"" },
	{ SPEC("", "",
	       ",\"mounts\":[{\"destination\":\"/t\",\"type\":\"tmpfs\",\"options\":[\"ro\",\"\",\"size=1m\"]}]"),
	  "\"step\":\"mount\",\"type\":\"tmpfs\",\"options\":[\"size=1m\"],\"destination\":\"/t\",\"from\"" },
	/* What is read-only may have to be filled first. */
	{ SPEC("", "", ",\"mounts\":[{\"destination\":\"/t\",\"type\":\"tmpfs\",\"options\":[\"ro\"]}]"),
	  "{\"by\":\"container\",\"step\":\"read-only-mount\",\"path\":\"/t\",\"from\":\"mounts[0]\"}" },
	{ SPEC("", "", ",\"mounts\":[{\"destination\":\"/p\",\"type\":\"proc\",\"options\":[\"ro\",\"nosuid\"]}]"),
	  "\"destination\":\"/p\",\"attributes\":3," },
	{ BIND("\"ro\",\"dev\""), "\"attributes\":17179869185," },		/* 1, 4 in the upper half */
	{ BIND("\"rro\",\"rexec\""), "\"recursive-attributes\":34359738369" },	/* 1, 8 */
	{ BIND("\"noatime\",\"relatime\""), "\"attributes\":481036337152," },	/* 0, 0x70 */
	{ BIND("\"noatime\",\"atime\""), "\"attributes\":68719476736," },	/* 0, 0x10: no choice */
	{ BIND("\"rstrictatime\""), "\"recursive-attributes\":481036337184" },	/* 0x20, 0x70 */
	{ BIND("\"rslave\",\"rshared\""), "\"propagation\":2322168558927872" }, /* both, in their order */
	{ MAPPED("", ""), "\"step\":\"fetch-bind-source\",\"path\":\"/s\",\"uids\":\"0 9 2\\n\",\"gids\":\"0 9 2\\n\","
			  "\"mount-flags\":64,\"from\":\"mounts[0]\"},{\"by\":\"container\",\"step\":\"bind\"" },
	{ MAPPED(",\"options\":[\"rbind\",\"ridmap\"]", ""), "\"mount-flags\":194," },
	{ SPEC("", ",\"rootfsPropagation\":\"shared\"", ""), "\"step\":\"root-propagation\",\"flags\":1048576," },
	{ SPEC("", ",\"rootfsPropagation\":\"rshared\"", ""),
	  "\"step\":\"propagation\",\"path\":\"/\",\"flags\":1064960}" },
	{ SPEC("", ",\"rootfsPropagation\":\"private\"", ""),
	  "\"step\":\"propagation\",\"path\":\"/\",\"flags\":540672}" },
	{ SPEC("", "", ",\"mounts\":[{\"destination\":\"rel/x\",\"type\":\"tmpfs\"}]"), "\"destination\":\"/rel/x\"" },
	{ SPEC("", "", ",\"mounts\":[{\"destination\":\"/x/\",\"source\":\"/s\",\"options\":[\"bind\"]}]"),
	  "\"step\":\"bind\",\"source\":\"/s\",\"destination\":\"/x\"" },
	{ SPEC("", "", ",\"annotations\":{\"teu.user\":\"me\",\"teu.groups\":\"a,,b\"}"),
	  "\"step\":\"user\",\"user\":\"me\",\"groups\":[\"a\",\"b\"]" },
	{ SPEC(",\"scheduler\":{\"policy\":\"SCHED_RR\",\"priority\":7,\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\"]}", "",
	       ""),
	  "\"step\":\"scheduler\",\"policy\":2,\"flags\":1,\"priority\":7," },
	{ SPEC(",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":4}", "", ""),
	  "\"step\":\"io-priority\",\"priority\":24580," },
	{ SPEC("", ",\"personality\":{\"domain\":\"LINUX32\"}", ""), "\"step\":\"personality\",\"personality\":8," },
	{ SPEC("", ",\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\"]}",
	       ""),
	  "\"step\":\"memory-policy\",\"mode\":32770," },
	/* What this machine can't give is left out: check warns of it. */
	{ SPEC(",\"capabilities\":{\"bounding\":[\"CAP_MOON\",\"CAP_KILL\"]}", "", ""),
	  "\"step\":\"bounding-set\",\"capabilities\":32," },
	{ NOTIFY(",\"listenerPath\":\"/l\",\"listenerMetadata\":\"m\""),
	  "{\"by\":\"monitor, at birth\",\"step\":\"seccomp-listener\",\"path\":\"/l\","
	  "\"head\":\"{\\\"ociVersion\\\":\\\"1.2.0\\\",\\\"fds\\\":[\\\"seccompFd\\\"],\\\"pid\\\":\","
	  "\"middle\":\",\\\"metadata\\\":\\\"m\\\",\\\"state\\\":{\\\"ociVersion\\\":\\\"1.2.0\\\",\\\"id\\\":"
	  "\\\"id\\\","
	  "\\\"status\\\":\\\"creating\\\",\\\"pid\\\":\",\"tail\":\",\\\"bundle\\\":\\\"\\\"}}\"," },
	/* Whatever the list's order, no path is opened in a mount namespace that was joined. */
	{ NAMESPACES("{\"type\":\"user\",\"path\":\"/u\"},{\"type\":\"mount\",\"path\":\"/m\"},{\"type\":\"ipc\","
		     "\"path\":\"/i\"}",
		     ""),
	  "\"step\":\"join-namespace\",\"path\":\"/"
	  "i\",\"type\":134217728,\"from\":\"linux.namespaces\"},{\"by\":\"monitor, "
	  "before\",\"step\":\"join-namespace\",\"path\":\"/m\",\"next\":\"/"
	  "u\",\"type\":131072,\"next-type\":268435456," },
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"uts\",\"path\":\"\"}", ""), "\"step\":\"clone\",\"namespaces\":67239936" },
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"uts\",\"path\":\"/u\"}", ""),
	  "\"step\":\"join-namespace\",\"path\":\"/u\"" },
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"time\"}", ",\"timeOffsets\":{\"boottime\":{\"secs\":-5,\"nanosecs\":6},"
						      "\"monotonic\":{\"secs\":9007199254740993}}"),
	  "{\"by\":\"monitor, before\",\"step\":\"time-namespace\","
	  "\"offsets\":\"monotonic 9007199254740993 0\\nboottime -5 6\\n\"," },
	/* What is joined with a user namespace is entered before it, and that before the process is born. */
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"user\",\"path\":\"/u\"},{\"type\":\"ipc\",\"path\":\"/i\"}", ""),
	  "[{\"by\":\"monitor, "
	  "before\",\"step\":\"join-namespace\",\"path\":\"/i\",\"type\":134217728,\"from\":\"linux."
	  "namespaces\"},{\"by\":\"monitor, before\",\"step\":\"join-namespace\",\"path\":\"/u\"" },
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"user\"},{\"type\":\"network\",\"path\":\"/n\"}",
		     ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"
		     "\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]"),
	  "[{\"by\":\"monitor, before\",\"step\":\"join-namespace\",\"path\":\"/n\"" },
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"pid\",\"path\":\"/p\"}", ""),
	  "{\"by\":\"monitor, before\",\"step\":\"join-pid-namespace\",\"path\":\"/p\"" },
};

START_TEST(a_spec_becomes_steps)
{
	struct plan plan = { 0 };
	teu_error *err = NULL;
	json *shown;
	char *text;

	ck_assert_msg(compile_text(steps[_i].spec, &plan, &err) == 0, "%s: %s", steps[_i].spec, teu_error_message(err));
	shown = plan_to_json(&plan);
	text = json_print(shown);
	ck_assert_msg(strstr(text, steps[_i].step), "%s is not in %s", steps[_i].step, text);
	free(text);
	json_free(shown);
	plan_done(&plan);
}
END_TEST

/* The one own id is mapped by the helper, which gives up groups for it; others by who called. */
START_TEST(an_ordinary_user_maps_himself)
{
	static const char own[] = "\"step\":\"write-id-map\",\"file\":\"setgroups\",\"map\":\"deny\"";
	static const char others[] = "\"step\":\"wait-for-id-maps\"";
	char spec[1024];

	for (int size = 1; size < 3; size++) {
		struct plan plan = { 0 };
		teu_error *err = NULL;
		json *shown;
		char *text;

		snprintf(spec, sizeof(spec),
			 NAMESPACES(MOUNT_NS ",{\"type\":\"user\"}",
				    ",\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":%d}],"
				    "\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":%d}]"),
			 geteuid(), size, getegid(), size);
		ck_assert_msg(compile_as(IDMAP_USER, spec, &plan, &err) == 0, "%s", teu_error_message(err));
		shown = plan_to_json(&plan);
		text = json_print(shown);
		ck_assert_msg(!strstr(text, own) == (size == 2), "%s", text);
		ck_assert_msg(!strstr(text, others) == (size == 1), "%s", text);
		free(text);
		json_free(shown);
		plan_done(&plan);
	}
}
END_TEST

static const struct {
	const char *spec, *field, *message; /* a part of it */
} bad[] = {
	{ "{}", "process", "is missing" },
	{ "{\"process\":7}", "process", "expected an object" },
	{ NAMESPACES(MOUNT_NS "," MOUNT_NS, ""), "linux.namespaces", "stands twice" },
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"moon\"}", ""), "linux.namespaces", "unknown type \"moon\"" },
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"network\",\"path\":5}", ""), "linux.namespaces[1].path",
	  "expected a string" },
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"network\",\"path\":\"net\"}", ""), "linux.namespaces", "not absolute" },
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"user\"}", ""), "linux.uidMappings", "is missing" },
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"user\"}",
		     ",\"uidMappings\":[{\"containerID\":0,\"hostID\":-1,\"size\":1}]"),
	  "linux.uidMappings[0].hostID", "ids go from" },
	{ NAMESPACES(MOUNT_NS ",{\"type\":\"user\"}", ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"
						      "\"gidMappings\":[{\"containerID\":0,\"hostID\":1}]"),
	  "linux.gidMappings[0].size", "expected at least 1" },
	{ "{\"process\":{\"args\":[\"x\"]},\"linux\":{\"namespaces\":[" MOUNT_NS "]}}", "root.path", "is missing" },
	{ SPEC("", ",\"rootfsPropagation\":\"wild\"", ""), "linux.rootfsPropagation", "unknown propagation" },
	{ "{\"process\":{\"args\":[\"x\"]},\"root\":{\"path\":\"/"
	  "r\",\"readonly\":\"true\"},\"linux\":{\"namespaces\":[" MOUNT_NS "]}}",
	  "root.readonly", "expected" },
	{ "{\"process\":{\"args\":[]},\"root\":{\"path\":\"/r\"},\"linux\":{\"namespaces\":[" MOUNT_NS "]}}",
	  "process.args", "expected a command" },
	{ SPEC(",\"noNewPrivileges\":\"yes\"", "", ""), "process.noNewPrivileges", "expected" },
	{ SPEC(",\"terminal\":1", "", ""), "process.terminal", "expected" },
	{ SPEC(",\"cwd\":\"here\"", "", ""), "process.cwd", "not absolute" },
	{ SPEC(",\"oomScoreAdj\":1001", "", ""), "process.oomScoreAdj", "-1000 to 1000" },
	{ SPEC(",\"rlimits\":[{\"type\":\"RLIMIT_MOON\"}]", "", ""), "process.rlimits", "unknown type" },
	{ SPEC(",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":\"x\",\"hard\":1}]", "", ""), "process.rlimits",
	  "expected numbers" },
	{ SPEC(",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":2,\"hard\":1}]", "", ""), "process.rlimits",
	  "soft is above hard" },
	{ SPEC(",\"user\":{\"uid\":-1}", "", ""), "process.user", "ids go from" },
	{ SPEC(",\"user\":{\"umask\":4096}", "", ""), "process.user.umask", "0 to 0777" },
	{ SPEC(",\"user\":{\"additionalGids\":[\"wheel\"]}", "", ""), "process.user.additionalGids", "ids go from" },
	{ NOTIFY(""), "linux.seccomp.listenerPath", "is missing" },
	{ SPEC(",\"scheduler\":{\"policy\":\"SCHED_MOON\"}", "", ""), "process.scheduler.policy", "unknown value" },
	{ SPEC(",\"scheduler\":{}", "", ""), "process.scheduler.policy", "is missing" },
	{ SPEC(",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":9}", "", ""), "process.ioPriority.priority",
	  "expected 0 to 7" },
	{ SPEC("", ",\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0-9876543210\"}", ""),
	  "linux.memoryPolicy.nodes", "invalid memory policy node" },
	{ SPEC("", ",\"sysctl\":{\"net/../x\":\"1\"}", ""), "linux.sysctl.net/../x", "no name of a sysctl" },
	{ SPEC("", ",\"sysctl\":{\"net.x\":1}", ""), "linux.sysctl.net.x", "expected a string" },
	{ SPEC("", ",\"maskedPaths\":[\"proc\"]", ""), "linux.maskedPaths", "not absolute" },
	{ SPEC("", ",\"devices\":[{\"path\":\"/dev/x\",\"type\":\"z\"}]", ""), "linux.devices[0].type",
	  "expected \"c\"" },
	{ SPEC("", ",\"devices\":[{\"path\":\"x\",\"type\":\"c\"}]", ""), "linux.devices[0].path",
	  "expected an absolute path" },
	{ SPEC("", ",\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":-1}]", ""), "linux.devices[0].major",
	  "32 bits" },
	{ SPEC("", "", ",\"mounts\":[{\"destination\":\"/\",\"type\":\"tmpfs\"}]"), "mounts[0].destination",
	  "must not be" },
	{ SPEC("", "", ",\"mounts\":[{\"type\":\"tmpfs\"}]"), "mounts[0].destination", "is missing" },
	{ SPEC("", "", ",\"mounts\":[{\"destination\":\"/x\"}]"), "mounts[0].type", "is missing" },
	{ SPEC("", "", ",\"mounts\":[{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"rel\"}]"),
	  "mounts[0].source", "expected an absolute path" },
	{ SPEC("", "", ",\"hostname\":\"x\""), "hostname", "needs a uts namespace" },
};

START_TEST(a_bad_spec_names_its_field)
{
	struct plan plan = { 0 };
	teu_error *err = NULL;
	const char *field;

	ck_assert_msg(compile_text(bad[_i].spec, &plan, &err) == TEU_E_INVALID, "%s: %s", bad[_i].spec,
		      err ? teu_error_message(err) : "no error");
	field = teu_error_detail(err, "field");
	ck_assert_msg(field && strcmp(field, bad[_i].field) == 0, "%s: field %s, expected %s", bad[_i].spec,
		      field ? field : "(none)", bad[_i].field);
	ck_assert_msg(strstr(teu_error_message(err), bad[_i].message), "%s", teu_error_message(err));
	teu_error_unref(err);
	plan_done(&plan);
}
END_TEST

static int position(const json *list, const char *step)
{
	int i = 0;

	json_foreach (v, list) {
		if (strcmp(json_get_text(v, "step", ""), step) == 0)
			return i;
		i++;
	}
	ck_abort_msg("no step %s", step);
}

/* What takes rights comes before they go; a filter that needs none comes last. */
START_TEST(rights_go_in_order)
{
	static const char *const with[] = { "pivot-root", "become-user", "streams", "seccomp", "capabilities", "exec" };
	static const char *const without[] = { "no-new-privileges", "become-user", "streams",
					       "capabilities",	    "seccomp",	   "exec" };
	struct plan plan = { 0 };
	teu_error *err = NULL;
	json *shown;

	for (int nnp = 0; nnp < 2; nnp++) {
		const char *const *order = nnp ? without : with;

		ck_assert_int_eq(compile_text(nnp ? SPEC(",\"noNewPrivileges\":true", "",
							 ",\"annotations\":{\"teu.seccomp\":\"default\"}")
						  : SPEC("", "", ",\"annotations\":{\"teu.seccomp\":\"default\"}"),
					      &plan, &err),
				 0);
		shown = plan_to_json(&plan);
		for (int i = 1; i < 6; i++)
			ck_assert_int_lt(position(shown, order[i - 1]), position(shown, order[i]));
		json_free(shown);
		plan_done(&plan);
	}
}
END_TEST

START_TEST(a_mount_label_is_for_new_filesystems)
{
	static const char text[] = SPEC("", "",
					",\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"source\":\"a\"},"
					"{\"destination\":\"/b\",\"type\":\"proc\",\"source\":\"b\"},"
					"{\"destination\":\"/c\",\"source\":\"/c\",\"options\":[\"bind\"]}]");
	_cleanup_json_ json *spec = NULL, *shown = NULL;
	_cleanup_(plan_done) struct plan plan = { 0 };
	struct launch launch = { .seccomp_cache_fd = -1, .id = "id", .mount_label = "u:r:t:s0" };
	_cleanup_free_ char *print = NULL;
	const char *first;

	ck_assert_int_eq(json_parse(text, sizeof(text) - 1, &spec, NULL), 0);
	launch.spec = spec;
	ck_assert_int_eq(compile_launch(&launch, &plan, NULL), 0);
	shown = plan_to_json(&plan);
	print = json_print(shown);
	first = strstr(print, "context=u:r:t:s0");
	ck_assert_msg(first && !strstr(first + 1, "context="), "%s", print);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compile");
	TCase *cases = tcase_create("compile");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(cases, a_spec_becomes_steps, 0, ARRAY_SIZE(steps));
	tcase_add_loop_test(cases, a_bad_spec_names_its_field, 0, ARRAY_SIZE(bad));
	tcase_add_test(cases, an_ordinary_user_maps_himself);
	tcase_add_test(cases, rights_go_in_order);
	tcase_add_test(cases, a_mount_label_is_for_new_filesystems);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
