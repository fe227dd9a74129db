/*
 * tree: a folder being filled under names that a stranger chose. Every name is walked beneath the root by openat2(2).
 * Most names share their folder with the one before, so that folder stays open; its time stamp is put back when it is
 * left, which saves remembering the stamps of all folders to the end.
 */
#ifndef TEU_LAYERFS_TREE_H
#define TEU_LAYERFS_TREE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/cleanup.h"

enum {
	TREE_MAX_DEPTH = 256, /* folders in one another, so that removing them needs a bounded number of descriptors */
};

struct tree {
	int root_fd;	       /* borrowed */
	int fd;		       /* the open folder; negative: none */
	char folder[PATH_MAX]; /* its cleaned name below the root, "" for the root itself */
	struct timespec mtime; /* of the open folder, as it was when it was opened */
	uint64_t made;	       /* folders that no entry named */
};

/*
 * Cleans the name of an entry: no "." parts and no doubled slashes; "" is the root itself. TEU_E_CORRUPT: it is empty,
 * absolute, has ".." or a part that no file system takes; TEU_E_LIMIT: it lies deeper than TREE_MAX_DEPTH.
 */
int tree_clean(const char *name, char ret[PATH_MAX], teu_error **err);

/*
 * Opens the folder of @name (cleaned, not "") as tree->fd and makes those that are missing (0755, root's); @ret_base
 * points to the last part of @name. TEU_E_CORRUPT: a file or a link to nowhere stands in the way.
 */
int tree_enter(struct tree *tree, const char *name, const char **ret_base, teu_error **err);

/* Puts the open folder's time stamp back and closes it. Takes a zeroed tree only if its fd is negative. */
int tree_leave(struct tree *tree, teu_error **err);
void tree_done(struct tree *tree);

/*
 * Opens the folder of an existing @name (cleaned) for looking; *@ret_base as above. -ENOENT and the like as a negative
 * errno. The descriptor is the caller's.
 */
int tree_find(const struct tree *tree, const char *name, const char **ret_base);

/* Removes what is called @base in the open folder, whole. */
int tree_clear(const struct tree *tree, const char *base, teu_error **err);

/*
 * Makes the folder @base in the open folder, or takes the one that is there; opens it as *@ret_fd. A new folder in the
 * place of something else hides lower layers' folder of that name: it is made opaque.
 */
int tree_make_dir(const struct tree *tree, const char *base, mode_t mode, int *ret_fd, teu_error **err);

/* Marks the folder @fd as hiding what lower layers have in it. Source: kernel, overlayfs.rst, "whiteouts and opaque
 * directories". */
int tree_set_opaque(int fd, teu_error **err);

/* An errno that the stranger's choice of names or kinds brought about is TEU_E_CORRUPT; else as err_errno(). */
int tree_errno(teu_error **err, int eno, const char *doing);

#endif
