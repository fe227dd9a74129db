/*
 * plan: what a launch does, as one flat, position-independent buffer that the library writes (sandbox/plan) and the
 * helper (init/) runs. No pointer is in it: texts and byte strings are offsets from its begin. Both sides come from one
 * build, so the layout needs no compatibility.
 */
#ifndef TEU_INIT_PLAN_H
#define TEU_INIT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define PLAN_MAGIC 0x75657431u /* "1teu" */

/* Offset of a text or byte string; 0: none. */
typedef uint32_t plan_off;

/*
 * The operations. In the comments: t1..t3 texts, n1..n4 numbers, as used by each. A list is texts one behind the other,
 * ended by an empty one.
 */
enum plan_op {
	/* by the monitor */
	OP_NETLINK =
		1, /* t1 bytes, n1 their count, n2 protocol, n3 offset for the pid of the first process (-1: none) */
	OP_WRITE_ID_MAP, /* t1 "uid_map"|"gid_map"|"setgroups", t2 text: into /proc/<first process>/ */
	OP_CALLER_MAPS,	 /* until the caller has written the id maps that the monitor has no right to write */
	OP_SETNS_PID,	 /* t1 path of a pid namespace */
	OP_TIME,  /* t1 offsets of a new time namespace, for what is born then; by the first process: for itself */
	OP_RMDIR, /* t1 folder of a cgroup; tried again while it is busy */
	OP_OVERLAY_MAPPED, /* t1..t3, n1 as OP_OVERLAY; n2, n3 the host's ids of the container's root: for a user
			      namespace, its ids mapped onto the layers'; sent to the first process */
	OP_LISTENER, /* t1 path of the socket whose other side answers for the filter ("@name": no file); t2, t3, t4
			the document it gets, cut where the pid of the first process goes; n1 0: not between t3 and
			t4 */
	OP_RELEASE_PORTS, /* n1 sockets from FD_FIRST_PORT on are closed, before anybody hears of the end */
	OP_KILL_CGROUP,	  /* t1 folder of a cgroup: whatever is left in it is killed */

	/* by the first process, before it leaves the host's tree */
	OP_OPEN_START,	 /* t1 fifo that OP_AWAIT_START will read from */
	OP_WAIT_HOST,	 /* until the monitor has run its steps for this process */
	OP_HOST_HOOKS,	 /* until the caller has run its hooks for this process */
	OP_KEYRING,	 /* t1 name of a new session keyring */
	OP_JOIN_CGROUP,	 /* t1 file: write "0" into it */
	OP_SETNS,	 /* t1 path, n1 CLONE_NEW…; t2 and n2 the same of one to join behind it, if any: in the mount
			    namespace of the first its path would be the container's to say */
	OP_JOIN_PROCESS, /* n1 CLONE_NEW… flags: all these namespaces of the joined process; by the monitor too */
	OP_ENTER_ROOT,	 /* t1 "/proc/<joined process>/root": of a container without mounts of its own */
	OP_UNSHARE,	 /* n1 CLONE_NEW… */
	OP_PROPAGATION,	 /* t1 path (on the host), n1 MS_…; t2: the mount that this path is on gets private, as what
			    is shared would show the host all that is mounted below */
	OP_OVERLAY,	 /* t1 list of lower folders, top first; t2 upper; t3 work; n1 1: volatile; n2: 1 in a user
			    namespace. Becomes the rootfs at t4 */
	OP_NAMESPACE_ROOT, /* become id 0 of the user namespace; n1 1: it denies setgroups(2); n2 1: look whether it
			      does; n3 1: others are in it, and can't look into this process before OP_PIVOT */
	OP_RECEIVE_ROOTFS, /* the mount that OP_OVERLAY_MAPPED sent becomes the rootfs at t4 */
	OP_ROOTFS,	   /* t1 folder that is the rootfs */
	OP_MOUNT, /* t1 type, t2 source, t3 options (list), t4 destination; n1 MOUNT_ATTR_… set; n2 propagation, an
		     earlier one in the upper half; n3 PLAN_MOUNT_… */
	OP_BIND_SOURCE,	 /* t1 source on the host, n1 place in first.sources, n2 1: with all below it; in a user
			    namespace, while the host's folders can be walked */
	OP_FETCH_SOURCE, /* as OP_BIND_SOURCE, but by the monitor, when it is its turn; n2 PLAN_MOUNT_…; t2, t3 uid and
			    gid map of PLAN_MOUNT_IDMAP, 0: those of the container */
	OP_BIND, /* t1 source on the host, or in the mount namespace t3; t4 destination; n1 MOUNT_ATTR_… to set, and to
		    clear in the upper half; n2, n3 as OP_MOUNT; n4 as n1, of the whole tree */
	OP_CGROUP_MOUNT,  /* t4 destination, n1 attributes; t1 list "name=folder on the host" (v1), or with n4 1 the
			     folder itself (v2) */
	OP_DEVICE,	  /* t4 path, n1 mode with type, n2 dev_t as mknod(2) takes it, n3 uid | gid << 32 */
	OP_SYMLINK,	  /* t1 target, t4 path */
	OP_UNMOUNT,	  /* t4 path of a mount in the joined container */
	OP_LATE_READONLY, /* t4 path of a mount made before */
	OP_MASK,	  /* t4 path */
	OP_READONLY,	  /* t4 path */
	OP_PIVOT, /* the rootfs becomes "/"; n1 1: by MS_MOVE and chroot, 2: by chroot alone; n2 1: the old one has
		     shared mounts */
	OP_ROOT_READONLY,    /* "/" itself */
	OP_ROOT_PROPAGATION, /* n1 MS_… for "/" */

