/*
 * store: the two folders everything is kept in, and the lock that guards their inventory. The file system is the
 * database: a record is a file that appears whole by rename, a name is a link that O_EXCL or symlink(2) gives to one
 * taker. docs/architecture.md, "State".
 */
#ifndef TEU_STORE_STORE_H
#define TEU_STORE_STORE_H

#include "base/err.h"
#include "base/lock.h"

struct store {
	char *root;	/* absolute path of the state root, owned */
	char *run_root; /* absolute path of the run root, owned */
	int root_fd;
	int run_fd;
};

/* Opens both roots and makes what is missing in them (mode 0710; tmp, blobs, layers, containers, names, volumes,
 * images, leases, cache). */
int store_open(const char *root, const char *run_root, struct store *ret, teu_error **err);
void store_done(struct store *store);

/*
 * The inventory lock, last in the lock order: shared to add (a container record that relies on an image: look for the
 * image again under it), exclusive to change index.json and to collect. Closing *ret_fd unlocks.
 */
int store_lock(const struct store *store, enum lock_mode mode, int *ret_fd, teu_error **err);

enum { STORE_NAME_MAX = 40 };
/* "new-0123456789abcdef": a name that nobody else has. */
int store_new_name(const char *prefix, char name[STORE_NAME_MAX], teu_error **err);

#endif
