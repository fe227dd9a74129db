/* proc: other processes, by number and the time they began. */
#include "base/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/cleanup.h"
#include "base/fd.h"

static int has_ended(pid_t pid, teu_error **err)
{
	return err_set(err, TEU_E_NOT_FOUND, "process %d has ended", (int)pid);
}

int proc_read(pid_t pid, char *text, size_t cap, char **ret_fields, teu_error **err)
{
	char path[32];
	_cleanup_close_ int fd = -EBADF;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -errno : fd_read_full(fd, text, cap - 1);
	if (n == -ENOENT || n == -ESRCH)
		return has_ended(pid, err);
	if (n < 0)
		return err_errno(err, (int)-n, "read %s", path);
	text[n] = '\0';
	*ret_fields = strrchr(text, ')');
	if (!*ret_fields)
		return err_errno(err, EIO, "read %s", path);
	*ret_fields += 2;
	return 0;
}

uint64_t proc_field(const char *fields, int number)
{
	for (int i = 3; i < number && fields; i++) {
		fields = strchr(fields, ' ');
		fields += fields != NULL;
	}
	return fields ? strtoull(fields, NULL, 10) : 0;
}

int proc_start_time(pid_t pid, uint64_t *ret, teu_error **err)
{
	char text[1024], *fields;
	int r = proc_read(pid, text, sizeof(text), &fields, err);

	if (r == 0)
		*ret = proc_field(fields, PROC_START);
	return r;
}

int proc_runs(pid_t pid, uint64_t start, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	char text[1024], *fields;
	int r = pid > 0 ? proc_read(pid, text, sizeof(text), &fields, &why) : TEU_E_NOT_FOUND;

	if (r == 0)
		return *fields != 'Z' && *fields != 'X' && proc_field(fields, PROC_START) == start;
	if (r == TEU_E_NOT_FOUND)
		return 0;
	return err_pass(err, r, &why);
}

int proc_open(pid_t pid, uint64_t start, int *ret_pidfd, teu_error **err)
{
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	uint64_t began = 0;
	int r;

	if (pidfd < 0)
		return errno == ESRCH ? has_ended(pid, err) : err_errno(err, errno, "pidfd_open %d", (int)pid);
	/* Asked after the pidfd is there: whoever has the number now is who it stands for. */
	r = proc_start_time(pid, &began, err);
	if (r < 0)
		return r;
	if (began != start)
		return has_ended(pid, err);
	*ret_pidfd = TAKE_FD(pidfd);
	return 0;
}
