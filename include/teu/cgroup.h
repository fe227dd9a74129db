/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup: one control group, whatever the hierarchy of the machine (v1, v2 or hybrid); for programs that want only that. */
#ifndef TEU_CGROUP_H
#define TEU_CGROUP_H

#include <teu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct teu_cgroup teu_cgroup;

/**
 * Makes the cgroup @path ("/jobs/17") in every hierarchy that there is, or finds it there.
 * Returns 0; TEU_E_INVALID, not an absolute path, or ".." in it; TEU_E_PERMISSION; TEU_E_UNSUPPORTED, no cgroup filesystem. Since: 0.1.
 */
TEU_API int teu_cgroup_open(const char *path, teu_cgroup **ret_cgroup, teu_error **err);

/**
 * Sets limits. @resources_json: the runtime-spec's linux.resources object: {"memory": {"limit": 67108864}, "cpu": {"quota": 50000, "period":
 * 100000}, "pids": {"limit": 64}}. Returns 0; TEU_E_INVALID, detail "field"; TEU_E_UNSUPPORTED, the machine lacks the controller. Since: 0.1.
 */
TEU_API int teu_cgroup_set(teu_cgroup *cgroup, const char *resources_json, teu_error **err);

/** The limits in force, read back from the kernel, in the same shape; for teu_free(). Since: 0.1. */
TEU_API int teu_cgroup_get(teu_cgroup *cgroup, char **ret_resources_json, teu_error **err);

/** Moves a process into it. Since: 0.1. */
TEU_API int teu_cgroup_add(teu_cgroup *cgroup, int32_t pid, teu_error **err);

/** Use so far: {"cpu": {"usage_ns", "user_ns", "system_ns", "periods", "throttled_periods", "throttled_ns"}, "memory": {"current", "peak", "with_swap",
 * "limit_hits", "oom_kills"}, "pids": {"current"}, "io": {"read_bytes", "write_bytes"}, "hugetlb": {"2MB": {"usage", "max", "failcnt"}}}; for teu_free(). Since: 0.1. */
TEU_API int teu_cgroup_stats(teu_cgroup *cgroup, char **ret_json, teu_error **err);

/** Freezes (1) or thaws (0) all of its processes; returns when they are. Since: 0.1. */
TEU_API int teu_cgroup_freeze(teu_cgroup *cgroup, int frozen, teu_error **err);

/** Kills all of its processes, also those that are forking, and waits until none is left. Since: 0.1. */
TEU_API int teu_cgroup_kill(teu_cgroup *cgroup, teu_error **err);

/** Removes it from the kernel. TEU_E_CONFLICT: processes are in it. Since: 0.1. */
TEU_API int teu_cgroup_remove(teu_cgroup *cgroup, teu_error **err);

TEU_API teu_cgroup *teu_cgroup_ref(teu_cgroup *cgroup);
/** Gives a reference back; the cgroup itself stays in the kernel. */
TEU_API void teu_cgroup_unref(teu_cgroup *cgroup);

#ifdef __cplusplus
}
#endif

#endif
