/*
 * seccomp: system call filters as BPF programs, compiled by libseccomp (opened on first use; the only user) and cached
 * in a folder: compiling docker's profile takes 25 to 40 ms, reading the cached program 30 µs.
 */
#ifndef TEU_KERNEL_SECCOMP_H
#define TEU_KERNEL_SECCOMP_H

#include <stdint.h>

#include "format/json.h"

struct seccomp_filter {
	void *bpf; /* struct sock_filter[], owned */
	size_t n_bytes;
	unsigned flags; /* SECCOMP_FILTER_FLAG_…; NEW_LISTENER when some calls are left to one */
};

/*
 * The default profile (equal in effect to Docker's for a container that holds @caps), from the cache folder or compiled
 * into it.
 * @cache_fd: -1: no cache.
 */
int seccomp_default(uint64_t caps, int cache_fd, struct seccomp_filter *ret, teu_error **err);

/* A runtime-spec linux.seccomp object. TEU_E_INVALID with detail "field" below @where. */
int seccomp_compile(const json *profile, const char *where, int cache_fd, struct seccomp_filter *ret, teu_error **err);

/* Docker's own profile format (--security-opt seccomp=FILE: archMap, includes, excludes by caps and minKernel) to a
 * runtime-spec object. */
int seccomp_from_docker(const json *profile, uint64_t caps, json **ret, teu_error **err);

/* The flags that a profile may have, one by one; NULL ends them. Does the kernel have the @i-th? */
const char *seccomp_flag_name(size_t i);
bool seccomp_flag_works(size_t i);
/* Can a profile name the architecture on this machine ("SCMP_ARCH_X86")? */
bool seccomp_knows_arch(const char *name);

/*
 * A container's own copy, the file @name of its folder. Unlike the cache's it must be there: TEU_E_CORRUPT when it is
 * damaged.
 */
int seccomp_keep(int dir_fd, const char *name, const struct seccomp_filter *filter, teu_error **err);
int seccomp_kept(int dir_fd, const char *name, struct seccomp_filter *ret, teu_error **err);

void seccomp_filter_done(struct seccomp_filter *filter);

#endif
