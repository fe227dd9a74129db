/* Compiling and running against trees of plain files that stand for v1, hybrid and v2 machines. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "kernel/cgroup_impl.h"

static char base[64];
static struct cgroup_machine machine;
static struct cgroup_plan plan;
static teu_error *err;

static void put(const char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes the file @fmt below the tree, with its folders. */
static void put(const char *text, const char *fmt, ...)
{
	char path[512];
	va_list args;
	int n = snprintf(path, sizeof(path), "%s/", base), fd;

	va_start(args, fmt);
	vsnprintf(path + n, sizeof(path) - (size_t)n, fmt, args);
	va_end(args);
	for (char *slash = path + n; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void read_machine(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/mountinfo", base);
	ck_assert_msg(cgroup_machine_read(path, &machine, &err) == 0, "%s", teu_error_message(err));
}

static void make_base(void)
{
	strcpy(base, "/tmp/teu-test-cgroup.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
}

static void tear_down(void)
{
	cgroup_machine_done(&machine);
	cgroup_plan_done(&plan);
	teu_error_unref(err);
	err = NULL;
	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, base, NULL), 0);
}

static void hybrid(void)
{
	static const char *const mounts[] = { "cpuset", "memory", "devices", "freezer", "blkio", "pids" };
	char text[4096];
	int n;

	make_base();
	n = snprintf(text, sizeof(text),
		     "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
		     "31 23 0:28 / %s rw,relatime - tmpfs tmpfs rw,mode=755\n"
		     "32 31 0:29 / %s/cpu,cpuacct rw,relatime shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct\n"
		     "33 31 0:37 / %s/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
		     "34 31 0:38 / %s/unified rw,relatime - cgroup2 cgroup2 rw\n",
		     base, base, base, base);
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%zu 31 0:%zu / %s/%s rw - cgroup cgroup rw,%s\n",
			      40 + i, 50 + i, base, mounts[i], mounts[i]);
	put(text, "mountinfo");
	put("0-3\n", "cpuset/cpuset.cpus");
	put("0\n", "cpuset/cpuset.mems");
	put("", "memory/memory.memsw.limit_in_bytes");
	put("", "memory/memory.soft_limit_in_bytes");
	put("", "memory/memory.swappiness");
	put("", "cpu,cpuacct/cpu.cfs_period_us");
	put("", "cpu,cpuacct/cpu.cfs_quota_us");
	put("", "blkio/blkio.bfq.io_service_bytes");
	put("", "blkio/blkio.throttle.read_bps_device");
	put("", "blkio/blkio.throttle.write_iops_device");
	read_machine();
}

static void v2(void)
{
	char text[512];

	make_base();
	snprintf(text, sizeof(text), "35 24 0:30 / %s/a\\040b rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n", base);
	put(text, "mountinfo");
	put("cpuset cpu io memory pids\n", "a b/cgroup.controllers");
	put("cpu memory pids\n", "a b/cgroup.subtree_control");
	put("", "a b/io.cost.qos");
	read_machine();
}

static int compile(const char *path, const char *resources, bool update)
{
	_cleanup_json_ json *document = NULL;

	cgroup_plan_done(&plan);
	teu_error_unref(err);
	err = NULL;
	ck_assert_int_eq(json_parse(resources, strlen(resources), &document, NULL), 0);
	return cgroup_compile_on(&machine, path, document, "linux.resources", update, &plan, &err);
}

static void must_compile(const char *path, const char *resources)
{
	ck_assert_msg(compile(path, resources, false) == 0, "%s", teu_error_message(err));
}

/* The operations from @first on, a line each, with the tree's place left out. */
static char *listing(size_t first)
{
	static char text[8192];
	size_t n = 0, base_len = strlen(base);

	text[0] = '\0';
	for (size_t i = first; i < plan.n_ops; i++) {
		const struct cgroup_op *op = &plan.ops[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%s\n", op->path + base_len,
				      op->kind == CGROUP_WRITE	   ? " = "
				      : op->kind == CGROUP_DEVICES ? " devices"
								   : "",
				      op->value ? op->value : "");
	}
	return text;
}

