/*
 * stopwatch FD COUNT CALLERS COMMAND [ARGUMENT...]: runs COMMAND COUNT times, up to CALLERS of them at once.
 *
 * An argument that is "{}" becomes the number of the run, after a prefix such as "name{}" too. Writes a line a run to
 * descriptor FD: "number begin end max-rss-kB status", times in nanoseconds of the monotonic clock, from before the
 * fork to after the wait; the status is the command's, 128 + n after a signal. The max-rss is that of the largest
 * single process among the command and its waited-for descendants.
 *
 * A small static program does this, because a fork of the bench's interpreter costs as much as some of what is
 * measured, and because ru_maxrss starts at the size of whoever forked.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGUMENTS 64
#define MAX_CALLERS 64

struct run {
	pid_t pid;
	int number;
	int64_t begin;
};

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* The command with the run's number in it, in buffers that live until the next call. */
static char **expand(char **command, int number)
{
	static char texts[MAX_ARGUMENTS][64], *argv[MAX_ARGUMENTS + 1];
	size_t i, length;

	for (i = 0; command[i] && i < MAX_ARGUMENTS; i++) {
		length = strlen(command[i]);
		argv[i] = command[i];
		if (length < 2 || length > 48 || strcmp(command[i] + length - 2, "{}"))
			continue;
		snprintf(texts[i], sizeof(texts[i]), "%.*s%d", (int)(length - 2), command[i], number);
		argv[i] = texts[i];
	}
	argv[i] = NULL;
	return argv;
}

static int start(struct run *run, char **command, int number)
{
	char **argv = expand(command, number);

	run->number = number;
	run->begin = now();
	run->pid = vfork();
	if (!run->pid) {
		execvp(argv[0], argv);
		dprintf(STDERR_FILENO, "stopwatch: %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	return run->pid < 0 ? -1 : 0;
}

/* Waits for any of @runs, writes its line and gives its slot back. */
static struct run *finish(struct run *runs, int callers, int fd)
{
	struct rusage usage;
	int status;
	pid_t pid = wait4(-1, &status, 0, &usage);
	int64_t end = now();

	for (int i = 0; i < callers; i++) {
		if (pid < 0 || runs[i].pid != pid)
			continue;
		status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		dprintf(fd, "%d %" PRId64 " %" PRId64 " %ld %d\n", runs[i].number, runs[i].begin, end, usage.ru_maxrss,
			status);
		runs[i].pid = 0;
		return &runs[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct run runs[MAX_CALLERS];
	int fd, count, callers, started = 0, running = 0;
	struct run *slot;

	if (argc < 5)
		return 2;
	fd = atoi(argv[1]);
	count = atoi(argv[2]);
	callers = atoi(argv[3]);
	if (count < 1 || callers < 1 || callers > MAX_CALLERS)
		return 2;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	for (; running < callers && started < count; running++) {
		if (start(&runs[running], argv + 4, started++) < 0)
			return 125;
	}
	while (running) {
		slot = finish(runs, callers, fd);
		if (!slot)
			return 125;
		if (started == count)
			running--;
		else if (start(slot, argv + 4, started++) < 0)
			return 125;
	}
	return 0;
}
