/*
 * check: can a plan be run without a look outside of it? The helper asks before it does anything, the library to say
 * what was wrong. One pass over the steps; texts are not read, as the last of them ends in two zeros: only those that
 * are counted, argv and env, are gone through.
 */
#include "init/plan.h"

#include <linux/sched.h>

enum who { MONITOR = 1, FIRST = 2, BOTH = MONITOR | FIRST };

/*
 * What stands in each of t1..t4. A list is a text, too, and so is what the step does not use, as t1 stands in errors;
 * bytes and what is counted: see has_operands().
 */
enum { MAYBE, TEXT, PLACE };

static const struct {
	uint8_t by; /* enum who */
	uint8_t texts[4];
} shapes[OP_COUNT] = {
	[OP_NETLINK] = { MONITOR, { MAYBE } },
	[OP_WRITE_ID_MAP] = { MONITOR, { TEXT, TEXT } },
	[OP_CALLER_MAPS] = { MONITOR, { MAYBE } },
	[OP_SETNS_PID] = { MONITOR, { TEXT } },
	[OP_TIME] = { BOTH, { TEXT } },
	[OP_RMDIR] = { MONITOR, { TEXT } },
	[OP_OVERLAY_MAPPED] = { MONITOR, { TEXT, TEXT, TEXT } },
	[OP_LISTENER] = { MONITOR, { TEXT, TEXT, TEXT, TEXT } },
	[OP_RELEASE_PORTS] = { MONITOR, { MAYBE } },
	[OP_KILL_CGROUP] = { MONITOR, { TEXT } },
	[OP_OPEN_START] = { FIRST, { TEXT } },
	[OP_WAIT_HOST] = { FIRST, { MAYBE } },
	[OP_HOST_HOOKS] = { FIRST, { MAYBE } },
	[OP_KEYRING] = { FIRST, { TEXT } },
	[OP_JOIN_CGROUP] = { BOTH, { TEXT } },
	[OP_SETNS] = { BOTH, { TEXT } },
	[OP_JOIN_PROCESS] = { BOTH, { MAYBE } },
	[OP_ENTER_ROOT] = { FIRST, { TEXT } },
	[OP_UNSHARE] = { FIRST, { MAYBE } },
	[OP_PROPAGATION] = { FIRST, { TEXT } },
	[OP_OVERLAY] = { FIRST, { TEXT, TEXT, TEXT, TEXT } },
	[OP_NAMESPACE_ROOT] = { FIRST, { MAYBE } },
	[OP_RECEIVE_ROOTFS] = { FIRST, { MAYBE, MAYBE, MAYBE, TEXT } },
	[OP_ROOTFS] = { FIRST, { TEXT } },
	[OP_MOUNT] = { FIRST, { TEXT, MAYBE, MAYBE, TEXT } },
	[OP_BIND_SOURCE] = { FIRST, { TEXT } },
	[OP_FETCH_SOURCE] = { FIRST, { TEXT } },
	[OP_BIND] = { FIRST, { TEXT, PLACE, MAYBE, TEXT } },
	[OP_CGROUP_MOUNT] = { FIRST, { TEXT, MAYBE, MAYBE, TEXT } },
	[OP_DEVICE] = { FIRST, { MAYBE, MAYBE, MAYBE, TEXT } },
	[OP_SYMLINK] = { FIRST, { TEXT, MAYBE, MAYBE, TEXT } },
	[OP_UNMOUNT] = { FIRST, { MAYBE, MAYBE, MAYBE, TEXT } },
	[OP_LATE_READONLY] = { FIRST, { MAYBE, MAYBE, MAYBE, TEXT } },
	[OP_MASK] = { FIRST, { MAYBE, MAYBE, MAYBE, TEXT } },
	[OP_READONLY] = { FIRST, { MAYBE, MAYBE, MAYBE, TEXT } },
	[OP_PIVOT] = { FIRST, { MAYBE } },
	[OP_ROOT_READONLY] = { FIRST, { MAYBE } },
	[OP_ROOT_PROPAGATION] = { FIRST, { MAYBE } },
	[OP_NETLINK_INSIDE] = { FIRST, { MAYBE } },
	[OP_HOSTNAME] = { FIRST, { TEXT } },
	[OP_DOMAINNAME] = { FIRST, { TEXT } },
	[OP_SYSCTL] = { FIRST, { TEXT, TEXT } },
	[OP_RLIMIT] = { FIRST, { MAYBE } },
	[OP_OOM_SCORE] = { BOTH, { TEXT } },
	[OP_SESSION] = { FIRST, { MAYBE } },
	[OP_CONSOLE] = { FIRST, { MAYBE } },
	[OP_SCHEDULER] = { FIRST, { MAYBE } },
	[OP_IO_PRIORITY] = { FIRST, { MAYBE } },
	[OP_MEMORY_POLICY] = { FIRST, { MAYBE } },
	[OP_PERSONALITY] = { FIRST, { MAYBE } },
	[OP_AFFINITY] = { BOTH, { MAYBE } },
	[OP_UMASK] = { FIRST, { MAYBE } },
	[OP_APPARMOR] = { FIRST, { TEXT } },
	[OP_SELINUX] = { FIRST, { TEXT } },
	[OP_USER] = { FIRST, { MAYBE } },
	[OP_USER_NAME] = { FIRST, { TEXT } },
	[OP_BOUNDING] = { FIRST, { MAYBE } },
	[OP_BECOME] = { FIRST, { MAYBE } },
	[OP_CAPS] = { FIRST, { MAYBE } },
	[OP_READY] = { FIRST, { MAYBE } },
	[OP_NO_NEW_PRIVS] = { FIRST, { MAYBE } },
	[OP_SECCOMP] = { FIRST, { MAYBE } },
	[OP_CWD] = { FIRST, { TEXT } },
	[OP_HOOK] = { FIRST, { TEXT, TEXT, TEXT, TEXT } },
	[OP_LOOKUP] = { FIRST, { TEXT, TEXT } },
	[OP_AWAIT_START] = { FIRST, { MAYBE } },
	[OP_INIT] = { FIRST, { MAYBE } },
	[OP_EXEC] = { FIRST, { TEXT, TEXT } },
	[OP_END] = { FIRST, { MAYBE } },
};

