/*
 * shared_mounts: a container without a mount namespace of its own stands in its creator's: the bind of its rootfs, and
 * all that is mounted below it, stays there when its processes have ended, until it is taken off here.
 */
#ifndef TEU_RUNTIME_SHARED_MOUNTS_H
#define TEU_RUNTIME_SHARED_MOUNTS_H

#include "format/json.h"

/* What is mounted at @rootfs before the container is made; NULL: no memory. */
json *shared_mounts_note(const char *rootfs);
/* Takes off what was mounted since that note, when we are in the same namespace. @note: NULL, there is nothing. */
void shared_mounts_remove(const json *note, const char *rootfs);

#endif