START_TEST(hybrid_joins_the_usual_controllers)
{
	must_compile("/teu//1/", "{}");
	ck_assert(!plan.v2);
	ck_assert_str_eq(listing(0), "/memory/teu/1\n"
				     "/cpu,cpuacct/teu/1\n"
				     "/pids/teu/1\n"
				     "/devices/teu/1\n"
				     "/freezer/teu/1\n");
	ck_assert_uint_eq(plan.dirs.n, 5);
	ck_assert_ptr_nonnull(strstr(plan.oom_file, "/memory/teu/1/memory.oom_control"));
	ck_assert_ptr_nonnull(strstr(plan.freeze_dir, "/freezer/teu/1"));
}
END_TEST

START_TEST(hybrid_memory_cpu_pids)
{
	must_compile("/t/1",
		     "{\"memory\": {\"limit\": 1000, \"swap\": 3000, \"reservation\": 500, \"swappiness\": 0},"
		     "\"cpu\": {\"shares\": 512, \"quota\": 50000, \"period\": 100000}, \"pids\": {\"limit\": -1}}");
	ck_assert_str_eq(listing(5), "/memory/t/1/memory.limit_in_bytes = 1000\n"
				     "/memory/t/1/memory.memsw.limit_in_bytes = 3000\n"
				     "/memory/t/1/memory.soft_limit_in_bytes = 500\n"
				     "/memory/t/1/memory.swappiness = 0\n"
				     "/cpu,cpuacct/t/1/cpu.shares = 512\n"
				     "/cpu,cpuacct/t/1/cpu.cfs_period_us = 100000\n"
				     "/cpu,cpuacct/t/1/cpu.cfs_quota_us = 50000\n"
				     "/pids/t/1/pids.max = max\n");
	ck_assert_str_eq(plan.ops[5].field, "linux.resources.memory.limit");
}
END_TEST

START_TEST(hybrid_limits_that_are_none)
{
	must_compile("/t/1", "{\"memory\": {\"limit\": -1}, \"pids\": {\"limit\": 0}}");
	/* Memory without end would not fit into a memory+swap that has one. */
	ck_assert_str_eq(listing(5), "/memory/t/1/memory.limit_in_bytes = -1\n"
				     "/memory/t/1/memory.memsw.limit_in_bytes = -1\n"
				     "/pids/t/1/pids.max = 1\n");
}
END_TEST

START_TEST(hybrid_a_group_in_use_is_told)
{
	must_compile("/t/1", "{}");
	ck_assert_int_eq(cgroup_check_unused(&plan, &err), 0);
	put("", "pids/t/1/cgroup.procs");
	put("THAWED\n", "freezer/t/1/freezer.state");
	ck_assert_int_eq(cgroup_check_unused(&plan, &err), 0);
	put("FROZEN\n", "freezer/t/1/freezer.state");
	ck_assert_int_eq(cgroup_check_unused(&plan, &err), TEU_E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(teu_error_message(err), "container's cgroup unexpectedly frozen: "));
	teu_error_unref(err);
	err = NULL;
	put("17\n18\n", "pids/t/1/cgroup.procs");
	ck_assert_int_eq(cgroup_check_unused(&plan, &err), TEU_E_CONFLICT);
	ck_assert_ptr_nonnull(
		strstr(teu_error_message(err), "container's cgroup is not empty: 2 process(es) found in "));
}
END_TEST

START_TEST(hybrid_cpuset_is_inherited_from_the_top)
{
	must_compile("/a/b/c", "{\"cpu\": {\"cpus\": \"1\"}}");
	ck_assert_str_eq(listing(5), "/cpuset/a\n"
				     "/cpuset/a/cpuset.cpus = 0-3\n"
				     "/cpuset/a/cpuset.mems = 0\n"
				     "/cpuset/a/b\n"
				     "/cpuset/a/b/cpuset.cpus = 0-3\n"
				     "/cpuset/a/b/cpuset.mems = 0\n"
				     "/cpuset/a/b/c\n"
				     "/cpuset/a/b/c/cpuset.cpus = 1\n"
				     "/cpuset/a/b/c/cpuset.mems = 0\n");

	/* What a parent has already is its own, and goes further down. */
	put("0-1\n", "cpuset/a/cpuset.cpus");
	put("0\n", "cpuset/a/cpuset.mems");
	must_compile("/a/b", "{\"cpu\": {\"mems\": \"0\"}}");
	ck_assert_str_eq(listing(5), "/cpuset/a\n"
				     "/cpuset/a/b\n"
				     "/cpuset/a/b/cpuset.cpus = 0-1\n"
				     "/cpuset/a/b/cpuset.mems = 0\n");
}
END_TEST

