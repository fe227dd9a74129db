/* members: the processes of a container. */
#ifndef TEU_RUNTIME_MEMBERS_H
#define TEU_RUNTIME_MEMBERS_H

#include "runtime/record.h"

/* Those of its cgroup, or if it has none of its pid namespace, or if it has none of those either its first alone. For
 * free(). */
int members_read(const struct record *rec, pid_t **ret, size_t *ret_n, teu_error **err);

#endif
