/* cgroup_v2: one folder for all controllers. Source: kernel documentation, admin-guide/cgroup-v2.rst. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/cgroup_impl.h"

enum { DIR_MAX = 4096 };

static bool asked(const struct cgroup_number *n)
{
	return n->set;
}

/* Notes in @mask that @field needs @c. */
static int want(struct cgroup_build *b, bool asked_for, enum cgroup_controller c, const char *field, unsigned *mask)
{
	if (!asked_for)
		return 0;
	if (!(b->m->available & 1U << c))
		return cgroup_unsupported(b, field, "%s/cgroup.controllers does not offer %s", b->m->root,
					  cgroup_controller_name(c, true));
	*mask |= 1U << c;
	return 0;
}

/* The controllers that have to be enabled down to the group. */
static int choose(struct cgroup_build *b, unsigned *mask)
{
	static const enum cgroup_controller always[] = { CG_MEMORY, CG_CPU, CG_PIDS, CG_BLKIO };
	const struct cgroup_limits *l = &b->limits;
	const struct {
		bool asked;
		enum cgroup_controller c;
		const char *field;
	} wants[] = {
		{ asked(&l->memory), CG_MEMORY, "memory.limit" },
		{ asked(&l->swap), CG_MEMORY, "memory.swap" },
		{ asked(&l->reservation), CG_MEMORY, "memory.reservation" },
		{ asked(&l->shares), CG_CPU, "cpu.shares" },
		{ asked(&l->quota), CG_CPU, "cpu.quota" },
		{ asked(&l->period), CG_CPU, "cpu.period" },
		{ asked(&l->burst), CG_CPU, "cpu.burst" },
		{ asked(&l->idle), CG_CPU, "cpu.idle" },
		{ l->cpus, CG_CPUSET, "cpu.cpus" },
		{ l->mems, CG_CPUSET, "cpu.mems" },
		{ asked(&l->pids), CG_PIDS, "pids.limit" },
		{ l->n_throttles, CG_BLKIO, "blockIO" },
		{ json_count(l->hugetlb), CG_HUGETLB, "hugepageLimits" },
		{ json_count(l->rdma), CG_RDMA, "rdma" },
	};
	int r = 0;

	for (size_t i = 0; !b->update && !b->modest && i < ARRAY_SIZE(always); i++)
		*mask |= b->m->available & 1U << always[i];
	if (b->all)
		*mask = b->m->available;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(wants); i++)
		r = want(b, wants[i].asked, wants[i].c, wants[i].field, mask);
	return r;
}

/* "memory.high" needs memory, "io.max" io; what has no controller's name (cgroup.…) needs none. */
static void choose_unified(struct cgroup_build *b, unsigned *mask)
{
	json_foreach_member (entry, b->limits.unified) {
		const char *file = json_key(entry);
		size_t len = strcspn(file, ".");

		for (int c = 0; c < CG_N; c++) {
			const char *name = cgroup_controller_name((enum cgroup_controller)c, true);

			if (strlen(name) == len && strncmp(name, file, len) == 0)
				*mask |= b->m->available & 1U << c;
		}
	}
}

/*
 * Hands the controllers of @mask down from @dir, if it doesn't yet: writing takes a lock of the whole machine. An
 * engine that names a group gets all others in it, too, as from runc, where the kernel doesn't mind.
 */
static void enable(struct cgroup_build *b, const char *dir, unsigned mask)
{
	_cleanup_(strbuf_done) struct strbuf value = STRBUF_INIT;
	unsigned more = b->whole ? b->m->available & ~mask : 0;
	char have[1024], padded[1040], word[32];

	if (!cgroup_read_text(dir, "cgroup.subtree_control", have, sizeof(have)))
		have[0] = '\0';
	snprintf(padded, sizeof(padded), " %s ", have);
	for (int c = 0; c < CG_N; c++) {
		const char *name = cgroup_controller_name((enum cgroup_controller)c, true);

		snprintf(word, sizeof(word), " %s ", name);
		if (strstr(padded, word))
			continue;
		if (mask & 1U << c)
			strbuf_addf(&value, "%s+%s", value.len ? " " : "", name);
		if (more & 1U << c)
			cgroup_add_attempt(b, dir, "cgroup.subtree_control", name);
	}
	b->oom |= value.oom;
	if (value.len)
		cgroup_add_write(b, dir, "cgroup.subtree_control", NULL, "%s", value.text);
}