	/* by the first process, inside */
	OP_NETLINK_INSIDE, /* as OP_NETLINK */
	OP_HOSTNAME,	   /* t1 */
	OP_DOMAINNAME,	   /* t1 */
	OP_SYSCTL,	   /* t1 "net/ipv4/…", t2 value */
	OP_RLIMIT,	   /* n1 RLIMIT_…, n2 soft, n3 hard */
	OP_OOM_SCORE,	   /* t1 value; n1 1: who has no right to lower it goes on without */
	OP_SESSION,	   /* setsid */
	OP_CONSOLE,   /* a new pty: its other side goes to the monitor; n1 rows, n2 columns; n3 1: also /dev/console; n4
			1: line ends go   as they come */
	OP_SCHEDULER, /* n1 policy, n2 flags, n3 nice, n4 priority, t1 three uint64_t: runtime, deadline, period */
	OP_IO_PRIORITY,	  /* n1 as ioprio_set(2) takes it */
	OP_MEMORY_POLICY, /* n1 mode and flags, t1 nodes as bits, n2 their count and one */
	OP_PERSONALITY,	  /* n1 */
	OP_AFFINITY,	  /* t1 processors as 1024 bits; none: all that the cgroup allows; by the monitor too */
	OP_UMASK,	  /* n1 */
	OP_APPARMOR,	  /* t1 profile, on exec; n1: at once */
	OP_SELINUX,	  /* t1 label, on exec */
	OP_USER,	  /* n1 uid, n2 gid, t1 array of uint32_t groups, n3 their count */
	OP_USER_NAME,	  /* t1 Docker's user string; t2 list of further groups; replaces OP_USER */
	OP_BOUNDING,	  /* n1 mask of capabilities that stay in the bounding set */
	OP_BECOME,	  /* take the ids of OP_USER…; n1: keep capabilities over it; n2: set groups too */
	OP_CAPS,	  /* n1 effective, n2 permitted, n3 inheritable, n4 ambient: those that are in n2 and n3 */
	OP_READY, /* what a filter might forbid: HOME looked up (n1 1), streams in place, all else to close but what
		     PLAN_KEEP_SHIFT says */
	OP_NO_NEW_PRIVS,
	OP_SECCOMP, /* t1 program, n1 count of instructions, n2 flags */
	OP_CWD,	    /* t1; n1 1: make it if it is missing */
	OP_HOOK,    /* t1 list: program and its argv, n1 their count; t2 environment and n2 its count; n3 seconds, 0: no
		       end; t3 and t4 the state document before and after the pid. Before or after OP_PIVOT */
	OP_LOOKUP,  /* t1 command, t2 environment and n3 its count: is it there to be executed? */
	OP_AWAIT_START, /* until somebody writes into the fifo of OP_OPEN_START */
	OP_INIT,	/* stay as pid 1, n1 effective and n2 permitted: what follows happens in a child */
	OP_EXEC,	/* t1 argv and n2 its count, t2 environment and n3 its count; n1 1: HOME of OP_READY is added */
	OP_END,		/* all is done: there is no command */
	OP_COUNT
};

