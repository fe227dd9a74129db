/* kill: signals to a container's processes. */
#ifndef TEU_RUNTIME_KILL_H
#define TEU_RUNTIME_KILL_H

#include "runtime/record.h"

/* Kills the process that is @pid since @start and waits until it has ended, at most 10 s: TEU_E_TIMEOUT. One that is
 * gone is fine. */
int kill_process(pid_t pid, uint64_t start, teu_error **err);

/* Kills all processes of a container and waits for the end of the first. */
int kill_container(const struct record *record, teu_error **err);

#endif
