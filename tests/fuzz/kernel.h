/*
 * kernel: what the helper's system calls meet in a test. Nothing is done; what they name is read to its end and what
 * they ask for is filled in, so that a sanitizer sees what is outside, and the answers are drawn from a seed.
 */
#ifndef TEU_TESTS_FUZZ_KERNEL_H
#define TEU_TESTS_FUZZ_KERNEL_H

#include <setjmp.h>
#include <stdint.h>

#include "init/plan.h"

/* A helper that ends, or makes more calls than it may, comes back here. */
extern jmp_buf kernel_end;

/* @plan: what is in FD_PLAN. */
void kernel_begin(uint32_t seed, const struct plan_header *plan, uint64_t size);
/* Frees the memory that was given out. */
void kernel_done(void);

#endif
