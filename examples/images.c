/*
 * images: the image store alone: import, tag, list, inspect, save, remove. No container is made.
 *
 *   images ROOTFS.tar [FOLDER]
 *
 * All state lies in FOLDER, default "/tmp/teu-images". Leaves FOLDER/saved.tar, an OCI archive that other tools read.
 * Build: cc images.c -o images $(pkg-config --cflags --libs teu). Needs root, to give files of an image to other users.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <teu/teu.h>

static void must(int r, const char *what, teu_error *err)
{
	if (r >= 0)
		return;
	fprintf(stderr, "images: %s: %s\n", what, teu_error_message(err));
	teu_error_unref(err);
	exit(1);
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

/* Runs on this thread, between two parts of the work. */
static int on_progress(const teu_progress *progress, void *data)
{
	(void)data;
	fprintf(stderr, "%s: %s, %llu bytes\n", progress->id, progress->action, (unsigned long long)progress->done);
	return 0; /* anything else would stop the import with TEU_E_CANCELLED */
}

/* teu_image_pull() instead of this would fetch it from a registry, with the same progress. */
static teu_image *import(teu_engine *engine, const char *tar)
{
	teu_import_options options;
	teu_error *err = NULL;
	teu_image *image;
	int fd = open_file(tar, O_RDONLY);

	teu_import_options_init(&options);
	options.changes_json = "{\"Cmd\": [\"/bin/sh\"], \"Labels\": {\"made-by\": \"examples/images.c\"}}";
	options.progress = on_progress;
	must(teu_image_import(engine, fd, "localhost/example:1", &options, &image, &err), "import", err);
	close(fd);
	return image;
}

static void list(teu_engine *engine)
{
	teu_image_list *images;
	teu_error *err = NULL;

	must(teu_image_list_all(engine, &images, &err), "list", err);
	for (size_t i = 0; i < teu_image_list_count(images); i++) {
		teu_image *image = teu_image_list_get(images, i); /* borrowed: lives as long as the list */

		printf("%.19s %10llu bytes", teu_image_id(image), (unsigned long long)teu_image_size(image));
		for (size_t n = 0; n < teu_image_name_count(image); n++)
			printf(" %s", teu_image_name(image, n));
		putchar('\n');
	}
	teu_image_list_unref(images);
}

static void inspect(teu_image *image)
{
	teu_error *err = NULL;
	char *json;

	must(teu_image_inspect(image, &json, &err), "inspect", err);
	puts(json);
	teu_free(json);
}

static void save(teu_engine *engine, const char *path)
{
	const char *names[] = { "localhost/example:1", "localhost/example:latest" };
	teu_save_options options;
	teu_error *err = NULL;
	int fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);

	teu_save_options_init(&options);
	options.format = TEU_ARCHIVE_OCI;
	must(teu_image_save(engine, names, 2, fd, &options, &err), "save", err);
	close(fd);
	printf("saved %s\n", path);
}

int main(int argc, char **argv)
{
	const char *folder = argc > 2 ? argv[2] : "/tmp/teu-images";
	char state[4096], run[4096], saved[4096];
	teu_engine_options options;
	teu_error *err = NULL;
	teu_engine *engine;
	teu_image *image;
	char *removed;

	if (argc < 2) {
		fprintf(stderr, "usage: images ROOTFS.tar [FOLDER]\n");
		return 2;
	}
	snprintf(state, sizeof(state), "%s/state", folder);
	snprintf(run, sizeof(run), "%s/run", folder);
	snprintf(saved, sizeof(saved), "%s/saved.tar", folder);
	teu_engine_options_init(&options);
	options.state_root = state;
	options.run_root = run;
	must(teu_engine_open(&options, &engine, &err), "open the engine", err);

	image = import(engine, argv[1]);
	must(teu_image_tag(engine, "localhost/example:1", "localhost/example", &err), "tag", err);
	list(engine);
	inspect(image);
	save(engine, saved);

	/* The first removal takes a name away, the second the image with its layer: nothing else uses it. */
	must(teu_image_remove(engine, "localhost/example:1", NULL, NULL, &err), "remove", err);
	must(teu_image_remove(engine, "localhost/example", NULL, &removed, &err), "remove", err);
	printf("removed: %s\n", removed);
	teu_free(removed);
	teu_image_unref(image);
	teu_engine_unref(engine);
	return 0;
}
