/*
 * options: the caller's options struct, which may be of an older or newer release, as this release's. What the caller's
 * lacks reads as zeros, which always means the default; what it has beyond ours must be zero.
 */
#ifndef TEU_API_OPTIONS_H
#define TEU_API_OPTIONS_H

#include <stddef.h>

#include "base/err.h"

/*
 * Copies the struct at @from (NULL: the defaults) to @into, which has @size bytes and begins with its size_t size.
 * TEU_E_INVALID: …_options_init() was not called; TEU_E_UNSUPPORTED: a field is set that this release doesn't know.
 * @name is the struct's, for the message.
 */
int options_read(void *into, size_t size, const void *from, const char *name, teu_error **err);

/* The body of the …_options_init() functions: the caller's struct has @size bytes; @defaults: its first @n, where not
 * zeros. */
void options_fill(void *opts, size_t size, const void *defaults, size_t n);

/* For a struct that is called as its type: options_take(&own, opts, "teu_pull_options", err). */
#define options_take(own, opts, name, err) options_read((own), sizeof(*(own)), (opts), (name), (err))

#endif
