#include "runtime/trace.h"

#include <inttypes.h>
#include <sched.h>
#include <string.h>

static const struct plan_step *find_step(const struct plan *p, enum plan_list list, enum plan_op op)
{
	for (size_t i = 0; p && i < p->n_steps[list]; i++)
		if (p->steps[list][i].op == op)
			return &p->steps[list][i];
	return NULL;
}

/* Of the first 64 processors; without a step of its own the helper has its caller's. */
static uint64_t helper_cpus(const struct plan *p)
{
	const struct plan_step *s = find_step(p, PLAN_BEFORE, OP_AFFINITY);
	uint64_t mask = 0;
	cpu_set_t own;

	if (s) {
		memcpy(&mask, p->bytes.text + s->t1, sizeof(mask));
	} else if (sched_getaffinity(0, sizeof(own), &own) == 0) {
		memcpy(&mask, &own, sizeof(mask));
	}
	return mask;
}

void trace_helper(const teu_runtime *rt, const char *work, const struct plan *p)
{
	runtime_log(rt, TEU_LOG_DEBUG, "nsexec container setup: the helper %s", work);
	runtime_log(rt, TEU_LOG_DEBUG, "nsexec: affinity: 0x%" PRIx64, helper_cpus(p));
}

void trace_plan(const teu_runtime *rt, const struct plan *p)
{
	const struct plan_step *filter = find_step(p, PLAN_FIRST, OP_SECCOMP);

	runtime_log(rt, TEU_LOG_DEBUG, "child process in init(): it has %zu steps", p->n_steps[PLAN_FIRST]);
	if (filter)
		runtime_log(rt, TEU_LOG_DEBUG, "seccomp filter flags: %" PRIu64, filter->n2);
	if (find_step(p, PLAN_FIRST, OP_JOIN_PROCESS))
		runtime_log(rt, TEU_LOG_DEBUG, "setns_init: about to exec %s at the end of them",
			    p->bytes.text + find_step(p, PLAN_FIRST, OP_EXEC)->t1);
}

void trace_ready(const teu_runtime *rt, int32_t pid)
{
	runtime_log(rt, TEU_LOG_DEBUG, "init: closing the pipe to signal completion: process %d is ready", pid);
}
