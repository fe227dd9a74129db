/*
 * criu: the program that saves and restores processes, spoken to over a socket pair by its remote procedure calls. It
 * is optional, and looked for in PATH when it is needed. Source: criu(8), "swrk"; criu/rpc.proto of its headers, where
 * the numbers of the fields stand.
 */
#ifndef TEU_RUNTIME_CRIU_H
#define TEU_RUNTIME_CRIU_H

#include "base/strbuf.h"
#include "runtime/runtime.h"

enum criu_kind { CRIU_DUMP = 1, CRIU_RESTORE = 2, CRIU_PRE_DUMP = 4, CRIU_NOTIFY = 6, CRIU_FEATURES = 9 };

/* criu_opts, of which a request is made. */
enum criu_option {
	CRIU_IMAGES_DIR_FD = 1,
	CRIU_PID = 2,
	CRIU_LEAVE_RUNNING = 3,
	CRIU_EXT_UNIX_SK = 4,
	CRIU_TCP_ESTABLISHED = 5,
	CRIU_EVASIVE_DEVICES = 6,
	CRIU_SHELL_JOB = 7,
	CRIU_FILE_LOCKS = 8,
	CRIU_LOG_LEVEL = 9,
	CRIU_LOG_FILE = 10,
	CRIU_PAGE_SERVER = 11, /* 1 address, 2 port */
	CRIU_NOTIFY_SCRIPTS = 12,
	CRIU_ROOT = 13,
	CRIU_PARENT_IMG = 14,
	CRIU_TRACK_MEM = 15,
	CRIU_AUTO_DEDUP = 16,
	CRIU_WORK_DIR_FD = 17,
	CRIU_LINK_REMAP = 18,
	CRIU_EXT_MNT = 23, /* 1 key, 2 value */
	CRIU_MANAGE_CGROUPS = 24,
	CRIU_CG_ROOT = 25, /* 1 controller, 2 path */
	CRIU_RST_SIBLING = 26,
	CRIU_INHERIT_FD = 27, /* 1 key, 2 descriptor */
	CRIU_MANAGE_CGROUPS_MODE = 34,
	CRIU_EXTERNAL = 37,
	CRIU_EMPTY_NS = 38,
	CRIU_JOIN_NS = 39, /* 1 name, 2 file */
	CRIU_FREEZE_CGROUP = 44,
	CRIU_TCP_SKIP_IN_FLIGHT = 46,
	CRIU_LAZY_PAGES = 48,
	CRIU_ORPHAN_PTS_MASTER = 50,
	CRIU_CONFIG_FILE = 51,
	CRIU_LSM_PROFILE = 53,
	CRIU_LSM_MOUNT_CONTEXT = 63,
};

enum { CRIU_MEM_TRACK = 1, CRIU_HAS_LAZY_PAGES = 2 }; /* criu_features */

enum { CRIU_FIRST_FD = 4, CRIU_MAX_FDS = 8 };

struct criu {
	int socket, wire, pidfd;
	int32_t pid;
	/* for its errors, borrowed: what it was to do, and where it writes its log */
	const char *what, *log;
	int log_dir;
	/* Tells how far it has come ("setup-namespaces"); @pid of the restored process, @fd what came along or -1. An
	 * error ends the call. May be NULL. */
	int (*notify)(void *data, const char *script, int32_t pid, int fd, teu_error **err);
	void *data;
};

#define CRIU_INIT                                                                                                      \
	(struct criu)                                                                                                  \
	{                                                                                                              \
		.socket = -EBADF, .wire = -EBADF, .pidfd = -EBADF, .log_dir = -EBADF                                   \
	}

/* How it is started. */
struct criu_start {
	const char *rootfs; /* it gets a mount namespace in which this is a mount; NULL: the caller's */
	bool stays;	    /* the helper, until the restored process ends */
	int stdio[3];	    /* 0…2 of what is restored; -EBADF: /dev/null */
	int fds[CRIU_MAX_FDS];
	size_t n_fds; /* CRIU_FIRST_FD on */
};

/* Where it is; TEU_E_UNSUPPORTED with what to do: it is not installed. For free(). */
int criu_find(char **ret, teu_error **err);
int criu_start(const struct criu_start *how, struct criu *ret, teu_error **err);
/* TEU_E_UNSUPPORTED: this criu on this kernel can't do @feature, called @name. */
int criu_require(struct criu *c, unsigned feature, const char *name, teu_error **err);
/* @ret_pid: of what was restored; may be NULL. */
int criu_call(struct criu *c, enum criu_kind kind, const struct strbuf *options, int32_t *ret_pid, teu_error **err);
/* Ends what still runs of it, and waits until it is gone. @ret_wire: not NULL, the helper stays. */
void criu_done(struct criu *c, int *ret_wire);

/* Adds an option that is a message of two texts. */
void criu_add_pair(struct strbuf *options, enum criu_option option, const char *first, const char *second);
/* The descriptor @fd of criu's own stands for what images call @key. */
void criu_add_inherited(struct strbuf *options, const char *key, int fd);
/* "soft", "full", "strict", "ignore"; NULL or "": criu's default. */
int criu_add_cgroup_mode(struct strbuf *options, const char *mode, teu_error **err);

#endif
