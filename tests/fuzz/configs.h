/* configs: documents to begin with, and the plans that they make. */
#ifndef TEU_TESTS_FUZZ_CONFIGS_H
#define TEU_TESTS_FUZZ_CONFIGS_H

#include <stdbool.h>

#include "sandbox/compile.h"

/* The n-th, for the caller to free; NULL: there are no more. */
char *config_text(size_t n);
/* What `teu-oci create` adds to one. */
struct launch config_launch(const json *config);
/* The n-th of launches, by a runtime and by the engine, of execs, remounts and bare commands; false: no more. */
bool config_plan(size_t n, struct plan *ret);

#endif