/* Every level from the root to the group: its folder, and above the group what it hands down. */
static void add_levels(struct cgroup_build *b, unsigned mask, char dir[DIR_MAX])
{
	size_t root_len = strlen(b->m->root), len;

	len = (size_t)snprintf(dir, DIR_MAX, "%s%s", b->m->root, b->path);
	if (mask)
		enable(b, b->m->root, mask);
	for (size_t end = root_len + 1; end < len; end++) {
		if (dir[end] != '/')
			continue;
		dir[end] = '\0';
		cgroup_add_mkdir(b, dir);
		if (mask)
			enable(b, dir, mask);
		dir[end] = '/';
	}
	cgroup_add_mkdir(b, dir);
	strv_add(&b->plan->dirs, dir);
}

static void add_number(struct cgroup_build *b, const char *dir, const char *file, const char *field, int64_t value)
{
	if (value < 0)
		cgroup_add_write(b, dir, file, field, "max");
	else
		cgroup_add_write(b, dir, file, field, "%" PRId64, value);
}

/* Only a kernel without swap, or one told not to count it, has no memory.swap.max. The root can't tell: it has none. */
static bool counts_swap(void)
{
	char text[4096];

	return access("/proc/swaps", F_OK) == 0 &&
	       !(cgroup_read_text("/proc", "cmdline", text, sizeof(text)) && strstr(text, "swapaccount=0"));
}

/* The specification's swap is memory and swap together, v2's is swap alone. */
static int add_swap(struct cgroup_build *b, const char *dir)
{
	const struct cgroup_limits *l = &b->limits;
	int64_t memory = l->memory.value, swap = l->swap.value;

	if (!l->swap.set) {
		if (l->memory.set && memory < 0)
			cgroup_add_write(b, dir, "memory.swap.max", "memory.limit", "max");
		return 0;
	}
	if (!counts_swap()) {
		cgroup_add_warning(b, "memory limited without swap: this kernel does not account swap");
		return 0;
	}
	if (swap > 0 && !l->memory.set && !(b->update && cgroup_read_number(dir, "memory.max", &memory)))
		return json_field_error(b->err, b->where, "memory.swap",
					"is memory and swap together, so it needs memory.limit");
	if (swap > 0 && (memory < 0 || swap < memory))
		return json_field_error(b->err, b->where, "memory.swap",
					"%" PRId64 " is memory and swap together, so it can't be below memory.limit",
					swap);
	add_number(b, dir, "memory.swap.max", "memory.swap", swap < 0 ? -1 : swap - memory);
	return 0;
}

/*
 * runtime-spec, "Memory": with checkBeforeUpdate a limit below what is in use is refused; without it the kernel
 * reclaims and kills until the group is below it. v1 always refuses.
 */
static int check_usage(struct cgroup_build *b, const char *dir)
{
	const struct cgroup_limits *l = &b->limits;
	int64_t memory, swap;

	if (!b->update || !l->check_before || !cgroup_read_number(dir, "memory.current", &memory))
		return 0;
	if (l->swap.set && l->swap.value > 0 && cgroup_read_number(dir, "memory.swap.current", &swap) &&
	    l->swap.value < memory + swap)
		return json_field_error(b->err, b->where, "memory.swap",
					"rejecting memory+swap limit %" PRId64 ": %" PRId64 " are in use",
					l->swap.value, memory + swap);
	if (l->memory.set && l->memory.value >= 0 && l->memory.value < memory)
		return json_field_error(b->err, b->where, "memory.limit",
					"rejecting memory limit %" PRId64 ": %" PRId64 " are in use", l->memory.value,
					memory);
	return 0;
}

