/* proc: other processes, by number and the time they began. */
#include "base/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/cleanup.h"
#include "base/fd.h"

bool proc_read(pid_t pid, char *text, size_t cap, char **ret_fields)
{
	char path[32];
	_cleanup_close_ int fd = -EBADF;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : fd_read_full(fd, text, cap - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	*ret_fields = strrchr(text, ')');
	if (!*ret_fields)
		return false;
	*ret_fields += 2;
	return true;
}

uint64_t proc_field(const char *fields, int number)
{
	for (int i = 3; i < number && fields; i++) {
		fields = strchr(fields, ' ');
		fields += fields != NULL;
	}
	return fields ? strtoull(fields, NULL, 10) : 0;
}

uint64_t proc_start_time(pid_t pid)
{
	char text[1024], *fields;

	return proc_read(pid, text, sizeof(text), &fields) ? proc_field(fields, PROC_START) : 0;
}

bool proc_runs(pid_t pid, uint64_t start)
{
	char text[1024], *fields;

	return pid > 0 && proc_read(pid, text, sizeof(text), &fields) && *fields != 'Z' && *fields != 'X' &&
	       proc_field(fields, PROC_START) == start;
}

int proc_open(pid_t pid, uint64_t start, int *ret_pidfd, teu_error **err)
{
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);

	if (pidfd < 0 && errno != ESRCH)
		return err_errno(err, errno, "pidfd_open %d", (int)pid);
	/* Asked after the pidfd is there: whoever has the number now is who it stands for. */
	if (pidfd < 0 || proc_start_time(pid) != start)
		return err_set(err, TEU_E_NOT_FOUND, "process %d has ended", (int)pid);
	*ret_pidfd = TAKE_FD(pidfd);
	return 0;
}
