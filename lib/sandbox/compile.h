/*
 * compile: a runtime-spec config becomes a launch plan. All parsing, checking and looking up happens here; nothing is
 * made or changed. Source: runtime-spec config.md and config-linux.md. Errors are TEU_E_INVALID with the field's place
 * as detail "field".
 */
#ifndef TEU_SANDBOX_COMPILE_H
#define TEU_SANDBOX_COMPILE_H

#include "kernel/cgroup.h"
#include "kernel/idmap.h"
#include "kernel/seccomp.h"
#include "network/endpoint.h"
#include "sandbox/plan.h"

/* What a launch is made of besides the spec. All borrowed. */
struct launch {
	const json *spec;
	const struct strv *layers; /* folders, lowest first, below an overlay at the spec's root.path; NULL: root.path
				      is the rootfs itself */
	const char *upper, *work;  /* the overlay's writable folders */
	bool volatile_upper;	   /* nobody will read it again: no sync */
	const struct cgroup_plan *cgroup;				    /* NULL: stays in the caller's */
	const struct nl_batch *host, *guest, *publish, *unpublish, *forget; /* NULL: none */
	const struct strv *share_tasks;	     /* files of resctrl that its processes enter by; NULL: none */
	size_t n_ports;			     /* reserved: the first of the descriptors that the monitor inherits */
	const struct seccomp_filter *filter; /* what linux.seccomp compiles to; NULL: it is compiled */
	int seccomp_cache_fd;		     /* -1: none */
	uint32_t flags;			     /* PLAN_… but PLAN_TTY, which the spec says */
	int rows, columns;		     /* of the terminal; 0: the spec's consoleSize, or none */
	const char *id, *state_root, *run_root, *library;
	const char *state_path, *exit_path, *socket_path, *log_path, *stopped_path;
	enum plan_restart restart;
	uint32_t restart_max, restart_count, restart_delay_ms;
	/* of an OCI runtime */
	const char *start_path;			 /* fifo that the command waits for; NULL: it runs at once */
	const char *mount_label;		 /* SELinux context of new filesystems; NULL: none */
	const char *keyring;			 /* name of a new session keyring; NULL: the caller's */
	const char *state_head, *state_tails[2]; /* the state document for hooks before and after the start, around the
						    pid; NULL: hooks don't run, a listener gets less */
	const char *join_root;			 /* of exec: "/proc/<pid>/root" of the container's first process */
	const char *state;			 /* of exec: the whole document of the container, for a listener */
	unsigned n_keep;			 /* descriptors for the command */
	bool no_pivot;				 /* MS_MOVE and chroot instead of pivot_root */
	const struct cgroup_plan *cgroup_seen;	 /* what a mount of type "cgroup" shows; NULL: @cgroup */
	bool cgroup_stays;			 /* when the process has ended */
	bool placed;				 /* the caller puts the process into the cgroup: PLAN_PLACED */
	enum idmap_rights rights;		 /* of the caller; 0: all */
	bool groups_denied; /* setgroups(2), where the process will live: in the caller's user namespace, or of exec the
			       container's */
};

/* Of a launch, before all else: what compile_launch() puts into the header as well. */
struct plan_birth compile_birth(const struct launch *launch);

int compile_launch(const struct launch *launch, struct plan *ret, teu_error **err);

/* A further process in a running container: @process as the spec's "process", @spec the container's own. */
struct plan_birth compile_exec_birth(const struct launch *launch, const json *process);
int compile_exec(const struct launch *launch, const json *process, struct plan *ret, teu_error **err);

/* A process that mounts @mounts in a running container, or takes them off, and ends. */
int compile_remount(const struct launch *launch, const json *mounts, bool remove, struct plan *ret, teu_error **err);

/* A command in namespaces without a rootfs. */
struct bare {
	uint64_t namespaces; /* CLONE_NEW… */
	const char *bound;   /* with CLONE_NEWNS: this folder is made a mount there; NULL: none */
	unsigned n_keep;     /* descriptors for the command */
	bool siblings;	     /* who it makes beside itself is waited for: PLAN_SIBLINGS */
	const char *hostname, *cwd;
	const struct strv *argv, *env;
};
int compile_bare(const struct bare *bare, struct plan *ret, teu_error **err);

enum { COMPILE_MAX_ID_RANGES = 340 }; /* user_namespaces(7) */

/* CLONE_NEW… of the namespaces that @spec makes new; those with a path not counted. */
uint64_t compile_namespaces(const json *spec);
/* Does the container have mounts of its own, or those of a namespace that it joins? Else it is in the caller's. */
bool compile_has_mounts(const json *spec);
bool compile_has_cgroups(const json *spec); /* and this: a cgroup namespace? */
/* v2: so much of @dir, the folder of its cgroup @cgroup_path, is what a mount of type "cgroup" shows. */
size_t compile_cgroup_shown(const json *spec, const char *dir, const char *cgroup_path);
/* Does the container have a user namespace, its own or one that it joins? */
bool compile_in_user_namespace(const json *spec);

