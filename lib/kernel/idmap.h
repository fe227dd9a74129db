/* idmap: which ids the namespaces of processes have, and what their owners may do there. Source: user_namespaces(7). */
#ifndef TEU_KERNEL_IDMAP_H
#define TEU_KERNEL_IDMAP_H

#include <stdbool.h>
#include <sys/types.h>

/* What this process is to the kernel: each lacks rights that the one before has. */
enum idmap_rights {
	IDMAP_ROOT = 0, /* of the machine */
	IDMAP_INNER,	/* root of another user namespace than the first */
	IDMAP_USER,	/* an ordinary user */
};

enum idmap_rights idmap_rights(void);

/* Is setgroups(2) denied where @pid lives? 0: this process. */
bool idmap_groups_denied(pid_t pid);

#endif
