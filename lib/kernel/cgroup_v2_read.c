/*
 * cgroup_v2_read: what is in force and in use in the folder of a v2 group, and its freezing. Source: kernel
 * documentation, admin-guide/cgroup-v2.rst.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "kernel/cgroup_impl.h"

/* The roundest number of shares that has this weight: 1024 and not 1031 for 100. */
static int64_t weight_to_shares(int64_t weight)
{
	int64_t low = 2, high = 262144;

	/* Bisects for the largest with that weight; the function only rises. */
	while (low < high) {
		int64_t middle = (low + high + 1) / 2;

		if (cgroup_weight_of_shares(middle) > weight)
			high = middle - 1;
		else
			low = middle;
	}
	for (int64_t step = 131072; step > 1; step /= 2)
		if (high / step * step >= 2 && cgroup_weight_of_shares(high / step * step) == weight)
			return high / step * step;
	return high;
}

static bool add_memory_limits(const char *dir, json *to)
{
	int64_t memory, low, swap;
	bool ok = true;

	if (!cgroup_read_number(dir, "memory.max", &memory))
		return true;
	ok = json_add_int(cgroup_member(to, "memory"), "limit", memory);
	if (ok && cgroup_read_number(dir, "memory.low", &low) && low != 0)
		ok = json_add_int(cgroup_member(to, "memory"), "reservation", low);
	if (ok && cgroup_read_number(dir, "memory.swap.max", &swap))
		ok = json_add_int(cgroup_member(to, "memory"), "swap", swap < 0 || memory < 0 ? -1 : memory + swap);
	return ok;
}

static bool add_cpu_limits(const char *dir, json *to)
{
	int64_t value, quota = -1, period;
	char text[1024];
	bool ok = true;

	if (cgroup_read_number(dir, "cpu.weight", &value) && value > 0)
		ok = json_add_int(cgroup_member(to, "cpu"), "shares", weight_to_shares(value));
	if (ok && cgroup_read_number(dir, "cpu.idle", &value))
		ok = json_add_int(cgroup_member(to, "cpu"), "idle", value);
	if (ok && cgroup_read_number(dir, "cpu.max.burst", &value))
		ok = json_add_int(cgroup_member(to, "cpu"), "burst", value);
	if (ok && cgroup_read_text(dir, "cpu.max", text, sizeof(text)) &&
	    (sscanf(text, "max %" SCNd64, &period) == 1 || sscanf(text, "%" SCNd64 " %" SCNd64, &quota, &period) == 2))
		ok = json_add_int(cgroup_member(to, "cpu"), "quota", quota) &&
		     json_add_int(cgroup_member(to, "cpu"), "period", period);
	if (ok && cgroup_read_text(dir, "cpuset.cpus", text, sizeof(text)) && *text)
		ok = json_add_string(cgroup_member(to, "cpu"), "cpus", text);
	if (ok && cgroup_read_text(dir, "cpuset.mems", text, sizeof(text)) && *text)
		ok = json_add_string(cgroup_member(to, "cpu"), "mems", text);
	return ok;
}

static bool add_throttle(json *to, unsigned kind, int64_t major, int64_t minor, int64_t rate)
{
	json *block = cgroup_member(to, "blockIO"), *list = json_get_mutable(block, cgroup_throttle_keys[kind]), *entry;

	if (!list)
		list = json_add_array(block, cgroup_throttle_keys[kind]);
	entry = json_append_object(list);
	return json_add_int(entry, "major", major) && json_add_int(entry, "minor", minor) &&
	       json_add_int(entry, "rate", rate);
}

/* "8:0 rbps=1048576 wbps=max riops=max wiops=max" */
static bool add_throttle_line(char *line, json *to)
{
	int64_t major, minor;
	char *save = NULL;
	bool ok = true;

	if (sscanf(line, "%" SCNd64 ":%" SCNd64, &major, &minor) != 2)
		return true;
	for (char *word = strtok_r(line, " ", &save); ok && word; word = strtok_r(NULL, " ", &save))
		for (unsigned kind = 0; ok && kind < THROTTLE_N; kind++) {
			size_t len = strlen(cgroup_v2_throttle_words[kind]);

			if (strncmp(word, cgroup_v2_throttle_words[kind], len) == 0 && word[len] == '=' &&
			    strcmp(word + len + 1, "max") != 0)
				ok = add_throttle(to, kind, major, minor, strtoll(word + len + 1, NULL, 10));
		}
	return ok;
}

static bool add_block_limits(const char *dir, json *to)
{
	_cleanup_free_ char *text = cgroup_read_long(dir, "io.max");
	char *save = NULL, weight[64];
	bool ok = true;
	long n;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; ok && line; line = strtok_r(NULL, "\n", &save))
		ok = add_throttle_line(line, to);
	if (ok && cgroup_read_text(dir, "io.bfq.weight", weight, sizeof(weight)) &&
	    sscanf(weight, "default %ld", &n) == 1)
		return json_add_int(cgroup_member(to, "blockIO"), "weight", n);
	/* Rounded up, which undoes the rounding down of the way there. */
	if (ok && cgroup_read_text(dir, "io.weight", weight, sizeof(weight)) &&
	    sscanf(weight, "default %ld", &n) == 1 && n != 100)
		return json_add_int(cgroup_member(to, "blockIO"), "weight", 10 + ((n - 1) * 990 + 9998) / 9999);
	return ok;
}

