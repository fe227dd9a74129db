/* creation: a container on its way from a bundle to a process, whether that is made anew or restored. */
#ifndef TEU_RUNTIME_CREATION_H
#define TEU_RUNTIME_CREATION_H

#include "runtime/bundle.h"
#include "runtime/handover.h"
#include "runtime/record.h"
#include "runtime/scope.h"
#include "runtime/shares.h"
#include "sandbox/compile.h"
#include "sandbox/spawn.h"

struct creation {
	teu_runtime *runtime;
	const teu_runtime_create_options *opts;
	bool stays; /* a process of ours does until the end */
	bool waits; /* the command waits to be started */
	struct bundle bundle;
	struct record record;
	json *mounts;		   /* of shared_mounts_note(); NULL: it has its own */
	char *cgroup_path;	   /* NULL: it stays in the caller's */
	struct scope scope;	   /* with a unit: systemd makes it */
	struct cgroup_plan cgroup; /* its own, or of the caller's what it sees */
	bool cgroup_made;
	struct resctrl shares;
	int cgroup_fd, notify_fd;
	struct seccomp_filter filter;
	struct handover handover;
	char *start_path, *keyring, *head, *tails[2];
	struct nl_batch loopback; /* brings up that of a new network namespace */
	struct launch launch;
	struct plan plan;
	struct spawn spawn;
	int32_t pid;
};

void creation_init(struct creation *c, teu_runtime *rt, const char *id, const teu_runtime_create_options *opts);
void creation_done(struct creation *c);

/* All that can be wrong with bundle and options is found before anything is made. */
int creation_prepare(struct creation *c, teu_error **err);
/* The folder's files, once it is there. */
int creation_make_files(struct creation *c, teu_error **err);
int creation_make_cgroup(struct creation *c, teu_error **err);
/* Writes the record of the process @pid. */
int creation_record(struct creation *c, pid_t pid, teu_error **err);
/* @data: the struct creation; starts its unit with process @pid in it. */
int creation_place(void *data, int32_t pid, teu_error **err);
/* @data: the struct creation; prestart and createRuntime hooks. */
int creation_run_hooks(void *data, int32_t pid, teu_error **err);
/* The record, then those who wait for the container. */
int creation_tell(struct creation *c, teu_error **err);
/* Nothing of a failed one stays: process, cgroup, folder. */
void creation_take_back(struct creation *c);

#endif
