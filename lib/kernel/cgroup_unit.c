/*
 * cgroup_unit: limits as properties of a systemd unit, so that the manager, which writes a unit's files again whenever
 * it likes, writes the same. Source: systemd.resource-control(5); org.freedesktop.systemd1(5), "Properties".
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/cgroup_impl.h"

enum { CPUS_MAX = 8192, DIR_MAX = 4096 };

/* A translation under way. */
struct unit {
	const struct cgroup_machine *m;
	const char *path;
	const struct cgroup_limits *limits;
	bool update; /* the group is there: what a limit depends on may stand in its files */
	struct strv *to;
	const char *where;
	teu_error **err;
};

/* -1 is the manager's "infinity". */
static void add_number(struct unit *u, const char *name, const struct cgroup_number *n)
{
	if (n->set)
		strv_addf(u->to, "%s=uint64 %" PRIu64, name, n->value < 0 ? UINT64_MAX : (uint64_t)n->value);
}

static bool read_file(const struct unit *u, enum cgroup_controller c, const char *file, char *text, size_t size)
{
	const char *mount = u->m->v2 ? u->m->root : u->m->mounts[c];
	char dir[DIR_MAX];

	return u->update && mount && (size_t)snprintf(dir, sizeof(dir), "%s%s", mount, u->path) < sizeof(dir) &&
	       cgroup_read_text(dir, file, text, size);
}

static void add_swap(struct unit *u)
{
	const struct cgroup_limits *l = u->limits;
	struct cgroup_number swap = { .set = true, .value = -1 };
	int64_t memory = l->memory.value;
	char text[64];

	if (l->swap.set && l->swap.value > 0) {
		if (!l->memory.set)
			memory =
				read_file(u, CG_MEMORY, "memory.max", text, sizeof(text)) ? strtoll(text, NULL, 10) : 0;
		swap.value = l->swap.value - memory;
	}
	if (l->swap.set ? swap.value >= -1 : l->memory.set && memory < 0)
		add_number(u, "MemorySwapMax", &swap);
}

static void add_memory(struct unit *u)
{
	const struct cgroup_limits *l = u->limits;

	add_number(u, u->m->v2 ? "MemoryMax" : "MemoryLimit", &l->memory);
	if (!u->m->v2)
		return;
	add_number(u, "MemoryLow", &l->reservation);
	add_swap(u);
}

/* What stands in the group's files of quota and period; @quota is -1 without a limit. */
static void read_bandwidth(const struct unit *u, int64_t *quota, int64_t *period)
{
	char text[64];

	if (u->m->v2) {
		if (read_file(u, CG_CPU, "cpu.max", text, sizeof(text)) &&
		    sscanf(text, "%" SCNd64 " %" SCNd64, quota, period) != 2)
			sscanf(text, "max %" SCNd64, period);
		return;
	}
	if (read_file(u, CG_CPU, "cpu.cfs_quota_us", text, sizeof(text)))
		*quota = strtoll(text, NULL, 10);
	if (read_file(u, CG_CPU, "cpu.cfs_period_us", text, sizeof(text)))
		*period = strtoll(text, NULL, 10);
}

/*
 * The manager takes a quota as time in a second, and keeps hundredths: more is granted, rather than less. *@quota, -1
 * for none, becomes the like within @period; returns what it is in a second.
 */
static uint64_t round_quota(int64_t *quota, int64_t period)
{
	enum { SECOND = 1000000, STEP = 10000 };
	__int128 a_second;

	if (*quota <= 0 || period <= 0)
		return UINT64_MAX;
	a_second = (__int128)*quota * SECOND / period;
	a_second = (a_second + STEP - 1) / STEP * STEP;
	if (a_second * period / SECOND > INT64_MAX)
		return UINT64_MAX;
	*quota = (int64_t)(a_second * period / SECOND);
	return a_second > UINT64_MAX ? UINT64_MAX : (uint64_t)a_second;
}

