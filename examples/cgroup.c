/*
 * cgroup: runs a command below limits and prints what it used. Public headers only; needs root.
 *
 *   cgroup [--memory BYTES] [--cpus N.N] [--pids N] [COMMAND [ARG…]]
 *
 * Without a command it counts for two seconds as fast as the limit of half a processor lets it.
 */
#include <teu/cgroup.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct options {
	long long memory; /* bytes */
	double cpus;
	long pids;
	char **command; /* NULL: busy() */
};

static void usage(void)
{
	fprintf(stderr, "usage: cgroup [--memory BYTES] [--cpus N.N] [--pids N] [COMMAND [ARG...]]\n");
	exit(125);
}

static struct options read_options(char **argv)
{
	struct options o = { .memory = 64 << 20, .cpus = 0.5, .pids = 32 };

	for (argv++; *argv && strncmp(*argv, "--", 2) == 0; argv += 2) {
		if (!argv[1])
			usage();
		if (strcmp(*argv, "--memory") == 0)
			o.memory = atoll(argv[1]);
		else if (strcmp(*argv, "--cpus") == 0)
			o.cpus = atof(argv[1]);
		else if (strcmp(*argv, "--pids") == 0)
			o.pids = atol(argv[1]);
		else
			usage();
	}
	o.command = *argv ? argv : NULL;
	return o;
}

static int report(const char *what, teu_error *err)
{
	fprintf(stderr, "cgroup: %s: %s\n", what, teu_error_message(err));
	teu_error_unref(err);
	return 125;
}

static void busy(void)
{
	time_t end = time(NULL) + 2;
	volatile unsigned long n = 0;

	while (time(NULL) < end)
		n++;
}

/* The child waits at the pipe until it is in the cgroup, so that nothing it does escapes the limits. */
static pid_t start(const struct options *o, int *ret_go)
{
	int go[2];
	char byte;
	pid_t pid;

	if (pipe(go) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(125);
		close(go[0]);
		if (!o->command) {
			busy();
			_exit(0);
		}
		execvp(o->command[0], o->command);
		fprintf(stderr, "cgroup: %s: %s\n", o->command[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(go[0]);
	*ret_go = go[1];
	return pid;
}

static int print(teu_cgroup *group, teu_error **err)
{
	char *limits = NULL, *stats = NULL;
	int r = teu_cgroup_get(group, &limits, err);

	if (r == 0)
		r = teu_cgroup_stats(group, &stats, err);
	if (r == 0)
		printf("limits %s\nused   %s\n", limits, stats);
	teu_free(limits);
	teu_free(stats);
	return r;
}

static int run(teu_cgroup *group, const struct options *o, teu_error **err, int *ret_status)
{
	char resources[256];
	int go, r;
	pid_t pid;

	snprintf(resources, sizeof(resources),
		 "{\"memory\": {\"limit\": %lld}, \"cpu\": {\"quota\": %ld, \"period\": 100000}, \"pids\": {\"limit\": "
		 "%ld}}",
		 o->memory, (long)(o->cpus * 100000), o->pids);
	r = teu_cgroup_set(group, resources, err);
	if (r < 0)
		return r;
	pid = start(o, &go);
	if (pid < 0) {
		perror("cgroup: fork");
		exit(125);
	}
	r = teu_cgroup_add(group, pid, err);
	/* Closing without a word lets a child go that could not be moved. */
	if (r == 0 && write(go, "", 1) != 1)
		perror("cgroup: write");
	close(go);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return r < 0 ? r : print(group, err);
}

int main(int argc, char **argv)
{
	struct options o = read_options(argv);
	teu_cgroup *group = NULL;
	teu_error *err = NULL;
	char path[64];
	int status = 0, r;

	(void)argc;
	snprintf(path, sizeof(path), "/teu-example-%d", (int)getpid());
	if (teu_cgroup_open(path, &group, &err) < 0)
		return report(path, err);
	r = run(group, &o, &err, &status);
	/* What the command left behind ends with it. */
	if (r == 0)
		r = teu_cgroup_kill(group, &err);
	teu_cgroup_remove(group, r == 0 ? &err : NULL);
	teu_cgroup_unref(group);
	if (err)
		return report(path, err);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
