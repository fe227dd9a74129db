/* schedule: the steps of sandbox/schedule.c. Source: sched_setattr(2), ioprio_set(2), set_mempolicy(2), personality(2).
 */
#include "init/first.h"
#include "init/monitor.h"

#include <linux/sched/types.h>

enum { IO_WHO_PROCESS = 1, ALL_BYTES = 1024 };

long step_scheduler(struct first *f, const struct plan_step *s)
{
	const uint64_t *times = (const uint64_t *)plan_text(f->plan, s->t1);
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = (uint32_t)s->n1,
		.sched_flags = s->n2,
		.sched_nice = (int32_t)s->n3,
		.sched_priority = (uint32_t)s->n4,
		.sched_runtime = times[0],
		.sched_deadline = times[1],
		.sched_period = times[2],
	};

	return SYS(sched_setattr, 0, &attr, 0);
}

long step_io_priority(struct first *f, const struct plan_step *s)
{
	(void)f;
	return SYS(ioprio_set, IO_WHO_PROCESS, 0, s->n1);
}

long step_memory_policy(struct first *f, const struct plan_step *s)
{
	return SYS(set_mempolicy, s->n1, s->t1 ? plan_text(f->plan, s->t1) : NULL, s->n2);
}

long step_personality(struct first *f, const struct plan_step *s)
{
	long r = SYS(personality, s->n1);

	(void)f;
	return r < 0 ? r : 0;
}

/* The kernel takes off what there is not and what the cpuset forbids. Without the right to do it the caller's stay. */
static void allow_all(void)
{
	unsigned char all[ALL_BYTES];

	memset(all, 0xff, sizeof(all));
	SYS(sched_setaffinity, 0, sizeof(all), all);
}

long set_affinity(const struct plan_header *plan, const struct plan_step *s)
{
	long r;

	if (!s->t1) {
		allow_all();
		return 0;
	}
	r = SYS(sched_setaffinity, 0, PLAN_MAX_BITS / 8, plan_text(plan, s->t1));
	return r < 0 ? r : 0;
}

long step_affinity(struct first *f, const struct plan_step *s)
{
	return set_affinity(f->plan, s);
}