static int add_memory(struct cgroup_build *b, const char *dir)
{
	const struct cgroup_limits *l = &b->limits;
	int r = check_usage(b, dir);

	if (r == 0)
		r = add_swap(b, dir);
	if (r < 0)
		return r;
	if (l->memory.set)
		add_number(b, dir, "memory.max", "memory.limit", l->memory.value);
	if (l->reservation.set)
		add_number(b, dir, "memory.low", "memory.reservation", l->reservation.value);
	if (l->swappiness.set)
		cgroup_add_warning(b, "memory swappiness left out: cgroup v2 has none");
	if (l->oom_disabled)
		cgroup_add_warning(b, "the out-of-memory killer stays on: cgroup v2 can't turn it off");
	if (l->kernel_tcp.set)
		cgroup_add_warning(b, "limit of kernel TCP memory left out: cgroup v2 counts it in the memory limit");
	return 0;
}

/*
 * Logarithm and power without libm: one curve that is computed now and then would have every program that links the
 * library load it, a seventh of what an empty program takes to start. Exact enough for the same weight at every share.
 */
static double binary_log(double x)
{
	double log = 0, bit = 1;

	for (; x >= 2; x /= 2)
		log++;
	for (int i = 0; i < 52; i++) {
		bit /= 2;
		x *= x;
		if (x >= 2) {
			x /= 2;
			log += bit;
		}
	}
	return log;
}

static double power_of_ten(double exponent)
{
	double sum = 1, term = 1;

	for (int i = 1; i < 64; i++) {
		term *= exponent * 2.302585092994045684 / i;
		sum += term;
	}
	return sum;
}

/*
 * v1's shares (2 to 262144, default 1024) as v2's weight (1 to 10000, default 100): the quadratic function through the
 * logarithms of these three points, as in runc 1.3.2 and crun 1.23. The older linear one made 1024 a weight of 39.
 */
int64_t cgroup_weight_of_shares(int64_t shares)
{
	double l, weight;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = binary_log(shares);
	weight = power_of_ten((l * l + 125 * l) / 612.0 - 7.0 / 34.0) - 1e-9;
	return (int64_t)weight + (weight > (int64_t)weight);
}

static int add_cpu(struct cgroup_build *b, const char *dir)
{
	const struct cgroup_limits *l = &b->limits;
	char quota[32] = "max", now[64];

	if (l->rt_runtime.set || l->rt_period.set)
		return cgroup_unsupported(b, l->rt_runtime.set ? "cpu.realtimeRuntime" : "cpu.realtimePeriod",
					  "cgroup v2 has no limits for realtime processes");
	if (l->idle.set)
		cgroup_add_write(b, dir, "cpu.idle", "cpu.idle", "%" PRId64, l->idle.value);
	if (l->shares.set)
		cgroup_add_write(b, dir, "cpu.weight", "cpu.shares", "%" PRId64,
				 cgroup_weight_of_shares(l->shares.value));
	if (l->quota.set && l->quota.value > 0)
		snprintf(quota, sizeof(quota), "%" PRId64, l->quota.value);
	else if (!l->quota.set && b->update && cgroup_read_text(dir, "cpu.max", now, sizeof(now)))
		snprintf(quota, sizeof(quota), "%.*s", (int)strcspn(now, " "), now);
	/* A quota written alone leaves the period as it is: 100 ms in a new group. */
	if (l->period.set)
		cgroup_add_write(b, dir, "cpu.max", l->quota.set ? "cpu.quota" : "cpu.period", "%s %" PRId64, quota,
				 l->period.value);
	else if (l->quota.set)
		cgroup_add_write(b, dir, "cpu.max", "cpu.quota", "%s", quota);
	if (l->burst.set)
		cgroup_add_write(b, dir, "cpu.max.burst", "cpu.burst", "%" PRId64, l->burst.value);
	if (l->cpus)
		cgroup_add_write(b, dir, "cpuset.cpus", "cpu.cpus", "%s", l->cpus);
	if (l->mems)
		cgroup_add_write(b, dir, "cpuset.mems", "cpu.mems", "%s", l->mems);
	return 0;
}

