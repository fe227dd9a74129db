/* containers.h: what the suites about records share: an engine on folders of its own, and an image from nowhere. */
#ifndef TESTS_UNIT_ENGINE_CONTAINERS_H
#define TESTS_UNIT_ENGINE_CONTAINERS_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "engine/create.h"
#include "engine/spec.h"
#include "store/volumes.h"

static char scratch[64];
static teu_engine *engine;
static struct teu_image image;

static const char image_config[] =
	"{\"config\":{\"Env\":[\"PATH=/bin\",\"LANG=C\"],\"Entrypoint\":[\"/entry\"],\"Cmd\":[\"serve\"],"
	"\"WorkingDir\":\"/srv\",\"User\":\"web\",\"Volumes\":{\"/data\":{}},\"ExposedPorts\":{\"80/tcp\":{}},"
	"\"StopSignal\":\"SIGQUIT\",\"Labels\":{\"a\":\"image\",\"b\":\"image\"}}}";

static void open_engine(void)
{
	char state[80], run[80];
	teu_engine_options opts;

	strcpy(scratch, "/tmp/teu-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
	snprintf(state, sizeof(state), "%s/state", scratch);
	snprintf(run, sizeof(run), "%s/run", scratch);
	teu_engine_options_init(&opts);
	opts.state_root = state;
	opts.run_root = run;
	ck_assert_int_eq(teu_engine_open(&opts, &engine, NULL), 0);
	image.id = (char *)"sha256:0000";
	ck_assert_int_eq(json_parse(image_config, strlen(image_config), &image.config, NULL), 0);
}

static void close_engine(void)
{
	json_free(image.config);
	teu_engine_unref(engine);
	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, scratch, NULL), 0);
}

#endif
