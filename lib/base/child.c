/* child: starts a program that gets three descriptors and nothing else of ours. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { MAX_SAID = 4096 };

static int place(posix_spawn_file_actions_t *files, int from, int to)
{
	return from < 0 ? posix_spawn_file_actions_addopen(files, to, "/dev/null", O_RDWR, 0)
			: posix_spawn_file_actions_adddup2(files, from, to);
}

static int spawn(const struct child *c, posix_spawn_file_actions_t *files, const posix_spawnattr_t *attr,
		 pid_t *ret_pid)
{
	int eno = place(files, c->in, 0) ?: place(files, c->out, 1) ?: place(files, c->err, 2);

	eno = eno ?: posix_spawn_file_actions_addclosefrom_np(files, 3);
	if (!eno && c->cwd)
		eno = posix_spawn_file_actions_addchdir_np(files, c->cwd);
	return eno ?: (c->search ? posix_spawnp : posix_spawn)(ret_pid, c->program, files, attr, c->argv, c->env);
}

int child_spawn(const struct child *c, pid_t *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int eno = posix_spawn_file_actions_init(&files);

	if (eno)
		return eno;
	sigemptyset(&none);
	sigfillset(&all);
	eno = posix_spawnattr_init(&attr);
	if (eno == 0) {
		posix_spawnattr_setsigmask(&attr, &none);
		posix_spawnattr_setsigdefault(&attr, &all);
		posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
		eno = spawn(c, &files, &attr, ret_pid);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return eno;
}

/* What it says is read along, so that it never waits for us; the first 4 KiB are kept. */
static void take_output(int fd, struct strbuf *said)
{
	char piece[1024];
	ssize_t n = read(fd, piece, sizeof(piece));

	if (n > 0 && said->len < MAX_SAID)
		strbuf_add(said, piece, (size_t)n);
}

/* Its end is what counts: what it leaves behind may hold its output open. */
int child_await(pid_t pid, int out, int64_t deadline, struct strbuf *said, int *ret_status)
{
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	struct pollfd p[] = { { .fd = pidfd, .events = POLLIN }, { .fd = out, .events = POLLIN } };
	bool late = false;

	while (pidfd >= 0 && !(p[0].revents & POLLIN)) {
		int n = poll(p, 2, clock_left_ms(deadline));

		if (n < 0 && errno != EINTR)
			break;
		if (n == 0) {
			late = true;
			kill(pid, SIGKILL);
			break;
		}
		if (p[1].revents & POLLIN)
			take_output(out, said);
		else if (p[1].revents)
			p[1].fd = -1;
	}
	*ret_status = 0;
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	while (poll(&p[1], 1, 0) > 0 && p[1].revents & POLLIN && said->len < MAX_SAID)
		take_output(out, said);
	return late ? -ETIMEDOUT : 0;
}
