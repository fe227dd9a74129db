/* cgroup_limits: the runtime-spec's linux.resources as values. Source: runtime-spec config-linux.md, "Control groups".
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kernel/cgroup_impl.h"

enum { MAX_DEVICES = 256, PLACE_MAX = 256 };

const char *const cgroup_throttle_keys[THROTTLE_N] = {
	[THROTTLE_READ_BPS] = "throttleReadBpsDevice",
	[THROTTLE_WRITE_BPS] = "throttleWriteBpsDevice",
	[THROTTLE_READ_IOPS] = "throttleReadIOPSDevice",
	[THROTTLE_WRITE_IOPS] = "throttleWriteIOPSDevice",
};

/* The plain numbers. @zero_counts: 0 is a value of its own. */
static const struct number {
	const char *object, *key;
	size_t offset;
	bool zero_counts;
	int64_t min, max;
} numbers[] = {
#define NUMBER(object, key, member, zero_counts, min, max)                                                             \
	{                                                                                                              \
		object, key, offsetof(struct cgroup_limits, member), zero_counts, min, max                             \
	}
	NUMBER("memory", "limit", memory, false, -1, INT64_MAX),
	NUMBER("memory", "reservation", reservation, false, -1, INT64_MAX),
	NUMBER("memory", "swap", swap, false, -1, INT64_MAX),
	NUMBER("memory", "kernelTCP", kernel_tcp, false, -1, INT64_MAX),
	NUMBER("memory", "swappiness", swappiness, true, -1, 100),
	NUMBER("cpu", "shares", shares, false, 0, INT64_MAX),
	NUMBER("cpu", "quota", quota, false, INT64_MIN, INT64_MAX),
	NUMBER("cpu", "period", period, false, 0, INT64_MAX),
	NUMBER("cpu", "burst", burst, true, 0, INT64_MAX),
	NUMBER("cpu", "idle", idle, true, 0, 1),
	NUMBER("cpu", "realtimeRuntime", rt_runtime, false, INT64_MIN, INT64_MAX),
	NUMBER("cpu", "realtimePeriod", rt_period, false, 0, INT64_MAX),
	NUMBER("pids", "limit", pids, true, INT64_MIN, INT64_MAX),
	NUMBER("blockIO", "weight", weight, false, 10, 1000),
	NUMBER("blockIO", "leafWeight", leaf_weight, false, 10, 1000),
	NUMBER("network", "classID", net_class, false, 0, UINT32_MAX),
#undef NUMBER
};

static int read_number(const json *resources, const char *where, const struct number *n, struct cgroup_limits *l,
		       teu_error **err)
{
	struct cgroup_number *to = (struct cgroup_number *)((char *)l + n->offset);
	const json *object = json_get(resources, n->object);
	char place[PLACE_MAX];
	int r;

	if (!json_get(object, n->key))
		return 0;
	snprintf(place, sizeof(place), "%s.%s", where, n->object);
	r = json_read_int(object, place, n->key, &to->value, err);
	if (r < 0)
		return r;
	to->set = to->value != 0 || n->zero_counts;
	if (to->set && (to->value < n->min || to->value > n->max))
		return json_field_error(err, place, n->key, "%" PRId64 " is not between %" PRId64 " and %" PRId64,
					to->value, n->min, n->max);
	return 0;
}

static int read_numbers(const json *resources, const char *where, struct cgroup_limits *l, teu_error **err)
{
	static const char *const objects[] = { "memory", "cpu", "pids", "blockIO", "network" };
	const json *ignored;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(objects); i++)
		r = json_read_object(resources, where, objects[i], &ignored, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(numbers); i++)
		r = read_number(resources, where, &numbers[i], l, err);
	/* As runc: systemd has no TasksMax=0, and a container has one process at least. */
	if (l->pids.set && l->pids.value == 0)
		l->pids.value = 1;
	/* -1 is docker's "not set" here. */
	if (l->swappiness.value < 0)
		l->swappiness.set = false;
	return r;
}

/* "0-3,5": what the kernel takes; it says no more than "Invalid argument" about anything else. */
static int read_list(const json *cpu, const char *place, const char *key, const char **ret, teu_error **err)
{
	int r = json_read_string(cpu, place, key, ret, err);

	if (r == 0 && *ret && !**ret)
		*ret = NULL;
	if (r == 0 && *ret && (*ret)[strspn(*ret, "0123456789,-:/")] != '\0')
		return json_field_error(err, place, key, "\"%s\" is no list such as 0-3,5", *ret);
	return r;
}

