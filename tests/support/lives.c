/*
 * lives STATE_ROOT RUN_ROOT IMAGE N CGROUP_PARENT: a program that lives on while containers come and go in it.
 *
 * Creates, starts, waits for and removes N containers, one after another, and then as many attached ones that remove
 * themselves. Prints, as "key value" lines, its open descriptors and its resident memory in kB after the first tenth of
 * each and at the end.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <teu/teu.h>

#include "self.h"

static void fail(const char *what, teu_error *err)
{
	fprintf(stderr, "lives: %s: %s\n", what, teu_error_message(err));
	exit(1);
}

/* In the background, removed by hand. */
static void live_detached(teu_engine *engine, const char *config)
{
	teu_container *container = NULL;
	teu_error *err = NULL;
	int32_t status;
	char *text = NULL;

	if (teu_container_create(engine, config, NULL, &container, &err) < 0)
		fail("create", err);
	if (teu_container_start(container, NULL, NULL, &err) < 0)
		fail("start", err);
	if (teu_container_wait(container, NULL, &status, &err) < 0)
		fail("wait", err);
	if (teu_container_inspect(container, &text, &err) < 0)
		fail("inspect", err);
	teu_free(text);
	if (status != 0)
		fail("the command failed", NULL);
	if (teu_container_remove(container, NULL, &err) < 0)
		fail("remove", err);
	teu_container_unref(container);
}

/* Attached, removed with its attachment. */
static void live_attached(teu_engine *engine, const char *config)
{
	teu_container *container = NULL;
	teu_attach *attach = NULL;
	teu_copy_options copy;
	teu_error *err = NULL;
	int detached;

	teu_copy_options_init(&copy);
	copy.stdin_fd = copy.stdout_fd = copy.stderr_fd = -1;
	if (teu_container_create(engine, config, NULL, &container, &err) < 0)
		fail("create", err);
	if (teu_container_start(container, NULL, &attach, &err) < 0)
		fail("start", err);
	if (teu_attach_copy(attach, &copy, &detached, &err) < 0)
		fail("attach", err);
	if (teu_attach_exit_status(attach) != 0)
		fail("the command failed", NULL);
	teu_attach_unref(attach);
	teu_container_unref(container);
}

int main(int argc, char **argv)
{
	static const char *const networks[] = { "none", "bridge" };
	void (*const ways[])(teu_engine *, const char *) = { live_detached, live_attached };
	teu_engine_options options;
	teu_engine *engine = NULL;
	teu_error *err = NULL;
	char config[512];
	int n;

	if (argc != 6) {
		fprintf(stderr, "usage: lives STATE_ROOT RUN_ROOT IMAGE N CGROUP_PARENT\n");
		return 2;
	}
	n = atoi(argv[4]);
	teu_engine_options_init(&options);
	options.state_root = argv[1];
	options.run_root = argv[2];
	if (teu_engine_open(&options, &engine, &err) < 0)
		fail("open", err);
	for (int i = 0; i < 2 * n; i++) {
		snprintf(config, sizeof(config),
			 "{\"Image\":\"%s\",\"Cmd\":[\"true\"],\"HostConfig\":{\"NetworkMode\":\"%s\",\"CgroupParent\":"
			 "\"%s\",\"AutoRemove\":%s}}",
			 argv[3], networks[i % 2], argv[5], i < n ? "false" : "true");
		ways[i >= n](engine, config);
		if (i == n / 10)
			self_report("detached_early");
		if (i == n - 1)
			self_report("detached");
		if (i == n + n / 10)
			self_report("attached_early");
	}
	self_report("attached");
	teu_engine_unref(engine);
	return 0;
}
