/*
 * record: a container's folder and its state.json. Source: runtime-spec runtime.md "State". Whoever changes a container
 * holds its lock; reading needs none, as the record appears whole.
 */
#ifndef TEU_RUNTIME_RECORD_H
#define TEU_RUNTIME_RECORD_H

#include "format/json.h"
#include "runtime/runtime.h"

/* In the folder of a container that waits to be started. The name is runc's: who looks at the descriptors of a created
 * container knows it. */
#define START_FIFO "exec.fifo"
/* The path of the cgroup, from before it is made: nobody was in it then, so whoever is there belongs to the container.
 */
#define OWN_CGROUP "cgroup"

enum status { STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED };

struct record {
	const char *id; /* borrowed */
	int dir_fd;
	int lock_fd; /* -EBADF: not locked */
	json *doc;   /* owned; NULL: its create never came to an end */
	/* out of doc, borrowed */
	pid_t pid;
	uint64_t start; /* of that process */
	const char *bundle, *cgroup;
};

#define RECORD_INIT                                                                                                    \
	(struct record)                                                                                                \
	{                                                                                                              \
		.dir_fd = -EBADF, .lock_fd = -EBADF                                                                    \
	}

/* TEU_E_INVALID: it can't be the name of a container. */
int record_check_id(const char *id, teu_error **err);
/* Makes and locks the folder of a new container. TEU_E_CONFLICT: the id is taken; TEU_E_INVALID. */
int record_make(teu_runtime *runtime, const char *id, struct record *ret, teu_error **err);
/* TEU_E_NOT_FOUND: no such container. */
int record_open(teu_runtime *runtime, const char *id, bool lock, struct record *ret, teu_error **err);
/* As above with the lock; what is left of an unfinished create is found too, without doc: its record is missing or
 * broken. */
int record_open_any(teu_runtime *runtime, const char *id, struct record *ret, teu_error **err);
/* Takes @doc and writes it. */
int record_write(struct record *record, json *doc, teu_error **err);
/* Takes away what creates and deletes that were killed have left without a name. */
int record_sweep(teu_runtime *runtime, teu_error **err);
/* Takes the folder away; the lock is kept until record_done(). */
int record_remove(teu_runtime *runtime, const struct record *record, teu_error **err);
void record_done(struct record *record);

/* Asked of the kernel: it fails where that can't answer (no more descriptors), and nobody may take it for stopped then.
 */
int record_status(const struct record *record, enum status *ret, teu_error **err);
const char *status_name(enum status status);
/* The specification's state document and what runc adds; NULL: no memory. */
json *record_state(const struct record *record, const char *status, pid_t pid);

#endif
