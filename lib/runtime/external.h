/*
 * external: the mounts of a container that are not its own filesystems but the host's, by the names that saved images
 * know them by. What they are follows from the config alone, so that they are found again at restore. Source: criu(8),
 * "External resources".
 */
#ifndef TEU_RUNTIME_EXTERNAL_H
#define TEU_RUNTIME_EXTERNAL_H

#include "base/strbuf.h"
#include "kernel/cgroup.h"

/* What of the host is mounted where; parallel lists. */
struct external {
	struct strv paths;   /* in the container, as the config has them, which are also the names */
	struct strv sources; /* on the host */
	struct strv masked;  /* files that the host's null device may stand for */
};

/* @group: of the container at @cgroup_path. */
int external_list(const json *spec, const struct cgroup_plan *group, const char *cgroup_path, struct external *ret,
		  teu_error **err);
void external_done(struct external *e);

/* Options for saving: those of them that are mounts in process @pid, where they are there. */
int external_add_saved(const struct external *e, pid_t pid, struct strbuf *options, teu_error **err);
/* Options for restoring. */
int external_add_restored(const struct external *e, struct strbuf *options, teu_error **err);

/* Makes the places that mounts of @spec need, in the rootfs, or in the folder that an earlier bind puts there. */
int external_make_places(const json *spec, const char *rootfs, teu_error **err);

#endif
