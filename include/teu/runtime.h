/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * runtime: containers from OCI bundles, as runc runs them: for engines that bring a root filesystem and a config.json of
 * their own. Nothing of an image store or a network is involved, and no process of ours stays with a container that was
 * created. Source: runtime-spec, "Runtime and Lifecycle". The program teu-oci is a thin layer over this header.
 */
#ifndef TEU_RUNTIME_H
#define TEU_RUNTIME_H

#include <teu/engine.h>
#include <teu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A folder that holds the state of containers. Serves any thread and process at a time.
 *
 * Each call on it may also answer TEU_E_INVALID, an @id that can't be one, or NULL where something is needed; TEU_E_FORKED; TEU_E_CORRUPT, a record
 * can't be read; TEU_E_NO_MEMORY; TEU_E_SYSTEM. What is given is copied, and descriptors stay the caller's. Calls that change a container wait for each other.
 */
typedef struct teu_runtime teu_runtime;

/* Who makes a container's cgroup. */
enum teu_cgroup_manager {
	TEU_CGROUP_MANAGER_CGROUPFS = 0, /* this library: linux.cgroupsPath is a path below each hierarchy's root */
	/*
	 * systemd, over D-Bus: linux.cgroupsPath is "slice:prefix:name", for the transient unit prefix-name.scope in that slice,
	 * or for the slice that the name is. No slice: system.slice, or for others than root user.slice of their own manager. Limits
	 * are the unit's properties too; annotations org.systemd.property.NAME, a GVariant text each, are further ones.
	 */
	TEU_CGROUP_MANAGER_SYSTEMD = 1,
	TEU_CGROUP_MANAGER_DISABLED = 2, /* nobody: it stays in the caller's, and linux.resources has no effect */
};

typedef struct teu_runtime_options {
	size_t size;	   /* set by teu_runtime_options_init() */
	const char *root;  /* NULL: /run/teu-oci; for another user than root, and root of a user namespace whose $USER is not
			      "root": $XDG_RUNTIME_DIR/teu-oci */
	int cgroup_manager; /* enum teu_cgroup_manager, of containers made from now on: one that is there knows its own */
	teu_log_cb log;	   /* NULL: none */
	void *log_data;
	int rootless; /* a container whose config asks for no limits and no cgroupsPath may do without a cgroup where none may be
			 made. 0: unless the caller is the machine's root; 1: yes; 2: no */
} teu_runtime_options;

/** Fills @opts with the defaults; @size: sizeof(*opts), which the macro of this name puts in. Since: 0.1. */
TEU_API void teu_runtime_options_init(teu_runtime_options *opts, size_t size);

/**
 * Opens the folder, and makes it first if it is missing. @opts: NULL for the defaults. Returns 0; TEU_E_PERMISSION, also of a folder that is
 * another user's; TEU_E_SYSTEM. Since: 0.1.
 */
TEU_API int teu_runtime_open(const teu_runtime_options *opts, teu_runtime **ret_runtime, teu_error **err);

/** Takes another reference. NULL is fine. Since: 0.1. */
TEU_API teu_runtime *teu_runtime_ref(teu_runtime *runtime);
/** Gives a reference back; containers go on. Does not block. NULL is fine. Since: 0.1. */
TEU_API void teu_runtime_unref(teu_runtime *runtime);

typedef struct teu_runtime_create_options {
	size_t size;		    /* set by teu_runtime_create_options_init() */
	const char *bundle;	    /* folder with config.json; NULL: the working folder */
	const char *config;	    /* another file than the bundle's config.json; NULL: that */
	const char *pid_file;	    /* gets the pid of the container's process; NULL: none */
	const char *console_socket; /* unix socket that gets the terminal of a config with process.terminal; NULL: none */
	int console_fd;		    /* the same as a connected socket, borrowed; -1: none */
	const char *pidfd_socket;   /* unix socket that gets a pidfd of the process; NULL: none */
	int stdin_fd, stdout_fd, stderr_fd; /* borrowed; -1: /dev/null. The container keeps them */
	int preserve_fds;	    /* so many of the caller's descriptors from 3 on become the command's */
	int listen_fds;		    /* so many of them are for socket activation: LISTEN_FDS and LISTEN_PID are set */
	int no_pivot;		    /* 1: the root is moved instead of pivoted to, for an initramfs */
	int no_new_keyring;	    /* 1: the session keyring stays the caller's */
	const char *notify_socket;  /* a service manager's, NULL: none; start and run then return when the container has said READY=1 */
} teu_runtime_create_options;