int cgroup_v2_limits(const teu_cgroup *g, json *to)
{
	int64_t pids;
	bool ok = add_memory_limits(g->main_dir, to) && add_cpu_limits(g->main_dir, to) &&
		  add_block_limits(g->main_dir, to);

	if (ok && cgroup_read_number(g->main_dir, "pids.max", &pids))
		ok = json_add_int(cgroup_member(to, "pids"), "limit", pids);
	return ok ? 0 : -ENOMEM;
}

/* One number of the statistics, times @factor; a file that is missing leaves its key out. */
static bool add_stat(const char *dir, const char *file, const char *line, int64_t factor, json *to, const char *key)
{
	int64_t value;

	if (!(line ? cgroup_read_key(dir, file, line, &value) : cgroup_read_number(dir, file, &value)))
		return true;
	return json_add_int(to, key, value * factor);
}

/* Both together, as v1 counts them. */
static bool add_with_swap(const char *dir, json *to)
{
	int64_t swap;

	return !cgroup_read_number(dir, "memory.swap.current", &swap) ||
	       json_add_int(to, "with_swap", json_get_number(to, "current", 0) + swap);
}

/* Adds up the lines "8:0 rbytes=4096 wbytes=0 …" of all devices. */
static bool add_io(const char *dir, json *to)
{
	_cleanup_free_ char *text = cgroup_read_long(dir, "io.stat");
	int64_t read_bytes = 0, write_bytes = 0;

	if (!text)
		return true;
	for (const char *at = text; (at = strstr(at, "rbytes=")); at++)
		read_bytes += strtoll(at + strlen("rbytes="), NULL, 10);
	for (const char *at = text; (at = strstr(at, "wbytes=")); at++)
		write_bytes += strtoll(at + strlen("wbytes="), NULL, 10);
	return json_add_int(to, "read_bytes", read_bytes) && json_add_int(to, "write_bytes", write_bytes);
}

int cgroup_v2_stats(const teu_cgroup *g, json *to)
{
	json *cpu = json_add_object(to, "cpu"), *memory = json_add_object(to, "memory");
	json *pids = json_add_object(to, "pids"), *io = json_add_object(to, "io");
	const char *dir = g->main_dir;
	bool ok = cpu && memory && pids && io;

	ok = ok && add_stat(dir, "cpu.stat", "usage_usec", 1000, cpu, "usage_ns");
	ok = ok && add_stat(dir, "cpu.stat", "user_usec", 1000, cpu, "user_ns");
	ok = ok && add_stat(dir, "cpu.stat", "system_usec", 1000, cpu, "system_ns");
	ok = ok && add_stat(dir, "cpu.stat", "nr_periods", 1, cpu, "periods");
	ok = ok && add_stat(dir, "cpu.stat", "nr_throttled", 1, cpu, "throttled_periods");
	ok = ok && add_stat(dir, "cpu.stat", "throttled_usec", 1000, cpu, "throttled_ns");
	ok = ok && add_stat(dir, "memory.current", NULL, 1, memory, "current");
	ok = ok && add_stat(dir, "memory.peak", NULL, 1, memory, "peak");
	ok = ok && add_with_swap(dir, memory);
	ok = ok && add_stat(dir, "memory.events", "max", 1, memory, "limit_hits");
	ok = ok && add_stat(dir, "memory.events", "oom_kill", 1, memory, "oom_kills");
	ok = ok && add_stat(dir, "memory.stat", "inactive_file", 1, memory, "inactive_file");
	ok = ok && add_stat(dir, "pids.current", NULL, 1, pids, "current");
	ok = ok && cgroup_hugetlb_stats(g, json_add_object(to, "hugetlb")) == 0;
	return ok && add_io(dir, io) ? 0 : -ENOMEM;
}

int cgroup_v2_freeze(const char *dir, bool frozen, int64_t deadline_ms, teu_error **err)
{
	_cleanup_free_ char *file = NULL, *events = NULL;
	_cleanup_close_ int fd = -EBADF;
	int64_t now;
	int r;

	if (asprintf(&file, "%s/cgroup.freeze", dir) < 0)
		file = NULL;
	if (asprintf(&events, "%s/cgroup.events", dir) < 0)
		events = NULL;
	if (!file || !events)
		return err_oom(err);
	fd = open(events, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open %s", events);
	r = fd_write_value(AT_FDCWD, file, frozen ? "1" : "0");
	if (r < 0)
		return err_errno(err, -r, "write to %s", file);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };

		/* Read through @fd too: a change is only told to a descriptor that has read the state before. */
		if (pread(fd, (char[128]){ 0 }, 128, 0) < 0)
			return err_errno(err, errno, "read %s", events);
		if (cgroup_read_key(dir, "cgroup.events", "frozen", &now) && now == frozen)
			return 0;
		if (clock_left_ms(deadline_ms) == 0)
			break;
		if (poll(&p, 1, clock_left_ms(deadline_ms)) < 0 && errno != EINTR)
			return err_errno(err, errno, "poll %s", events);
	}
	fd_write_value(AT_FDCWD, file, "0");
	return err_set(err, TEU_E_TIMEOUT, "cgroup %s does not %s: a process hangs in the kernel", dir,
		       frozen ? "freeze" : "thaw");
}
