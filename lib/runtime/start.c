/* start: lets a created container's process go on. Source: runtime-spec runtime.md "Start". */
#include <fcntl.h>

#include "runtime/bundle.h"
#include "runtime/hooks.h"
#include "runtime/kill.h"
#include "runtime/notify.h"
#include "runtime/record.h"

static int check_status(const struct record *rec, teu_error **err)
{
	switch (record_status(rec)) {
	case STATUS_CREATED:
		return 0;
	case STATUS_STOPPED:
		return err_set(err, TEU_E_CONFLICT, "cannot start a container that has stopped");
	case STATUS_PAUSED:
		if (faccessat(rec->dir_fd, START_FIFO, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return err_set(err, TEU_E_CONFLICT, "cannot start a container that is paused: resume it first");
		/* fall through */
	default:
		return err_set(err, TEU_E_CONFLICT, "cannot start an already running container");
	}
}

/* As with runc, and the specification since 1.3: one that fails ends the container. */
static int run_poststart(const struct record *rec, teu_error **err)
{
	_cleanup_json_ json *spec = NULL;
	int r;

	if (!json_get_truth(rec->doc, "poststart", false))
		return 0;
	r = bundle_reopen(rec->dir_fd, &spec, err);
	if (r == 0)
		r = hooks_run(spec, "poststart", rec, "running", rec->pid, err);
	if (r < 0)
		kill_container(rec, NULL);
	return r;
}

int runtime_start(teu_runtime *rt, const char *id, teu_error **err)
{
	_cleanup_(record_done) struct record rec = RECORD_INIT;
	_cleanup_close_ int fifo = -EBADF, notify = -EBADF;
	const char *manager;
	int r = record_open(rt, id, true, &rec, err);

	if (r == 0)
		r = check_status(&rec, err);
	if (r < 0)
		return r;
	manager = json_get_text(rec.doc, "notify", NULL);
	r = manager ? notify_listen(&rec, &notify, err) : 0;
	if (r < 0)
		return r;
	/* Only the process itself has it open for reading. */
	fifo = openat(rec.dir_fd, START_FIFO, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fifo < 0)
		return errno == ENXIO ? err_set(err, TEU_E_CONFLICT, "cannot start a container that has stopped")
				      : err_errno(err, errno, "open the fifo of container %s", id);
	unlinkat(rec.dir_fd, START_FIFO, 0);
	if (write(fifo, "", 1) != 1)
		return err_errno(err, errno, "start container %s", id);
	r = run_poststart(&rec, err);
	return r == 0 && manager ? notify_pass_on(notify, &rec, manager, true, err) : r;
}
