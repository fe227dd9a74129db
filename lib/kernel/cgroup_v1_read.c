/*
 * cgroup_v1_read: what is in force and in use below the folders of a v1 group, and its freezing. Source: kernel
 * documentation, admin-guide/cgroup-v1/{memory,cpuacct,blkio-controller,freezer-subsystem}.rst.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "kernel/cgroup_impl.h"

/* Linux says "no limit" as the largest page-aligned number. */
static int64_t unlimited_as_minus_one(int64_t value)
{
	return value >= INT64_MAX / 4096 * 4096 - 65536 ? -1 : value;
}

/* Files whose number goes into the document as it is. */
struct field {
	enum cgroup_controller c;
	const char *file, *object, *key;
};

static const struct field fields[] = {
	{ CG_MEMORY, "memory.limit_in_bytes", "memory", "limit" },
	{ CG_MEMORY, "memory.memsw.limit_in_bytes", "memory", "swap" },
	{ CG_MEMORY, "memory.soft_limit_in_bytes", "memory", "reservation" },
	{ CG_MEMORY, "memory.swappiness", "memory", "swappiness" },
	{ CG_CPU, "cpu.shares", "cpu", "shares" },
	{ CG_CPU, "cpu.cfs_quota_us", "cpu", "quota" },
	{ CG_CPU, "cpu.cfs_period_us", "cpu", "period" },
	{ CG_CPU, "cpu.cfs_burst_us", "cpu", "burst" },
	{ CG_CPU, "cpu.idle", "cpu", "idle" },
	{ CG_PIDS, "pids.max", "pids", "limit" },
	{ CG_BLKIO, "blkio.weight", "blockIO", "weight" },
	{ CG_BLKIO, "blkio.bfq.weight", "blockIO", "weight" },
	{ CG_NET_CLS, "net_cls.classid", "network", "classID" },
};

static bool add_text(const teu_cgroup *g, const char *file, json *to, const char *key)
{
	char text[1024];

	if (!g->dirs[CG_CPUSET] || !cgroup_read_text(g->dirs[CG_CPUSET], file, text, sizeof(text)))
		return true;
	return json_add_string(cgroup_member(to, "cpu"), key, text);
}

/* "8:0 1048576" lines */
static bool add_throttles(const char *dir, unsigned kind, json *to)
{
	_cleanup_free_ char *text = cgroup_read_long(dir, cgroup_v1_throttle_files[kind]);
	int64_t major, minor, rate;
	bool ok = true;
	int used;

	for (const char *at = text;
	     ok && at && sscanf(at, "%" SCNd64 ":%" SCNd64 " %" SCNd64 "\n%n", &major, &minor, &rate, &used) == 3;
	     at += used) {
		json *block = cgroup_member(to, "blockIO"), *list = json_get_mutable(block, cgroup_throttle_keys[kind]),
		     *entry;

		if (!list)
			list = json_add_array(block, cgroup_throttle_keys[kind]);
		entry = json_append_object(list);
		ok = json_add_int(entry, "major", major) && json_add_int(entry, "minor", minor) &&
		     json_add_int(entry, "rate", rate);
	}
	return ok;
}

int cgroup_v1_limits(const teu_cgroup *g, json *to)
{
	int64_t value;
	bool ok = true;

	for (size_t i = 0; ok && i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];

		if (g->dirs[f->c] && cgroup_read_number(g->dirs[f->c], f->file, &value))
			ok = json_add_int(cgroup_member(to, f->object), f->key, unlimited_as_minus_one(value));
	}
	if (ok && g->dirs[CG_MEMORY] &&
	    cgroup_read_key(g->dirs[CG_MEMORY], "memory.oom_control", "oom_kill_disable", &value))
		ok = json_add_bool(cgroup_member(to, "memory"), "disableOOMKiller", value != 0);
	ok = ok && add_text(g, "cpuset.cpus", to, "cpus") && add_text(g, "cpuset.mems", to, "mems");
	for (unsigned kind = 0; ok && g->dirs[CG_BLKIO] && kind < THROTTLE_N; kind++)
		ok = add_throttles(g->dirs[CG_BLKIO], kind, to);
	return ok ? 0 : -ENOMEM;
}

/* One number of the statistics; a file that is missing leaves its key out. */
static bool add_stat(const teu_cgroup *g, enum cgroup_controller c, const char *file, const char *line, json *to,
		     const char *key)
{
	int64_t value;

	if (!g->dirs[c] ||
	    !(line ? cgroup_read_key(g->dirs[c], file, line, &value) : cgroup_read_number(g->dirs[c], file, &value)))
		return true;
	return json_add_int(to, key, value);
}

