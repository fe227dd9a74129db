/* checkpoint: saves the processes of a container into files, and brings them back. */
#ifndef TEU_RUNTIME_CHECKPOINT_H
#define TEU_RUNTIME_CHECKPOINT_H

#include "runtime/runtime.h"

int runtime_checkpoint(teu_runtime *runtime, const char *id, const teu_runtime_checkpoint_options *opts,
		       teu_error **err);
/* @ret_wait: as of runtime_create(). */
int runtime_restore(teu_runtime *runtime, const char *id, const teu_runtime_restore_options *opts, int32_t *ret_pid,
		    int *ret_wait, teu_error **err);

#endif