START_TEST(hybrid_block_io)
{
	must_compile(
		"/t/1",
		"{\"blockIO\": {\"weight\": 300, \"weightDevice\": [{\"major\": 8, \"minor\": 0, \"weight\": 100}],"
		"\"throttleReadBpsDevice\": [{\"major\": 8, \"minor\": 16, \"rate\": 1048576}],"
		"\"throttleWriteIOPSDevice\": [{\"major\": 8, \"minor\": 16, \"rate\": 10}]}}");
	ck_assert_str_eq(listing(5), "/blkio/t/1\n"
				     "/blkio/t/1/blkio.bfq.weight = 300\n"
				     "/blkio/t/1/blkio.bfq.weight_device = 8:0 100\n"
				     "/blkio/t/1/blkio.throttle.read_bps_device = 8:16 1048576\n"
				     "/blkio/t/1/blkio.throttle.write_iops_device = 8:16 10\n");
	ck_assert_int_eq(
		compile("/t/1",
			"{\"blockIO\": {\"throttleWriteBpsDevice\": [{\"major\": 8, \"minor\": 0, \"rate\": 1}]}}",
			false),
		TEU_E_UNSUPPORTED);
	ck_assert_str_eq(teu_error_detail(err, "field"), "linux.resources.blockIO.throttleWriteBpsDevice");
}
END_TEST

START_TEST(hybrid_devices)
{
	must_compile("/t/1", "{\"devices\": [{\"allow\": false, \"access\": \"rwm\"},"
			     "{\"allow\": true, \"type\": \"a\", \"major\": 5, \"access\": \"r\"}]}");
	ck_assert_ptr_nonnull(strstr(listing(5), "/devices/t/1/devices.deny = a\n"
						 "/devices/t/1/devices.allow = b 5:* r\n"
						 "/devices/t/1/devices.allow = c 5:* r\n"
						 "/devices/t/1/devices.allow = c *:* m\n"));
	ck_assert_uint_eq(plan.n_ops, 5 + 1 + 2 + 11);
}
END_TEST

START_TEST(hybrid_what_the_machine_lacks)
{
	static const struct {
		const char *resources, *field;
	} refused[] = {
		{ "{\"cpu\": {\"realtimeRuntime\": 1000}}", "linux.resources.cpu.realtimeRuntime" },
		{ "{\"cpu\": {\"burst\": 1000}}", "linux.resources.cpu.burst" },
		{ "{\"cpu\": {\"idle\": 1}}", "linux.resources.cpu.idle" },
		{ "{\"hugepageLimits\": [{\"pageSize\": \"2MB\", \"limit\": 0}]}", "linux.resources.hugepageLimits" },
		{ "{\"network\": {\"classID\": 1}}", "linux.resources.network.classID" },
		{ "{\"network\": {\"priorities\": [{\"name\": \"eth0\", \"priority\": 5}]}}",
		  "linux.resources.network.priorities" },
		{ "{\"unified\": {\"memory.high\": \"1\"}}", "linux.resources.unified" },
		{ "{\"rdma\": {\"mlx5_1\": {\"hcaHandles\": 3}}}", "linux.resources.rdma" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		ck_assert_msg(compile("/t/1", refused[i].resources, false) == TEU_E_UNSUPPORTED, "%s",
			      refused[i].resources);
		ck_assert_str_eq(teu_error_detail(err, "field"), refused[i].field);
		ck_assert_uint_eq(plan.n_ops, 0);
	}
}
END_TEST

START_TEST(hybrid_what_docker_only_warns_about)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/memory/memory.memsw.limit_in_bytes", base);
	unlink(path);
	snprintf(path, sizeof(path), "%s/blkio/blkio.bfq.io_service_bytes", base);
	unlink(path);
	must_compile("/t/1", "{\"memory\": {\"limit\": 1000, \"swap\": 2000}, \"blockIO\": {\"weight\": 100}}");
	ck_assert_str_eq(listing(5), "/memory/t/1/memory.limit_in_bytes = 1000\n");
	ck_assert_uint_eq(plan.warnings.n, 2);
	ck_assert_ptr_nonnull(strstr(plan.warnings.items[0], "swap"));
	ck_assert_ptr_nonnull(strstr(plan.warnings.items[1], "blkio.weight"));
}
END_TEST

