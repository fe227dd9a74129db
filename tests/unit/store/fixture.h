/* A store in a folder of its own that goes with the test. */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "oci/image_config.h"
#include "oci/manifest.h"
#include "oci/media_type.h"
#include "store/content.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/store.h"

static char fixture_root[64], fixture_run[80];
static struct store store;

static inline void must(int r, teu_error *err)
{
	ck_assert_msg(r == 0, "%s", teu_error_message(err));
}

#define MUST(call)                                                                                                     \
	do {                                                                                                           \
		teu_error *err = NULL;                                                                                 \
		int must_r = (call);                                                                                   \
		must(must_r, err);                                                                                     \
	} while (0)

static void fixture_setup(void)
{
	strcpy(fixture_root, "/tmp/teu-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fixture_root));
	snprintf(fixture_run, sizeof(fixture_run), "%s/run", fixture_root);
	MUST(store_open(fixture_root, fixture_run, &store, &err));
}

static void fixture_teardown(void)
{
	store_done(&store);
	fd_remove_tree(AT_FDCWD, fixture_root, NULL);
}

static inline bool exists(const char *path)
{
	return faccessat(store.root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline size_t count(const char *folder)
{
	int fd = openat(store.root_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return n;
}

/* A layer with one file, below @parent; returns its chainID. */
static inline char *make_layer(const char *diff_id, const char *parent, uint64_t size)
{
	struct layer_draft draft;
	char *chain;
	int fd;

	MUST(image_config_chain(parent, diff_id, &chain, &err));
	MUST(layers_begin(&store, &draft, &err));
	fd = openat(draft.fs_fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	close(fd);
	MUST(layers_commit(&draft, chain, diff_id, parent, size, &err));
	layers_draft_done(&draft);
	return chain;
}

/* An image of the layers whose blobs are the texts @a and @b (NULL: one layer), named @name. Returns its id. */
static inline char *make_image(const char *name, const char *a, const char *b)
{
	static const struct platform platform = { "linux", "amd64", "" };
	struct descriptor layers[2] = { { (char *)MEDIA_OCI_LAYER, NULL, strlen(a) },
					{ (char *)MEDIA_OCI_LAYER, NULL, b ? strlen(b) : 0 } };
	struct descriptor config = { (char *)MEDIA_OCI_CONFIG, NULL, 0 };
	_cleanup_free_ char *config_text = NULL, *text = NULL, *manifest = NULL, *low = NULL, *high = NULL;
	_cleanup_(images_done) struct images images = IMAGES_INIT;
	struct image_row row;

	MUST(content_put(&store, a, strlen(a), &layers[0].digest, &err));
	low = make_layer(layers[0].digest, NULL, 10);
	MUST(image_config_print(&platform, layers[0].digest, NULL, 1000000000, name ? name : "none", &config_text,
				&err));
	if (b) {
		json *document;

		MUST(content_put(&store, b, strlen(b), &layers[1].digest, &err));
		high = make_layer(layers[1].digest, low, 20);
		MUST(json_parse(config_text, strlen(config_text), &document, &err));
		json_append_string(json_get_mutable(json_get_mutable(document, "rootfs"), "diff_ids"),
				   layers[1].digest);
		free(config_text);
		config_text = json_print(document);
		json_free(document);
	}
	config.size = strlen(config_text);
	MUST(content_put(&store, config_text, config.size, &config.digest, &err));
	MUST(manifest_print(&config, layers, b ? 2 : 1, &text, &err));
	MUST(content_put(&store, text, strlen(text), &manifest, &err));
	row = (struct image_row){ (char *)name, manifest, config.digest, (char *)MEDIA_OCI_MANIFEST, strlen(text) };
	MUST(images_begin(&store, &images, &err));
	MUST(images_set(&images, &row, &err));
	MUST(images_commit(&images, &err));
	free(layers[0].digest);
	free(layers[1].digest);
	return config.digest;
}

static inline int run_suite(const char *name, void (*add)(TCase *tc))
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	add(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