static int add_pids(struct cgroup_build *b, const char *dir)
{
	if (b->limits.pids.set)
		add_number(b, dir, "pids.max", "pids.limit", b->limits.pids.value > 0 ? b->limits.pids.value : -1);
	return 0;
}

static int add_devices(struct cgroup_build *b, const char *dir)
{
	/* A new group without a program allows everything anyway. */
	if (b->limits.devices.n && !b->modest && (b->update || !devices_allow_all(&b->limits.devices)))
		cgroup_add_devices(b, dir, "devices");
	return 0;
}

static int add_weights(struct cgroup_build *b, const char *dir)
{
	const struct cgroup_limits *l = &b->limits;
	/* Both files stand in children only. BFQ's comes with its module; the other with the io.cost controller, which
	 * shows in the root. BFQ's goes from 1 to 1000, the other from 1 to 10000. */
	bool bfq = access("/sys/module/bfq", F_OK) == 0 || cgroup_has_file(b->m->root, "io.bfq.weight");
	/* In a container the hierarchy's top is a child itself. */
	bool cost = cgroup_has_file(b->m->root, "io.cost.qos") || cgroup_has_file(b->m->root, "io.weight");

	if (l->leaf_weight.set)
		cgroup_add_warning(b, "block I/O leaf weight left out: cgroup v2 has none");
	if (!l->weight.set && l->n_weights == 0)
		return 0;
	if ((!bfq && !cost) || !(b->m->available & 1U << CG_BLKIO)) {
		cgroup_add_warning(b,
				   "block I/O weights left out: this kernel has neither io.weight nor io.bfq.weight");
		return 0;
	}
	if (l->weight.set)
		cgroup_add_write(b, dir, bfq ? "io.bfq.weight" : "io.weight", "blockIO.weight", "%" PRId64,
				 bfq ? l->weight.value : 1 + (l->weight.value - 10) * 9999 / 990);
	for (size_t i = 0; i < l->n_weights; i++) {
		const struct cgroup_device_number *w = &l->weights[i];

		cgroup_add_write(b, dir, bfq ? "io.bfq.weight" : "io.weight", "blockIO.weightDevice",
				 "%" PRId64 ":%" PRId64 " %" PRId64, w->major, w->minor,
				 bfq ? w->value : 1 + (w->value - 10) * 9999 / 990);
	}
	return 0;
}

const char *const cgroup_v2_throttle_words[THROTTLE_N] = {
	[THROTTLE_READ_BPS] = "rbps",
	[THROTTLE_WRITE_BPS] = "wbps",
	[THROTTLE_READ_IOPS] = "riops",
	[THROTTLE_WRITE_IOPS] = "wiops",
};

static int add_block(struct cgroup_build *b, const char *dir)
{
	const struct cgroup_limits *l = &b->limits;
	char rate[32], field[64];

	for (size_t i = 0; i < l->n_throttles; i++) {
		const struct cgroup_device_number *t = &l->throttles[i];

		snprintf(field, sizeof(field), "blockIO.%s", cgroup_throttle_keys[t->kind]);
		snprintf(rate, sizeof(rate), "%" PRId64, t->value);
		cgroup_add_write(b, dir, "io.max", field, "%" PRId64 ":%" PRId64 " %s=%s", t->major, t->minor,
				 cgroup_v2_throttle_words[t->kind], t->value ? rate : "max");
	}
	return add_weights(b, dir);
}

