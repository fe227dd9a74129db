/*
 * state: what a container is doing now and how it last ended. Written by its monitor as small text files, read by
 * everybody: <run root>/containers/<id>/state while it runs (the monitor holds a lock on "alive" beside it), <state
 * root>/containers/<id>/exit after. What a full disk does not take of the exit stays in place of the state.
 */
#ifndef TEU_STORE_STATE_H
#define TEU_STORE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <teu/container.h>

#include "store/store.h"

struct container_state {
	enum teu_container_state state;
	pid_t pid;	     /* of its first process; 0: not running */
	uint64_t pid_start;  /* start time of that process, field 22 of /proc/<pid>/stat */
	pid_t monitor_pid;   /* 0: not running */
	int64_t started_ns;  /* last start; 0: never */
	int64_t finished_ns; /* last end; 0: never */
	int32_t exit_status; /* of the last end, 0..255 */
	bool oom_killed;     /* of the last end */
	int32_t restarts;    /* by its restart policy, since the last start by a caller */
	char error[160];     /* why the last start failed, "" if it did not */
};

/* Reads it; a container that never ran is CREATED. A monitor that died shows as EXITED with status 137. */
int state_read(const struct store *store, const char *id, struct container_state *ret, teu_error **err);

/*
 * Before the run root's folder of a container that does not run goes: how it ended is put on record where nobody has
 * done so, its monitor having been killed or the disk full.
 */
int state_keep_exit(const struct store *store, const char *id, teu_error **err);

#endif
