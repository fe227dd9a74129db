/* remove: a container goes, with what it left in the kernel and in the run root. */
#include "engine/remove.h"

#include "engine/finish.h"
#include "engine/stop.h"
#include "store/container_write.h"

struct progress {
	bool seen;  /* it was there */
	bool again; /* it was started between the kill and the lock */
};

/* The caller holds the lock. */
static int remove_locked(teu_container *container, bool force, bool volumes, struct progress *progress, teu_error **err)
{
	struct container_state state;
	int r = container_state(container, &state, err);

	if (r < 0)
		return r;
	if (container_is_up(&state)) {
		progress->again = force;
		return err_set(err, TEU_E_CONFLICT, "container %s is %s: stop it first, or remove it by force",
			       container->name, state.state == TEU_STATE_PAUSED ? "paused" : "running");
	}
	/* An anonymous volume of a container that is removed at its end has no other end. */
	volumes |= json_truth(json_find(container->record, "HostConfig.AutoRemove"), false);
	r = finish_release(container->engine, container->id, err);
	return r < 0 ? r : containers_remove(&container->engine->store, container->id, volumes, err);
}

/* Killing takes the lock itself, so it comes before: somebody may start the container between the two. */
static int remove_once(teu_container *container, bool force, bool volumes, struct progress *progress, teu_error **err)
{
	const struct store *store = &container->engine->store;
	struct container_state state;
	int lock_fd = -EBADF, r = container_state(container, &state, err);

	progress->again = false;
	if (r < 0)
		return r;
	progress->seen = true;
	if (container_is_up(&state) && force)
		r = container_kill_and_wait(container, err);
	if (r == 0)
		r = containers_lock(store, container->id, &lock_fd, err);
	if (r == 0)
		r = remove_locked(container, force, volumes, progress, err);
	containers_unlock(store, container->id, &lock_fd);
	return r;
}

enum { TRIES = 3 };

int container_remove(teu_container *container, bool force, bool volumes, teu_error **err)
{
	struct progress progress = { 0 };

	for (int tries = 1;; tries++) {
		_cleanup_error_ teu_error *cause = NULL;
		int r = remove_once(container, force, volumes, &progress, &cause);

		/* Killed, a container with AutoRemove is removed by its own monitor. */
		if (r == 0 || (force && progress.seen && r == TEU_E_NOT_FOUND))
			return 0;
		if (progress.again && tries < TRIES)
			continue;
		if (err && !*err)
			*err = TAKE_PTR(cause);
		return r;
	}
}