enum {
	PLAN_MOUNT_FILE = 1,	      /* destination is a file: make one if it is missing */
	PLAN_MOUNT_RECURSIVE = 2,     /* rbind */
	PLAN_MOUNT_COPYUP = 4,	      /* fill an empty source from the destination's folder first */
	PLAN_MOUNT_NO_SYMLINK = 8,    /* destination must not be reached by a link: /proc, /sys */
	PLAN_MOUNT_TMPCOPYUP = 16,    /* tmpfs: fill it from the folder that it hides */
	PLAN_MOUNT_INHERIT_MODE = 32, /* tmpfs: its mode is that of the folder that it hides, if there is one */
	PLAN_MOUNT_IDMAP = 64,	      /* its owners are seen through an id map */
	PLAN_MOUNT_IDMAP_TREE = 128,  /* so are those of all mounts below it */
	PLAN_MOUNT_PROC = 256,	      /* it becomes /proc: only a procfs may */
	PLAN_MOUNT_IN_PROC = 512,     /* one of the files in /proc that may be mounted over */
};

/* In the attributes that a bind clears, a bit that mount_setattr(2) has no use for: "norelatime", which chooses
 * nothing. */
enum { PLAN_ATTR_NORELATIME = 0x40 };

struct plan_step {
	uint16_t op;
	uint16_t reserved;
	plan_off field; /* place in the config that it comes from, for errors; 0: none */
	plan_off t1, t2, t3, t4;
	uint64_t n1, n2, n3, n4;
};

/* A run of steps. */
struct plan_steps {
	uint32_t at; /* offset of the first */
	uint32_t count;
};

/* n4 of OP_HOOK. */
enum {
	PLAN_HOOK_HOME = 1, /* it gets the HOME of the process */
	PLAN_HOOK_IN_ROOTFS
};

/* In one plan; of processors and memory nodes; of groups; of descriptors that the command gets. */
enum { PLAN_MAX_SOURCES = 512, PLAN_MAX_BITS = 1024, PLAN_MAX_GROUPS = 1024, PLAN_MAX_KEPT = 1024 };

enum plan_restart { PLAN_RESTART_NO = 0, PLAN_RESTART_ON_FAILURE, PLAN_RESTART_ALWAYS };

enum {
	PLAN_TTY = 1,		/* the first process gets a pty */
	PLAN_STDIN = 2,		/* its standard input stays open for writers */
	PLAN_STDIN_ONCE = 4,	/* it ends when the first writer leaves */
	PLAN_LOG = 8,		/* output goes to log_path */
	PLAN_RECORD = 16,	/* keep state and exit files, listen on socket_path (containers; not exec) */
	PLAN_CLEANUP = 32,	/* nobody wants the container afterwards: run job "remove" when the caller is gone */
	PLAN_STDIO = 64,	/* descriptors FD_STDIN.. are the command's own (namespace runs) */
	PLAN_INTO_CGROUP = 128, /* the first process is born into FD_CGROUP */
	PLAN_EARLY = 256,	/* the first process may be made before the plan is there */
	PLAN_LEAVE = 512,    /* the helper ends when the first process is ready, which is the caller's reaper's from its
				birth: no monitor stays */
	PLAN_AWAIT = 1024,   /* it is ready when it says so in OP_AWAIT_START, not only by its exec */
	PLAN_CONSOLE = 2048, /* its pty goes to FD_CONSOLE instead of the monitor's loop */
	PLAN_BETWEEN = 4096, /* the steps before it are a process's between it and the monitor: they join namespaces
				that the monitor must stay out of */
	PLAN_SIBLINGS = 8192,  /* the first process makes others with CLONE_PARENT, and ends: the end of the last of
				  those counts */
	PLAN_PLACED = 16384,   /* the caller is told of the first process before its first step, and moves it */
	PLAN_OUTLIVES = 32768, /* the process does not end with the monitor, which only tells how it ended */
	PLAN_KEEP_SHIFT = 16,  /* the upper bits: so many descriptors from FD_FIRST_PORT on become the command's 3… */
};