static int add_hugetlb(struct cgroup_build *b, const char *dir)
{
	json_foreach (entry, b->limits.hugetlb) {
		const char *size = json_get_text(entry, "pageSize", "");
		int64_t limit = json_get_number(entry, "limit", -1);
		char file[128];

		if (!*size || strchr(size, '/') || strlen(size) > 32 || limit < 0)
			return json_field_error(b->err, b->where, "hugepageLimits",
						"an entry needs a pageSize such as 2MB and a limit");
		snprintf(file, sizeof(file), "hugetlb.%s.max", size);
		cgroup_add_write(b, dir, file, "hugepageLimits", "%" PRId64, limit);
		snprintf(file, sizeof(file), "hugetlb.%s.rsvd.max", size);
		cgroup_add_write(b, dir, file, "hugepageLimits", "%" PRId64, limit);
	}
	return 0;
}

static int add_rdma(struct cgroup_build *b, const char *dir)
{
	json_foreach_member (entry, b->limits.rdma) {
		int64_t handles = json_get_number(entry, "hcaHandles", -1);
		int64_t objects = json_get_number(entry, "hcaObjects", -1);

		if (handles >= 0)
			cgroup_add_write(b, dir, "rdma.max", "rdma", "%s hca_handle=%" PRId64, json_key(entry),
					 handles);
		if (objects >= 0)
			cgroup_add_write(b, dir, "rdma.max", "rdma", "%s hca_object=%" PRId64, json_key(entry),
					 objects);
	}
	return 0;
}

static int add_network(struct cgroup_build *b, const char *dir)
{
	(void)dir;
	if (b->limits.net_class.set || json_count(b->limits.net_priorities))
		return cgroup_unsupported(b, b->limits.net_class.set ? "network.classID" : "network.priorities",
					  "cgroup v2 has neither net_cls nor net_prio");
	return 0;
}

/* Files by name. A value of several lines is several writes, for the kernel takes one at a time. */
static int add_unified(struct cgroup_build *b, const char *dir)
{
	json_foreach_member (entry, b->limits.unified) {
		const char *file = json_key(entry), *value = json_text(entry, NULL);
		char field[160];

		if (!value)
			return json_field_error(b->err, b->where, "unified", "the value of %s is no string", file);
		if (!*file || strchr(file, '/') || !strchr(file, '.') || strlen(file) > 128)
			return json_field_error(b->err, b->where, "unified", "\"%s\" is no file of a cgroup", file);
		/* Who is in the group, and what it hands down, is no limit. */
		if (strncmp(file, "cgroup.", 7) == 0 && strncmp(file, "cgroup.max.", 11) != 0)
			return json_field_error(b->err, b->where, "unified", "%s is not for limits", file);
		if (strcmp(file, "cpu.weight") == 0 && cgroup_unified_idle(&b->limits)) {
			cgroup_add_warning(b, "unable to apply both cpu.weight and cpu.idle: cpu.weight is left out");
			continue;
		}
		snprintf(field, sizeof(field), "unified.%s", file);
		for (const char *line = value; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
			if (*line || line == value)
				cgroup_add_write(b, dir, file, field, "%.*s", (int)strcspn(line, "\n"), line);
	}
	return 0;
}

int cgroup_v2_compile(struct cgroup_build *b)
{
	static int (*const steps[])(struct cgroup_build *, const char *) = {
		add_memory, add_cpu, add_pids, add_devices, add_block, add_hugetlb, add_rdma, add_network, add_unified,
	};
	unsigned mask = 0;
	char dir[DIR_MAX];
	int r = choose(b, &mask);

	if (r < 0)
		return r;
	choose_unified(b, &mask);
	add_levels(b, mask, dir);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++)
		r = steps[i](b, dir);
	if (r < 0)
		return r;
	b->plan->freeze_dir = strdup(dir);
	if (mask & 1U << CG_MEMORY && asprintf(&b->plan->oom_file, "%s/memory.events", dir) < 0)
		b->plan->oom_file = NULL, b->oom = true;
	b->oom |= !b->plan->freeze_dir;
	return 0;
}
