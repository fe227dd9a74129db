/*
 * cgroup: one control group, whatever the hierarchy: v1 (a folder a controller), v2 (one folder), hybrid (v1
 * controllers are what counts). Limits come as runtime-spec linux.resources and are compiled to a list of operations
 * before anything is touched, so that the same list can be run or printed.
 */
#ifndef TEU_KERNEL_CGROUP_H
#define TEU_KERNEL_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <teu/cgroup.h>

#include "base/cleanup.h"
#include "format/json.h"

enum cgroup_op_kind {
	CGROUP_MKDIR = 1,   /* make folder @path (and missing parents); fine if it is there */
	CGROUP_WRITE = 2,   /* write @value into file @path */
	CGROUP_DEVICES = 3, /* v2: attach the eBPF program (@bytes) for device rules to folder @path */
};

struct cgroup_op {
	enum cgroup_op_kind kind;
	char *path;  /* absolute, owned */
	char *value; /* owned; NULL for MKDIR */
	char *field; /* place in the spec it comes from, "linux.resources.memory.limit", for errors; owned, may be NULL
		      */
	void *bytes; /* owned */
	size_t n_bytes;
	bool may_fail; /* nobody has asked for it */
};

struct cgroup_plan {
	struct cgroup_op *ops; /* owned */
	size_t n_ops;
	struct strv dirs; /* every folder of this cgroup, absolute (v1: one a controller in use; v2: one): a process
			   * joins by writing into <dir>/cgroup.procs of each; removing it is rmdir of each */
	char *unified;	  /* v1: the folder in the v2 hierarchy beside it, entered by cgroup.procs; NULL: none. Owned */
	char *oom_file;	  /* holds "oom_kill N": v1 memory.oom_control, v2 memory.events; NULL: no memory controller.
			     Owned */
	char *freeze_dir; /* folder whose freezer.state (v1) or cgroup.freeze (v2) freezes it; NULL: none. Owned */
	struct strv warnings; /* a line for each thing that is left out because the machine can't do it, where docker
			       * warns only (swap limit without swap accounting, weights of block I/O) */
	bool v2;
};

/*
 * Compiles @path ("/teu/<id>") and @resources (may be NULL) to operations; touches nothing. Controllers joined always:
 * memory, cpu, cpuacct, pids, devices, freezer; others only when @resources asks for them. @where: place of @resources
 * for errors. TEU_E_INVALID with detail "field"; TEU_E_UNSUPPORTED, the machine lacks a controller that is asked for.
 */
int cgroup_compile(const char *path, const json *resources, const char *where, struct cgroup_plan *ret,
		   teu_error **err);
/* The same, and joins all hierarchies that there are, with a controller or without. */
int cgroup_compile_whole(const char *path, const json *resources, const char *where, struct cgroup_plan *ret,
			 teu_error **err);
/*
 * The same for who does not own the machine's cgroups: no controller but those that @resources asks for is joined (v2)
 * or those whose folders may be written (v1), and device rules, which only root can set, are left out.
 */
int cgroup_compile_modest(const char *path, const json *resources, const char *where, struct cgroup_plan *ret,
			  teu_error **err);
/* May this process make @path, or is it there and its own, and move itself there? On v1 one controller is enough. */
bool cgroup_may_join(const char *path);
/* This process's own, for free(); NULL: unknown. On v1 that of the first controller that tells. */
char *cgroup_own_path(void);
/* On v2 the folder of the cgroup that @pid is in, for free(); NULL: unknown, or v1. */
char *cgroup_dir_of(pid_t pid);
/* The folders of this process's own cgroup, as a plan's dirs; none of them may be written to. */
int cgroup_own_dirs(struct cgroup_plan *ret, teu_error **err);
/*
 * The same for a group that is there: limits that depend on others (swap on v2) look at those in force.
 * @plan->dirs are the folders of this change only.
 */
