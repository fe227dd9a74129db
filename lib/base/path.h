/* path: openat2(2) below a root that somebody hostile may write to, and plain path sums. */
#ifndef TEU_BASE_PATH_H
#define TEU_BASE_PATH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Opens @path as if @root_fd were "/" (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS): "..", absolute links and races stay
 * inside. Returns the descriptor or -errno.
 */
int path_open_beneath(int root_fd, const char *path, int flags, mode_t mode);

/* As above, but -ELOOP where a symbolic link stands in the way. */
int path_open_straight(int root_fd, const char *path, int flags, mode_t mode);

/* "/a//b/./c/../d" -> "/a/b/d", as text only; for the caller to free; NULL: no memory. The result begins with "/". */
char *path_clean(const char *path);

/* Is @path, cleaned, @dir or below it? */
bool path_is_below(const char *path, const char *dir);

#endif
