/* hooks: those that run on the host. Source: runtime-spec config.md "POSIX-platform Hooks". */
#ifndef TEU_RUNTIME_HOOKS_H
#define TEU_RUNTIME_HOOKS_H

#include "runtime/record.h"

/* Runs all of @phase ("poststop") in their order, the state document on their input; ends with the first that fails. */
int hooks_run(const json *spec, const char *phase, const struct record *record, const char *status, pid_t pid,
	      teu_error **err);
/* Runs all of them; one that fails is only told to the log. */
void hooks_try(teu_runtime *runtime, const json *spec, const char *phase, const struct record *record,
	       const char *status, pid_t pid);
/* Has @spec one of @phase? */
bool hooks_any(const json *spec, const char *phase);

#endif
