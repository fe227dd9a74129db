/* cgroups: where a container's control group is. Source: runtime-spec config-linux.md "Cgroups Path". */
#ifndef TEU_RUNTIME_CGROUPS_H
#define TEU_RUNTIME_CGROUPS_H

#include "kernel/cgroup.h"
#include "runtime/runtime.h"

/* The path that linux.cgroupsPath of @spec means, "/<id>" without one; for free(). */
int cgroups_path(const teu_runtime *runtime, const json *spec, const char *id, char **ret, teu_error **err);
/* Kills what is left in it and removes it; a missing one is fine. */
int cgroups_remove(const char *path, teu_error **err);

#endif
