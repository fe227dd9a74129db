/*
 * schedule: the kernel's ways to share processors, disks and memory nodes out, and the personality, as steps. Source:
 * runtime-spec config.md "Linux Process" (scheduler, ioPriority, execCPUAffinity), config-linux.md "Personality",
 * "Memory policy"; sched_setattr(2), ioprio_set(2), set_mempolicy(2).
 */
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <string.h>

#include "base/parse.h"
#include "sandbox/compile.h"

enum { IO_CLASS_SHIFT = 13, PERSONALITY_LINUX32 = 8 };

struct word {
	const char *name;
	uint64_t value;
};

static const struct word policies[] = {
	{ "SCHED_OTHER", SCHED_NORMAL },      { "SCHED_FIFO", SCHED_FIFO }, { "SCHED_RR", SCHED_RR },
	{ "SCHED_BATCH", SCHED_BATCH },	      { "SCHED_ISO", 4 },	    { "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
};

static const struct word scheduler_flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
};

static const struct word io_classes[] = {
	{ "IOPRIO_CLASS_RT", 1 },
	{ "IOPRIO_CLASS_BE", 2 },
	{ "IOPRIO_CLASS_IDLE", 3 },
};

static const struct word memory_modes[] = {
	{ "MPOL_DEFAULT", MPOL_DEFAULT },  { "MPOL_PREFERRED", MPOL_PREFERRED },
	{ "MPOL_BIND", MPOL_BIND },	   { "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
	{ "MPOL_LOCAL", MPOL_LOCAL },	   { "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
	{ "MPOL_WEIGHTED_INTERLEAVE", 6 },
};

static const struct word memory_flags[] = {
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_NUMA_BALANCING", 1 << 13 },
};

static const struct word domains[] = { { "LINUX", 0 }, { "LINUX32", PERSONALITY_LINUX32 } };

static bool find_word(const struct word *table, size_t n, const char *name, uint64_t *ret)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0) {
			*ret = table[i].value;
			return true;
		}
	return false;
}

#define FIND_WORD(table, name, ret) find_word(table, ARRAY_SIZE(table), name, ret)

bool schedule_memory_mode(const char *name)
{
	uint64_t value;

	return FIND_WORD(memory_modes, name, &value);
}

bool schedule_memory_flag(const char *name)
{
	uint64_t value;

	return FIND_WORD(memory_flags, name, &value);
}

static int read_word(const json *object, const char *where, const char *key, const struct word *table, size_t n,
		     uint64_t *ret, teu_error **err)
{
	const char *name = NULL;
	int r = json_read_string(object, where, key, &name, err);

	if (r < 0)
		return r;
	if (!name)
		return json_field_error(err, where, key, "is missing");
	return find_word(table, n, name, ret) ? 0 : json_field_error(err, where, key, "unknown value \"%s\"", name);
}

static int read_flags(const json *object, const char *where, const struct word *table, size_t n, uint64_t *ret,
		      teu_error **err)
{
	_cleanup_(strv_done) struct strv names = STRV_INIT;
	uint64_t flag;
	int r = json_read_strings(object, where, "flags", &names, err);

	if (r < 0)
		return r;
	strv_foreach (name, &names) {
		if (!find_word(table, n, *name, &flag))
			return json_field_error(err, where, "flags", "unknown flag %s", *name);
		*ret |= flag;
	}
	return 0;
}

static int add_scheduler(const json *process, struct plan *p, teu_error **err)
{
	static const char *const where = "process.scheduler", *const keys[] = { "runtime", "deadline", "period" };
	const json *s = NULL;
	uint64_t policy = 0, flags = 0, times[3] = { 0 };
	int64_t nice = 0, priority = 0;
	struct plan_step *step;
	plan_off at;
	int r = json_read_object(process, "process", "scheduler", &s, err);

	if (r < 0 || !s)
		return r;
	r = read_word(s, where, "policy", policies, ARRAY_SIZE(policies), &policy, err);
	if (r == 0)
		r = read_flags(s, where, scheduler_flags, ARRAY_SIZE(scheduler_flags), &flags, err);
	if (r == 0)
		r = json_read_int(s, where, "nice", &nice, err);
	if (r == 0)
		r = json_read_int(s, where, "priority", &priority, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++)
		r = json_read_uint(s, where, keys[i], &times[i], err);
	if (r < 0)
		return r;
	at = plan_bytes_add(p, times, sizeof(times));
	step = plan_step(p, PLAN_FIRST, OP_SCHEDULER, where);
	step->t1 = at;
	step->n1 = policy;
	step->n2 = flags;
	step->n3 = (uint32_t)nice;
	step->n4 = (uint32_t)priority;
	return 0;
}