static void choose_bandwidth(const struct unit *u, const struct cgroup_number *quota,
			     const struct cgroup_number *period, int64_t *ret_quota, int64_t *ret_period)
{
	*ret_quota = -1;
	*ret_period = 100000;
	read_bandwidth(u, ret_quota, ret_period);
	if (quota->set)
		*ret_quota = quota->value;
	if (period->set)
		*ret_period = period->value;
}

static void add_bandwidth(struct unit *u, const struct cgroup_number *quota, const struct cgroup_number *period)
{
	int64_t us, of;

	if (!quota->set && !period->set)
		return;
	choose_bandwidth(u, quota, period, &us, &of);
	if (period->set)
		strv_addf(u->to, "CPUQuotaPeriodUSec=uint64 %" PRId64, period->value);
	strv_addf(u->to, "CPUQuotaPerSecUSec=uint64 %" PRIu64, round_quota(&us, of));
}

/* "0-3,8" as bytes of bits, lowest first. */
static int add_list(struct unit *u, const char *name, const char *list, const char *field)
{
	uint64_t bits[CPUS_MAX / 64];
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	size_t n = CPUS_MAX / 8;

	if (!list)
		return 0;
	if (!parse_bits(list, bits, CPUS_MAX))
		return json_field_error(u->err, u->where, field, "\"%s\" is no list such as 0-3,5", list);
	while (n > 1 && (bits[(n - 1) / 8] >> (n - 1) % 8 * 8 & 0xff) == 0)
		n--;
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&text, "%s%" PRIu64, i ? ", " : "", bits[i / 8] >> i % 8 * 8 & 0xff);
	strv_addf(u->to, "%s=[byte %s]", name, text.text);
	return text.oom ? err_oom(u->err) : 0;
}

static int add_cpu(struct unit *u)
{
	const struct cgroup_limits *l = u->limits;
	int r;

	if (u->m->v2 && l->idle.set && l->idle.value == 1)
		strv_add(u->to, "CPUWeight=uint64 0");
	else if (u->m->v2 && l->shares.set)
		strv_addf(u->to, "CPUWeight=uint64 %" PRId64, cgroup_weight_of_shares(l->shares.value));
	else if (!u->m->v2)
		add_number(u, "CPUShares", &l->shares);
	add_bandwidth(u, &l->quota, &l->period);
	r = add_list(u, "AllowedCPUs", l->cpus, "cpu.cpus");
	return r < 0 ? r : add_list(u, "AllowedMemoryNodes", l->mems, "cpu.mems");
}

static void add_rest(struct unit *u)
{
	const struct cgroup_limits *l = u->limits;

	if (l->pids.set)
		strv_addf(u->to, "TasksMax=uint64 %" PRIu64, l->pids.value > 0 ? (uint64_t)l->pids.value : UINT64_MAX);
	if (u->m->v2 && l->weight.set)
		strv_addf(u->to, "IOWeight=uint64 %" PRId64, 1 + (l->weight.value - 10) * 9999 / 990);
	else
		add_number(u, "BlockIOWeight", &l->weight);
}

/* "136 pts": the name of the device number @major in a section of /proc/devices. */
static bool find_driver(const char *list, char type, int64_t major, char *name, size_t size)
{
	const char *at = list ? strstr(list, type == 'b' ? "Block devices:" : "Character devices:") : NULL;

	at = at ? strchr(at, '\n') : NULL;
	while (at && *++at && *at != '\n') {
		int64_t number;
		char word[64];

		if (sscanf(at, "%" SCNd64 " %63[^\n]", &number, word) == 2 && number == major) {
			snprintf(name, size, "%s", word);
			return true;
		}
		at = strchr(at, '\n');
	}
	return false;
}

