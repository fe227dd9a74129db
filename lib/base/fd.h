/* fd: whole reads and writes, and files that appear whole. Every descriptor is born O_CLOEXEC. */
#ifndef TEU_BASE_FD_H
#define TEU_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Writes all of it, whatever the pieces. Returns 0 or -errno. */
int fd_write_all(int fd, const void *bytes, size_t len);

/* Reads until @len or the end; returns the count or -errno. */
ssize_t fd_read_full(int fd, void *bytes, size_t len);

/*
 * The whole content of the file @name below @dir_fd (AT_FDCWD: a path), terminated; at most @max bytes.
 * TEU_E_NOT_FOUND; TEU_E_LIMIT, it is larger; TEU_E_SYSTEM.
 */
int fd_read_file(int dir_fd, const char *name, size_t max, char **ret_text, size_t *ret_len, teu_error **err);

/* As above from an open descriptor; @what names it in errors. */
int fd_read_rest(int fd, const char *what, size_t max, char **ret_text, size_t *ret_len, teu_error **err);

enum fd_sync { FD_NO_SYNC = 0, FD_SYNC = 1 };

/* Makes @name below @dir_fd hold @bytes: temporary name beside it, fsync if asked, rename. Readers see the old or the
 * new file. */
int fd_replace_file(int dir_fd, const char *name, const void *bytes, size_t len, mode_t mode, enum fd_sync sync,
		    teu_error **err);

/* Writes one value into a kernel file (procfs, sysfs, cgroupfs). Returns 0 or -errno. */
int fd_write_value(int dir_fd, const char *name, const char *value);

/* Opens the directory @name below @dir_fd, and makes it first if it is missing. */
int fd_open_dir(int dir_fd, const char *name, mode_t mode, int *ret_fd, teu_error **err);

/* Removes @name below @dir_fd and, if it is a directory, all in it; follows no link, crosses no mount. A missing one is
 * fine. */
int fd_remove_tree(int dir_fd, const char *name, teu_error **err);

#endif
