/*
 * lock: whole-file locks between processes and threads (open file description locks: fcntl(2), F_OFD_SETLK). The kernel
 * takes a dead process's locks away, so a held lock is also a proof of life.
 */
#ifndef TEU_BASE_LOCK_H
#define TEU_BASE_LOCK_H

#include <stdbool.h>

#include "base/cancel.h"
#include "base/err.h"

enum lock_mode { LOCK_SHARED, LOCK_EXCLUSIVE };

/*
 * Opens (makes) the file @name below @dir_fd and locks it, waiting if somebody else has it. Closing *@ret_fd unlocks.
 * Errors: TEU_E_SYSTEM.
 */
int lock_take(int dir_fd, const char *name, enum lock_mode mode, int *ret_fd, teu_error **err);

/* As above, and @cancel ends the waiting: TEU_E_CANCELLED. */
int lock_take_unless(int dir_fd, const char *name, enum lock_mode mode, const teu_cancel *cancel, int *ret_fd,
		     teu_error **err);

/* As above without waiting: TEU_E_CONFLICT when somebody else has it. */
int lock_try(int dir_fd, const char *name, enum lock_mode mode, int *ret_fd, teu_error **err);

/* 1: somebody holds the lock on @name exclusively; 0: nobody does, as with a missing file. Else an error: that could
 * not be found out. */
int lock_look(int dir_fd, const char *name, teu_error **err);
/* As above for who takes away what nobody holds: what can't be found out is held. */
bool lock_is_held(int dir_fd, const char *name);

#endif
