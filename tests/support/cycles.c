/*
 * cycles ROOT BUNDLE N: a program that lives on while N containers of a bundle are created, started and deleted in it,
 * one after another.
 *
 * It is the subreaper of their processes and waits for them. Prints, as "key value" lines, its open descriptors and its
 * resident memory in kB after the first tenth and at the end.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <teu/teu.h>

#include "self.h"

static void fail(const char *what, teu_error *err)
{
	fprintf(stderr, "cycles: %s: %s\n", what, teu_error_message(err));
	exit(1);
}

static void cycle(teu_runtime *runtime, const char *bundle, int i)
{
	teu_runtime_create_options options;
	teu_error *err = NULL;
	char id[32];
	int32_t pid;
	int status;

	snprintf(id, sizeof(id), "cycle-%d", i);
	teu_runtime_create_options_init(&options);
	options.bundle = bundle;
	if (teu_runtime_create(runtime, id, &options, &pid, &err) < 0)
		fail("create", err);
	if (teu_runtime_start(runtime, id, &err) < 0)
		fail("start", err);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		fail("the command failed", NULL);
	if (teu_runtime_delete(runtime, id, 0, &err) < 0)
		fail("delete", err);
}

int main(int argc, char **argv)
{
	teu_runtime_options options;
	teu_runtime *runtime = NULL;
	teu_error *err = NULL;
	int n;

	if (argc != 4) {
		fprintf(stderr, "usage: cycles ROOT BUNDLE N\n");
		return 2;
	}
	n = atoi(argv[3]);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	teu_runtime_options_init(&options);
	options.root = argv[1];
	if (teu_runtime_open(&options, &runtime, &err) < 0)
		fail("open", err);
	for (int i = 1; i <= n; i++) {
		cycle(runtime, argv[2], i);
		if (i == n / 10 || i == n)
			self_report(i == n ? "late" : "early");
	}
	teu_runtime_unref(runtime);
	return 0;
}