static int add_io_priority(const json *process, struct plan *p, teu_error **err)
{
	static const char where[] = "process.ioPriority";
	const json *io = NULL;
	uint64_t class = 0;
	int64_t priority = 0;
	int r = json_read_object(process, "process", "ioPriority", &io, err);

	if (r < 0 || !io)
		return r;
	r = read_word(io, where, "class", io_classes, ARRAY_SIZE(io_classes), &class, err);
	if (r == 0)
		r = json_read_int(io, where, "priority", &priority, err);
	if (r < 0)
		return r;
	if (priority < 0 || priority > 7)
		return json_field_error(err, where, "priority", "expected 0 to 7");
	plan_step(p, PLAN_FIRST, OP_IO_PRIORITY, where)->n1 = class << IO_CLASS_SHIFT | (uint64_t)priority;
	return 0;
}

static int add_memory_policy(const json *spec, struct plan *p, teu_error **err)
{
	static const char where[] = "linux.memoryPolicy";
	uint64_t mode = 0, flags = 0, nodes[PLAN_MAX_BITS / 64] = { 0 };
	const char *list = "";
	const json *policy = NULL;
	struct plan_step *step;
	plan_off at = 0;
	int r = json_read_object(json_get(spec, "linux"), "linux", "memoryPolicy", &policy, err);

	if (r < 0 || !policy)
		return r;
	r = read_word(policy, where, "mode", memory_modes, ARRAY_SIZE(memory_modes), &mode, err);
	if (r == 0)
		r = read_flags(policy, where, memory_flags, ARRAY_SIZE(memory_flags), &flags, err);
	if (r == 0)
		r = json_read_string(policy, where, "nodes", &list, err);
	if (r < 0)
		return r;
	if (!parse_bits(list, nodes, PLAN_MAX_BITS))
		return json_field_error(err, where, "nodes", "invalid memory policy node in \"%s\"", list);
	if (*list)
		at = plan_bytes_add(p, nodes, sizeof(nodes));
	step = plan_step(p, PLAN_FIRST, OP_MEMORY_POLICY, where);
	step->t1 = at;
	step->n1 = mode | flags;
	step->n2 = at ? PLAN_MAX_BITS + 1 : 0; /* the kernel counts one bit less than it is told */
	return 0;
}

static int add_personality(const json *spec, struct plan *p, teu_error **err)
{
	static const char where[] = "linux.personality";
	const json *personality = NULL;
	uint64_t domain = 0;
	int r = json_read_object(json_get(spec, "linux"), "linux", "personality", &personality, err);

	if (r < 0 || !personality)
		return r;
	r = read_word(personality, where, "domain", domains, ARRAY_SIZE(domains), &domain, err);
	if (r == 0)
		plan_step(p, PLAN_FIRST, OP_PERSONALITY, where)->n1 = domain;
	return r;
}

int compile_schedule(const json *spec, const json *process, struct plan *p, teu_error **err)
{
	int r = add_scheduler(process, p, err);

	if (r == 0)
		r = add_io_priority(process, p, err);
	if (r == 0)
		r = add_memory_policy(spec, p, err);
	return r < 0 ? r : add_personality(spec, p, err);
}

int compile_affinity(const json *process, const char *key, enum plan_list list, struct plan *p, teu_error **err)
{
	static const char where[] = "process.execCPUAffinity";
	uint64_t cpus[PLAN_MAX_BITS / 64] = { 0 };
	const char *text = "";
	plan_off at;
	int r = json_read_string(json_get(process, "execCPUAffinity"), where, key, &text, err);

	if (r < 0 || !*text)
		return r;
	if (!parse_bits(text, cpus, PLAN_MAX_BITS))
		return json_field_error(err, where, key, "\"%s\" is no list such as 0-3,5", text);
	at = plan_bytes_add(p, cpus, sizeof(cpus));
	plan_step(p, list, OP_AFFINITY, where)->t1 = at;
	return 0;
}

void compile_all_cpus(struct plan *p)
{
	plan_step(p, PLAN_FIRST, OP_AFFINITY, NULL);
}

int compile_exec_affinity(const json *process, struct plan *p, teu_error **err)
{
	const json *affinity = json_get(process, "execCPUAffinity");

	if (!*json_get_text(affinity, "initial", "") && !*json_get_text(affinity, "final", "")) {
		compile_all_cpus(p);
		return 0;
	}
	return compile_affinity(process, "final", PLAN_FIRST, p, err);
}
