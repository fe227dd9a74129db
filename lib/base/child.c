/* child: starts a program that gets three descriptors and nothing else of ours. */
#include "base/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

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
