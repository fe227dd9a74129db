/* sound: what holds for each plan that is compiled, whatever the config. */
#include "sound.h"

#include <string.h>

#include "base/cleanup.h"

static void must_be_text(const struct plan *plan, plan_off at)
{
	must(at < plan->bytes.len && memchr(plan->bytes.text + at, 0, plan->bytes.len - at));
}

static void must_be_steps(const struct plan *plan, const struct plan_steps *run)
{
	const struct plan_step *s = (const struct plan_step *)(plan->bytes.text + run->at);

	must(run->at % 8 == 0 && run->at + (uint64_t)run->count * sizeof(*s) <= plan->bytes.len);
	for (uint32_t i = 0; i < run->count; i++) {
		must(s[i].op > 0 && s[i].op < OP_COUNT);
		must_be_text(plan, s[i].field);
		must_be_text(plan, s[i].t4);
		if (s[i].op == OP_SECCOMP || s[i].op == OP_USER || s[i].op == OP_NETLINK)
			continue;
		must_be_text(plan, s[i].t1);
		must_be_text(plan, s[i].t3);
	}
}

void must_be_sound(const struct plan *plan)
{
	const struct plan_header *h = (const struct plan_header *)plan->bytes.text;
	_cleanup_json_ json *shown = plan_to_json(plan);

	must(shown && h->magic == PLAN_MAGIC && h->size == plan->bytes.len);
	must_be_steps(plan, &h->before);
	must_be_steps(plan, &h->born);
	must_be_steps(plan, &h->first);
	must_be_steps(plan, &h->after);
}
