/*
 * scope: a container's cgroup as a transient unit of systemd, which makes it, knows what is in it, and delegates it.
 * Source: systemd.io/CONTROL_GROUP_INTERFACE "Delegation"; systemd.slice(5), systemd.scope(5); the form of cgroupsPath
 * is runc's, "slice:prefix:name".
 */
#ifndef TEU_RUNTIME_SCOPE_H
#define TEU_RUNTIME_SCOPE_H

#include "kernel/cgroup.h"
#include "kernel/systemd.h"
#include "runtime/record.h"

struct scope {
	char *unit;		 /* NULL: not systemd's. "prefix-name.scope", or a slice; owned */
	char *slice;		 /* that it is in; owned, NULL when it was found by a record */
	char *path;		 /* of its cgroup; owned */
	bool user;		 /* of the user's manager */
	struct systemd *manager; /* owned */
};

/* What linux.cgroupsPath of @spec means; connects to the manager. */
int scope_find(const teu_runtime *runtime, const json *spec, const char *id, struct scope *ret, teu_error **err);
/* That of a container that is there; without unit if it has none. */
int scope_of(const struct record *record, struct scope *ret, teu_error **err);
void scope_done(struct scope *s);

/* Starts the unit of container @id with process @pid in it and limits as in @spec; @plan: that of the cgroup. */
int scope_start(const struct scope *s, const char *id, pid_t pid, const json *spec, const struct cgroup_plan *plan,
		teu_error **err);
/* Tells the manager of other limits, and leaves in @resources those that it keeps: the cgroup's files are the caller's
 * to write. */
int scope_update(const struct scope *s, json *resources, teu_error **err);
int scope_stop(const struct scope *s, teu_error **err);

#endif
