/*
 * embed STATE_ROOT RUN_ROOT IMAGE MEGABYTES THREADS: a container started through the library, from a small or large
 * host.
 *
 * Touches MEGABYTES of memory and keeps THREADS threads busy in it, runs `true` in a container ten times after one
 * unmeasured time, and prints the nanoseconds from before the create to after the removal, and those of processor time
 * that it took of the calling thread, the monitor and the container, a line each. What a launch costs must not depend
 * on the size of whoever asks for it: no fork of the host, no walk over its page tables. With the argument "load" in
 * place of STATE_ROOT it only keeps its threads busy, says "ready" and goes on until its standard input ends: the same
 * competition for the processors, but from another process.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <teu/teu.h>

#define RUNS 10
#define PAGE 4096

struct share {
	volatile char *memory;
	size_t size;
};

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static int64_t of_timeval(struct timeval t)
{
	return t.tv_sec * INT64_C(1000000000) + t.tv_usec * 1000;
}

/* Of this thread and of all that has ended below this process: the monitors come to it, as the nearest subreaper. */
static int64_t processor_time(void)
{
	struct rusage usage;

	while (wait(NULL) > 0)
		;
	getrusage(RUSAGE_CHILDREN, &usage);
	return now(CLOCK_THREAD_CPUTIME_ID) + of_timeval(usage.ru_utime) + of_timeval(usage.ru_stime);
}

static void fail(const char *what, teu_error *err)
{
	fprintf(stderr, "embed: %s: %s\n", what, teu_error_message(err));
	exit(1);
}

/* Busy without end; the process's exit ends it. */
static void *toil(void *data)
{
	struct share *share = data;

	for (size_t at = 0;; at = (at + PAGE) % share->size)
		share->memory[at]++;
	return NULL;
}

static void grow(size_t megabytes, unsigned threads)
{
	static struct share share;
	pthread_t thread;

	share.size = (megabytes << 20) + PAGE;
	share.memory = malloc(share.size);
	if (!share.memory)
		exit(1);
	memset((void *)share.memory, 1, share.size);
	for (unsigned i = 0; i < threads; i++)
		pthread_create(&thread, NULL, toil, &share);
}

static void run_once(teu_engine *engine, const char *config)
{
	teu_container *container = NULL;
	teu_attach *attach = NULL;
	teu_copy_options copy;
	teu_error *err = NULL;
	int detached;
	int32_t status;

	teu_copy_options_init(&copy);
	copy.stdin_fd = copy.stdout_fd = copy.stderr_fd = -1;
	if (teu_container_create(engine, config, NULL, &container, &err) < 0)
		fail("create", err);
	if (teu_container_start(container, NULL, &attach, &err) < 0)
		fail("start", err);
	if (teu_attach_copy(attach, &copy, &detached, &err) < 0)
		fail("attach", err);
	if (teu_container_wait(container, NULL, &status, &err) < 0)
		fail("wait", err);
	if (status)
		fail("the command failed", NULL);
	teu_attach_unref(attach);
	teu_container_unref(container);
}

static teu_engine *open_engine(const char *state_root, const char *run_root)
{
	teu_engine_options options;
	teu_engine *engine = NULL;
	teu_error *err = NULL;

	teu_engine_options_init(&options);
	options.state_root = state_root;
	options.run_root = run_root;
	if (teu_engine_open(&options, &engine, &err) < 0)
		fail("open", err);
	return engine;
}

int main(int argc, char **argv)
{
	char config[512];
	teu_engine *engine;
	int64_t begin, wall, processor;
	char c;

	if (argc != 6) {
		fprintf(stderr, "usage: embed STATE_ROOT|load RUN_ROOT IMAGE MEGABYTES THREADS\n");
		return 2;
	}
	grow(atoi(argv[4]), atoi(argv[5]));
	if (!strcmp(argv[1], "load")) {
		puts("ready");
		fflush(stdout);
		return read(STDIN_FILENO, &c, 1) < 0;
	}
	engine = open_engine(argv[1], argv[2]);
	snprintf(config, sizeof(config),
		 "{\"Image\":\"%s\",\"Cmd\":[\"true\"],\"HostConfig\":{\"NetworkMode\":\"none\",\"AutoRemove\":true}}",
		 argv[3]);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; i <= RUNS; i++) {
		processor = processor_time();
		begin = now(CLOCK_MONOTONIC);
		run_once(engine, config);
		wall = now(CLOCK_MONOTONIC) - begin;
		if (i)
			printf("%lld %lld\n", (long long)wall, (long long)(processor_time() - processor));
	}
	teu_engine_unref(engine);
	return 0;
}