static int read_texts(const json *resources, const char *where, struct cgroup_limits *l, teu_error **err)
{
	const json *cpu = json_get(resources, "cpu"), *memory = json_get(resources, "memory");
	char place[PLACE_MAX];
	int r;

	snprintf(place, sizeof(place), "%s.memory", where);
	r = json_read_bool(memory, place, "disableOOMKiller", &l->oom_disabled, err);
	if (r == 0)
		r = json_read_bool(memory, place, "checkBeforeUpdate", &l->check_before, err);
	snprintf(place, sizeof(place), "%s.cpu", where);
	if (r == 0)
		r = read_list(cpu, place, "cpus", &l->cpus, err);
	if (r == 0)
		r = read_list(cpu, place, "mems", &l->mems, err);
	return r;
}

/* One entry of weightDevice or a throttle list. */
static int read_device(const json *object, const char *place, const char *value_key, struct cgroup_device_number *to,
		       teu_error **err)
{
	int r = json_read_int(object, place, "major", &to->major, err);

	if (r == 0)
		r = json_read_int(object, place, "minor", &to->minor, err);
	if (r == 0)
		r = json_read_int(object, place, value_key, &to->value, err);
	if (r < 0)
		return r;
	if (to->major < 0 || to->minor < 0 || to->major > UINT32_MAX || to->minor > UINT32_MAX)
		return json_field_error(err, place, to->major < 0 ? "major" : "minor", "is no device number");
	if (to->value < 0)
		return json_field_error(err, place, value_key, "%" PRId64 " is negative", to->value);
	return 0;
}

static int read_device_list(const json *block, const char *where, const char *key, const char *value_key, unsigned kind,
			    struct cgroup_device_number **list, size_t *n, teu_error **err)
{
	const json *array = NULL;
	char place[PLACE_MAX];
	unsigned i = 0;
	int r;

	snprintf(place, sizeof(place), "%s.blockIO", where);
	r = json_read_array(block, place, key, &array, err);
	if (r < 0 || json_count(array) == 0)
		return r;
	if (json_count(array) > MAX_DEVICES)
		return json_field_error(err, place, key, "more than %d devices", MAX_DEVICES);
	json_foreach (object, array) {
		struct cgroup_device_number *grown = reallocarray(*list, *n + 1, sizeof(*grown));

		if (!grown)
			return err_oom(err);
		*list = grown;
		grown[*n] = (struct cgroup_device_number){ .kind = kind };
		snprintf(place, sizeof(place), "%s.blockIO.%s[%u]", where, key, i++);
		r = read_device(object, place, value_key, &grown[*n], err);
		if (r < 0)
			return r;
		(*n)++;
	}
	return 0;
}

static int read_block(const json *resources, const char *where, struct cgroup_limits *l, teu_error **err)
{
	const json *block = json_get(resources, "blockIO");
	int r = read_device_list(block, where, "weightDevice", "weight", 0, &l->weights, &l->n_weights, err);

	for (unsigned kind = 0; r == 0 && kind < THROTTLE_N; kind++)
		r = read_device_list(block, where, cgroup_throttle_keys[kind], "rate", kind, &l->throttles,
				     &l->n_throttles, err);
	return r;
}

static int read_rest(const json *resources, const char *where, struct cgroup_limits *l, teu_error **err)
{
	char place[PLACE_MAX];
	int r = json_read_array(resources, where, "hugepageLimits", &l->hugetlb, err);

	if (r == 0)
		r = json_read_object(resources, where, "rdma", &l->rdma, err);
	if (r == 0)
		r = json_read_object(resources, where, "unified", &l->unified, err);
	snprintf(place, sizeof(place), "%s.network", where);
	if (r == 0)
		r = json_read_array(json_get(resources, "network"), place, "priorities", &l->net_priorities, err);
	return r;
}

int cgroup_limits_parse(const json *resources, const char *where, struct cgroup_limits *ret, teu_error **err)
{
	int r;

	if (!resources)
		return 0;
	if (!json_is_object(resources))
		return json_field_error(err, "", where, "expected an object");
	r = read_numbers(resources, where, ret, err);
	if (r == 0)
		r = read_texts(resources, where, ret, err);
	if (r == 0)
		r = read_block(resources, where, ret, err);
	if (r == 0)
		r = read_rest(resources, where, ret, err);
	if (r == 0)
		r = devices_parse(resources, where, &ret->devices, err);
	return r;
}

bool cgroup_unified_idle(const struct cgroup_limits *l)
{
	return strcmp(json_get_text(l->unified, "cpu.idle", ""), "1") == 0;
}

void cgroup_limits_done(struct cgroup_limits *l)
{
	free(l->weights);
	free(l->throttles);
	devices_done(&l->devices);
	*l = (struct cgroup_limits){ 0 };
}
