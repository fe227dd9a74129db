/*
 * trace: what a launch is about to do, as records at debug level. They begin in runc's words: those who read its
 * records look for them.
 */
#ifndef TEU_RUNTIME_TRACE_H
#define TEU_RUNTIME_TRACE_H

#include "runtime/runtime.h"
#include "sandbox/plan.h"

/* Before the helper is born; @plan: of an exec, whose helper may be bound to processors before it clones. */
void trace_helper(const teu_runtime *runtime, const char *work, const struct plan *plan);
/* Before the first process gets its plan. */
void trace_plan(const teu_runtime *runtime, const struct plan *plan);
/* It has done its steps. */
void trace_ready(const teu_runtime *runtime, int32_t pid);

#endif
