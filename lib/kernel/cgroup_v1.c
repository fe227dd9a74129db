/*
 * cgroup_v1: one folder a controller. Source: kernel documentation, admin-guide/cgroup-v1/{memory,cpusets,devices,
 * blkio-controller,hugetlb,net_cls,net_prio,freezer-subsystem,pids}.rst and scheduler/sched-bwc.rst.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/cgroup_impl.h"

enum { DIR_MAX = 4096 };

static void folder(const struct cgroup_build *b, enum cgroup_controller c, char dir[DIR_MAX])
{
	snprintf(dir, DIR_MAX, "%s%s", b->m->mounts[c], b->path);
}

/* A file in the root of the hierarchy tells that the kernel has the feature. */
static bool machine_has(const struct cgroup_build *b, enum cgroup_controller c, const char *file)
{
	return b->m->mounts[c] && cgroup_has_file(b->m->mounts[c], file);
}

/* What a cpuset needs before a process may enter: each level its processors and its memory nodes. */
struct inherited {
	char cpus[1024], mems[1024];
};

/* The file's own value, or if that is empty what the level above has, which then has to be written. */
static bool inherit(const char *dir, const char *file, char value[1024])
{
	char own[1024];

	if (!cgroup_read_text(dir, file, own, sizeof(own)) || !*own)
		return true;
	strcpy(value, own);
	return false;
}

/* The parents too: a new level is empty, and an empty one can't give its children anything. */
static int join_cpuset(struct cgroup_build *b)
{
	const struct cgroup_limits *l = &b->limits;
	size_t root_len = strlen(b->m->mounts[CG_CPUSET]), len;
	struct inherited have = { 0 };
	char dir[DIR_MAX];

	folder(b, CG_CPUSET, dir);
	len = strlen(dir);
	inherit(b->m->mounts[CG_CPUSET], "cpuset.cpus", have.cpus);
	inherit(b->m->mounts[CG_CPUSET], "cpuset.mems", have.mems);
	for (size_t end = root_len + 1; end <= len; end++) {
		bool leaf = end == len, cpus, mems;

		if (dir[end] != '/' && !leaf)
			continue;
		dir[end] = '\0';
		cpus = inherit(dir, "cpuset.cpus", have.cpus);
		mems = inherit(dir, "cpuset.mems", have.mems);
		cgroup_add_mkdir(b, dir);
		if (leaf && l->cpus)
			cgroup_add_write(b, dir, "cpuset.cpus", "cpu.cpus", "%s", l->cpus);
		else if (cpus)
			cgroup_add_write(b, dir, "cpuset.cpus", NULL, "%s", have.cpus);
		if (leaf && l->mems)
			cgroup_add_write(b, dir, "cpuset.mems", "cpu.mems", "%s", l->mems);
		else if (mems)
			cgroup_add_write(b, dir, "cpuset.mems", NULL, "%s", have.mems);
		if (!leaf)
			dir[end] = '/';
	}
	strv_add(&b->plan->dirs, dir);
	return 0;
}

/* Controllers mounted together share a folder. */
static void join(struct cgroup_build *b, enum cgroup_controller c)
{
	char dir[DIR_MAX];

	if (!b->m->mounts[c])
		return;
	folder(b, c, dir);
	if (strv_has(&b->plan->dirs, dir) || (b->modest && !cgroup_may_write(dir)))
		return;
	if (c == CG_CPUSET) {
		join_cpuset(b);
		return;
	}
	cgroup_add_mkdir(b, dir);
	strv_add(&b->plan->dirs, dir);
}

/* Joins @c for the sake of @field. */
static int need(struct cgroup_build *b, enum cgroup_controller c, const char *field, char dir[DIR_MAX])
{
	if (!b->m->mounts[c])
		return cgroup_unsupported(b, field, "the cgroup controller %s is not mounted on this machine",
					  cgroup_controller_name(c, false));
	join(b, c);
	folder(b, c, dir);
	/* In runc's words. */
	if (b->modest && !strv_has(&b->plan->dirs, dir))
		return cgroup_unsupported(b, field, "cannot set %s limit: container could not join or create cgroup %s",
					  cgroup_controller_name(c, false), dir);
	return 0;
}

/* One number to one file. @optional: kernels may lack it. */
struct line {
	const struct cgroup_number *number;
	enum cgroup_controller c;
	const char *file, *field;
	bool optional;
};

