/* sound: what holds for each plan that is compiled, whatever the config. */
#ifndef TEU_TESTS_FUZZ_SOUND_H
#define TEU_TESTS_FUZZ_SOUND_H

#include "sandbox/plan.h"

/* The helper would run it, and what is shown of it is JSON. */
void must_be_sound(const struct plan *plan);

static inline void must(bool truth)
{
	if (!truth)
		__builtin_trap();
}

#endif
