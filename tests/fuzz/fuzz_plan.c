/*
 * fuzz_plan: any bytes as a launch plan. Of what plan_check() lets pass, each step is run by the helper's own code, in
 * a kernel that does nothing; then the whole, as a launch runs it. Nothing may be read outside of the plan. The first
 * four bytes are the seed of what the kernel answers.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "configs.h"
#include "init/first.h"
#include "init/monitor.h"
#include "kernel.h"
#include "sound.h"

const size_t fuzz_rounds = 8000;

enum { SEED = 4, SYNC = 8, GO = 9 };

static struct first first;

static void first_begin(const struct plan_header *plan)
{
	memset(&first, 0, sizeof(first));
	first.plan = plan;
	first.sync = SYNC;
	first.go = GO;
	first.root = 15;
	first.null = first.empty = first.tty = -1;
	first.start = 16;
	first.stdio[0] = FD_STDIN;
	first.stdio[1] = FD_STDOUT;
	first.stdio[2] = FD_STDERR;
}

static void run_one_first(const struct plan_header *plan, const struct plan_step *s)
{
	must(first_steps[s->op] != NULL);
	if (setjmp(kernel_end) == 0)
		first_steps[s->op](&first, s);
	if (setjmp(kernel_end) == 0) {
		first.sync = -1;
		start_failed(&first, s, 5);
	}
	first.sync = SYNC;
	first.plan = plan;
}

static void run_one_monitor(const struct plan_header *plan, uint32_t at)
{
	const struct plan_steps one = { at, 1 };
	uint32_t step;

	/* What is let pass is known to who runs it. */
	if (setjmp(kernel_end) == 0)
		must(run_steps(plan, &one, 1000, SYNC, &step) != -38 /* ENOSYS */);
}

static void run_each(const struct plan_header *plan)
{
	const struct plan_steps *const runs[] = { &plan->before, &plan->born, &plan->after };
	const struct plan_step *s = (const struct plan_step *)((const char *)plan + plan->first.at);

	for (int i = 0; i < 3; i++)
		for (uint32_t k = 0; k < runs[i]->count; k++)
			run_one_monitor(plan, runs[i]->at + k * (uint32_t)sizeof(*s));
	first_begin(plan);
	for (uint32_t k = 0; k < plan->first.count; k++)
		run_one_first(plan, &s[k]);
}

/* From the birth of the first process, or in it, until it has executed its command or failed. */
static void run_whole(const struct plan_header *plan)
{
	struct plan_birth birth = plan->birth;
	struct child c;

	if (setjmp(kernel_end) == 0)
		spawn_child(&birth, &c);
	first_begin(plan);
	if (setjmp(kernel_end) == 0)
		first_run(&first);
}

/* What the monitor of a container that outlives its caller does with the header. */
static void run_records(const struct plan_header *plan)
{
	const struct child c = { .pid = 1000 };
	const struct outcome outcome = { 1, false };

	if (!(plan->birth.flags & PLAN_RECORD && plan->birth.flags & PLAN_CLEANUP))
		return;
	if (setjmp(kernel_end) == 0) {
		loop_listen(plan_text(plan, plan->socket_path));
		record_started(plan, &c);
		oom_seen(plan);
		run_last_steps(plan, 1000);
		record_exit(plan, &c, &outcome, plan->restart);
		remove_files(plan);
	}
	if (setjmp(kernel_end) == 0)
		loop_close();
}

/* A listener that was connected to points into the plan. */
static void forget_listener(const struct plan_header *plan)
{
	if (setjmp(kernel_end) == 0)
		while (listener_give(plan, 1000, 3) >= 0)
			;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct plan_step *step;
	_cleanup_free_ char *copy = NULL;
	uint32_t seed;

	if (len < SEED)
		return 0;
	/* Without a byte behind it. */
	copy = malloc(len - SEED ? len - SEED : 1);
	if (!copy)
		abort();
	memcpy(&seed, bytes, SEED);
	memcpy(copy, bytes + SEED, len - SEED);
	if (plan_check((const struct plan_header *)copy, len - SEED, &step) != PLAN_SOUND)
		return 0;
	kernel_begin(seed, (const struct plan_header *)copy, len - SEED);
	run_each((const struct plan_header *)copy);
	run_whole((const struct plan_header *)copy);
	run_records((const struct plan_header *)copy);
	forget_listener((const struct plan_header *)copy);
	kernel_done();
	return 0;
}

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	_cleanup_(plan_done) struct plan plan = { 0 };
	uint8_t *seed;

	if (!config_plan(n, &plan))
		return NULL;
	seed = malloc(SEED + plan.bytes.len);
	if (!seed)
		abort();
	memset(seed, (int)n, SEED);
	memcpy(seed + SEED, plan.bytes.text, plan.bytes.len);
	*ret_len = SEED + plan.bytes.len;
	return seed;
}
