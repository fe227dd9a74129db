/*
 * filter: what linux.seccomp compiles to, in the container's folder. A profile is four fifths of an engine's config,
 * and nobody needs its rules when they are compiled: neither the launch nor who comes after it.
 */
#ifndef TEU_RUNTIME_FILTER_H
#define TEU_RUNTIME_FILTER_H

#include "kernel/seccomp.h"
#include "runtime/runtime.h"

/* Compiles the profile of @spec, if it has one; of its rules only those stay that tell of a listener. */
int filter_compile(const teu_runtime *runtime, json *spec, struct seccomp_filter *ret, teu_error **err);
/* Into the container's folder; and the one of a container whose config is @spec from there. */
int filter_keep(int dir_fd, const struct seccomp_filter *filter, teu_error **err);
int filter_reopen(int dir_fd, const json *spec, struct seccomp_filter *ret, teu_error **err);

#endif