START_TEST(v2_enables_controllers_downwards)
{
	ck_assert(machine.v2);
	must_compile("/teu/1", "{}");
	/* The root hands cpu, memory and pids down already. */
	ck_assert_str_eq(listing(0), "/a b/cgroup.subtree_control = +io\n"
				     "/a b/teu\n"
				     "/a b/teu/cgroup.subtree_control = +memory +cpu +pids +io\n"
				     "/a b/teu/1\n");
	ck_assert_uint_eq(plan.dirs.n, 1);
	ck_assert_ptr_nonnull(strstr(plan.oom_file, "/teu/1/memory.events"));

	put("memory cpu pids io", "a b/teu/cgroup.subtree_control");
	put("memory cpu pids io cpuset", "a b/cgroup.subtree_control");
	must_compile("/teu/1", "{\"cpu\": {\"cpus\": \"0\"}}");
	ck_assert_str_eq(listing(0), "/a b/teu\n"
				     "/a b/teu/cgroup.subtree_control = +cpuset\n"
				     "/a b/teu/1\n"
				     "/a b/teu/1/cpuset.cpus = 0\n");
}
END_TEST

START_TEST(v2_limits)
{
	must_compile("/t",
		     "{\"memory\": {\"limit\": 1000, \"swap\": 3000, \"reservation\": 500}, \"pids\": {\"limit\": 5},"
		     "\"cpu\": {\"shares\": 1024, \"quota\": 50000, \"period\": 200000, \"burst\": 10, \"idle\": 0},"
		     "\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": 8, \"minor\": 0, \"rate\": 7}],"
		     "\"throttleWriteIOPSDevice\": [{\"major\": 8, \"minor\": 0, \"rate\": 0}]},"
		     "\"unified\": {\"memory.high\": \"900\", \"io.max\": \"8:0 wbps=1\\n8:16 wbps=2\"}}");
	ck_assert_str_eq(listing(2), "/a b/t/memory.swap.max = 2000\n"
				     "/a b/t/memory.max = 1000\n"
				     "/a b/t/memory.low = 500\n"
				     "/a b/t/cpu.idle = 0\n"
				     "/a b/t/cpu.weight = 100\n"
				     "/a b/t/cpu.max = 50000 200000\n"
				     "/a b/t/cpu.max.burst = 10\n"
				     "/a b/t/pids.max = 5\n"
				     "/a b/t/io.max = 8:0 rbps=7\n"
				     "/a b/t/io.max = 8:0 wiops=max\n"
				     "/a b/t/memory.high = 900\n"
				     "/a b/t/io.max = 8:0 wbps=1\n"
				     "/a b/t/io.max = 8:16 wbps=2\n");
}
END_TEST

START_TEST(idle_has_no_shares)
{
	must_compile("/t", "{\"cpu\": {\"shares\": 1024, \"idle\": 1}}");
	ck_assert_str_eq(listing(2), "/a b/t/cpu.idle = 1\n");
	ck_assert_uint_eq(plan.warnings.n, 1);
	must_compile("/t", "{\"unified\": {\"cpu.idle\": \"1\", \"cpu.weight\": \"8\"}}");
	ck_assert_str_eq(listing(2), "/a b/t/cpu.idle = 1\n");
	ck_assert_str_eq(plan.warnings.items[0],
			 "unable to apply both cpu.weight and cpu.idle: cpu.weight is left out");
}
END_TEST

/* Below a container's top, which is no root: io.cost.qos is not there, but what children have. */
START_TEST(v2_block_weight_in_a_container)
{
	bool bfq = access("/sys/module/bfq", F_OK) == 0;
	char path[128];

	snprintf(path, sizeof(path), "%s/a b/io.cost.qos", base);
	unlink(path);
	put("default 100\n", "a b/io.weight");
	must_compile("/t", "{\"blockIO\": {\"weight\": 750}}");
	ck_assert_str_eq(listing(2), bfq ? "/a b/t/io.bfq.weight = 750\n" : "/a b/t/io.weight = 7475\n");
	ck_assert_uint_eq(plan.warnings.n, 0);
}
END_TEST

START_TEST(v2_weights_of_shares)
{
	static const struct {
		int shares, weight;
	} cases[] = { { 2, 1 }, { 1024, 100 }, { 262144, 10000 }, { 512, 59 }, { 2048, 174 }, { 1, 1 } };
	char text[64], want[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), "{\"cpu\": {\"shares\": %d}}", cases[i].shares);
		snprintf(want, sizeof(want), "/a b/t/cpu.weight = %d\n", cases[i].weight);
		must_compile("/t", text);
		ck_assert_str_eq(listing(2), want);
	}
}
END_TEST

