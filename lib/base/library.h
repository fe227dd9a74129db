/*
 * library: opens a heavy library on first use. A program that only launches containers never pays for mapping it; the
 * one file that owns a library keeps a `struct library` and a struct of function pointers.
 */
#ifndef TEU_BASE_LIBRARY_H
#define TEU_BASE_LIBRARY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct library_symbol {
	const char *name;
	void *to; /* address of the function pointer to fill */
};

struct library {
	const char *soname;
	const char *package; /* Debian's, for the error */
	const struct library_symbol *symbols;
	size_t n_symbols;
	pthread_mutex_t lock; /* PTHREAD_MUTEX_INITIALIZER */
	atomic_bool open;
};

/*
 * Opens @lib and fills its symbols, once; any thread may call it at any time. It is never closed. A failure is not
 * remembered, so that installing the package helps a running program. TEU_E_UNSUPPORTED: it or a symbol is missing.
 */
int library_open(struct library *lib, teu_error **err);

#endif