/* Where texts and bytes may be: between header and steps. */
struct area {
	const char *plan;
	uint32_t end;
};

static bool is_text(const struct area *a, plan_off at, uint8_t kind)
{
	return (at >= sizeof(struct plan_header) && at < a->end) || (kind == MAYBE && !at);
}

static bool is_bytes(const struct area *a, plan_off at, uint64_t n)
{
	return at >= sizeof(struct plan_header) && at % 8 == 0 && n <= a->end && at <= a->end - n;
}

/* @n texts one behind the other, of which some may be empty. */
static bool is_vector(const struct area *a, plan_off at, uint64_t n)
{
	if (n > a->end)
		return false;
	for (; n && at < a->end; at++)
		n -= !a->plan[at];
	return !n;
}

static bool is_batch(const struct area *a, const struct plan_step *s)
{
	return is_bytes(a, s->t1, s->n1) && (s->n3 >> 63 || (s->n1 >= 4 && s->n3 <= s->n1 - 4));
}

/* What is more than a text. */
static bool has_operands(const struct area *a, const struct plan_step *s)
{
	switch (s->op) {
	case OP_NETLINK:
	case OP_NETLINK_INSIDE:
		return is_batch(a, s);
	case OP_BIND_SOURCE:
		return s->n1 < PLAN_MAX_SOURCES;
	case OP_FETCH_SOURCE:
		return s->n1 < PLAN_MAX_SOURCES && !s->t2 == !s->t3;
	case OP_BIND:
		return s->t2 <= PLAN_MAX_SOURCES;
	case OP_SCHEDULER:
		return is_bytes(a, s->t1, 3 * sizeof(uint64_t));
	case OP_MEMORY_POLICY:
		return !s->t1 || (s->n2 <= PLAN_MAX_BITS + 1 && is_bytes(a, s->t1, PLAN_MAX_BITS / 8));
	case OP_AFFINITY:
		return !s->t1 || is_bytes(a, s->t1, PLAN_MAX_BITS / 8);
	case OP_USER:
		return s->n3 <= PLAN_MAX_GROUPS && is_bytes(a, s->t1, s->n3 * sizeof(uint32_t));
	case OP_SECCOMP: /* struct sock_filter */
		return s->n1 <= UINT16_MAX && is_bytes(a, s->t1, s->n1 * 8);
	case OP_HOOK:
		return s->n1 >= 2 && is_vector(a, s->t1, s->n1) && is_vector(a, s->t2, s->n2);
	case OP_LOOKUP:
		return is_vector(a, s->t2, s->n3);
	case OP_EXEC:
		return s->n2 >= 1 && is_vector(a, s->t1, s->n2) && is_vector(a, s->t2, s->n3);
	default:
		return true;
	}
}

