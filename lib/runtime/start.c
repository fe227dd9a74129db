/* start: lets a created container's process go on. Source: runtime-spec runtime.md "Start". */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "init/wire.h"
#include "runtime/bundle.h"
#include "runtime/hooks.h"
#include "runtime/kill.h"
#include "runtime/notify.h"
#include "runtime/record.h"
#include "sandbox/plan.h"

static int check_status(const struct record *rec, teu_error **err)
{
	enum status status;
	int r = record_status(rec, &status, err);

	if (r < 0)
		return r;
	switch (status) {
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

/* In the words of a launch that fails: a plan of the one step. */
static int tell_failure(struct start_failure *m, teu_error **err)
{
	_cleanup_(plan_done) struct plan p = { 0 };
	struct plan_step *s;
	plan_off subject;
	int r;

	m->field[sizeof(m->field) - 1] = m->subject[sizeof(m->subject) - 1] = '\0';
	plan_init(&p);
	subject = plan_text_add(&p, m->subject);
	s = plan_step(&p, PLAN_FIRST, m->op == OP_HOOK ? OP_HOOK : OP_EXEC, m->field);
	s->t1 = subject;
	s->n3 = m->seconds;
	r = plan_finish(&p, err);
	return r < 0 ? r : plan_failure(&p, WIRE_FIRST, 0, m->error, err);
}

/*
 * Hooks and command are the first process's own business from here on. It has the fifo open until the command is
 * executed, and leaves there what has failed before. Ours is the only other end.
 */
static int await_command(int fifo, teu_error **err)
{
	struct pollfd p = { .fd = fifo };
	_cleanup_close_ int back = -EBADF;
	struct start_failure m;
	char path[32];

	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fifo);
	back = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (back < 0)
		return err_errno(err, errno, "open the container's fifo again");
	return fd_read_full(back, &m, sizeof(m)) == sizeof(m) ? tell_failure(&m, err) : 0;
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
	/* The fifo tells that it has not been started: it goes last, so that one whose start failed may be started
	 * again. */
	if (write(fifo, "", 1) != 1 || unlinkat(rec.dir_fd, START_FIFO, 0) < 0)
		return err_errno(err, errno, "start container %s", id);
	/* A hook inside may take its time, and who deletes the container by force need not wait for it. */
	close(TAKE_FD(rec.lock_fd));
	r = await_command(fifo, err);
	if (r == 0)
		r = run_poststart(&rec, err);
	return r == 0 && manager ? notify_pass_on(notify, &rec, manager, true, err) : r;
}