/* May the caller's helper write the map linux.@key itself? An ordinary user's may map one id, his own @id. */
bool compile_maps_itself(const json *spec, const char *key, uint32_t id, enum idmap_rights rights);
/* The id maps of @list, which stands at @place, as uid_map takes them. */
int compile_id_ranges(const json *list, const char *place, struct strbuf *text, teu_error **err);
/* The helper's steps that write the maps of a new user namespace, or have the caller do it. @flags: CLONE_NEW…. */
int compile_id_maps(const struct launch *launch, uint64_t flags, struct plan *p, teu_error **err);

/*
 * mounts.c: the spec's mounts, devices, masks. compile_sources() comes before it in a user
 * namespace: what is bound is opened while the process still has the host's ids.
 */
int compile_sources(const json *spec, struct plan *p, teu_error **err);
int compile_mounts(const struct launch *launch, struct plan *p, teu_error **err);
/* For a container that runs: what of @mounts is opened on the host, what is mounted inside, what is taken off there. */
int compile_mount_sources(const json *mounts, struct plan *p, teu_error **err);
int compile_mount_changes(const json *mounts, struct plan *p, teu_error **err);
int compile_mount_removals(const json *mounts, struct plan *p, teu_error **err);
int compile_devices(const json *spec, struct plan *p, teu_error **err);
/* Makes read-only what had to be writable until all in it was made. */
int compile_late_mounts(const json *spec, struct plan *p, teu_error **err);
int compile_masks(const json *spec, struct plan *p, teu_error **err);

/*
 * Why nothing of @type may be mounted at @destination; NULL: it may, with these PLAN_MOUNT_… in *ret_flags for what
 * only the process inside can see.
 */
const char *mounts_refusal(const char *destination, const char *type, bool bind, uint32_t *ret_flags);
/* Is it an option that runtime-spec has, for filesystems of all types? Else it is the type's own. */
bool mounts_know_option(const char *name);
/* Is it one of those that change the filesystem, and not the mount of it? */
bool mounts_is_filesystems(const char *name);
/* Makes the relative sources of binds in @spec absolute: they are below @bundle. Destinations lose the rootfs that they
 * may begin with. */
int mounts_resolve(json *spec, const char *bundle, teu_error **err);

/* schedule.c: scheduler, I/O priority, memory policy, personality. */
int compile_schedule(const json *spec, const json *process, struct plan *p, teu_error **err);
/* The processors of execCPUAffinity.@key. */
int compile_affinity(const json *process, const char *key, enum plan_list list, struct plan *p, teu_error **err);
/* All that the cgroup allows, whatever the caller is bound to. */
void compile_all_cpus(struct plan *p);
/* An exec's, from when it is in the cgroup on; one that asks for nothing gets all. */
int compile_exec_affinity(const json *process, struct plan *p, teu_error **err);
bool schedule_memory_mode(const char *name);
bool schedule_memory_flag(const char *name);

/* net_devices.c: linux.netDevices as batches: on the host they move a link, inside they bring it up as it was. */
enum { MAX_NET_DEVICES = 64 };

struct net_devices {
	struct nl_batch host[MAX_NET_DEVICES], inside[MAX_NET_DEVICES]; /* owned */
	size_t n;
};
int net_devices_compile(const json *spec, struct net_devices *ret, teu_error **err);
void net_devices_done(struct net_devices *d);

/* listener.c: connects to who answers for linux.seccomp's SCMP_ACT_NOTIFY; nothing where nobody is asked. */
int compile_listener(const struct launch *launch, struct plan *p, teu_error **err);
/* Does the profile leave calls to a listener? */
bool listener_wanted(const json *spec);

/* process.c: "RLIMIT_CORE" -> its number; -1: no such limit. */
int process_rlimit(const char *name);
/* The OOM score, which goes to /proc: of an exec while that is the host's, as the container may have put anything on
 * its own. */
int compile_oom_score(const struct launch *launch, const json *process, enum plan_list list, struct plan *p,
		      teu_error **err);
/* Everything else from rlimits to exec. @place: "process" or where else it stands in a document. */
int compile_process(const struct launch *launch, const json *process, const char *place, struct plan *p,
		    teu_error **err);

/* The environment of @process as its command gets it, but for that HOME. */
int compile_environment(const json *process, const char *place, struct strv *ret, teu_error **err);
/* Has @process no HOME of its own? It gets that of its user then. */
bool compile_lacks_home(const json *process);

/* hooks.c: those that the first process runs itself, and its wait for the caller's: before its pivot, or after its
 * start. */
int compile_hooks(const struct launch *launch, bool started, struct plan *p, teu_error **err);

#endif