/** Fills @opts with the defaults; @size: sizeof(*opts), which the macro of this name puts in. Since: 0.1. */
TEU_API void teu_runtime_create_options_init(teu_runtime_create_options *opts, size_t size);

/**
 * Makes the container @id of a bundle: all but the execution of its command. Its process is then a child of the nearest
 * ancestor that is a child subreaper, else of process 1. Blocks until that waits to be started; hooks run meanwhile, on the host with the caller's
 * environment where they have no "env".
 *
 * @id: letters, digits, _, +, - and . behind the first; at most 255
 * @ret_pid: of the process, may be NULL
 *
 * Returns 0; TEU_E_INVALID, the id or the config (detail "field"); TEU_E_CONFLICT, the id is taken; TEU_E_NOT_FOUND, there is no bundle;
 * TEU_E_NO_COMMAND; TEU_E_NOT_EXECUTABLE; TEU_E_LAUNCH, detail "step"; TEU_E_UNSUPPORTED; TEU_E_PERMISSION. Nothing is left of a container whose
 * create failed. Source: runtime-spec, "Create". Since: 0.1.
 */
TEU_API int teu_runtime_create(teu_runtime *runtime, const char *id, const teu_runtime_create_options *opts,
			       int32_t *ret_pid, teu_error **err);

/**
 * Executes the command of a created container. Blocks until that and its hooks (startContainer, poststart) are done. TEU_E_NOT_FOUND; TEU_E_CONFLICT, it is
 * not "created"; TEU_E_LAUNCH, detail "step": the container has ended then. Source: runtime-spec, "Start". Since: 0.1.
 */
TEU_API int teu_runtime_start(teu_runtime *runtime, const char *id, teu_error **err);

/**
 * Creates and starts at once. @ret_waitfd: NULL, or receives what teu_namespace_wait() takes: a process of ours stays then until the
 * command has ended. Errors as of both calls. Since: 0.1.
 */
TEU_API int teu_runtime_run(teu_runtime *runtime, const char *id, const teu_runtime_create_options *opts,
			    int32_t *ret_pid, int *ret_waitfd, teu_error **err);

/** The state document with runc's additions rootfs, created, owner; for teu_free(). TEU_E_NOT_FOUND. Source: runtime-spec, "State". Since: 0.1. */
TEU_API int teu_runtime_state(teu_runtime *runtime, const char *id, char **ret_json, teu_error **err);

/** All containers: an array of their states, sorted by id; for teu_free(). Since: 0.1. */
TEU_API int teu_runtime_list(teu_runtime *runtime, char **ret_json, teu_error **err);

/**
 * Sends a signal, "SIGTERM", "TERM" or "15", to the container's process, or with @all to all of its processes. A paused one that is killed is resumed for it.
 * TEU_E_NOT_FOUND; TEU_E_INVALID, no such signal; TEU_E_CONFLICT, it does not run. Source: runtime-spec, "Kill". Since: 0.1.
 */
TEU_API int teu_runtime_kill(teu_runtime *runtime, const char *id, const char *signal, int all, teu_error **err);

/**
 * Deletes what create made of a stopped container. @force: one that is not stopped is killed first, and one that is not there is no error. Blocks at most 10 s
 * for the end of processes. TEU_E_NOT_FOUND; TEU_E_CONFLICT, it is not stopped; TEU_E_TIMEOUT. Source: runtime-spec, "Delete". Since: 0.1.
 */
TEU_API int teu_runtime_delete(teu_runtime *runtime, const char *id, int force, teu_error **err);

