/* events: what a container uses, and when that is more memory than there is for it. */
#ifndef TEU_RUNTIME_EVENTS_H
#define TEU_RUNTIME_EVENTS_H

#include "format/json.h"
#include "runtime/runtime.h"

/* The "data" of runc's event "stats". */
int runtime_stats(teu_runtime *runtime, const char *id, json **ret, teu_error **err);
/* See teu_runtime_oom_watch(). */
int runtime_oom_watch(teu_runtime *runtime, const char *id, int *ret_fd, uint64_t *ret_seen, teu_error **err);
int runtime_oom_read(teu_runtime *runtime, const char *id, int fd, uint64_t *seen, uint64_t *ret_times,
		     teu_error **err);

#endif