static int add_line(struct cgroup_build *b, const struct line *line)
{
	char dir[DIR_MAX];
	int r;

	if (!line->number->set)
		return 0;
	r = need(b, line->c, line->field, dir);
	if (r < 0)
		return r;
	if (line->optional && !machine_has(b, line->c, line->file))
		return cgroup_unsupported(b, line->field, "this kernel's controller %s has no %s",
					  cgroup_controller_name(line->c, false), line->file);
	cgroup_add_write(b, dir, line->file, line->field, "%" PRId64, line->number->value);
	return 0;
}

static int add_lines(struct cgroup_build *b, const struct line *lines, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_line(b, &lines[i]);
	return r;
}

static int add_memory(struct cgroup_build *b)
{
	struct cgroup_limits *l = &b->limits;
	char dir[DIR_MAX];
	int r;

	if (l->swap.set && b->m->mounts[CG_MEMORY] && !machine_has(b, CG_MEMORY, "memory.memsw.limit_in_bytes")) {
		cgroup_add_warning(b, "memory limited without swap: this kernel does not account swap "
				      "(no memory.memsw.limit_in_bytes; boot with swapaccount=1)");
		l->swap.set = false;
	}
	if (l->swap.set && l->swap.value > 0 && l->memory.set &&
	    (l->memory.value < 0 || l->swap.value < l->memory.value))
		return json_field_error(b->err, b->where, "memory.swap",
					"%" PRId64 " is memory and swap together, so it can't be below memory.limit",
					l->swap.value);
	/* Memory without end can't be within a memory+swap that has one. */
	if (l->memory.set && l->memory.value < 0 && !l->swap.set &&
	    machine_has(b, CG_MEMORY, "memory.memsw.limit_in_bytes"))
		l->swap = l->memory;
	/* memory and memory+swap stand side by side: see run_write() in cgroup.c. */
	r = add_lines(b,
		      (const struct line[]){
			      { &l->memory, CG_MEMORY, "memory.limit_in_bytes", "memory.limit", false },
			      { &l->swap, CG_MEMORY, "memory.memsw.limit_in_bytes", "memory.swap", false },
			      { &l->reservation, CG_MEMORY, "memory.soft_limit_in_bytes", "memory.reservation", true },
			      { &l->kernel_tcp, CG_MEMORY, "memory.kmem.tcp.limit_in_bytes", "memory.kernelTCP", true },
			      { &l->swappiness, CG_MEMORY, "memory.swappiness", "memory.swappiness", true },
		      },
		      5);
	if (r < 0 || !l->oom_disabled)
		return r;
	r = need(b, CG_MEMORY, "memory.disableOOMKiller", dir);
	if (r == 0)
		cgroup_add_write(b, dir, "memory.oom_control", "memory.disableOOMKiller", "1");
	return r;
}

static int add_cpu(struct cgroup_build *b)
{
	const struct cgroup_limits *l = &b->limits;
	char dir[DIR_MAX];

	if ((l->cpus || l->mems) && !b->m->mounts[CG_CPUSET])
		return need(b, CG_CPUSET, l->cpus ? "cpu.cpus" : "cpu.mems", dir);
	if (l->cpus || l->mems)
		join(b, CG_CPUSET);
	return add_lines(b,
			 (const struct line[]){
				 { &l->shares, CG_CPU, "cpu.shares", "cpu.shares", false },
				 { &l->idle, CG_CPU, "cpu.idle", "cpu.idle", true },
				 { &l->period, CG_CPU, "cpu.cfs_period_us", "cpu.period", true },
				 { &l->quota, CG_CPU, "cpu.cfs_quota_us", "cpu.quota", true },
				 { &l->burst, CG_CPU, "cpu.cfs_burst_us", "cpu.burst", true },
				 { &l->rt_period, CG_CPU, "cpu.rt_period_us", "cpu.realtimePeriod", true },
				 { &l->rt_runtime, CG_CPU, "cpu.rt_runtime_us", "cpu.realtimeRuntime", true },
			 },
			 7);
}

static int add_pids(struct cgroup_build *b)
{
	char dir[DIR_MAX];
	int r;

	if (!b->limits.pids.set)
		return 0;
	r = need(b, CG_PIDS, "pids.limit", dir);
	if (r < 0)
		return r;
	if (b->limits.pids.value > 0)
		cgroup_add_write(b, dir, "pids.max", "pids.limit", "%" PRId64, b->limits.pids.value);
	else
		cgroup_add_write(b, dir, "pids.max", "pids.limit", "max");
	return 0;
}

