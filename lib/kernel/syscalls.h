/* syscalls: raw system calls that the C library has no function for. All return -errno. */
#ifndef TEU_KERNEL_SYSCALLS_H
#define TEU_KERNEL_SYSCALLS_H

#include <stddef.h>
#include <sys/types.h>

int sys_bpf(int command, void *attr, size_t size);
int sys_pidfd_open(pid_t pid);
int sys_pidfd_send_signal(int pidfd, int signal);

#endif
