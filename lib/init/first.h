/*
 * first: what the container's first process knows while it runs its steps, and the functions the table of steps is made
 * of. Each step returns 0 or -errno.
 */
#ifndef TEU_INIT_FIRST_H
#define TEU_INIT_FIRST_H

#include "init/plan.h"
#include "init/sys.h"

struct first {
	const struct plan_header *plan;
	int sync;    /* SEQPACKET to the monitor: failures, the pty; closed by a successful exec */
	int go;	     /* a byte from the monitor: the plan is there; another: its own steps for this process are done; a
			third: the caller's hooks are */
	bool waited; /* OP_WAIT_HOST has been */
	bool hidden; /* it gets dumpable by OP_PIVOT only */
	bool groups_denied; /* setgroups(2) is, in its user namespace */
	int start;	    /* the fifo of OP_OPEN_START; -1 */
	int root;	    /* the rootfs; AT_FDCWD before there is one */
	int null;	    /* a /dev/null that is one, for masks */
	int empty;	    /* an empty read-only tree, for masks; -1 until the first folder is masked */
	int tty;	    /* our side of the pty; -1 */
	int stdio[3];	    /* what becomes 0, 1, 2 */
	uint32_t uid, gid;
	uint32_t groups[PLAN_MAX_GROUPS];
	uint32_t n_groups;
	uint64_t permitted;	       /* the capabilities that there are to give, from OP_BECOME on */
	char home[512];		       /* of the user; "" until looked up */
	int sources[PLAN_MAX_SOURCES]; /* detached trees that OP_BIND_SOURCE made */
};

typedef long (*step_fn)(struct first *f, const struct plan_step *s);

/* What the first process says to the monitor over sync. */
enum first_kind {
	FIRST_PTY = 0,	/* a pty comes along */
	FIRST_FAILED,	/* step @step failed with @error */
	FIRST_AT_HOOKS, /* it waits for the caller's hooks */
	FIRST_READY,	/* it waits to be started */
	FIRST_SOURCE,	/* it wants what OP_FETCH_SOURCE @step names */
	FIRST_LISTENER, /* the descriptor of a filter that listens comes along */
};

struct first_message {
	uint32_t kind; /* enum first_kind */
	uint32_t step;
	int32_t error;
};

static inline const char *plan_text(const struct plan_header *plan, plan_off at)
{
	return (const char *)plan + at;
}

/* The next text of a list; its end is "". */
static inline const char *list_next(const char *item)
{
	return item + str_len(item) + 1;
}

/*
 * Opens @path in the rootfs (O_PATH), and makes it first when it is missing: @mode 0 a folder, else an empty file.
 * @resolve: further RESOLVE_… flags.
 */
int rootfs_target(int root, const char *path, int file_mode, uint64_t resolve);
/* The folder that holds @path (made if missing) and the last part of its name. */
int rootfs_parent(int root, const char *path, const char **ret_name);

long copy_tree(int from, int to); /* all in folder @from into folder @to, with owners, modes, times and xattrs */
bool folder_is_empty(int fd);
long user_lookup(struct first *f, const char *spec, const char *more_groups);
long user_home(struct first *f);
long netlink_send(const void *bytes, size_t n, int protocol);
long set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable);
/* Stays as pid 1, with these capabilities, around the process that goes on: returns 0 in that one only. */
long reaper_start(struct first *f, uint64_t effective, uint64_t permitted);
/* listener.c: gives the monitor the descriptor of the filter that @s has loaded. */
long listener_tell(struct first *f, const struct plan_step *s, int fd);
/* source.c */
long step_fetch_source(struct first *f, const struct plan_step *s);
/* schedule.c */
long step_scheduler(struct first *f, const struct plan_step *s);
long step_io_priority(struct first *f, const struct plan_step *s);
long step_memory_policy(struct first *f, const struct plan_step *s);
long step_personality(struct first *f, const struct plan_step *s);
long step_affinity(struct first *f, const struct plan_step *s);
long console_open(struct first *f, const struct plan_step *s);

/* procfs.c: the container's /proc (O_PATH); -ENODEV: what is there is not the root of a procfs. */
int procfs_open(int root);
int procfs_of(int pid);	     /* the folder of @pid in the host's */
bool procfs_holds(int fd);   /* is @fd on a procfs? */
bool procfs_is_root(int fd); /* is it the root of one? */
/* Writes to @path in it, or to @file of this process. */
long procfs_put(int root, const char *path, const char *value);
long procfs_put_own(int root, const char *file, const char *value);

/* steps.c: OP_OOM_SCORE of the calling process. */
long put_oom_score(const struct plan_header *plan, const struct plan_step *s, int root);
/* Joins the namespace of an OP_SETNS, and the one behind it. */
long join_namespaces(const struct plan_header *plan, const struct plan_step *s);

/* Is the same mount behind both? */
bool same_mount(int a, int b);

/* Is @fd the null device? */
bool is_null(int fd);

/* Waits for the monitor's next word; ends the process when the monitor gives up. */
long await_go(struct first *f);
/* @n texts one behind the other (some may be empty) as the vector that execve takes, with room for one more entry. */
const char **vector(const char *item, size_t n);
void unblock_signals(void);
/* hook.c */
long step_hook(struct first *f, const struct plan_step *s);
/* start.c */
long step_open_start(struct first *f, const struct plan_step *s);
long step_host_hooks(struct first *f, const struct plan_step *s);
long step_keyring(struct first *f, const struct plan_step *s);
long step_time(struct first *f, const struct plan_step *s);
long step_await_start(struct first *f, const struct plan_step *s);
void heed_signals(void);
void start_failed(const struct first *f, const struct plan_step *s, int error);
/* command.c */
long step_lookup(struct first *f, const struct plan_step *s);
/* "HOME=…" of the user, whom OP_READY has looked up. */
const char *home_entry(const struct first *f);
long step_exec(struct first *f, const struct plan_step *s);
/* Asks for SIGKILL at the monitor's end; where none stays there is nothing to ask for. */
long die_with_monitor(const struct first *f);

/* Runs all steps of the plan's first process; only returns when one failed. */
void first_run(struct first *f);
extern const step_fn first_steps[OP_COUNT];

/* rootfs.c */
long step_propagation(struct first *f, const struct plan_step *s);
long step_overlay(struct first *f, const struct plan_step *s);
long step_receive_rootfs(struct first *f, const struct plan_step *s);
long step_rootfs(struct first *f, const struct plan_step *s);
long step_mount(struct first *f, const struct plan_step *s);
long step_bind_source(struct first *f, const struct plan_step *s);
long step_bind(struct first *f, const struct plan_step *s);
long step_cgroup_mount(struct first *f, const struct plan_step *s);
long step_device(struct first *f, const struct plan_step *s);
long step_symlink(struct first *f, const struct plan_step *s);
long step_mask(struct first *f, const struct plan_step *s);
long step_unmount(struct first *f, const struct plan_step *s);
long step_late_readonly(struct first *f, const struct plan_step *s);
long step_readonly(struct first *f, const struct plan_step *s);
long step_root_readonly(struct first *f, const struct plan_step *s);
/* pivot.c */
long step_pivot(struct first *f, const struct plan_step *s);
long step_root_propagation(struct first *f, const struct plan_step *s);

#endif