static void add_rule(const struct device_rule *rule, char type, const char *drivers, struct strbuf *to)
{
	char node[128], name[64];

	if (rule->major < 0)
		snprintf(node, sizeof(node), "%s-*", type == 'b' ? "block" : "char");
	else if (rule->minor >= 0)
		snprintf(node, sizeof(node), "/dev/%s/%" PRId64 ":%" PRId64, type == 'b' ? "block" : "char",
			 rule->major, rule->minor);
	else if (find_driver(drivers, type, rule->major, name, sizeof(name)))
		snprintf(node, sizeof(node), "%s-%s", type == 'b' ? "block" : "char", name);
	else
		return; /* no device of that number can be opened */
	strbuf_addf(to, "%s('%s', '%s%s%s')", to->len ? ", " : "", node, rule->access & DEVICE_READ ? "r" : "",
		    rule->access & DEVICE_WRITE ? "w" : "", rule->access & DEVICE_MKNOD ? "m" : "");
}

/*
 * A unit names what is allowed, and knows no exception and no order: what is allowed behind the last rule that denies
 * all stands for the whole where nothing is denied behind that. Of anything else the manager must not take a part away:
 * our own rules, which decide beside its ones, are all there is.
 */
static int add_devices(struct unit *u)
{
	const struct devices *d = &u->limits->devices;
	_cleanup_(strbuf_done) struct strbuf list = STRBUF_INIT;
	_cleanup_free_ char *drivers = NULL;
	size_t first = d->n;
	bool strict;

	if (d->n == 0)
		return 0;
	while (first > 0 && d->rules[first - 1].allow && d->rules[first - 1].type != 'a')
		first--;
	strict = first > 0 && !d->rules[first - 1].allow && d->rules[first - 1].type == 'a' &&
		 device_rule_is_plain(&d->rules[first - 1]);
	if (strict)
		drivers = cgroup_read_long("/proc", "devices");
	for (size_t i = first; strict && i < d->n; i++)
		add_rule(&d->rules[i], d->rules[i].type, drivers, &list);
	strv_addf(u->to, "DevicePolicy='%s'", strict ? "strict" : "auto");
	/* An empty list first: an update adds to what there is. */
	strv_add(u->to, "DeviceAllow=@a(ss) []");
	if (list.len)
		strv_addf(u->to, "DeviceAllow=[%s]", list.text);
	return list.oom ? err_oom(u->err) : 0;
}

static const struct unified_number {
	const char *file, *property;
} unified_numbers[] = {
	{ "memory.max", "MemoryMax" }, { "memory.high", "MemoryHigh" },	       { "memory.low", "MemoryLow" },
	{ "memory.min", "MemoryMin" }, { "memory.swap.max", "MemorySwapMax" }, { "pids.max", "TasksMax" },
	{ "cpu.weight", "CPUWeight" },
};

/* A file by its name that is a property as well; the kernel says what is wrong with a value. */
static int add_unified(struct unit *u, const char *file, const char *value)
{
	struct cgroup_number quota = { .set = true, .value = -1 }, period = { 0 };
	uint64_t n = UINT64_MAX;

	if (strcmp(file, "cpu.weight") == 0 && cgroup_unified_idle(u->limits))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(unified_numbers); i++)
		if (strcmp(file, unified_numbers[i].file) == 0 && (strcmp(value, "max") == 0 || parse_u64(value, &n)))
			strv_addf(u->to, "%s=uint64 %" PRIu64, unified_numbers[i].property, n);
	if (strcmp(file, "cpuset.cpus") == 0)
		return add_list(u, "AllowedCPUs", value, "unified");
	if (strcmp(file, "cpuset.mems") == 0)
		return add_list(u, "AllowedMemoryNodes", value, "unified");
	if (strcmp(file, "cpu.idle") == 0 && strcmp(value, "1") == 0)
		strv_add(u->to, "CPUWeight=uint64 0");
	if (strcmp(file, "cpu.max") == 0) {
		if (sscanf(value, "%" SCNd64, &quota.value) != 1 && strncmp(value, "max", 3) != 0)
			return 0;
		period.set = sscanf(value, "%*s %" SCNd64, &period.value) == 1;
		add_bandwidth(u, &quota, &period);
	}
	return 0;
}

