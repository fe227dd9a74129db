/* cleanup: release by scope. What leaves the function goes through TAKE_PTR or TAKE_FD. */
#ifndef TEU_BASE_CLEANUP_H
#define TEU_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

/* Keeps errno: the scope may end on the way to reporting it. */
static inline void cleanup_close(const int *fd)
{
	int kept = errno;

	if (*fd >= 0)
		close(*fd);
	errno = kept;
}

static inline void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static inline void cleanup_error(teu_error **err)
{
	teu_error_unref(*err);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)
#define _cleanup_error_ _cleanup_(cleanup_error)

/* Defines the `…p` twin of a function that frees one pointer, for _cleanup_(…p). */
#define DEFINE_CLEANUP(type, fn)                                                                                       \
	static inline void fn##p(type *p)                                                                              \
	{                                                                                                              \
		if (*p)                                                                                                \
			fn(*p);                                                                                        \
	}

#define TAKE_PTR(p)                                                                                                    \
	({                                                                                                             \
		__auto_type taken_ = (p);                                                                              \
		(p) = NULL;                                                                                            \
		taken_;                                                                                                \
	})

#define TAKE_FD(fd)                                                                                                    \
	({                                                                                                             \
		int taken_ = (fd);                                                                                     \
		(fd) = -EBADF;                                                                                         \
		taken_;                                                                                                \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
