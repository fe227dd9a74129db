/*
 * together ROOT BUNDLE THREADS ROUNDS SHARED: threads that share one teu_runtime. Each makes containers of its own, and
 * with SHARED so many calls a round are for the same few containers.
 *
 * BUNDLE's command has to wait for a signal. What happens to a container of one's own has to succeed; with a shared one
 * each call may also find that another was faster. Prints every other failure; status 0: there was none.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <teu/teu.h>

#include "self.h"

enum { SHARED = 3 };

static teu_runtime *runtime;
static const char *bundle;
static int rounds, shared_calls;
static atomic_int failures, done[7];

/* @shared: somebody else may have been faster. */
static void judge(const char *what, const char *id, int r, teu_error *err, bool shared)
{
	bool raced = r == TEU_E_NOT_FOUND || r == TEU_E_CONFLICT;

	if (r < 0 && !(shared && raced)) {
		fprintf(stderr, "%s %s: %d %s\n", what, id, r, teu_error_message(err));
		failures++;
	}
	if ((r < 0) != (err != NULL) || (err && (!*teu_error_message(err) || strchr(teu_error_message(err), '\n')))) {
		fprintf(stderr, "%s %s: %d without a line that says why\n", what, id, r);
		failures++;
	}
	teu_error_unref(err);
}

static void create(const char *id, bool shared)
{
	teu_runtime_create_options options;
	teu_error *err = NULL;
	int r;

	teu_runtime_create_options_init(&options);
	options.bundle = bundle;
	r = teu_runtime_create(runtime, id, &options, NULL, &err);
	done[0] += r == 0;
	judge("create", id, r, err, shared);
}

static void start(const char *id, bool shared)
{
	teu_error *err = NULL;
	int r = teu_runtime_start(runtime, id, &err);

	done[1] += r == 0;
	judge("start", id, r, err, shared);
}

static void exec(const char *id, bool shared)
{
	teu_runtime_exec_options options;
	teu_error *err = NULL;
	int wait_fd = -1, r;

	teu_runtime_exec_options_init(&options);
	options.merge = 1;
	r = teu_runtime_exec(runtime, id, "{\"args\":[\"true\"]}", &options, NULL, &wait_fd, &err);
	if (wait_fd >= 0)
		close(wait_fd);
	done[2] += r == 0;
	/* It is killed with a container that another deletes. */
	judge("exec", id, r, err, shared);
}

static void look(const char *id, bool shared)
{
	teu_error *err = NULL;
	char *text = NULL;
	int r = teu_runtime_state(runtime, id, &text, &err);

	done[3] += r == 0;
	judge("state", id, r, err, shared);
	teu_free(text);
}

static void list(void)
{
	teu_error *err = NULL;
	char *text = NULL;
	int r = teu_runtime_list(runtime, &text, &err);

	done[4] += r == 0;
	judge("list", "", r, err, false);
	teu_free(text);
}

static void freeze(const char *id, bool shared)
{
	teu_error *err = NULL;
	int r = teu_runtime_pause(runtime, id, &err);

	judge("pause", id, r, err, shared);
	err = NULL;
	r = teu_runtime_resume(runtime, id, &err);
	done[5] += r == 0;
	judge("resume", id, r, err, shared);
}

static void delete (const char *id)
{
	teu_error *err = NULL;
	int r = teu_runtime_delete(runtime, id, 1, &err);

	done[6] += r == 0;
	judge("delete", id, r, err, false);
}

static void own(int thread, int round)
{
	char id[64];

	snprintf(id, sizeof(id), "t-own-%d-%d", thread, round);
	create(id, false);
	look(id, false);
	start(id, false);
	exec(id, false);
	freeze(id, false);
	list();
	delete (id);
}

static void shared(unsigned *seed)
{
	char id[64];

	snprintf(id, sizeof(id), "t-shared-%d", rand_r(seed) % SHARED);
	switch (rand_r(seed) % 6) {
	case 0:
		create(id, true);
		break;
	case 1:
		start(id, true);
		break;
	case 2:
		exec(id, true);
		break;
	case 3:
		look(id, true);
		break;
	case 4:
		freeze(id, true);
		break;
	default:
		delete (id);
	}
}

static void *work(void *number)
{
	int thread = (int)(intptr_t)number;
	unsigned seed = (unsigned)thread * 7919 + 1;

	for (int i = 0; i < rounds; i++) {
		own(thread, i);
		for (int k = 0; k < shared_calls; k++)
			shared(&seed);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	teu_runtime_options options;
	pthread_t threads[32];
	teu_error *err = NULL;
	int n, before;

	if (argc != 6) {
		fprintf(stderr, "usage: together ROOT BUNDLE THREADS ROUNDS SHARED\n");
		return 2;
	}
	bundle = argv[2];
	n = atoi(argv[3]) < 32 ? atoi(argv[3]) : 32;
	rounds = atoi(argv[4]);
	shared_calls = atoi(argv[5]);
	teu_runtime_options_init(&options);
	options.root = argv[1];
	if (teu_runtime_open(&options, &runtime, &err) < 0) {
		fprintf(stderr, "open: %s\n", teu_error_message(err));
		return 2;
	}
	before = self_descriptors();
	for (intptr_t i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i))
			return 2;
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SHARED; i++) {
		char id[64];

		snprintf(id, sizeof(id), "t-shared-%d", i);
		delete (id);
	}
	printf("create %d, start %d, exec %d, state %d, list %d, resume %d, delete %d; %d descriptors more\n", done[0],
	       done[1], done[2], done[3], done[4], done[5], done[6], self_descriptors() - before);
	teu_runtime_unref(runtime);
	/* One stays: the helper, as a file in memory. */
	return failures || self_descriptors() > before + 1 ? 1 : 0;
}
