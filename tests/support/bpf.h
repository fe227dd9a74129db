/* bpf: a system call filter, run as the kernel runs it. */
#ifndef TEU_TESTS_BPF_H
#define TEU_TESTS_BPF_H

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* What the program of @n_bytes answers to one call. Ends this process when it is none that the kernel would take. */
uint32_t bpf_judge(const void *program, size_t n_bytes, const struct seccomp_data *call);

#endif
