/* imagedir: the folders that criu works in, and what we keep beside its own files. Source: criu(8), "Options". */
#ifndef TEU_RUNTIME_IMAGEDIR_H
#define TEU_RUNTIME_IMAGEDIR_H

#include <sys/stat.h>

#include "base/strbuf.h"
#include "format/json.h"

struct imagedir {
	int dir_fd, work_fd;
	struct stat was; /* with a mode: it is lent */
};

#define IMAGEDIR_INIT                                                                                                  \
	(struct imagedir)                                                                                              \
	{                                                                                                              \
		.dir_fd = -EBADF, .work_fd = -EBADF                                                                    \
	}

/* @path: NULL, "checkpoint" in the working folder. @work: NULL, the same. @make: the first may be missing. */
int imagedir_open(const char *path, const char *work, bool make, struct imagedir *ret, teu_error **err);
/* The same folders as process @pid sees them, which is in a mount namespace of its own: only there can it mount below
 * them. The descriptors keep their numbers. */
int imagedir_reopen(const struct imagedir *images, pid_t pid, teu_error **err);
/* The processes of a user namespace read the images themselves, as its root: until imagedir_done() that group, and no
 * others, may look up names in their folder. */
int imagedir_lend(struct imagedir *images, const json *spec, teu_error **err);
void imagedir_done(struct imagedir *images);
/* The options for it, and those that both directions have. */
int imagedir_add(const struct imagedir *images, const json *spec, const char *log, struct strbuf *options,
		 teu_error **err);

/* The streams of @record's process at its start, which a restore puts others in the place of. */
int imagedir_save_streams(const struct imagedir *images, const json *record, teu_error **err);
/* Options by which descriptors 0 to 2 of criu take the place of those that were pipes. */
int imagedir_add_streams(const struct imagedir *images, struct strbuf *options, teu_error **err);

#endif
