/* syscalls: raw system calls that the C library has no function for. */
#include "kernel/syscalls.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

int sys_bpf(int command, void *attr, size_t size)
{
	return result(syscall(SYS_bpf, command, attr, size));
}

/* glibc has these two since 2.36 only. */
int sys_pidfd_open(pid_t pid)
{
	return result(syscall(SYS_pidfd_open, pid, 0));
}

int sys_pidfd_send_signal(int pidfd, int signal)
{
	return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}