int cgroup_compile_update(const char *path, const json *resources, const char *where, struct cgroup_plan *ret,
			  teu_error **err);
/* Whether nobody is in the group, if it is there, nor is it frozen: a new container must not share it. TEU_E_CONFLICT.
 */
int cgroup_check_unused(const struct cgroup_plan *plan, teu_error **err);
int cgroup_run(const struct cgroup_plan *plan, teu_error **err); /* on error the folders it made are gone again */
void cgroup_plan_done(struct cgroup_plan *plan);
/* The operations as JSON for people: [{"op": "write", "path": …, "value": …}]. NULL: no memory. */
json *cgroup_plan_json(const struct cgroup_plan *plan);

/*
 * @resources as properties of the systemd unit whose cgroup is @path, "Name=value" each, as systemd_start() takes them.
 * @update: it is there.
 */
int cgroup_unit_properties(const char *path, const json *resources, const char *where, bool update, struct strv *ret,
			   teu_error **err);

/* Rounds what a unit's property can't hold, so that manager and files agree. */
int cgroup_unit_fit(const char *path, json *resources, const char *where, bool update, teu_error **err);

/* v2: the controllers that the manager knows nothing of (hugetlb, rdma, misc) reach the unit too, where that is
 * allowed. */
void cgroup_unit_delegate(const char *path);

/* Makes @path below every controller that there is, without limits, or finds it there. */
int cgroup_make(const char *path, teu_cgroup **ret, teu_error **err);
/* The cgroup at @path as it is in the kernel now. TEU_E_NOT_FOUND. */
int cgroup_find(const char *path, teu_cgroup **ret, teu_error **err);
teu_cgroup *cgroup_ref(teu_cgroup *cgroup);
void cgroup_unref(teu_cgroup *cgroup); /* the cgroup itself stays in the kernel */
DEFINE_CLEANUP(teu_cgroup *, cgroup_unref)
/* Changes the limits that @resources names; @ret_warnings (may be NULL) gets those of the plan. */
int cgroup_set(teu_cgroup *cgroup, const json *resources, const char *where, struct strv *ret_warnings,
	       teu_error **err);
int cgroup_add(const teu_cgroup *cgroup, pid_t pid, teu_error **err);	       /* moves a process into it */
int cgroup_read_limits(const teu_cgroup *cgroup, json **ret, teu_error **err); /* as linux.resources */
int cgroup_read_stats(const teu_cgroup *cgroup, json **ret, teu_error **err);
/* The lines of memory.stat, name: number. */
int cgroup_read_memory(const teu_cgroup *cgroup, json **ret, teu_error **err);
/* In the words of runc's "stats", where the kernel tells it: "usage" of single CPUs, "cpuset", "memory" {swap, kernel,
 * kernelTCP}, "blkio" of single devices. */
int cgroup_read_detail(const teu_cgroup *cgroup, json **ret, teu_error **err);
/* *@ret_fd gets readable when the group runs out of memory, and at other times; *@ret_seen is cgroup_oom_read()'s. */
int cgroup_oom_watch(const teu_cgroup *cgroup, int *ret_fd, uint64_t *ret_seen, teu_error **err);
/* How often that was since the last call; reads @fd empty. */
uint64_t cgroup_oom_read(const teu_cgroup *cgroup, int fd, uint64_t *seen);
int cgroup_read_pids(const teu_cgroup *cgroup, pid_t **ret, size_t *ret_n,
		     teu_error **err);					       /* of all its processes, for free() */
int cgroup_set_frozen(const teu_cgroup *cgroup, bool frozen, teu_error **err); /* returns when it is so; at most 10 s */
int cgroup_kill_all(const teu_cgroup *cgroup, teu_error **err);
int cgroup_rmdir(const teu_cgroup *cgroup, teu_error **err); /* waits shortly for dying processes; missing is fine */
bool cgroup_is_v2(void);				     /* the machine's limits are v2 ones */

#endif
