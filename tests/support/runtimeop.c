/*
 * runtimeop CASE ROOT BUNDLE ID: one call of teu_runtime_… in a program that goes on, for faults in it.
 *
 * CASE: create, start, run (detached), exec, delete, kill, state. The call stands between two marks that killat --fail
 * counts from and to. Prints "CODE FDS: MESSAGE": the result, by how many open descriptors there are more than before,
 * and the error's text.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <teu/teu.h>

#include "self.h"

enum { MARK = 0x7e7e };

static teu_runtime *runtime;
static const char *bundle, *id;

static int create(teu_error **err)
{
	teu_runtime_create_options options;

	teu_runtime_create_options_init(&options);
	options.bundle = bundle;
	return teu_runtime_create(runtime, id, &options, NULL, err);
}

static int start(teu_error **err)
{
	return teu_runtime_start(runtime, id, err);
}

static int run(teu_error **err)
{
	teu_runtime_create_options options;

	teu_runtime_create_options_init(&options);
	options.bundle = bundle;
	return teu_runtime_run(runtime, id, &options, NULL, NULL, err);
}

static int exec(teu_error **err)
{
	teu_runtime_exec_options options;
	int wait_fd = -1, r;

	teu_runtime_exec_options_init(&options);
	options.merge = 1;
	r = teu_runtime_exec(runtime, id, "{\"args\":[\"true\"]}", &options, NULL, &wait_fd, err);
	if (wait_fd >= 0)
		close(wait_fd);
	return r;
}

static int delete (teu_error **err)
{
	return teu_runtime_delete(runtime, id, 1, err);
}

static int kill_it(teu_error **err)
{
	return teu_runtime_kill(runtime, id, "KILL", 1, err);
}

static int state(teu_error **err)
{
	char *text = NULL;
	int r = teu_runtime_state(runtime, id, &text, err);

	teu_free(text);
	return r;
}

static const struct {
	const char *name;
	int (*call)(teu_error **err);
} cases[] = { { "create", create }, { "start", start },	 { "run", run },    { "exec", exec },
	      { "delete", delete }, { "kill", kill_it }, { "state", state } };

int main(int argc, char **argv)
{
	teu_runtime_options options;
	teu_error *err = NULL;
	int before, after, r = -1;

	if (argc != 5) {
		fprintf(stderr, "usage: runtimeop CASE ROOT BUNDLE ID\n");
		return 2;
	}
	bundle = argv[3];
	id = argv[4];
	teu_runtime_options_init(&options);
	options.root = argv[2];
	if (teu_runtime_open(&options, &runtime, &err) < 0) {
		fprintf(stderr, "runtimeop: %s\n", teu_error_message(err));
		return 2;
	}
	before = self_descriptors();
	syscall(SYS_getpgid, MARK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(cases[i].name, argv[1]) == 0)
			r = cases[i].call(&err);
	syscall(SYS_getpgid, MARK);
	after = self_descriptors();
	printf("%d %d: %s\n", r, after - before, err ? teu_error_message(err) : "");
	if ((r < 0) != (err != NULL))
		return 3;
	teu_error_unref(err);
	teu_runtime_unref(runtime);
	return 0;
}