typedef struct teu_runtime_exec_options {
	size_t size;		    /* set by teu_runtime_exec_options_init() */
	int merge;		    /* 1: the fields given are laid over the container's own process; 0: they are all there is */
	int ignore_paused;	    /* 1: the container may be paused; the process runs when it is resumed */
	const char *const *cgroups; /* "[controller[,…]:]path" below the container's cgroup, which are there; ended by NULL; NULL: that
				       itself */
	const char *pid_file, *console_socket, *pidfd_socket; /* as for create */
	int console_fd;		    /* borrowed; -1: none */
	int stdin_fd, stdout_fd, stderr_fd; /* borrowed; -1: /dev/null */
	int preserve_fds;
} teu_runtime_exec_options;

/** Fills @opts with the defaults; @size: sizeof(*opts), which the macro of this name puts in. Since: 0.1. */
TEU_API void teu_runtime_exec_options_init(teu_runtime_exec_options *opts, size_t size);

/**
 * Runs a further process in a container. Blocks until its command has been executed.
 *
 * @process_json: the runtime-spec's "process" object, or with merge what differs from the container's own: "env", "capabilities" and
 * "user.additionalGids" are added to those
 * @ret_pid: may be NULL
 * @ret_waitfd: as of teu_runtime_run()
 *
 * Returns 0; TEU_E_NOT_FOUND; TEU_E_CONFLICT, the container has stopped or is paused; the other errors of create. Since: 0.1.
 */
TEU_API int teu_runtime_exec(teu_runtime *runtime, const char *id, const char *process_json,
			     const teu_runtime_exec_options *opts, int32_t *ret_pid, int *ret_waitfd, teu_error **err);

/**
 * Freezes all processes of a container. Blocks until they are, at most 10 s. TEU_E_NOT_FOUND; TEU_E_CONFLICT, it does not run; TEU_E_UNSUPPORTED, it has no
 * cgroup; TEU_E_TIMEOUT, one hangs in the kernel. Since: 0.1.
 */
TEU_API int teu_runtime_pause(teu_runtime *runtime, const char *id, teu_error **err);
/** Lets them go on. Blocks until they do. TEU_E_NOT_FOUND; TEU_E_CONFLICT, it is not paused; TEU_E_TIMEOUT. Since: 0.1. */
TEU_API int teu_runtime_resume(teu_runtime *runtime, const char *id, teu_error **err);

/** The pids of a container's processes as an array; for teu_free(). TEU_E_NOT_FOUND. Since: 0.1. */
TEU_API int teu_runtime_processes(teu_runtime *runtime, const char *id, char **ret_json, teu_error **err);

/**
 * Changes limits. @resources_json: a linux.resources object, and in it "intelRdt" with l3CacheSchema and memBwSchema; what it leaves out stays. TEU_E_INVALID, detail "field"; TEU_E_NOT_FOUND;
 * TEU_E_CONFLICT, it does not run, or uses more than that; TEU_E_UNSUPPORTED. Since: 0.1.
 */
TEU_API int teu_runtime_update(teu_runtime *runtime, const char *id, const char *resources_json, teu_error **err);

/**
 * Mounts in a container that runs. @mounts_json: an array as the config's "mounts", or an object that has it; relative sources are below the
 * bundle. Sources are of the host, destinations are walked inside of the container's root, in which no link leads out of it, and made where
 * they are missing. The mounts go with the container. A later one that fails leaves the earlier. TEU_E_INVALID, detail "field"; TEU_E_NOT_FOUND;
 * TEU_E_CONFLICT, it does not run; TEU_E_LAUNCH, detail "step". Since: 0.1.
 */
TEU_API int teu_runtime_mounts_add(teu_runtime *runtime, const char *id, const char *mounts_json, teu_error **err);
/** Takes the mounts at the destinations of @mounts_json off again. Errors as of teu_runtime_mounts_add(). Since: 0.1. */
TEU_API int teu_runtime_mounts_remove(teu_runtime *runtime, const char *id, const char *mounts_json, teu_error **err);

