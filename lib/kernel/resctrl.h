/*
 * resctrl: the shares of cache and memory bandwidth that processors give to groups of processes, Intel RDT and its
 * like. Source: runtime-spec config-linux.md "IntelRdt"; kernel documentation, filesystems/resctrl.rst.
 */
#ifndef TEU_KERNEL_RESCTRL_H
#define TEU_KERNEL_RESCTRL_H

#include "format/json.h"

/* The group of one container. */
struct resctrl {
	char *dir;	   /* of its class of service, owned */
	struct strv tasks; /* files that a process writes "0" to, in this order, to be in it */
	struct strv made;  /* folders that go with the container */
};

/* Where a resctrl is mounted. TEU_E_UNSUPPORTED: nowhere. */
int resctrl_find(char **ret_root, teu_error **err);

/*
 * Finds or makes the group that @rdt (linux.intelRdt) asks of the resctrl at @root for the container @id, and writes
 * its schemata. TEU_E_CONFLICT: the class is there with another share; TEU_E_NOT_FOUND: it is named only, and not
 * there. What a failed call has made is taken back.
 */
int resctrl_make(const char *root, const json *rdt, const char *id, struct resctrl *ret, teu_error **err);

/* Writes the schemata of @rdt to the class in @dir. */
int resctrl_set(const char *dir, const json *rdt, teu_error **err);

/* Removes the folders that were made, the last one first. */
void resctrl_remove(const struct strv *made);
void resctrl_done(struct resctrl *group);

#endif