static void refuse_update(const char *resources, const char *field, const char *message)
{
	ck_assert_int_eq(compile("/t", resources, true), TEU_E_INVALID);
	ck_assert_str_eq(teu_error_detail(err, "field"), field);
	ck_assert_msg(strstr(teu_error_message(err), message), "%s", teu_error_message(err));
	teu_error_unref(err);
	err = NULL;
}

START_TEST(v2_limits_below_use_are_refused_where_asked)
{
	put("5000\n", "a b/t/memory.current");
	put("100\n", "a b/t/memory.swap.current");
	refuse_update("{\"memory\": {\"limit\": 4999, \"checkBeforeUpdate\": true}}", "linux.resources.memory.limit",
		      "rejecting memory limit 4999: 5000 are in use");
	refuse_update("{\"memory\": {\"limit\": 5000, \"swap\": 5050, \"checkBeforeUpdate\": true}}",
		      "linux.resources.memory.swap", "rejecting memory+swap limit 5050: 5100 are in use");
	ck_assert_int_eq(compile("/t", "{\"memory\": {\"limit\": 5000, \"checkBeforeUpdate\": true}}", true), 0);
	cgroup_plan_done(&plan);
	ck_assert_int_eq(compile("/t", "{\"memory\": {\"limit\": -1, \"checkBeforeUpdate\": true}}", true), 0);
	cgroup_plan_done(&plan);
	ck_assert_int_eq(compile("/t", "{\"memory\": {\"limit\": 1}}", true), 0);
}
END_TEST

START_TEST(v2_updates_look_at_what_is_in_force)
{
	put("1000\n", "a b/t/memory.max");
	put("70000 100000\n", "a b/t/cpu.max");
	ck_assert_int_eq(compile("/t", "{\"memory\": {\"swap\": 1500}, \"cpu\": {\"period\": 50000}}", true), 0);
	ck_assert_str_eq(listing(1), "/a b/t/memory.swap.max = 500\n"
				     "/a b/t/cpu.max = 70000 50000\n");
	ck_assert_int_eq(compile("/t", "{\"cpu\": {\"quota\": -1}}", true), 0);
	ck_assert_str_eq(listing(1), "/a b/t/cpu.max = max\n");
}
END_TEST

START_TEST(v2_devices_are_a_program)
{
	must_compile("/t", "{\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]}");
	ck_assert_str_eq(listing(2), "/a b/t devices\n");
	ck_assert_uint_gt(plan.ops[2].n_bytes, 0);
	must_compile("/t", "{\"devices\": [{\"allow\": true, \"access\": \"rwm\"}]}");
	ck_assert_str_eq(listing(2), "");
}
END_TEST

