/*
 * fuzz: what every target brings. Linked with -fsanitize=fuzzer the entry is libFuzzer's; else fuzz_main.c runs the
 * target over its seeds, over mutations of them that are the same every time, and over the files it is given.
 */
#ifndef TEU_TESTS_FUZZ_H
#define TEU_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The n-th seed, for the caller to free; NULL: there are no more. */
uint8_t *fuzz_seed(size_t n, size_t *ret_len);

/* mutate_json.c, where a target is linked with it: the new length. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t cap, unsigned seed) __attribute__((weak));

/* How many mutations of each seed `make check` tries. */
extern const size_t fuzz_rounds;

#endif