/* A hook's exit status as the errno of a failed OP_HOOK. */
enum { PLAN_HOOK_STATUS = 5000 };

/* What has to be known before the first process exists. It is told with WIRE_BIRTH, as the rest may not be ready yet.
 */
struct plan_birth {
	uint32_t clone_flags; /* CLONE_NEW… of the first process */
	uint32_t flags;	      /* PLAN_… */
};

/* Descriptors that the helper is born with. */
enum plan_fd {
	FD_PLAN = 3,  /* a memfd: this buffer, sealed, from WIRE_PLAN on */
	FD_WIRE = 4,  /* to the caller: wire.h */
	FD_ALIVE = 5, /* the locked file that proves the monitor lives; /dev/null for exec */
	FD_JOIN = 6,  /* pidfd of the process to join; /dev/null for launches */
	FD_STDIN = 7, /* with PLAN_STDIO */
	FD_STDOUT = 8,
	FD_STDERR = 9,
	FD_CGROUP = 10,	    /* cgroup v2: folder that the first process is born into; /dev/null on v1 */
	FD_CONSOLE = 11,    /* with PLAN_CONSOLE: a unix socket */
	FD_FIRST_PORT = 12, /* reserved ports, then whatever else must stay open as long as the monitor lives */
};

struct plan_header {
	uint32_t magic;
	uint32_t size; /* of the whole buffer */
	struct plan_birth birth;
	struct plan_steps before;			       /* monitor, before the first process exists */
	struct plan_steps born;				       /* monitor, while that waits at OP_WAIT_HOST */
	struct plan_steps first;			       /* first process */
	struct plan_steps after;			       /* monitor, when it has ended */
	plan_off state_path, exit_path, socket_path, log_path; /* absolute */
	plan_off stopped_path;				       /* exists: somebody stopped it on purpose, no restart */
	plan_off oom_path;				       /* file with a line "oom_kill N" */
	plan_off library, state_root, run_root,
		id;		/* for the jobs that the monitor leaves to the library: argv of it run as a program */
	uint32_t restart;	/* enum plan_restart */
	uint32_t restart_max;	/* on-failure: at most so many; 0: no end */
	uint32_t restart_count; /* so many came before this launch */
	uint32_t restart_delay_ms; /* the last delay */
};

/* check.c: what is wrong with a plan. */
enum plan_fault {
	PLAN_SOUND = 0,
	PLAN_BAD_SIZE,	  /* not a plan, or header, texts and steps don't make up its size */
	PLAN_BAD_HEADER,  /* a flag or policy that nobody knows */
	PLAN_BAD_TEXT,	  /* a text that is missing, begins outside, or has no end */
	PLAN_BAD_OP,	  /* nobody knows the step, or not who it is for */
	PLAN_BAD_OPERANDS /* bytes, counted texts or places outside */
};

/*
 * Of @size bytes at an address that 8 divides. Whoever runs a sound plan reads nothing outside of it. *ret_step: the
 * step that is at fault; NULL: none is.
 */
enum plan_fault plan_check(const struct plan_header *plan, uint64_t size, const struct plan_step **ret_step);
bool plan_check_birth(const struct plan_birth *birth);

#endif
