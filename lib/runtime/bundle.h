/* bundle: a folder with a config.json, read. Source: runtime-spec bundle.md. */
#ifndef TEU_RUNTIME_BUNDLE_H
#define TEU_RUNTIME_BUNDLE_H

#include "format/json.h"
#include "sandbox/check.h"

struct bundle {
	char *path;   /* absolute, owned */
	char *text;   /* of bundle_note_text(), owned */
	json *spec;   /* owned */
	char *rootfs; /* of bundle_find_rootfs(), owned */
};

/* @path: NULL, the working folder; @config: another file than its config.json, or NULL. */
int bundle_open(const char *path, const char *config, struct bundle *ret, teu_error **err);
/* Whether a container can be made of it; the names of its fields are the specification's afterwards. */
int bundle_check(struct bundle *bundle, struct check *ret, teu_error **err);
/* Prints the spec as it is now: what the container keeps. */
int bundle_note_text(struct bundle *bundle, teu_error **err);
/* Makes root.path absolute, as the folder that it is. */
int bundle_find_rootfs(struct bundle *bundle, teu_error **err);
void bundle_done(struct bundle *bundle);

/* The spec kept in the container's folder. */
int bundle_reopen(int dir_fd, json **ret_spec, teu_error **err);

#endif