/**
 * What a container uses, in the shape of the data of runc's event "stats": cpu (nanoseconds), cpuset, memory (bytes; no limit is a number
 * near the largest), pids, blkio, hugetlb, each with what the kernel tells of it; for teu_free(). TEU_E_NOT_FOUND; TEU_E_CONFLICT, it does not run. Since: 0.1.
 */
TEU_API int teu_runtime_stats(teu_runtime *runtime, const char *id, char **ret_json, teu_error **err);

/**
 * Watches a running container's memory. *@ret_fd, the caller's to close, gets readable when the container has run out of it, but at
 * times for another reason: teu_runtime_oom_read() says. TEU_E_NOT_FOUND; TEU_E_CONFLICT, it does not run; TEU_E_UNSUPPORTED, it has
 * no cgroup that limits memory. Since: 0.1.
 */
TEU_API int teu_runtime_oom_watch(teu_runtime *runtime, const char *id, int *ret_fd, uint64_t *ret_seen, teu_error **err);

/** How often the container ran out of memory since the last call, or the watch, with the same @fd and @seen. As for the watch. Since: 0.1. */
TEU_API int teu_runtime_oom_read(teu_runtime *runtime, const char *id, int fd, uint64_t *seen, uint64_t *ret_times, teu_error **err);

typedef struct teu_runtime_checkpoint_options {
	size_t size;		 /* set by teu_runtime_checkpoint_options_init() */
	const char *image_path;	 /* folder for the images, made if it is missing; NULL: "checkpoint" in the working folder */
	const char *work_path;	 /* folder for the log, dump.log; NULL: that of the images */
	const char *parent_path; /* folder of an earlier checkpoint of the same processes, relative to image_path: only what
				    has changed since is written; NULL: none */
	int pre_dump;		 /* 1: only the memory; the container goes on, and this is the parent of a later one */
	int leave_running;	 /* 1: the container goes on */
	int tcp_established;	 /* 1: it may have TCP connections, which are saved */
	int tcp_skip_in_flight;	 /* 1: those not yet accepted are left out */
	int link_remap;		 /* 1: files that are open and removed may get a name for the time of it */
	int ext_unix_sk;	 /* 1: it may be connected to unix sockets outside */
	int shell_job;		 /* 1: it may be of a session, or on a terminal, of the outside */
	int file_locks;		 /* 1: it may hold file locks */
	int auto_dedup;		 /* 1: what is written anew goes from the parent's images */
	int lazy_pages;		 /* 1: the memory is served from page_server, until all of it has been fetched */
	int status_fd;		 /* gets a zero byte when it is served; -1: none */
	const char *page_server; /* "ADDRESS:PORT" that gets the memory, or with lazy_pages serves it; NULL: none */
	const char *manage_cgroups_mode; /* "soft", "full", "strict", "ignore"; NULL: criu's default */
} teu_runtime_checkpoint_options;

/** Fills @opts with the defaults; @size: sizeof(*opts), which the macro of this name puts in. Since: 0.1. */
TEU_API void teu_runtime_checkpoint_options_init(teu_runtime_checkpoint_options *opts, size_t size);

/**
 * Saves the processes of a container into files, by the program criu, which has to be installed. Unless it is to go on, the container is
 * killed and deleted then. Blocks. A failed checkpoint leaves the container running.
 *
 * A network or pid namespace that the container has joined is not saved, and has to be there at restore. An annotation
 * "org.criu.config" of the config names a file of settings for criu, instead of /etc/criu/runc.conf.
 *
 * Returns 0; TEU_E_NOT_FOUND; TEU_E_CONFLICT, it does not run; TEU_E_INVALID, an option; TEU_E_UNSUPPORTED, criu is not installed, or it or the
 * kernel can't do what is asked for; TEU_E_LAUNCH, criu failed: the error has the last of its own, and the name of its log. Source: criu(8).
 * Since: 0.1.
 */
TEU_API int teu_runtime_checkpoint(teu_runtime *runtime, const char *id, const teu_runtime_checkpoint_options *opts,
				   teu_error **err);