static int add_devices(struct cgroup_build *b)
{
	const struct devices *d = &b->limits.devices;
	char dir[DIR_MAX];
	int r;

	if (d->n == 0 || b->modest || (!b->update && !b->m->mounts[CG_DEVICES] && devices_allow_all(d)))
		return 0;
	r = need(b, CG_DEVICES, "devices", dir);
	for (size_t i = 0; r == 0 && i < d->n; i++) {
		struct device_rule rule = d->rules[i];
		char line[DEVICE_LINE_MAX];

		/* "a" means everything to the kernel, so "a, but only this" is said twice. */
		for (const char *type = device_rule_is_plain(&rule) ? "-" : "bc"; *type; type++) {
			rule.type = *type == '-' ? rule.type : *type;
			device_rule_line(&rule, line);
			cgroup_add_write(b, dir, rule.allow ? "devices.allow" : "devices.deny", "devices", "%s", line);
		}
	}
	return r;
}

/* Which file takes the weights: that of BFQ stands in children only, so its statistics in the root tell. */
static const char *weight_file(const struct cgroup_build *b)
{
	if (machine_has(b, CG_BLKIO, "blkio.weight"))
		return "blkio.weight";
	if (machine_has(b, CG_BLKIO, "blkio.bfq.weight") || machine_has(b, CG_BLKIO, "blkio.bfq.io_service_bytes"))
		return "blkio.bfq.weight";
	return NULL;
}

static int add_weights(struct cgroup_build *b)
{
	const struct cgroup_limits *l = &b->limits;
	const char *file = weight_file(b);
	char dir[DIR_MAX], device_file[64];
	int r;

	if (l->leaf_weight.set)
		cgroup_add_warning(b, "block I/O leaf weight left out: it went with the CFQ scheduler");
	if (!l->weight.set && l->n_weights == 0)
		return 0;
	if (!file) {
		cgroup_add_warning(b, "block I/O weights left out: this kernel has neither blkio.weight nor "
				      "blkio.bfq.weight");
		return 0;
	}
	r = need(b, CG_BLKIO, "blockIO.weight", dir);
	if (r < 0)
		return r;
	if (l->weight.set)
		cgroup_add_write(b, dir, file, "blockIO.weight", "%" PRId64, l->weight.value);
	snprintf(device_file, sizeof(device_file), "%s_device", file);
	for (size_t i = 0; i < l->n_weights; i++)
		cgroup_add_write(b, dir, device_file, "blockIO.weightDevice", "%" PRId64 ":%" PRId64 " %" PRId64,
				 l->weights[i].major, l->weights[i].minor, l->weights[i].value);
	return 0;
}

const char *const cgroup_v1_throttle_files[THROTTLE_N] = {
	[THROTTLE_READ_BPS] = "blkio.throttle.read_bps_device",
	[THROTTLE_WRITE_BPS] = "blkio.throttle.write_bps_device",
	[THROTTLE_READ_IOPS] = "blkio.throttle.read_iops_device",
	[THROTTLE_WRITE_IOPS] = "blkio.throttle.write_iops_device",
};

static int add_block(struct cgroup_build *b)
{
	const struct cgroup_limits *l = &b->limits;
	char dir[DIR_MAX], field[64];
	int r = add_weights(b);

	for (size_t i = 0; r == 0 && i < l->n_throttles; i++) {
		const struct cgroup_device_number *t = &l->throttles[i];

		snprintf(field, sizeof(field), "blockIO.%s", cgroup_throttle_keys[t->kind]);
		r = need(b, CG_BLKIO, field, dir);
		if (r == 0 && !machine_has(b, CG_BLKIO, cgroup_v1_throttle_files[t->kind]))
			r = cgroup_unsupported(b, field, "this kernel's controller blkio has no %s",
					       cgroup_v1_throttle_files[t->kind]);
		if (r == 0)
			cgroup_add_write(b, dir, cgroup_v1_throttle_files[t->kind], field,
					 "%" PRId64 ":%" PRId64 " %" PRId64, t->major, t->minor, t->value);
	}
	return r;
}

