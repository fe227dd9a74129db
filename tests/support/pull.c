/*
 * pull: teu_image_pull() from the command line, for tests.
 *
 *   pull [OPTIONS] STATE-ROOT REFERENCE
 *
 * Prints the image's id; with -m the peak of its memory in KiB behind it, with -v each progress report on stderr.
 * --insecure, --ca FILE, --user NAME:PASSWORD, --auth-file FILE, --platform P, --parallel N, --timeout MS: as in
 * teu_pull_options; --stop-at BYTES: the callback stops the pull when a layer has so many; --cancel MS: another thread
 * fires the cancel token then; --kill-at BYTES: SIGKILL to itself where --stop-at would stop. Exit status: 0, 1 (one
 * line on stderr: the code's name and the message), 2 usage.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <teu/teu.h>

struct watch {
	int verbose;
	uint64_t stop_at; /* 0: never */
	uint64_t kill_at;
	pthread_t thread;
};

static int report(const teu_progress *progress, void *data)
{
	const struct watch *watch = data;

	if (!pthread_equal(watch->thread, pthread_self()))
		abort();
	if (watch->verbose)
		fprintf(stderr, "%s: %s %llu/%llu\n", progress->id, progress->action,
			(unsigned long long)progress->done, (unsigned long long)progress->total);
	if (watch->kill_at && progress->done >= watch->kill_at)
		raise(SIGKILL);
	return watch->stop_at && progress->done >= watch->stop_at;
}

static long peak_memory(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (status)
		fclose(status);
	return kib;
}

struct later {
	teu_cancel *cancel;
	long ms;
};

static void *fire_later(void *data)
{
	const struct later *later = data;
	struct timespec time = { .tv_sec = later->ms / 1000, .tv_nsec = later->ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
	teu_cancel_fire(later->cancel);
	return NULL;
}

static int usage(void)
{
	fprintf(stderr, "usage: pull [OPTIONS] STATE-ROOT REFERENCE\n");
	return 2;
}

static int parse(int argc, char **argv, teu_pull_options *opts, struct watch *watch, struct later *later, int *memory)
{
	static const struct option names[] = {
		{ "insecure", no_argument, NULL, 'i' },
		{ "ca", required_argument, NULL, 'c' },
		{ "user", required_argument, NULL, 'u' },
		{ "auth-file", required_argument, NULL, 'a' },
		{ "platform", required_argument, NULL, 'p' },
		{ "parallel", required_argument, NULL, 'n' },
		{ "timeout", required_argument, NULL, 't' },
		{ "stop-at", required_argument, NULL, 's' },
		{ "cancel", required_argument, NULL, 'x' },
		{ "kill-at", required_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "mv", names, NULL)) >= 0) {
		switch (c) {
		case 'i':
			opts->insecure = 1;
			break;
		case 'c':
			opts->ca_file = optarg;
			break;
		case 'u':
			opts->username = strsep(&optarg, ":");
			opts->password = optarg;
			break;
		case 'a':
			opts->auth_file = optarg;
			break;
		case 'p':
			opts->platform = optarg;
			break;
		case 'n':
			opts->parallel = atoi(optarg);
			break;
		case 't':
			opts->timeout_ms = atol(optarg);
			break;
		case 's':
			watch->stop_at = strtoull(optarg, NULL, 10);
			break;
		case 'k':
			watch->kill_at = strtoull(optarg, NULL, 10);
			break;
		case 'x':
			later->ms = atol(optarg);
			break;
		case 'm':
			*memory = 1;
			break;
		case 'v':
			watch->verbose = 1;
			break;
		default:
			return usage();
		}
	}
	return argc - optind == 2 ? 0 : usage();
}

static int fail(int code, teu_error *err)
{
	fprintf(stderr, "%s: %s\n", teu_error_name(code), teu_error_message(err));
	teu_error_unref(err);
	return 1;
}

int main(int argc, char **argv)
{
	teu_engine_options engine_opts;
	teu_pull_options opts;
	struct watch watch = { .thread = pthread_self() };
	struct later later = { 0 };
	teu_engine *engine = NULL;
	teu_image *image = NULL;
	teu_error *err = NULL;
	char run_root[4096];
	pthread_t thread;
	int memory = 0, r;

	teu_pull_options_init(&opts);
	if (parse(argc, argv, &opts, &watch, &later, &memory))
		return 2;
	opts.progress = report;
	opts.progress_data = &watch;
	teu_engine_options_init(&engine_opts);
	snprintf(run_root, sizeof(run_root), "%s.run", argv[optind]);
	engine_opts.state_root = argv[optind];
	engine_opts.run_root = run_root;
	r = teu_engine_open(&engine_opts, &engine, &err);
	if (r < 0)
		return fail(r, err);
	if (later.ms) {
		if (teu_cancel_new(&later.cancel, NULL) < 0 || pthread_create(&thread, NULL, fire_later, &later))
			return 2;
		opts.cancel = later.cancel;
	}
	r = teu_image_pull(engine, argv[optind + 1], &opts, &image, &err);
	if (later.ms)
		pthread_join(thread, NULL);
	if (r == 0)
		printf("%s", teu_image_id(image));
	if (r == 0 && memory)
		printf(" %ld", peak_memory());
	if (r == 0)
		printf("\n");
	teu_image_unref(image);
	teu_cancel_unref(later.cancel);
	teu_engine_unref(engine);
	return r < 0 ? fail(r, err) : 0;
}
