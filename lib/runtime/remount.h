/* remount: mounts added to a running container, and taken off. */
#ifndef TEU_RUNTIME_REMOUNT_H
#define TEU_RUNTIME_REMOUNT_H

#include "runtime/runtime.h"

/* See teu_runtime_mounts_add(), teu_runtime_mounts_remove(). */
int runtime_remount(teu_runtime *runtime, const char *id, const char *mounts_json, bool remove, teu_error **err);

#endif
