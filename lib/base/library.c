/* library: opens a heavy library on first use. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

static int fill(struct library *lib, void *handle, teu_error **err)
{
	for (size_t i = 0; i < lib->n_symbols; i++) {
		void *at = dlsym(handle, lib->symbols[i].name);

		if (!at)
			return err_set(err, TEU_E_UNSUPPORTED, "%s has no %s: install a newer package %s", lib->soname,
				       lib->symbols[i].name, lib->package);
		/* ISO C knows no cast from an object to a function pointer; POSIX promises that they are alike. */
		memcpy(lib->symbols[i].to, &at, sizeof(at));
	}
	return 0;
}

static int open_locked(struct library *lib, teu_error **err)
{
	void *handle;
	int r;

	if (atomic_load(&lib->open))
		return 0;
	handle = dlopen(lib->soname, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return err_set(err, TEU_E_UNSUPPORTED, "%s can't be opened: install the package %s", lib->soname,
			       lib->package);
	r = fill(lib, handle, err);
	if (r < 0) {
		dlclose(handle);
		return r;
	}
	atomic_store(&lib->open, true);
	return 0;
}

int library_open(struct library *lib, teu_error **err)
{
	int r;

	if (atomic_load(&lib->open))
		return 0;
	pthread_mutex_lock(&lib->lock);
	r = open_locked(lib, err);
	pthread_mutex_unlock(&lib->lock);
	return r;
}
