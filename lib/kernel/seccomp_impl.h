/* seccomp_impl: what the files behind seccomp.h tell each other. */
#ifndef TEU_KERNEL_SECCOMP_IMPL_H
#define TEU_KERNEL_SECCOMP_IMPL_H

#include <stdint.h>

#include "base/strbuf.h"
#include "kernel/seccomp.h"

/* Each counts up with every change of the table, or of the code that compiles: no cached program outlives it. */
enum { SECCOMP_DEFAULT_VERSION = 1, SECCOMP_COMPILER_VERSION = 4 };

#define TEU_LIBSECCOMP_SONAME "libseccomp.so.2"

/* Those of @caps that change the default profile: a cached program serves every set that has the same ones. */
uint64_t seccomp_default_relevant(uint64_t caps);

/* The default profile for a holder of @caps as a runtime-spec linux.seccomp object; NULL: no memory. */
json *seccomp_default_profile(uint64_t caps);

/* Fills @ret from the file for @key; false: there is none, or it is damaged. */
bool seccomp_cache_read(int cache_fd, const struct strbuf *key, struct seccomp_filter *ret);
/* Failure is no matter: the next one compiles again. */
void seccomp_cache_write(int cache_fd, const struct strbuf *key, const struct seccomp_filter *filter);

/*
 * Makes @program (struct sock_filter[]) shorter, with the same answer to every call. @arches: the kernel's numbers of
 * the architectures that it knows, each once. It may stay as it is.
 */
void seccomp_shrink(struct strbuf *program, const uint32_t *arches, size_t n_arches);

/* The filter of @profile without any cache. */
int seccomp_build(const json *profile, const char *where, struct seccomp_filter *ret, teu_error **err);
/* The file of the library that does it, once it has; NULL: not known. */
const char *seccomp_compiler(void);

#endif
