/* cgroup_impl: what the files behind cgroup.h share: the machine's hierarchies, parsed limits, the plan under way. */
#ifndef TEU_KERNEL_CGROUP_IMPL_H
#define TEU_KERNEL_CGROUP_IMPL_H

#include <stdatomic.h>

#include "base/strbuf.h"
#include "kernel/cgroup.h"
#include "kernel/devices.h"

enum cgroup_controller {
	CG_MEMORY,
	CG_CPU,
	CG_CPUACCT, /* v1 only, as devices, freezer, net_cls, net_prio */
	CG_PIDS,
	CG_DEVICES,
	CG_FREEZER,
	CG_CPUSET,
	CG_BLKIO, /* "io" on v2 */
	CG_HUGETLB,
	CG_NET_CLS,
	CG_NET_PRIO,
	CG_RDMA,
	CG_LIMITS, /* from here on nothing is limited: */
	CG_PERF = CG_LIMITS,
	CG_MISC,    /* on v2 by "unified" only */
	CG_SYSTEMD, /* v1's hierarchy without a controller, by which systemd knows units */
	CG_UNIFIED, /* the v2 side of a hybrid machine */
	CG_N,
};

const char *cgroup_controller_name(enum cgroup_controller c, bool v2);

/* The hierarchies of this machine. */
struct cgroup_machine {
	bool v2;
	char *mounts[CG_N]; /* v1: where each controller is mounted, NULL: nowhere; owned */
	char *root;	    /* v2: the mount point; owned */
	unsigned available; /* v2: a bit for each controller that the root has */
};

/* @mountinfo: "/proc/self/mountinfo", or a test's file. TEU_E_UNSUPPORTED: no cgroup filesystem is mounted. */
int cgroup_machine_read(const char *mountinfo, struct cgroup_machine *ret, teu_error **err);
void cgroup_machine_done(struct cgroup_machine *m);
/* This machine's, read once. */
int cgroup_machine_get(const struct cgroup_machine **ret, teu_error **err);

struct cgroup_number {
	bool set;
	int64_t value;
};

enum cgroup_throttle_kind {
	THROTTLE_READ_BPS,
	THROTTLE_WRITE_BPS,
	THROTTLE_READ_IOPS,
	THROTTLE_WRITE_IOPS,
	THROTTLE_N
};
extern const char *const cgroup_throttle_keys[THROTTLE_N]; /* "throttleReadBpsDevice", … */

struct cgroup_device_number {
	unsigned kind; /* of a throttle */
	int64_t major, minor, value;
};

/* linux.resources as values. Zero means "not set" where a limit of zero has no meaning, as docker and runc have it. */
struct cgroup_limits {
	struct cgroup_number memory, reservation, swap, kernel_tcp, swappiness;
	bool oom_disabled, check_before; /* memory.checkBeforeUpdate */
	struct cgroup_number shares, quota, period, burst, idle, rt_runtime, rt_period;
	const char *cpus, *mems; /* borrowed from the document, as all the json below */
	struct cgroup_number pids;
	struct cgroup_number weight, leaf_weight;
	struct cgroup_device_number *weights, *throttles; /* owned */
	size_t n_weights, n_throttles;
	const json *hugetlb, *net_priorities, *rdma, *unified;
	struct cgroup_number net_class;
	struct devices devices;
};

int cgroup_limits_parse(const json *resources, const char *where, struct cgroup_limits *ret, teu_error **err);
/* "unified" asks for cpu.idle. */
bool cgroup_unified_idle(const struct cgroup_limits *l);
void cgroup_limits_done(struct cgroup_limits *l);

/* The nearest folder at or above @dir that is there may be written to. */
bool cgroup_may_write(const char *dir);

/* A plan under way. */
struct cgroup_build {
	const struct cgroup_machine *m;
	const char *path;  /* clean */
	const char *where; /* place of the resources */
	struct cgroup_limits limits;
	bool update; /* the group is there already */
	bool all;    /* join every controller */
	bool modest; /* join only what is asked for or may be written to; no device rules */
	bool whole;  /* and every other hierarchy, so that nothing of the process is in its caller's group */
	struct cgroup_plan *plan;
	bool oom;
	teu_error **err;
};

/* Adders; they note failure in @oom. @field is below @b->where and may be NULL. */
void cgroup_add_mkdir(struct cgroup_build *b, const char *dir);
void cgroup_add_write(struct cgroup_build *b, const char *dir, const char *file, const char *field, const char *fmt,
		      ...) __attribute__((format(printf, 5, 6)));
/* Writes "+@name" later on; that it can't be is no failure. */
void cgroup_add_attempt(struct cgroup_build *b, const char *dir, const char *file, const char *name);
void cgroup_add_devices(struct cgroup_build *b, const char *dir, const char *field);
void cgroup_add_warning(struct cgroup_build *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* TEU_E_UNSUPPORTED with detail "field". */
int cgroup_unsupported(struct cgroup_build *b, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Compiles as cgroup_compile() does, on a machine that need not be this one. */
int cgroup_compile_on(const struct cgroup_machine *m, const char *path, const json *resources, const char *where,
		      bool update, struct cgroup_plan *ret, teu_error **err);

/* cgroup_unit_properties() for a machine that need not be this one. */
int cgroup_unit_on(const struct cgroup_machine *m, const char *path, const json *resources, const char *where,
		   bool update, struct strv *ret, teu_error **err);

int cgroup_v1_compile(struct cgroup_build *b);
int cgroup_v2_compile(struct cgroup_build *b);

struct teu_cgroup {
	atomic_int refs;
	const struct cgroup_machine *m; /* borrowed: cached for ever */
	char *path;			/* owned */
	char *dirs[CG_N]; /* v1: its folder below each controller, NULL: it has none there; v2: all the same. Owned */
	char *main_dir;	  /* where its processes are counted, borrowed from @dirs */
};

/* Small files of the kernel below @dir: each says false when the file is missing or reads otherwise. */
bool cgroup_read_text(const char *dir, const char *file, char *text, size_t size);
bool cgroup_read_number(const char *dir, const char *file, int64_t *ret); /* "max" gives -1 */
/* The number behind @key in a file of "key number" lines. */
bool cgroup_read_key(const char *dir, const char *file, const char *key, int64_t *ret);
/* The whole of a longer file, for free(); NULL: it is missing. */
char *cgroup_read_long(const char *dir, const char *file);
bool cgroup_has_file(const char *dir, const char *file);

/* The object under @key, made if it is not there; NULL: no memory. */
json *cgroup_member(json *to, const char *key);

extern const char *const cgroup_v1_throttle_files[THROTTLE_N], *const cgroup_v2_throttle_words[THROTTLE_N];
int64_t cgroup_weight_of_shares(int64_t shares); /* v1's cpu.shares as v2's cpu.weight */

int cgroup_v1_limits(const teu_cgroup *g, json *to);
int cgroup_v2_limits(const teu_cgroup *g, json *to);
int cgroup_v1_stats(const teu_cgroup *g, json *to);
int cgroup_v2_stats(const teu_cgroup *g, json *to);
/* Its huge pages: {"2MB": {"usage": bytes, "max": bytes (v1), "failcnt": times}}, {} without the controller. */
int cgroup_hugetlb_stats(const teu_cgroup *g, json *to);
int cgroup_v1_freeze(const char *dir, bool frozen, int64_t deadline_ms, teu_error **err);
int cgroup_v2_freeze(const char *dir, bool frozen, int64_t deadline_ms, teu_error **err);

#endif
