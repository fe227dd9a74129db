/* finish: what happens after a container has ended. */
#include "engine/finish.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/lock.h"
#include "kernel/cgroup.h"
#include "network/endpoint.h"
#include "store/container_write.h"
#include "store/containers.h"

int32_t finish_status_of(teu_container *container)
{
	struct container_state s;

	if (!container || state_read(&container->engine->store, container->id, &s, NULL) < 0 ||
	    s.state != TEU_STATE_EXITED)
		return 137;
	return s.exit_status;
}

static int release_network(teu_engine *engine, const char *id, teu_error **err)
{
	_cleanup_(endpoint_done) struct endpoint ep = { 0 };
	_cleanup_json_ json *text = NULL;
	_cleanup_free_ char *bytes = NULL;
	_cleanup_error_ teu_error *ignored = NULL;
	char path[128];
	size_t len;

	snprintf(path, sizeof(path), "containers/%s/network.json", id);
	if (fd_read_file(engine->store.run_fd, path, JSON_MAX_SIZE, &bytes, &len, &ignored) < 0)
		return 0;
	if (json_parse(bytes, len, &text, &ignored) < 0 || endpoint_from_json(text, &ep, &ignored) < 0)
		return 0;
	/* A monitor that was not killed takes first its ports out, then its state away. */
	snprintf(path, sizeof(path), "containers/%s/state", id);
	return endpoint_close(&engine->store, id, &ep, faccessat(engine->store.run_fd, path, F_OK, 0) == 0, err);
}

/* The monitor has removed it, unless it was killed. */
static int release_cgroup(teu_engine *engine, const char *id, teu_error **err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_error_ teu_error *ignored = NULL;
	teu_cgroup *cgroup = NULL;
	char name[96];
	int r;

	snprintf(name, sizeof(name), "containers/%s/cgroup", id);
	if (fd_read_file(engine->store.run_fd, name, 4096, &path, NULL, &ignored) < 0 ||
	    cgroup_find(path, &cgroup, &ignored) < 0)
		return 0;
	r = cgroup_kill_all(cgroup, err);
	if (r == 0)
		r = cgroup_rmdir(cgroup, err);
	teu_cgroup_unref(cgroup);
	return r;
}

static int release(teu_engine *engine, const char *id, bool again, teu_error **err)
{
	char path[96];
	int r;

	snprintf(path, sizeof(path), "containers/%s", id);
	if (faccessat(engine->store.run_fd, path, F_OK, 0) < 0)
		return 0;
	r = release_network(engine, id, err);
	if (r == 0)
		r = release_cgroup(engine, id, err);
	if (r == 0 && !again)
		r = fd_remove_tree(engine->store.run_fd, path, err);
	return r < 0 ? err_wrap(err, r, "clean up after container %.12s", id) : 0;
}

int finish_release(teu_engine *engine, const char *id, teu_error **err)
{
	return release(engine, id, false, err);
}

int finish_life(teu_engine *engine, const char *id, teu_error **err)
{
	char path[96];

	snprintf(path, sizeof(path), "containers/%s/paused", id);
	unlinkat(engine->store.run_fd, path, 0);
	return release(engine, id, true, err);
}

static bool runs(teu_engine *engine, const char *id)
{
	char path[96];

	snprintf(path, sizeof(path), "containers/%s/alive", id);
	return lock_is_held(engine->store.run_fd, path);
}

void finish_remove(teu_container *container, bool leave_files)
{
	_cleanup_error_ teu_error *err = NULL;
	teu_engine *engine = container->engine;
	int lock = -EBADF, r = containers_lock(&engine->store, container->id, &lock, &err);

	/* The lingering monitor holds "alive" until our end of the wire closes: what counts is that the end is on
	 * record. */
	if (r == 0)
		r = finish_release(engine, container->id, &err);
	if (r == 0)
		r = leave_files ? containers_retire(&engine->store, container->id, &err)
				: containers_remove(&engine->store, container->id, true, &err);
	containers_unlock(&engine->store, container->id, &lock);
	if (r < 0 && r != TEU_E_NOT_FOUND)
		engine_log(engine, TEU_LOG_WARNING, "remove container %s: %s", container->name, teu_error_message(err));
}

static int sweep_one(teu_engine *engine, const char *id, teu_error **err)
{
	_cleanup_(teu_container_unrefp) teu_container *container = NULL;
	_cleanup_error_ teu_error *ignored = NULL, *kept = NULL;
	_cleanup_close_ int lock = -EBADF;
	struct container_state s;
	bool known;
	int r;

	if (runs(engine, id))
		return 0;
	r = containers_lock(&engine->store, id, &lock, err);
	if (r < 0 || runs(engine, id))
		return r;
	known = container_load(engine, id, &container, &ignored) == 0;
	/* On a full disk it waits for another sweep: nothing else tells how it ended. */
	if (known && state_keep_exit(&engine->store, id, &kept) < 0) {
		engine_log(engine, TEU_LOG_WARNING, "%s", teu_error_message(kept));
		return 0;
	}
	r = finish_release(engine, id, err);
	if (r < 0 || !known || !json_get_truth(json_get(container->record, "HostConfig"), "AutoRemove", false))
		return r;
	r = state_read(&engine->store, id, &s, err);
	if (r == 0 && (s.state == TEU_STATE_EXITED || *s.error))
		r = containers_remove(&engine->store, id, true, err);
	return r;
}

/* A container has its folder from before it takes an address until after it has given it back. */
static bool has_folder(const char *id, void *data)
{
	const teu_engine *engine = data;
	char path[160];

	snprintf(path, sizeof(path), "containers/%s", id);
	return faccessat(engine->store.run_fd, path, F_OK, 0) == 0;
}

int finish_sweep(teu_engine *engine, teu_error **err)
{
	_cleanup_(strv_done) struct strv ids = STRV_INIT;
	int r = containers_list(&engine->store, true, &ids, err);

	if (r == 0)
		r = containers_list(&engine->store, false, &ids, err);
	if (r < 0)
		return r;
	strv_foreach (id, &ids) {
		r = sweep_one(engine, *id, err);
		if (r < 0)
			return r;
	}
	return endpoint_sweep(&engine->store, has_folder, engine, err);
}
