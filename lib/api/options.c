/* options: the caller's options struct as this release's. */
#include "api/options.h"

#include <string.h>

/* No struct of ours comes near; a larger size is a forgotten …_options_init(). */
enum { MAX_SIZE = 4096 };

void options_fill(void *opts, size_t size, const void *defaults, size_t n)
{
	memset(opts, 0, size);
	if (n)
		memcpy(opts, defaults, size < n ? size : n);
	if (size >= sizeof(size))
		memcpy(opts, &size, sizeof(size));
}

int options_read(void *into, size_t size, const void *from, const char *name, teu_error **err)
{
	size_t given = 0;

	memset(into, 0, size);
	if (from) {
		memcpy(&given, from, sizeof(given));
		if (given < sizeof(given) || given > MAX_SIZE)
			return err_set(err, TEU_E_INVALID,
				       "%s.size is %zu: fill the struct with its _init function first", name, given);
		for (size_t i = size; i < given; i++)
			if (((const unsigned char *)from)[i])
				return err_set(err, TEU_E_UNSUPPORTED,
					       "%s has a field set that this release of the library does not know",
					       name);
		memcpy(into, from, given < size ? given : size);
	}
	memcpy(into, &size, sizeof(size));
	return 0;
}
