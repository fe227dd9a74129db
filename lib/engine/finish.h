/* finish: what happens after a container has ended: its last traces in the kernel and, for AutoRemove, the container
 * itself. */
#ifndef TEU_ENGINE_FINISH_H
#define TEU_ENGINE_FINISH_H

#include "engine/container.h"
#include "store/state.h"

/* The exit status that is on record, or 137 when its monitor was killed; for the reader of a broken wire. NULL: 137. */
int32_t finish_status_of(teu_container *container);

/* Removes an ended AutoRemove container; what fails stays for the sweep. @leave_files: its monitor deletes the files.
 */
void finish_remove(teu_container *container, bool leave_files);

/*
 * Takes back what a launch made outside the container's folder: cgroup, address, published ports, run files. Whatever
 * is gone already is fine. The caller holds the container's lock, and it does not run.
 */
int finish_release(teu_engine *engine, const char *id, teu_error **err);

/* As above between two lives of its restart policy: its run files stay, so that nobody takes it for ended meanwhile. */
int finish_life(teu_engine *engine, const char *id, teu_error **err);

/* The same for every container that a dead process left behind; removes AutoRemove ones. For teu_engine_sweep(). */
int finish_sweep(teu_engine *engine, teu_error **err);

#endif
