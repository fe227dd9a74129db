#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "containers.h"

static json *spec_of(const char *body)
{
	json *record = NULL, *spec = NULL;
	teu_error *err = NULL;
	int r = create_record_from(engine, body, &image, "web", &record, &err);

	if (r == 0)
		r = spec_build(engine, record, &spec, &err);
	ck_assert_msg(r == 0, "%s: %s", body, teu_error_message(err));
	json_free(record);
	return spec;
}

/* One place of the spec, as JSON text. A key may have dots in it: annotations. */
static char *text_at(const json *spec, const char *place)
{
	const json *field = strncmp(place, "annotations.", 12) == 0
				    ? json_get(json_get(spec, "annotations"), place + 12)
				    : json_find(spec, place);

	return field ? json_print(field) : strdup("absent");
}

static const json *mount_at(const json *spec, const char *destination)
{
	json_foreach (mount, json_get(spec, "mounts"))
		if (strcmp(json_get_text(mount, "destination", ""), destination) == 0)
			return mount;
	return NULL;
}

START_TEST(fields_follow_from_the_body)
{
	static const struct {
		const char *body, *place, *expected;
	} cases[] = {
		{ "{}", "process.args", "[\"/entry\",\"serve\"]" },
		{ "{}", "process.cwd", "\"/srv\"" },
		{ "{}", "process.terminal", "false" },
		{ "{}", "annotations.teu.user", "\"web\"" },
		{ "{}", "annotations.teu.network", "\"bridge\"" },
		{ "{}", "annotations.teu.seccomp", "\"default\"" },
		{ "{}", "annotations.teu.init", "absent" },
		{ "{\"HostConfig\":{\"Init\":true}}", "annotations.teu.init", "\"true\"" },
		{ "{\"Hostname\":\"h\",\"Env\":[\"PATH=/p\",\"LANG\"]}", "process.env",
		  "[\"PATH=/p\",\"HOSTNAME=h\"]" },
		{ "{\"Hostname\":\"h\",\"Tty\":true,\"Env\":[\"PATH=/p\",\"LANG\"]}", "process.env",
		  "[\"PATH=/p\",\"HOSTNAME=h\",\"TERM=xterm\"]" },
		{ "{\"Hostname\":\"h\",\"Domainname\":\"d.org\"}", "domainname", "\"d.org\"" },
		{ "{}", "process.capabilities.bounding",
		  "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\",\"CAP_KILL\",\"CAP_SETGID\","
		  "\"CAP_SETUID\",\"CAP_SETPCAP\",\"CAP_NET_BIND_SERVICE\",\"CAP_NET_RAW\",\"CAP_SYS_CHROOT\","
		  "\"CAP_MKNOD\",\"CAP_AUDIT_WRITE\",\"CAP_SETFCAP\"]" },
		{ "{\"HostConfig\":{\"CapDrop\":[\"ALL\"],\"CapAdd\":[\"net_admin\"]}}",
		  "process.capabilities.effective", "[\"CAP_NET_ADMIN\"]" },
		{ "{\"HostConfig\":{\"CapDrop\":[\"ALL\"]}}", "process.capabilities.permitted", "[]" },
		{ "{}", "process.noNewPrivileges", "false" },
		{ "{\"HostConfig\":{\"SecurityOpt\":[\"no-new-privileges\"]}}", "process.noNewPrivileges", "true" },
		{ "{\"HostConfig\":{\"SecurityOpt\":[\"seccomp=unconfined\"]}}", "annotations.teu.seccomp", "absent" },
		{ "{\"HostConfig\":{\"SecurityOpt\":[\"apparmor=mine\"]}}", "process.apparmorProfile", "\"mine\"" },
		{ "{\"HostConfig\":{\"Privileged\":true}}", "annotations.teu.seccomp", "absent" },
		{ "{\"HostConfig\":{\"Privileged\":true}}", "linux.maskedPaths", "absent" },
		{ "{\"HostConfig\":{\"Privileged\":true}}", "linux.resources.devices",
		  "[{\"allow\":true,\"access\":\"rwm\"}]" },
		{ "{\"HostConfig\":{\"MaskedPaths\":[],\"ReadonlyPaths\":[\"/x\"]}}", "linux.maskedPaths", "[]" },
		{ "{\"HostConfig\":{\"MaskedPaths\":[],\"ReadonlyPaths\":[\"/x\"]}}", "linux.readonlyPaths",
		  "[\"/x\"]" },
		{ "{}", "linux.readonlyPaths",
		  "[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]" },
		{ "{}", "linux.namespaces",
		  "[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"uts\"},{\"type\":\"ipc\"},{\"type\":"
		  "\"network\"},"
		  "{\"type\":\"cgroup\"}]" },
		{ "{\"HostConfig\":{\"PidMode\":\"host\",\"IpcMode\":\"host\",\"UTSMode\":\"host\","
		  "\"NetworkMode\":\"host\",\"CgroupnsMode\":\"host\"}}",
		  "linux.namespaces", "[{\"type\":\"mount\"}]" },
		{ "{\"HostConfig\":{\"UTSMode\":\"host\"}}", "hostname", "absent" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"host\"}}", "linux.sysctl", "{}" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"none\",\"Sysctls\":{\"net.ipv4.ip_forward\":\"1\","
		  "\"net.ipv4.ip_unprivileged_port_start\":\"1024\"}}}",
		  "linux.sysctl",
		  "{\"net.ipv4.ping_group_range\":\"0 2147483647\",\"net.ipv4.ip_forward\":\"1\","
		  "\"net.ipv4.ip_unprivileged_port_start\":\"1024\"}" },
		{ "{\"HostConfig\":{\"Memory\":67108864}}", "linux.resources.memory",
		  "{\"limit\":67108864,\"swap\":134217728}" },
		{ "{\"HostConfig\":{\"Memory\":67108864,\"MemorySwap\":-1,\"MemoryReservation\":4096,"
		  "\"MemorySwappiness\":0,\"OomKillDisable\":true}}",
		  "linux.resources.memory",
		  "{\"limit\":67108864,\"reservation\":4096,\"swap\":-1,\"swappiness\":0,\"disableOOMKiller\":true}" },
		{ "{\"HostConfig\":{\"NanoCpus\":500000000}}", "linux.resources.cpu",
		  "{\"quota\":50000,\"period\":100000}" },
		{ "{\"HostConfig\":{\"CpuShares\":512,\"CpuQuota\":2000,\"CpuPeriod\":10000,\"CpusetCpus\":\"0\","
		  "\"CpusetMems\":\"0\"}}",
		  "linux.resources.cpu",
		  "{\"shares\":512,\"quota\":2000,\"period\":10000,\"cpus\":\"0\",\"mems\":\"0\"}" },
		{ "{\"HostConfig\":{\"PidsLimit\":64}}", "linux.resources.pids", "{\"limit\":64}" },
		{ "{\"HostConfig\":{\"PidsLimit\":-1}}", "linux.resources.pids", "absent" },
		{ "{\"HostConfig\":{\"BlkioWeight\":300}}", "linux.resources.blockIO", "{\"weight\":300}" },
		{ "{\"HostConfig\":{\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":1024,\"Hard\":2048}]}}",
		  "process.rlimits", "[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1024,\"hard\":2048}]" },
		{ "{\"HostConfig\":{\"Ulimits\":[{\"Name\":\"core\",\"Soft\":-1,\"Hard\":-1}]}}", "process.rlimits",
		  "[{\"type\":\"RLIMIT_CORE\",\"soft\":9223372036854775807,\"hard\":9223372036854775807}]" },
		{ "{\"HostConfig\":{\"OomScoreAdj\":-5}}", "process.oomScoreAdj", "-5" },
		{ "{}", "process.oomScoreAdj", "absent" },
		{ "{\"HostConfig\":{\"ReadonlyRootfs\":true}}", "root.readonly", "true" },
		{ "{\"HostConfig\":{\"GroupAdd\":[\"7\",\"audio\",\"video\"]}}", "process.user.additionalGids", "[7]" },
		{ "{\"HostConfig\":{\"GroupAdd\":[\"7\",\"audio\",\"video\"]}}", "annotations.teu.groups",
		  "\"audio,video\"" },
		{ "{\"HostConfig\":{\"ConsoleSize\":[24,80]}}", "process.consoleSize", "{\"height\":24,\"width\":80}" },
		{ "{\"HostConfig\":{\"Annotations\":{\"org.x\":\"1\"}}}", "annotations.org.x", "\"1\"" },
		{ "{\"HostConfig\":{\"Binds\":[\"/tmp:/x:rshared\"]}}", "linux.rootfsPropagation", "\"rshared\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json *spec = spec_of(cases[i].body);
		char *text = text_at(spec, cases[i].place);

		ck_assert_msg(strcmp(text, cases[i].expected) == 0, "%s: %s is\n%s\nnot\n%s", cases[i].body,
			      cases[i].place, text, cases[i].expected);
		free(text);
		json_free(spec);
	}
}
END_TEST

static void check_mount(const char *body, const char *destination, const char *expected)
{
	json *spec = spec_of(body);
	const json *mount = mount_at(spec, destination);
	char *text = mount ? json_print(mount) : strdup("absent");

	ck_assert_msg(strcmp(text, expected) == 0, "%s:\n%s\nnot\n%s", body, text, expected);
	free(text);
	json_free(spec);
}

START_TEST(mounts_follow_from_the_body)
{
	check_mount("{}", "/dev/shm",
		    "{\"destination\":\"/dev/"
		    "shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\","
		    "\"nodev\",\"mode=1777\",\"size=67108864\"]}");
	check_mount("{\"HostConfig\":{\"ShmSize\":4096}}", "/dev/shm",
		    "{\"destination\":\"/dev/"
		    "shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\","
		    "\"nodev\",\"mode=1777\",\"size=4096\"]}");
	check_mount("{\"HostConfig\":{\"IpcMode\":\"host\"}}", "/dev/shm",
		    "{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/dev/shm\",\"options\":[\"rbind\","
		    "\"rprivate\",\"nosuid\",\"noexec\",\"nodev\"]}");
	check_mount("{\"HostConfig\":{\"IpcMode\":\"none\"}}", "/dev/shm", "absent");
	check_mount(
		"{}", "/sys",
		"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\","
		"\"nodev\",\"ro\"]}");
	check_mount(
		"{\"HostConfig\":{\"Privileged\":true}}", "/sys",
		"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\","
		"\"nodev\"]}");
	check_mount("{\"HostConfig\":{\"Binds\":[\"/tmp:/x:ro\"]}}", "/x",
		    "{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"/"
		    "tmp\",\"options\":[\"rbind\",\"rprivate\",\"ro\"]}");
	check_mount(
		"{\"HostConfig\":{\"Tmpfs\":{\"/run\":\"\"}}}", "/run",
		"{\"destination\":\"/run\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"noexec\",\"nosuid\","
		"\"nodev\"]}");
	check_mount("{\"HostConfig\":{\"Binds\":[\"/tmp:/dev\"]}}", "/dev/pts", "absent");
}
END_TEST

START_TEST(files_of_the_network_yield_to_the_users)
{
	json *spec = spec_of("{\"HostConfig\":{\"Binds\":[\"/tmp:/etc\",\"/etc/hostname:/etc/hosts\"]}}");
	const json *mount = json_get(spec, "mounts");
	bool etc_seen = false;

	json_foreach (one, mount) {
		const char *destination = json_get_text(one, "destination", "");

		etc_seen |= strcmp(destination, "/etc") == 0;
		if (strcmp(destination, "/etc/hosts") == 0)
			ck_assert_str_eq(json_get_text(one, "source", ""), "/etc/hostname");
		/* What lies deeper is mounted later. */
		if (strcmp(destination, "/etc/resolv.conf") == 0)
			ck_assert(etc_seen);
	}
	json_free(spec);
}
END_TEST

START_TEST(devices_become_nodes_and_rules)
{
	json *spec =
		spec_of("{\"HostConfig\":{\"Devices\":[{\"PathOnHost\":\"/dev/null\",\"PathInContainer\":\"/dev/hole\","
			"\"CgroupPermissions\":\"r\"}],\"DeviceCgroupRules\":[\"c 10:* rw\"]}}");
	const json *device = json_first(json_find(spec, "linux.devices"));
	const json *rules = json_find(spec, "linux.resources.devices");
	const json *last = NULL, *before = NULL;
	char *text;

	ck_assert_str_eq(json_get_text(device, "path", ""), "/dev/hole");
	ck_assert_int_eq(json_get_number(device, "major", 0), 1);
	ck_assert_int_eq(json_get_number(device, "minor", 0), 3);
	json_foreach (rule, rules) {
		before = last;
		last = rule;
	}
	text = json_print(before);
	ck_assert_str_eq(text, "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"r\"}");
	free(text);
	text = json_print(last);
	ck_assert_str_eq(text, "{\"allow\":true,\"type\":\"c\",\"major\":10,\"access\":\"rw\"}");
	free(text);
	text = json_print(json_first(rules));
	ck_assert_str_eq(text, "{\"allow\":false,\"access\":\"rwm\"}");
	free(text);
	json_free(spec);
}
END_TEST

START_TEST(a_user_namespace_has_maps)
{
	json *spec = spec_of("{\"HostConfig\":{\"UsernsMode\":\"auto\"}}");
	const json *map = json_first(json_find(spec, "linux.uidMappings"));
	bool user = false;

	json_foreach (ns, json_find(spec, "linux.namespaces"))
		user |= strcmp(json_get_text(ns, "type", ""), "user") == 0;
	ck_assert(user);
	ck_assert_int_eq(json_get_number(map, "containerID", -1), 0);
	ck_assert_int_ge(json_get_number(map, "hostID", 0), 1);
	ck_assert_int_eq(json_get_number(map, "size", 0), 65536);
	json_free(spec);
}
END_TEST

START_TEST(bad_values_name_field_and_cause)
{
	static const struct {
		const char *body, *message;
	} cases[] = {
		{ "{\"HostConfig\":{\"Memory\":-1}}", "HostConfig.Memory: a limit can't be negative" },
		{ "{\"HostConfig\":{\"Memory\":4096}}", "HostConfig.Memory: minimum memory limit allowed is 512KB" },
		{ "{\"HostConfig\":{\"MemorySwap\":4096}}",
		  "HostConfig.MemorySwap: a limit of memory and swap together needs a memory limit, too" },
		{ "{\"HostConfig\":{\"Memory\":8388608,\"MemorySwap\":4096}}",
		  "HostConfig.MemorySwap: minimum memoryswap limit should be larger than memory limit: it holds for "
		  "both "
		  "together" },
		{ "{\"HostConfig\":{\"Memory\":8388608,\"MemoryReservation\":16777216}}",
		  "HostConfig.MemoryReservation: minimum memory limit can not be less than memory reservation limit" },
		{ "{\"HostConfig\":{\"MemorySwappiness\":101}}",
		  "HostConfig.MemorySwappiness: invalid value 101: valid range is 0 to 100" },
		{ "{\"HostConfig\":{\"NanoCpus\":1000000000,\"CpuQuota\":5000}}",
		  "HostConfig.NanoCpus: conflicting options: --cpus and CPU quota cannot both be set" },
		{ "{\"HostConfig\":{\"CpuPeriod\":10}}",
		  "HostConfig.CpuPeriod: CPU period can not be less than 1ms (1000) or larger than 1s (1000000)" },
		{ "{\"HostConfig\":{\"CpusetCpus\":\"0-\"}}",
		  "HostConfig.CpusetCpus: invalid value \"0-\": expected a list like 0-2,7" },
		{ "{\"HostConfig\":{\"BlkioWeight\":5}}",
		  "HostConfig.BlkioWeight: range of blkio weight is from 10 to 1000" },
		{ "{\"HostConfig\":{\"BlkioDeviceReadBps\":[{\"Path\":\"/dev/nope\",\"Rate\":1}]}}",
		  "HostConfig.BlkioDeviceReadBps[0].Path: /dev/nope: No such file or directory" },
		{ "{\"HostConfig\":{\"BlkioDeviceReadBps\":[{\"Path\":\"/dev/null\",\"Rate\":1}]}}",
		  "HostConfig.BlkioDeviceReadBps[0].Path: /dev/null is not a block device" },
		{ "{\"HostConfig\":{\"Ulimits\":[{\"Name\":\"wings\",\"Soft\":1,\"Hard\":1}]}}",
		  "HostConfig.Ulimits[0].Name: invalid ulimit type: wings" },
		{ "{\"HostConfig\":{\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":2,\"Hard\":1}]}}",
		  "HostConfig.Ulimits[0].Soft: ulimit nofile: soft limit must be less than or equal to hard limit: 2 > "
		  "1" },
		{ "{\"HostConfig\":{\"CapAdd\":[\"FLY\"]}}", "HostConfig.CapAdd: unknown capability: \"FLY\"" },
		{ "{\"HostConfig\":{\"SecurityOpt\":[\"x=y\"]}}",
		  "HostConfig.SecurityOpt: invalid security option \"x=y\"" },
		{ "{\"HostConfig\":{\"SecurityOpt\":[\"seccomp=/etc/x.json\"]}}",
		  "HostConfig.SecurityOpt: seccomp: expected \"unconfined\" or the text of a profile, found "
		  "\"/etc/x.json\"" },
		{ "{\"HostConfig\":{\"Sysctls\":{\"kernel.panic\":\"1\"}}}",
		  "HostConfig.Sysctls.kernel.panic: not a parameter of a namespace" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"host\",\"Sysctls\":{\"net.ipv4.ip_forward\":\"1\"}}}",
		  "HostConfig.Sysctls.net.ipv4.ip_forward: not allowed, the container does not have a network "
		  "namespace "
		  "of its own" },
		{ "{\"HostConfig\":{\"OomScoreAdj\":1001}}",
		  "HostConfig.OomScoreAdj: invalid value 1001: range for the oom score is -1000 to 1000" },
		{ "{\"HostConfig\":{\"Devices\":[{\"PathOnHost\":\"/dev/nope\"}]}}",
		  "HostConfig.Devices[0].PathOnHost: /dev/nope: No such file or directory" },
		{ "{\"HostConfig\":{\"Devices\":[{\"PathOnHost\":\"/dev/null\",\"CgroupPermissions\":\"x\"}]}}",
		  "HostConfig.Devices[0].CgroupPermissions: invalid device mode \"x\": expected letters of rwm" },
		{ "{\"HostConfig\":{\"DeviceCgroupRules\":[\"c 1 r\"]}}",
		  "HostConfig.DeviceCgroupRules: invalid device cgroup rule \"c 1 r\": expected like c 10:200 rwm" },
		{ "{\"HostConfig\":{\"Annotations\":{\"teu.user\":\"0\"}}}",
		  "HostConfig.Annotations.teu.user: the prefix \"teu.\" is reserved" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json *record = NULL, *spec = NULL;
		teu_error *err = NULL;
		int r = create_record_from(engine, cases[i].body, &image, "web", &record, &err);

		ck_assert_msg(r == 0, "%s: %s", cases[i].body, teu_error_message(err));
		r = spec_build(engine, record, &spec, &err);
		ck_assert_msg(r == TEU_E_INVALID, "%s is accepted", cases[i].body);
		ck_assert_msg(strcmp(teu_error_message(err), cases[i].message) == 0, "%s gives\n%s\nnot\n%s",
			      cases[i].body, teu_error_message(err), cases[i].message);
		ck_assert_ptr_nonnull(teu_error_detail(err, "field"));
		teu_error_unref(err);
		json_free(record);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spec");
	TCase *tc = tcase_create("spec");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, open_engine, close_engine);
	tcase_add_test(tc, fields_follow_from_the_body);
	tcase_add_test(tc, mounts_follow_from_the_body);
	tcase_add_test(tc, files_of_the_network_yield_to_the_users);
	tcase_add_test(tc, devices_become_nodes_and_rules);
	tcase_add_test(tc, a_user_namespace_has_maps);
	tcase_add_test(tc, bad_values_name_field_and_cause);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
