/* events: what a container uses, in the shape of runc's "stats" event; and when it runs out of memory. */
#include "runtime/events.h"

#include "kernel/cgroup.h"
#include "runtime/record.h"

/* All that @from has goes into @to as well. */
static bool add_all(json *to, const json *from)
{
	json_foreach (v, from)
		if (!json_add(to, json_key(v), json_copy(v)))
			return false;
	return true;
}

static bool add_cpu(json *to, const json *cpu, const json *single)
{
	json *usage = json_add_object(to, "usage"), *throttling = json_add_object(to, "throttling");

	return json_add_int(usage, "total", json_get_number(cpu, "usage_ns", 0)) &&
	       json_add_int(usage, "kernel", json_get_number(cpu, "system_ns", 0)) &&
	       json_add_int(usage, "user", json_get_number(cpu, "user_ns", 0)) && add_all(usage, single) &&
	       json_add_int(throttling, "periods", json_get_number(cpu, "periods", 0)) &&
	       json_add_int(throttling, "throttledPeriods", json_get_number(cpu, "throttled_periods", 0)) &&
	       json_add_int(throttling, "throttledTime", json_get_number(cpu, "throttled_ns", 0));
}

static bool add_use(json *to, int64_t use, int64_t limit, int64_t failures)
{
	return json_add_int(to, "limit", limit < 0 ? INT64_MAX : limit) && json_add_int(to, "usage", use) &&
	       json_add_int(to, "failcnt", failures);
}

/* Swap is counted with the memory, as v1 does. */
static bool add_memory(json *to, const json *memory, const json *lines, const json *limits)
{
	json *usage = json_add_object(to, "usage");
	int64_t cache = json_get_number(lines, "cache", json_get_number(lines, "file", 0));
	int64_t swap = json_get_number(memory, "with_swap", -1);

	return json_add_int(to, "cache", cache) &&
	       add_use(usage, json_get_number(memory, "current", 0), json_get_number(limits, "limit", -1),
		       json_get_number(memory, "limit_hits", 0)) &&
	       json_add_int(usage, "max", json_get_number(memory, "peak", 0)) &&
	       (swap < 0 || add_use(json_add_object(to, "swap"), swap, json_get_number(limits, "swap", -1), 0)) &&
	       (!lines || json_add(to, "raw", json_copy(lines)));
}

static bool add_pids(json *to, const json *pids, const json *limits)
{
	int64_t limit = json_get_number(limits, "limit", 0);

	return json_add_int(to, "current", json_get_number(pids, "current", 0)) &&
	       (limit <= 0 || json_add_int(to, "limit", limit));
}

static bool add_hugetlb(json *data, const json *sizes)
{
	return json_add(data, "hugetlb", sizes ? json_copy(sizes) : json_object());
}

static json *build(const json *stats, const json *memory, const json *limits, const json *detail)
{
	_cleanup_json_ json *data = json_object();

	if (!add_cpu(json_add_object(data, "cpu"), json_get(stats, "cpu"), json_get(detail, "usage")) ||
	    !add_all(json_add_object(data, "cpuset"), json_get(detail, "cpuset")) ||
	    !add_memory(json_add_object(data, "memory"), json_get(stats, "memory"), memory,
			json_get(limits, "memory")) ||
	    !add_all(json_get_mutable(data, "memory"), json_get(detail, "memory")) ||
	    !add_pids(json_add_object(data, "pids"), json_get(stats, "pids"), json_get(limits, "pids")) ||
	    !add_all(json_add_object(data, "blkio"), json_get(detail, "blkio")) ||
	    !add_hugetlb(data, json_get(stats, "hugetlb")))
		return NULL;
	return TAKE_PTR(data);
}

/* *@ret NULL: it has none. @running: the container has to. */
static int find_group(teu_runtime *rt, const char *id, bool running, teu_cgroup **ret, teu_error **err)
{
	_cleanup_(record_done) struct record rec = RECORD_INIT;
	enum status status;
	int r = record_open(rt, id, false, &rec, err);

	if (r == 0 && running)
		r = record_status(&rec, &status, err);
	if (r < 0)
		return r;
	if (running && status == STATUS_STOPPED)
		return err_set(err, TEU_E_CONFLICT, "container with id %s is not running", id);
	/* Of an ordinary user's container that has none nothing is counted: as with runc all is 0. */
	return rec.cgroup ? cgroup_find(rec.cgroup, ret, err) : 0;
}

int runtime_stats(teu_runtime *rt, const char *id, json **ret, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	_cleanup_json_ json *stats = NULL, *memory = NULL, *limits = NULL, *detail = NULL;
	int r = find_group(rt, id, true, &group, err);

	if (r == 0 && group)
		r = cgroup_read_stats(group, &stats, err);
	if (r == 0 && group)
		r = cgroup_read_memory(group, &memory, err);
	if (r == 0 && group)
		r = cgroup_read_limits(group, &limits, err);
	if (r == 0 && group)
		r = cgroup_read_detail(group, &detail, err);
	if (r < 0)
		return r;
	*ret = build(stats, memory, limits, detail);
	return *ret ? 0 : err_oom(err);
}

int runtime_oom_watch(teu_runtime *rt, const char *id, int *ret_fd, uint64_t *ret_seen, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	int r = find_group(rt, id, true, &group, err);

	if (r == 0 && !group)
		return err_set(err, TEU_E_UNSUPPORTED, "container %s has no cgroup", id);
	return r < 0 ? r : cgroup_oom_watch(group, ret_fd, ret_seen, err);
}

/* It may have been the end of the first process. */
int runtime_oom_read(teu_runtime *rt, const char *id, int fd, uint64_t *seen, uint64_t *ret_times, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	int r = find_group(rt, id, false, &group, err);

	if (r == 0)
		*ret_times = group ? cgroup_oom_read(group, fd, seen) : 0;
	return r;
}