static int translate(struct unit *u)
{
	int r;

	add_memory(u);
	r = add_cpu(u);
	add_rest(u);
	if (r == 0)
		r = add_devices(u);
	json_foreach_member (entry, u->limits->unified)
		if (r == 0 && u->m->v2)
			r = add_unified(u, json_key(entry), json_text(entry, ""));
	return r == 0 && u->to->oom ? err_oom(u->err) : r;
}

int cgroup_unit_on(const struct cgroup_machine *m, const char *path, const json *resources, const char *where,
		   bool update, struct strv *ret, teu_error **err)
{
	struct cgroup_limits limits = { 0 };
	struct unit u = {
		.m = m, .path = path, .limits = &limits, .update = update, .to = ret, .where = where, .err = err
	};
	int r = cgroup_limits_parse(resources, where, &limits, err);

	if (r == 0)
		r = translate(&u);
	cgroup_limits_done(&limits);
	return r;
}

int cgroup_unit_fit(const char *path, json *resources, const char *where, bool update, teu_error **err)
{
	struct cgroup_limits limits = { 0 };
	struct unit u = { .path = path, .limits = &limits, .update = update };
	json *cpu = json_get_mutable(resources, "cpu");
	int64_t quota, period, asked;
	int r = cgroup_machine_get(&u.m, err);

	if (r == 0)
		r = cgroup_limits_parse(resources, where, &limits, err);
	if (r == 0 && (limits.quota.set || limits.period.set)) {
		choose_bandwidth(&u, &limits.quota, &limits.period, &quota, &period);
		asked = quota;
		round_quota(&quota, period);
		if (quota != asked && !json_add_int(cpu, "quota", quota))
			r = err_oom(err);
	}
	cgroup_limits_done(&limits);
	return r;
}

/* All controllers that @dir has, for those below it: one at a time, as one may be refused, and not without need, as a
 * write takes a lock of the whole machine. */
static void hand_down(const char *dir)
{
	char controllers[1024], text[1024], has[1040], *save = NULL, path[DIR_MAX];

	if (!cgroup_read_text(dir, "cgroup.controllers", controllers, sizeof(controllers)) ||
	    !cgroup_read_text(dir, "cgroup.subtree_control", text, sizeof(text)) ||
	    (size_t)snprintf(path, sizeof(path), "%s/cgroup.subtree_control", dir) >= sizeof(path))
		return;
	snprintf(has, sizeof(has), " %s ", text);
	for (char *name = strtok_r(controllers, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		char word[64];

		if ((size_t)snprintf(word, sizeof(word), " %s ", name) >= sizeof(word) || strstr(has, word))
			continue;
		snprintf(word, sizeof(word), "+%s", name);
		fd_write_value(AT_FDCWD, path, word);
	}
}

void cgroup_unit_delegate(const char *path)
{
	const struct cgroup_machine *m;
	char dir[DIR_MAX];
	size_t len;

	if (cgroup_machine_get(&m, NULL) < 0 || !m->v2)
		return;
	len = (size_t)snprintf(dir, sizeof(dir), "%s%s", m->root, path);
	for (size_t end = strlen(m->root); len < sizeof(dir) && end < len; end++) {
		if (dir[end] != '/')
			continue;
		dir[end] = '\0';
		hand_down(dir);
		dir[end] = '/';
	}
}

int cgroup_unit_properties(const char *path, const json *resources, const char *where, bool update, struct strv *ret,
			   teu_error **err)
{
	const struct cgroup_machine *m;
	int r = cgroup_machine_get(&m, err);

	return r < 0 ? r : cgroup_unit_on(m, path, resources, where, update, ret, err);
}
