/* mount_spec: a mount as the spec has it, its options sorted. */
#ifndef TEU_SANDBOX_MOUNT_SPEC_H
#define TEU_SANDBOX_MOUNT_SPEC_H

#include "format/json.h"

/* Attributes to set and to clear, as a step carries them. */
struct mount_change {
	uint32_t set, clear;
};

/* One mount of the spec, its options sorted. */
struct mount_spec {
	const char *type, *source;
	char *destination;		     /* cleaned, owned */
	struct mount_change own_mount, tree; /* of this mount alone, and of all below it too */
	uint64_t propagation;		     /* MS_…; one that comes before it in the upper half */
	uint32_t flags;
	struct strv own;	 /* options of the filesystem */
	const json *uids, *gids; /* its own id maps; NULL: none */
	bool bind;
};

/* Reads the mount @v, which stands at @where. */
int mount_spec_read(const json *v, const char *where, struct mount_spec *ret, teu_error **err);
/* Has it an option of the filesystem that begins with @prefix ("mode=")? */
bool mount_spec_has(const struct mount_spec *m, const char *prefix);
void mount_spec_done(struct mount_spec *m);

/* As a step carries them. */
uint64_t mount_change_pack(struct mount_change change);
uint64_t mount_change_pack_tree(struct mount_change change);

#endif
