/* cgroups: where a container's control group is. Source: runtime-spec config-linux.md "Cgroups Path". */
#ifndef TEU_RUNTIME_CGROUPS_H
#define TEU_RUNTIME_CGROUPS_H

#include "kernel/cgroup.h"
#include "runtime/runtime.h"

/*
 * The group that linux.cgroupsPath and linux.resources of @spec mean. *@ret_path: "/<id>" without a path, below the
 * caller's own with --rootless; NULL: the container stays in the caller's, as none may be made and nothing asks for
 * one. For free().
 */
int cgroups_compile(const teu_runtime *runtime, const json *spec, const char *id, char **ret_path,
		    struct cgroup_plan *ret, teu_error **err);
/* That of a container that is there, to join it. *@ret has no folders where that isn't allowed to an ordinary user. */
int cgroups_reopen(const teu_runtime *runtime, const char *path, const json *spec, struct cgroup_plan *ret,
		   teu_error **err);
/* Kills what is left in it and removes it; a missing one is fine. */
int cgroups_remove(const char *path, teu_error **err);

#endif