START_TEST(v2_what_it_lacks)
{
	static const struct {
		const char *resources, *field;
	} refused[] = {
		{ "{\"cpu\": {\"realtimePeriod\": 1000}}", "linux.resources.cpu.realtimePeriod" },
		{ "{\"hugepageLimits\": [{\"pageSize\": \"2MB\", \"limit\": 0}]}", "linux.resources.hugepageLimits" },
		{ "{\"network\": {\"classID\": 1}}", "linux.resources.network.classID" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		ck_assert_msg(compile("/t/1", refused[i].resources, false) == TEU_E_UNSUPPORTED, "%s",
			      refused[i].resources);
		ck_assert_str_eq(teu_error_detail(err, "field"), refused[i].field);
	}
	ck_assert_int_eq(compile("/t", "{\"unified\": {\"cgroup.procs\": \"1\"}}", false), TEU_E_INVALID);
	ck_assert_int_eq(compile("/t", "{\"unified\": {\"../memory.max\": \"1\"}}", false), TEU_E_INVALID);
	ck_assert_int_eq(compile("/t", "{\"unified\": {\"memory.max\": 1}}", false), TEU_E_INVALID);
	must_compile("/t", "{\"memory\": {\"limit\": 1000, \"swappiness\": 5, \"disableOOMKiller\": true}}");
	ck_assert_uint_eq(plan.warnings.n, 2);
}
END_TEST

START_TEST(malformed_limits_name_the_place)
{
	static const struct {
		const char *resources, *field;
	} bad[] = {
		{ "{\"memory\": 1}", "linux.resources.memory" },
		{ "{\"memory\": {\"limit\": \"1\"}}", "linux.resources.memory.limit" },
		{ "{\"memory\": {\"limit\": -2}}", "linux.resources.memory.limit" },
		{ "{\"memory\": {\"swappiness\": 101}}", "linux.resources.memory.swappiness" },
		{ "{\"memory\": {\"limit\": 2000, \"swap\": 1000}}", "linux.resources.memory.swap" },
		{ "{\"cpu\": {\"cpus\": \"1;2\"}}", "linux.resources.cpu.cpus" },
		{ "{\"pids\": {\"limit\": 1.5}}", "linux.resources.pids.limit" },
		{ "{\"blockIO\": {\"weight\": 5}}", "linux.resources.blockIO.weight" },
		{ "{\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": -1, \"minor\": 0, \"rate\": 1}]}}",
		  "linux.resources.blockIO.throttleReadBpsDevice[0].major" },
		{ "{\"devices\": [{\"type\": \"q\"}]}", "linux.resources.devices[0].type" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_msg(compile("/t/1", bad[i].resources, false) == TEU_E_INVALID, "%s", bad[i].resources);
		ck_assert_str_eq(teu_error_detail(err, "field"), bad[i].field);
	}
}
END_TEST

START_TEST(paths_that_leave_their_root_are_refused)
{
	static const char *const bad[] = { "", "teu/1", "/", "//", "/..", "/teu/../../x", "/teu/..", "/a\nb" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(compile(bad[i], "{}", false) == TEU_E_INVALID, "%s", bad[i]);
	ck_assert_int_eq(compile("/..a/b..", "{}", false), 0);
}
END_TEST

/* Plain folders have no files of the kernel: every write fails, and what was made goes again. */
START_TEST(a_failed_run_leaves_nothing)
{
	struct stat st;
	char path[128];

	must_compile("/x/y/z", "{\"pids\": {\"limit\": 5}}");
	ck_assert_int_eq(cgroup_run(&plan, &err), TEU_E_UNSUPPORTED);
	ck_assert_str_eq(teu_error_detail(err, "field"), "linux.resources.pids.limit");
	ck_assert_str_eq(teu_error_message(err), "linux.resources.pids.limit: this machine's cgroups have no pids.max");
	snprintf(path, sizeof(path), "%s/memory/x", base);
	ck_assert_int_eq(stat(path, &st), -1);
	snprintf(path, sizeof(path), "%s/pids/x", base);
	ck_assert_int_eq(stat(path, &st), -1);
}
END_TEST

START_TEST(a_run_writes_what_the_plan_says)
{
	_cleanup_free_ char *text = NULL;
	char path[128];

	put("", "pids/x/pids.max");
	must_compile("/x", "{\"pids\": {\"limit\": 5}}");
	ck_assert_int_eq(cgroup_run(&plan, &err), 0);
	snprintf(path, sizeof(path), "%s/pids/x/pids.max", base);
	ck_assert_int_eq(fd_read_file(AT_FDCWD, path, 100, &text, NULL, NULL), 0);
	ck_assert_str_eq(text, "5");
}
END_TEST

START_TEST(a_machine_without_cgroups)
{
	struct cgroup_machine m;
	char path[128];

	make_base();
	put("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n33 31 0:37 / /c rw - cgroup cgroup rw,name=systemd\n", "mountinfo");
	snprintf(path, sizeof(path), "%s/mountinfo", base);
	ck_assert_int_eq(cgroup_machine_read(path, &m, &err), TEU_E_UNSUPPORTED);
}
END_TEST

/* What cgroup_read_detail() makes of the files in the folder @name, which stands for all controllers. */
static void check_detail(const char *name, const char *expected)
{
	struct teu_cgroup group = { .m = &machine };
	_cleanup_free_ char *printed = NULL;
	_cleanup_json_ json *detail = NULL;
	char dir[128];

	snprintf(dir, sizeof(dir), "%s/%s", base, name);
	group.main_dir = group.dirs[CG_MEMORY] = group.dirs[CG_CPUACCT] = group.dirs[CG_CPUSET] = group.dirs[CG_BLKIO] =
		dir;
	ck_assert_int_eq(cgroup_read_detail(&group, &detail, NULL), 0);
	printed = json_print(detail);
	ck_assert_str_eq(printed, expected);
}

START_TEST(hybrid_details)
{
	put("12 34 \n", "d/cpuacct.usage_percpu");
	put("cpu user system\n0 5 6\n1 7 8\n", "d/cpuacct.usage_all");
	put("0-1,4\n", "d/cpuset.cpus");
	put("-1\n", "d/cpuset.sched_relax_domain_level");
	put("9\n", "d/memory.memsw.max_usage_in_bytes");
	put("3\n", "d/memory.kmem.tcp.failcnt");
	put("8:0 Read 4096\n8:0 Total 4096\nTotal 4096\n", "d/blkio.throttle.io_service_bytes_recursive");
	check_detail("d",
		     "{\"usage\":{\"percpu\":[12,34],\"percpu_kernel\":[6,8],\"percpu_user\":[5,7]},"
		     "\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":4096},"
		     "{\"major\":8,\"minor\":0,\"op\":\"Total\",\"value\":4096}]},"
		     "\"cpuset\":{\"sched_relax_domain_level\":-1,\"cpus\":[0,1,4]},"
		     "\"memory\":{\"swap\":{\"max\":9},\"kernelTCP\":{\"failcnt\":3}}}");
	put("\n", "e/cpuset.cpus");
	check_detail("e", "{\"usage\":{},\"blkio\":{},\"cpuset\":{\"cpus\":[]},\"memory\":{}}");
}
END_TEST

START_TEST(v2_details)
{
	put("8:0 rbytes=4096 wbytes=7 rios=1 wios=2 dbytes=0 dios=0\n", "a b/t/io.stat");
	check_detail(
		"a b/t",
		"{\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":4096},"
		"{\"major\":8,\"minor\":0,\"op\":\"Write\",\"value\":7},"
		"{\"major\":8,\"minor\":0,\"op\":\"Discard\",\"value\":0}],"
		"\"ioServicedRecursive\":[{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":1},"
		"{\"major\":8,\"minor\":0,\"op\":\"Write\",\"value\":2},"
		"{\"major\":8,\"minor\":0,\"op\":\"Discard\",\"value\":0}]}}");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cgroup");
	TCase *on_hybrid = tcase_create("hybrid"), *on_v2 = tcase_create("v2"), *none = tcase_create("none");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(on_hybrid, hybrid, tear_down);
	tcase_add_test(on_hybrid, hybrid_joins_the_usual_controllers);
	tcase_add_test(on_hybrid, hybrid_memory_cpu_pids);
	tcase_add_test(on_hybrid, hybrid_limits_that_are_none);
	tcase_add_test(on_hybrid, hybrid_a_group_in_use_is_told);
	tcase_add_test(on_hybrid, hybrid_cpuset_is_inherited_from_the_top);
	tcase_add_test(on_hybrid, hybrid_block_io);
	tcase_add_test(on_hybrid, hybrid_devices);
	tcase_add_test(on_hybrid, hybrid_details);
	tcase_add_test(on_hybrid, hybrid_what_the_machine_lacks);
	tcase_add_test(on_hybrid, hybrid_what_docker_only_warns_about);
	tcase_add_test(on_hybrid, malformed_limits_name_the_place);
	tcase_add_test(on_hybrid, paths_that_leave_their_root_are_refused);
	tcase_add_test(on_hybrid, a_failed_run_leaves_nothing);
	tcase_add_test(on_hybrid, a_run_writes_what_the_plan_says);
	suite_add_tcase(s, on_hybrid);
	tcase_add_checked_fixture(on_v2, v2, tear_down);
	tcase_add_test(on_v2, v2_enables_controllers_downwards);
	tcase_add_test(on_v2, v2_limits);
	tcase_add_test(on_v2, idle_has_no_shares);
	tcase_add_test(on_v2, v2_block_weight_in_a_container);
	tcase_add_test(on_v2, v2_weights_of_shares);
	tcase_add_test(on_v2, v2_updates_look_at_what_is_in_force);
	tcase_add_test(on_v2, v2_limits_below_use_are_refused_where_asked);
	tcase_add_test(on_v2, v2_devices_are_a_program);
	tcase_add_test(on_v2, v2_what_it_lacks);
	tcase_add_test(on_v2, v2_details);
	tcase_add_test(on_v2, malformed_limits_name_the_place);
	suite_add_tcase(s, on_v2);
	tcase_add_checked_fixture(none, NULL, tear_down);
	tcase_add_test(none, a_machine_without_cgroups);
	suite_add_tcase(s, none);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
