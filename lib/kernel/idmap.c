/* idmap: what procfs says of user namespaces. */
#include "kernel/idmap.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

/* "": a kernel without user namespaces, or no procfs. */
static void read_small(const char *path, char *text, size_t cap)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : fd_read_full(fd, text, cap - 1);

	text[n > 0 ? n : 0] = '\0';
}

/* Only the first namespace has all ids, each as itself. */
static bool in_first_namespace(void)
{
	unsigned inside, outside, count;
	char text[128];

	read_small("/proc/self/uid_map", text, sizeof(text));
	return sscanf(text, "%u %u %u", &inside, &outside, &count) != 3 ||
	       (inside == 0 && outside == 0 && count == UINT32_MAX);
}

enum idmap_rights idmap_rights(void)
{
	return geteuid() != 0 ? IDMAP_USER : in_first_namespace() ? IDMAP_ROOT : IDMAP_INNER;
}

bool idmap_groups_denied(pid_t pid)
{
	char path[64] = "/proc/self/setgroups", text[16];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
	read_small(path, text, sizeof(text));
	return strncmp(text, "deny", 4) == 0;
}