static int add_hugetlb(struct cgroup_build *b)
{
	int r = 0;

	json_foreach (entry, b->limits.hugetlb) {
		const char *size = json_get_text(entry, "pageSize", "");
		int64_t limit = json_get_number(entry, "limit", -1);
		char dir[DIR_MAX], file[128];

		if (!*size || strchr(size, '/') || strlen(size) > 32 || limit < 0)
			return json_field_error(b->err, b->where, "hugepageLimits",
						"an entry needs a pageSize such as 2MB and a limit");
		r = need(b, CG_HUGETLB, "hugepageLimits", dir);
		snprintf(file, sizeof(file), "hugetlb.%s.limit_in_bytes", size);
		if (r == 0 && !machine_has(b, CG_HUGETLB, file))
			r = cgroup_unsupported(b, "hugepageLimits", "this machine has no huge pages of %s", size);
		if (r < 0)
			return r;
		cgroup_add_write(b, dir, file, "hugepageLimits", "%" PRId64, limit);
		snprintf(file, sizeof(file), "hugetlb.%s.rsvd.limit_in_bytes", size);
		if (machine_has(b, CG_HUGETLB, file))
			cgroup_add_write(b, dir, file, "hugepageLimits", "%" PRId64, limit);
	}
	return r;
}

static int add_network(struct cgroup_build *b)
{
	const struct cgroup_limits *l = &b->limits;
	const struct line class = { &l->net_class, CG_NET_CLS, "net_cls.classid", "network.classID", false };
	char dir[DIR_MAX];
	int r = add_line(b, &class);

	json_foreach (entry, l->net_priorities) {
		const char *name = json_get_text(entry, "name", "");

		if (r == 0)
			r = need(b, CG_NET_PRIO, "network.priorities", dir);
		if (r < 0)
			return r;
		if (!*name || strpbrk(name, " \n"))
			return json_field_error(b->err, b->where, "network.priorities",
						"an entry needs the name of a link");
		cgroup_add_write(b, dir, "net_prio.ifpriomap", "network.priorities", "%s %" PRId64, name,
				 json_get_number(entry, "priority", 0));
	}
	return r;
}

static int add_rdma(struct cgroup_build *b)
{
	int r = 0;

	json_foreach_member (entry, b->limits.rdma) {
		int64_t handles = json_get_number(entry, "hcaHandles", -1);
		int64_t objects = json_get_number(entry, "hcaObjects", -1);
		char dir[DIR_MAX];

		r = need(b, CG_RDMA, "rdma", dir);
		if (r < 0)
			return r;
		if (handles >= 0)
			cgroup_add_write(b, dir, "rdma.max", "rdma", "%s hca_handle=%" PRId64, json_key(entry),
					 handles);
		if (objects >= 0)
			cgroup_add_write(b, dir, "rdma.max", "rdma", "%s hca_object=%" PRId64, json_key(entry),
					 objects);
	}
	return r;
}

/* A process enters by another file there, so that it has a place of its own in the plan. */
static void join_unified(struct cgroup_build *b)
{
	char dir[DIR_MAX];

	if (!b->whole || !b->m->mounts[CG_UNIFIED])
		return;
	folder(b, CG_UNIFIED, dir);
	cgroup_add_mkdir(b, dir);
	b->plan->unified = strdup(dir);
	b->oom |= !b->plan->unified;
}

static void set_paths(struct cgroup_build *b)
{
	if (b->m->mounts[CG_MEMORY] &&
	    asprintf(&b->plan->oom_file, "%s%s/memory.oom_control", b->m->mounts[CG_MEMORY], b->path) < 0)
		b->plan->oom_file = NULL, b->oom = true;
	if (b->m->mounts[CG_FREEZER] && asprintf(&b->plan->freeze_dir, "%s%s", b->m->mounts[CG_FREEZER], b->path) < 0)
		b->plan->freeze_dir = NULL, b->oom = true;
}

int cgroup_v1_compile(struct cgroup_build *b)
{
	static const enum cgroup_controller always[] = {
		CG_MEMORY, CG_CPU, CG_CPUACCT, CG_PIDS, CG_DEVICES, CG_FREEZER
	};
	static int (*const steps[])(struct cgroup_build *) = {
		add_memory, add_cpu, add_pids, add_devices, add_block, add_hugetlb, add_network, add_rdma,
	};
	int r = 0;

	if (json_count(b->limits.unified))
		return cgroup_unsupported(
			b, "unified",
			"invalid configuration: these are files of cgroup v2, and this machine limits by cgroup v1");
	for (size_t i = 0; !b->update && i < ARRAY_SIZE(always); i++)
		join(b, always[i]);
	for (int c = 0; (b->all || b->whole) && c < (b->whole ? CG_UNIFIED : CG_LIMITS); c++)
		join(b, (enum cgroup_controller)c);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++)
		r = steps[i](b);
	if (r < 0)
		return r;
	join_unified(b);
	set_paths(b);
	return 0;
}