/* Adds up the lines "8:0 Read 4096" of all devices. */
static bool add_io(const teu_cgroup *g, json *to)
{
	_cleanup_free_ char *text = NULL;
	int64_t read_bytes = 0, write_bytes = 0, n;
	char *save = NULL, what[16];

	if (!g->dirs[CG_BLKIO])
		return true;
	text = cgroup_read_long(g->dirs[CG_BLKIO], "blkio.throttle.io_service_bytes_recursive");
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%*s %15s %" SCNd64, what, &n) != 2)
			continue;
		read_bytes += strcmp(what, "Read") == 0 ? n : 0;
		write_bytes += strcmp(what, "Write") == 0 ? n : 0;
	}
	return json_add_int(to, "read_bytes", read_bytes) && json_add_int(to, "write_bytes", write_bytes);
}

int cgroup_v1_stats(const teu_cgroup *g, json *to)
{
	json *cpu = json_add_object(to, "cpu"), *memory = json_add_object(to, "memory");
	json *pids = json_add_object(to, "pids"), *io = json_add_object(to, "io");
	bool ok = cpu && memory && pids && io;

	ok = ok && add_stat(g, CG_CPUACCT, "cpuacct.usage", NULL, cpu, "usage_ns");
	ok = ok && add_stat(g, CG_CPUACCT, "cpuacct.usage_user", NULL, cpu, "user_ns");
	ok = ok && add_stat(g, CG_CPUACCT, "cpuacct.usage_sys", NULL, cpu, "system_ns");
	ok = ok && add_stat(g, CG_CPU, "cpu.stat", "nr_periods", cpu, "periods");
	ok = ok && add_stat(g, CG_CPU, "cpu.stat", "nr_throttled", cpu, "throttled_periods");
	ok = ok && add_stat(g, CG_CPU, "cpu.stat", "throttled_time", cpu, "throttled_ns");
	ok = ok && add_stat(g, CG_MEMORY, "memory.usage_in_bytes", NULL, memory, "current");
	ok = ok && add_stat(g, CG_MEMORY, "memory.max_usage_in_bytes", NULL, memory, "peak");
	ok = ok && add_stat(g, CG_MEMORY, "memory.memsw.usage_in_bytes", NULL, memory, "with_swap");
	ok = ok && add_stat(g, CG_MEMORY, "memory.failcnt", NULL, memory, "limit_hits");
	ok = ok && add_stat(g, CG_MEMORY, "memory.oom_control", "oom_kill", memory, "oom_kills");
	ok = ok && add_stat(g, CG_MEMORY, "memory.stat", "total_inactive_file", memory, "inactive_file");
	ok = ok && add_stat(g, CG_PIDS, "pids.current", NULL, pids, "current");
	ok = ok && cgroup_hugetlb_stats(g, json_add_object(to, "hugetlb")) == 0;
	return ok && add_io(g, io) ? 0 : -ENOMEM;
}

/*
 * A task that the freezer met at a bad moment keeps the group at FREEZING until it is asked again, and no event tells
 * of the change; so this looks again and again in short, growing steps, and starts over at times.
 */
int cgroup_v1_freeze(const char *dir, bool frozen, int64_t deadline_ms, teu_error **err)
{
	const char *wanted = frozen ? "FROZEN" : "THAWED";
	_cleanup_free_ char *file = NULL;
	char state[16] = "";
	int r;

	if (asprintf(&file, "%s/freezer.state", dir) < 0) {
		file = NULL;
		return err_oom(err);
	}
	for (int i = 0;; i++) {
		struct timespec pause = { .tv_nsec = i < 10 ? 100000 : 2000000 };

		r = i % 50 == 49 ? fd_write_value(AT_FDCWD, file, "THAWED") : 0;
		if (r == 0 && i % 50 == 0)
			r = fd_write_value(AT_FDCWD, file, wanted);
		if (r < 0)
			return err_errno(err, -r, "write %s to %s", wanted, file);
		if (cgroup_read_text(dir, "freezer.state", state, sizeof(state)) && strcmp(state, wanted) == 0)
			return 0;
		if (clock_left_ms(deadline_ms) == 0)
			break;
		nanosleep(&pause, NULL);
	}
	fd_write_value(AT_FDCWD, file, "THAWED");
	return err_set(err, TEU_E_TIMEOUT, "cgroup %s stays %s and does not become %s: a process hangs in the kernel",
		       dir, state, wanted);
}
