/*
 * lifecycle: the whole life of a container: import, create with limits, start, read, exec, logs, stop, remove.
 *
 *   lifecycle ROOTFS.tar [FOLDER]
 *
 * The tar must have a /bin/sh (tests/support/busybox-image makes one). All state lies in FOLDER, default
 * "/tmp/teu-lifecycle". Build: cc lifecycle.c -o lifecycle $(pkg-config --cflags --libs teu). Needs root.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <teu/teu.h>

/* What Docker's POST /containers/create takes, as JSON: the command, and in HostConfig limits and isolation. */
static const char config[] =
	"{\"Image\": \"example\","
	" \"Cmd\": [\"sh\", \"-c\", \"trap 'echo going; exit 7' TERM; echo started in $PWD; while :; do sleep 0.1; "
	"done\"],"
	" \"WorkingDir\": \"/tmp\","
	" \"HostConfig\": {\"Memory\": 33554432, \"NanoCpus\": 500000000, \"PidsLimit\": 16, \"NetworkMode\": \"none\","
	"                  \"CapDrop\": [\"ALL\"], \"ReadonlyRootfs\": true}}";

/* Every failed call hands out an error that says in one line what failed, on which thing, and why. */
static void must(int r, const char *what, teu_error *err)
{
	if (r >= 0)
		return;
	fprintf(stderr, "lifecycle: %s: %s (%s)\n", what, teu_error_message(err), teu_error_name(teu_error_code(err)));
	teu_error_unref(err);
	exit(1);
}

static teu_engine *open_engine(const char *folder)
{
	char state[4096], run[4096];
	teu_engine_options options;
	teu_engine *engine;
	teu_error *err = NULL;

	/* Without roots of its own it would be the engine of the system, /var/lib/teu. */
	snprintf(state, sizeof(state), "%s/state", folder);
	snprintf(run, sizeof(run), "%s/run", folder);
	teu_engine_options_init(&options);
	options.state_root = state;
	options.run_root = run;
	must(teu_engine_open(&options, &engine, &err), "open the engine", err);
	return engine;
}

static void import(teu_engine *engine, const char *tar)
{
	teu_error *err = NULL;
	teu_image *image;
	int fd = open(tar, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		perror(tar);
		exit(1);
	}
	must(teu_image_import(engine, fd, "example", NULL, &image, &err), "import", err);
	close(fd);
	printf("imported: %s, %llu bytes unpacked\n", teu_image_id(image), (unsigned long long)teu_image_size(image));
	teu_image_unref(image);
}

/* Prints what comes from a process until @enough of it came or it ends. */
static void print_stream(teu_attach *attach, const char *name, const char *enough)
{
	char text[4096];
	teu_error *err = NULL;
	int32_t stream;
	size_t len;

	do {
		must(teu_attach_read(attach, &stream, text, sizeof(text) - 1, &len, &err), "read", err);
		text[len] = '\0';
		if (len > 0)
			printf("%s (%s): %s", name, stream == TEU_STDERR ? "stderr" : "stdout", text);
	} while (len > 0 && !(enough && strstr(text, enough)));
}

/* A second process in the running container: its first one is pid 1 of its own pid namespace. */
static void exec_inside(teu_container *container)
{
	teu_attach *attach;
	teu_error *err = NULL;

	must(teu_container_exec(container, "{\"Cmd\": [\"sh\", \"-c\", \"cat /proc/1/comm; exit 3\"]}", NULL, &attach,
				&err),
	     "exec", err);
	print_stream(attach, "exec", NULL);
	printf("exec ended with %d\n", teu_attach_exit_status(attach));
	teu_attach_unref(attach);
}

static int print_record(const teu_log_record *record, void *data)
{
	(void)data;
	printf("log, at %lld ns: %.*s", (long long)record->time_ns, (int)record->len, record->text);
	return 0; /* anything else would end teu_container_logs() */
}

int main(int argc, char **argv)
{
	teu_container *container;
	teu_engine *engine;
	teu_attach *attach;
	teu_error *err = NULL;
	int32_t status;

	if (argc < 2) {
		fprintf(stderr, "usage: lifecycle ROOTFS.tar [FOLDER]\n");
		return 2;
	}
	engine = open_engine(argc > 2 ? argv[2] : "/tmp/teu-lifecycle");
	import(engine, argv[1]);

	must(teu_container_create(engine, config, NULL, &container, &err), "create", err);
	printf("created: %s\n", teu_container_name(container));
	/* Attached: the streams are joined before the first instruction runs. NULL instead of &attach would detach. */
	must(teu_container_start(container, NULL, &attach, &err), "start", err);
	print_stream(attach, "container", "started");
	exec_inside(container);

	must(teu_container_stop(container, 5000, &err), "stop", err);
	print_stream(attach, "container", NULL);
	teu_attach_unref(attach);
	must(teu_container_wait(container, NULL, &status, &err), "wait", err);
	printf("the container ended with %d\n", status);

	/* What it wrote was also kept; a program that starts later can still read it. */
	must(teu_container_logs(container, NULL, print_record, NULL, &err), "logs", err);
	must(teu_container_remove(container, NULL, &err), "remove", err);
	must(teu_image_remove(engine, "example", NULL, NULL, &err), "remove the image", err);
	teu_container_unref(container);
	teu_engine_unref(engine);
	return 0;
}