static enum plan_fault check_step(const struct area *a, const struct plan_step *s, enum who by)
{
	const plan_off texts[] = { s->t1, s->t2, s->t3, s->t4 };

	if (s->op >= OP_COUNT || !(shapes[s->op].by & by))
		return PLAN_BAD_OP;
	if (!is_text(a, s->field, MAYBE))
		return PLAN_BAD_TEXT;
	for (int i = 0; i < 4; i++)
		if (shapes[s->op].texts[i] != PLACE && !is_text(a, texts[i], shapes[s->op].texts[i]))
			return PLAN_BAD_TEXT;
	return has_operands(a, s) ? PLAN_SOUND : PLAN_BAD_OPERANDS;
}

/* What the monitor of a container that outlives its caller reads of it. */
static enum plan_fault check_header(const struct area *a, const struct plan_header *h)
{
	bool kept = h->birth.flags & PLAN_RECORD || h->restart;
	bool jobs = h->birth.flags & PLAN_CLEANUP || h->restart;
	const struct {
		plan_off at;
		uint8_t kind;
	} texts[] = { { h->state_path, kept || jobs ? TEXT : MAYBE },
		      { h->exit_path, kept || jobs ? TEXT : MAYBE },
		      { h->socket_path, h->birth.flags & PLAN_RECORD ? TEXT : MAYBE },
		      { h->log_path, h->birth.flags & PLAN_LOG ? TEXT : MAYBE },
		      { h->stopped_path, h->restart ? TEXT : MAYBE },
		      { h->oom_path, MAYBE },
		      { h->library, jobs ? TEXT : MAYBE },
		      { h->state_root, jobs ? TEXT : MAYBE },
		      { h->run_root, jobs ? TEXT : MAYBE },
		      { h->id, jobs ? TEXT : MAYBE } };

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!is_text(a, texts[i].at, texts[i].kind))
			return PLAN_BAD_TEXT;
	return h->restart <= PLAN_RESTART_ALWAYS && plan_check_birth(&h->birth) ? PLAN_SOUND : PLAN_BAD_HEADER;
}

bool plan_check_birth(const struct plan_birth *birth)
{
	const uint32_t known = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
			       CLONE_NEWCGROUP | CLONE_NEWTIME;

	if (birth->clone_flags & ~known || birth->flags >> PLAN_KEEP_SHIFT > PLAN_MAX_KEPT)
		return false;
	/* The process between runs steps of the plan, so it is not made before that. */
	return (birth->flags & (PLAN_EARLY | PLAN_BETWEEN)) != (PLAN_EARLY | PLAN_BETWEEN);
}

/* Header, texts, and the four runs of steps one behind the other: nothing else is in a plan. */
static bool has_layout(const struct plan_header *h, const struct plan_steps *const runs[4], uint64_t size)
{
	uint64_t at = runs[0]->at;

	if (h->magic != PLAN_MAGIC || h->size != size || at % 8 || at < sizeof(*h) + 2 || at > size)
		return false;
	for (int i = 0; i < 4; i++) {
		if (runs[i]->at != at)
			return false;
		at += (uint64_t)runs[i]->count * sizeof(struct plan_step);
	}
	return at == size;
}

enum plan_fault plan_check(const struct plan_header *h, uint64_t size, const struct plan_step **ret_step)
{
	const struct plan_steps *const runs[] = { &h->before, &h->born, &h->first, &h->after };
	struct area a = { (const char *)h, 0 };
	enum plan_fault fault;

	*ret_step = 0;
	if (size < sizeof(*h) || !has_layout(h, runs, size))
		return PLAN_BAD_SIZE;
	a.end = h->before.at;
	if (a.plan[a.end - 1] || a.plan[a.end - 2])
		return PLAN_BAD_TEXT;
	fault = check_header(&a, h);
	for (int i = 0; i < 4; i++) {
		const struct plan_step *s = (const struct plan_step *)(a.plan + runs[i]->at);

		for (uint32_t k = 0; !fault && k < runs[i]->count; k++) {
			*ret_step = &s[k];
			fault = check_step(&a, &s[k], runs[i] == &h->first ? FIRST : MONITOR);
		}
	}
	return fault;
}