typedef struct teu_runtime_restore_options {
	size_t size;		 /* set by teu_runtime_restore_options_init() */
	const char *bundle;	 /* folder with the config.json that the container was made of; NULL: the working folder */
	const char *image_path;	 /* folder with the images; NULL: "checkpoint" in the working folder */
	const char *work_path;	 /* folder for the log, restore.log; NULL: that of the images */
	const char *pid_file;	 /* gets the pid of the container's process; NULL: none */
	const char *console_socket; /* unix socket that gets the terminal of a config with process.terminal; NULL: none */
	int console_fd;		 /* the same as a connected socket, borrowed; -1: none */
	int stdin_fd, stdout_fd, stderr_fd; /* borrowed; -1: /dev/null. They take the place of those that were pipes */
	int tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup; /* as at its checkpoint */
	int lazy_pages;		 /* 1: "criu lazy-pages" brings the memory when it is needed */
	const char *manage_cgroups_mode; /* "soft", "full", "strict", "ignore"; NULL: criu's default */
	const char *lsm_profile; /* "TYPE:NAME" instead of the profile that it had; NULL: that */
	const char *lsm_mount_context; /* instead of that of the mounts; NULL: that */
} teu_runtime_restore_options;

/** Fills @opts with the defaults; @size: sizeof(*opts), which the macro of this name puts in. Since: 0.1. */
TEU_API void teu_runtime_restore_options_init(teu_runtime_restore_options *opts, size_t size);

/**
 * Makes the container @id of a bundle and the processes that a checkpoint saved, by the program criu. Cgroup, binds and hooks (prestart and
 * createRuntime) are those of the bundle's config. Blocks until they run.
 *
 * @ret_pid, @ret_waitfd: as of teu_runtime_run()
 *
 * Returns 0; TEU_E_INVALID; TEU_E_CONFLICT, the id is taken; TEU_E_NOT_FOUND, there are no images, or no bundle; TEU_E_UNSUPPORTED; TEU_E_LAUNCH, as
 * of teu_runtime_checkpoint(), or a hook failed. Nothing is left of a container whose restore failed. Source: criu(8). Since: 0.1.
 */
TEU_API int teu_runtime_restore(teu_runtime *runtime, const char *id, const teu_runtime_restore_options *opts,
				int32_t *ret_pid, int *ret_waitfd, teu_error **err);

/** What this release can do on this machine; for teu_free(). Source: runtime-spec features.md. Since: 0.1. */
TEU_API int teu_runtime_features(char **ret_json, teu_error **err);

/**
 * Is @json a document as the runtime-spec has it? Nothing of the machine is asked, and nothing is made.
 *
 * @what: "bundle", a config that a container can be created from; "config", one of whatever platform, by its form alone; "process", as
 * exec takes it; "state"; "features"
 * @ret_warnings: NULL, or receives an array of texts about what would be passed over; for teu_free()
 *
 * Returns 0; TEU_E_INVALID, @json is no such document: the message has all that is wrong, each with its place, the detail "field" the first
 * place; or there is no such @what. Source: runtime-spec config.md, runtime.md "State", features.md, schema/. Since: 0.1.
 */
TEU_API int teu_runtime_check(const char *what, const char *json, char **ret_warnings, teu_error **err);

/** A config.json to begin with, as runc's; @rootless: for another user than root; for teu_free(). Since: 0.1. */
TEU_API int teu_runtime_spec(int rootless, char **ret_json, teu_error **err);

#ifndef TEU_NO_MACROS /* for generators of bindings */
#define teu_runtime_options_init(opts) teu_runtime_options_init((opts), sizeof(*(opts)))
#define teu_runtime_create_options_init(opts) teu_runtime_create_options_init((opts), sizeof(*(opts)))
#define teu_runtime_exec_options_init(opts) teu_runtime_exec_options_init((opts), sizeof(*(opts)))
#define teu_runtime_checkpoint_options_init(opts) teu_runtime_checkpoint_options_init((opts), sizeof(*(opts)))
#define teu_runtime_restore_options_init(opts) teu_runtime_restore_options_init((opts), sizeof(*(opts)))
#endif

#ifdef __cplusplus
}
#endif

#endif
