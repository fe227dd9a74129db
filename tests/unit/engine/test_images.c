/* Images by name, Docker's rules of removal, archives good and hostile. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/lock.h"
#include "engine/image.h"
#include "engine/sweep.h"
#include "format/sha256.h"
#include "format/tar.h"
#include "oci/media_type.h"

static char root[64], run_root[80];
static teu_engine *engine;

#define MUST(call)                                                                                                     \
	do {                                                                                                           \
		teu_error *err = NULL;                                                                                 \
		int must_r = (call);                                                                                   \
		ck_assert_msg(must_r == 0, "%s", teu_error_message(err));                                              \
	} while (0)

/* The call fails with that code and a message that has that text. */
#define MUST_FAIL(call, code, text)                                                                                    \
	do {                                                                                                           \
		teu_error *err = NULL;                                                                                 \
		int must_r = (call);                                                                                   \
		ck_assert_msg(must_r == (code), "%d: %s", must_r, teu_error_message(err));                             \
		ck_assert_msg(strstr(teu_error_message(err), text), "%s", teu_error_message(err));                     \
		teu_error_unref(err);                                                                                  \
	} while (0)

static void setup(void)
{
	teu_engine_options opts = { .size = sizeof(opts), .state_root = root, .run_root = run_root };

	strcpy(root, "/tmp/teu-images-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(run_root, sizeof(run_root), "%s/run", root);
	MUST(engine_open(&opts, &engine, &err));
}

static void teardown(void)
{
	teu_engine_unref(engine);
	fd_remove_tree(AT_FDCWD, root, NULL);
}

/* A tar under construction in memory. */
struct tar {
	int fd;
	struct tar_writer *writer;
};

static int write_tar(void *data, const void *bytes, size_t len, teu_error **err)
{
	int r = fd_write_all(*(int *)data, bytes, len);

	return r < 0 ? err_errno(err, -r, "write") : 0;
}

static void tar_begin(struct tar *tar)
{
	tar->fd = memfd_create("tar", MFD_CLOEXEC);
	ck_assert_int_ge(tar->fd, 0);
	MUST(tar_writer_new(write_tar, &tar->fd, &tar->writer, &err));
}

static void tar_file(struct tar *tar, const char *name, const void *bytes, size_t len)
{
	struct tar_entry entry = { .kind = TAR_FILE, .name = name, .mode = 0644, .size = len };

	MUST(tar_writer_add(tar->writer, &entry, &err));
	MUST(tar_writer_data(tar->writer, bytes, len, &err));
}

static void tar_text(struct tar *tar, const char *name, const char *text)
{
	tar_file(tar, name, text, strlen(text));
}

static void tar_link(struct tar *tar, enum tar_kind kind, const char *name, const char *target)
{
	struct tar_entry entry = { .kind = kind, .name = name, .link = target, .mode = 0777 };

	MUST(tar_writer_add(tar->writer, &entry, &err));
}

/* The finished tar, to be read from its beginning. */
static int tar_end(struct tar *tar)
{
	MUST(tar_writer_finish(tar->writer, &err));
	tar_writer_free(tar->writer);
	ck_assert_int_eq(lseek(tar->fd, 0, SEEK_SET), 0);
	return tar->fd;
}

static int rootfs_tar(const char *content)
{
	struct tar tar;

	tar_begin(&tar);
	tar_text(&tar, "etc/motd", content);
	return tar_end(&tar);
}

/* Imports an image with one file of that content; returns its id. */
static char *import(const char *name, const char *content)
{
	teu_import_options opts = { .size = sizeof(opts), .message = content };
	teu_image *image;
	char *id;
	int fd = rootfs_tar(content);

	MUST(image_import(engine, fd, name, &opts, &image, &err));
	id = strdup(teu_image_id(image));
	teu_image_unref(image);
	close(fd);
	return id;
}

static int find(const char *name)
{
	teu_image *image;
	int r = image_find(engine, name, &image, NULL);

	if (r == 0)
		teu_image_unref(image);
	return r;
}

static size_t count(const char *folder)
{
	int fd = openat(engine->store.root_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	closedir(dir);
	return n;
}

static void check_clean(void)
{
	char *report;

	MUST(engine_check_store(engine, &report, &err));
	ck_assert_msg(strstr(report, "\"problems\":[]"), "%s", report);
	free(report);
}

static void make_container(const char *id, const char *image_id)
{
	char path[128], record[256];

	snprintf(path, sizeof(path), "containers/%s", id);
	ck_assert_int_eq(mkdirat(engine->store.root_fd, path, 0710), 0);
	snprintf(path, sizeof(path), "containers/%s/container.json", id);
	snprintf(record, sizeof(record), "{\"Image\":\"%s\",\"Layers\":[]}", image_id);
	MUST(fd_replace_file(engine->store.root_fd, path, record, strlen(record), 0600, FD_NO_SYNC, &err));
}

START_TEST(an_image_is_found_by_name_id_and_prefix)
{
	char *id = import("busybox", "one"), prefix[16];

	ck_assert_int_eq(find("busybox"), 0);
	ck_assert_int_eq(find("docker.io/library/busybox:latest"), 0);
	ck_assert_int_eq(find(id), 0);
	ck_assert_int_eq(find(id + 7), 0);
	snprintf(prefix, sizeof(prefix), "%.12s", id + 7);
	ck_assert_int_eq(find(prefix), 0);
	snprintf(prefix, sizeof(prefix), "%.3s", id + 7);
	ck_assert_int_eq(find(prefix), TEU_E_NOT_FOUND);
	ck_assert_int_eq(find("busybox:other"), TEU_E_NOT_FOUND);
	ck_assert_int_eq(find("sha256:0000000000000000000000000000000000000000000000000000000000000000"),
			 TEU_E_NOT_FOUND);
	ck_assert_int_eq(find("Busybox"), TEU_E_INVALID);
	free(id);
}
END_TEST

START_TEST(an_ambiguous_prefix_is_a_conflict)
{
	struct image_row rows[] = {
		{ NULL, (char *)"sha256:1111111111111111111111111111111111111111111111111111111111111111",
		  (char *)"sha256:abcd111111111111111111111111111111111111111111111111111111111111", NULL, 0 },
		{ NULL, (char *)"sha256:2222222222222222222222222222222222222222222222222222222222222222",
		  (char *)"sha256:abcd222222222222222222222222222222222222222222222222222222222222", NULL, 0 },
	};
	struct images images = { .rows = rows, .n_rows = 2, .lock_fd = -EBADF };
	struct image_match match;

	MUST_FAIL(image_resolve(&images, "abcd", &match, &err), TEU_E_CONFLICT, "several");
	MUST(image_resolve(&images, "abcd2", &match, &err));
	ck_assert_ptr_eq(match.row, &rows[1]);
}
END_TEST

START_TEST(tags_share_an_image)
{
	char *id = import("busybox", "one"), *removed;

	MUST(image_tag(engine, "busybox", "localhost:5000/bb:2", &err));
	MUST_FAIL(image_tag(engine, "nothing", "x", &err), TEU_E_NOT_FOUND, "no such image: nothing:latest");
	MUST_FAIL(image_remove(engine, id, false, NULL, &err), TEU_E_CONFLICT, "multiple repositories");
	MUST(image_remove(engine, "busybox", false, &removed, &err));
	ck_assert_str_eq(removed, "[{\"Untagged\":\"busybox:latest\"}]");
	free(removed);
	ck_assert_int_eq(find("localhost:5000/bb:2"), 0);
	MUST(image_remove(engine, "localhost:5000/bb:2", false, &removed, &err));
	ck_assert_ptr_nonnull(strstr(removed, "\"Untagged\":\"localhost:5000/bb:2\""));
	ck_assert_ptr_nonnull(strstr(removed, id));
	free(removed);
	ck_assert_uint_eq(count("blobs/sha256"), 0);
	ck_assert_uint_eq(count("layers"), 0);
	check_clean();
	free(id);
}
END_TEST

START_TEST(an_image_in_use_goes_by_force_only)
{
	char *id = import("busybox", "one");

	make_container("c0ffee", id);
	MUST_FAIL(image_remove(engine, "busybox", false, NULL, &err), TEU_E_CONFLICT,
		  "(must force) - container c0ffee");
	MUST_FAIL(image_remove(engine, id, false, NULL, &err), TEU_E_CONFLICT, "stopped container c0ffee");
	ck_assert_int_eq(find("busybox"), 0);
	MUST(image_remove(engine, "busybox", true, NULL, &err));
	ck_assert_int_eq(find(id), TEU_E_NOT_FOUND);
	free(id);
}
END_TEST

START_TEST(an_image_of_a_running_container_stays)
{
	_cleanup_close_ int alive = -EBADF;
	char *id = import("busybox", "one");

	make_container("c0ffee", id);
	ck_assert_int_eq(mkdirat(engine->store.run_fd, "containers/c0ffee", 0710), 0);
	MUST(lock_take(engine->store.run_fd, "containers/c0ffee/alive", LOCK_EXCLUSIVE, &alive, &err));
	MUST_FAIL(image_remove(engine, id, true, NULL, &err), TEU_E_CONFLICT, "cannot be forced");
	/* By name it loses the name and stays. */
	MUST(image_remove(engine, "busybox", true, NULL, &err));
	ck_assert_int_eq(find("busybox"), TEU_E_NOT_FOUND);
	ck_assert_int_eq(find(id), 0);
	free(id);
}
END_TEST

START_TEST(digests_go_with_the_last_tag_of_their_repository)
{
	static const char digest[] = "sha256:3333333333333333333333333333333333333333333333333333333333333333";
	char *id = import("busybox", "one"), *removed;
	teu_image *image, *again;

	MUST(image_find(engine, "busybox", &image, &err));
	MUST(image_store(engine, image->digest, "docker.io/library/busybox:latest", digest, &again, &err));
	ck_assert_uint_eq(again->names.n, 1);
	ck_assert_uint_eq(again->digests.n, 1);
	ck_assert_int_eq(find("busybox@sha256:3333333333333333333333333333333333333333333333333333333333333333"), 0);
	teu_image_unref(image);
	teu_image_unref(again);
	MUST(image_remove(engine, "busybox", false, &removed, &err));
	ck_assert_ptr_nonnull(strstr(removed, "\"Untagged\":\"busybox@sha256:3333"));
	ck_assert_ptr_nonnull(strstr(removed, "\"Deleted\""));
	free(removed);
	ck_assert_uint_eq(count("blobs/sha256"), 0);
	free(id);
}
END_TEST

START_TEST(import_refuses_wrong_changes_before_it_reads)
{
	teu_import_options opts = { .size = sizeof(opts), .changes_json = "{\"Env\":\"A=b\"}" };
	teu_image *image;

	MUST_FAIL(image_import(engine, -1, "x", &opts, &image, &err), TEU_E_INVALID, "config.Env");
	opts.changes_json = "[]";
	MUST_FAIL(image_import(engine, -1, "x", &opts, &image, &err), TEU_E_INVALID, "expected a JSON object");
	opts.changes_json = NULL;
	MUST_FAIL(image_import(engine, -1, "X", &opts, &image, &err), TEU_E_INVALID, "lowercase");
	opts.platform = "what/ever/is/this";
	MUST_FAIL(image_import(engine, -1, "x", &opts, &image, &err), TEU_E_INVALID, "platform");
}
END_TEST

static void round_trip(int format)
{
	static const char *const names[] = { "a", "b:2", "b:3" };
	teu_save_options save = { .size = sizeof(save), .format = format };
	teu_load_options load = { .size = sizeof(load) };
	_cleanup_close_ int fd = memfd_create("archive", MFD_CLOEXEC);
	char *a = import("a", "one"), *b = import("b:2", "two");
	teu_image_list *list;

	MUST(image_tag(engine, "b:2", "b:3", &err));
	MUST(image_save(engine, names, 3, fd, &save, &err));
	MUST(image_remove(engine, "a", false, NULL, &err));
	MUST(image_remove(engine, b, true, NULL, &err));
	ck_assert_uint_eq(count("layers"), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	MUST(image_load_archive(engine, fd, &load, &list, &err));
	ck_assert_uint_eq(list->n, 2);
	ck_assert_uint_eq(list->items[1]->names.n, 2);
	teu_image_list_unref(list);
	ck_assert_int_eq(find("a"), 0);
	ck_assert_int_eq(find("b:2"), 0);
	ck_assert_int_eq(find("b:3"), 0);
	ck_assert_int_eq(find(a), 0);
	ck_assert_int_eq(find(b), 0);
	check_clean();
	free(a);
	free(b);
}

START_TEST(a_docker_archive_comes_back)
{
	round_trip(TEU_ARCHIVE_DOCKER);
}
END_TEST

START_TEST(an_oci_archive_comes_back)
{
	round_trip(TEU_ARCHIVE_OCI);
}
END_TEST

static void refuse(int fd, int code, const char *text)
{
	teu_load_options load = { .size = sizeof(load) };
	teu_image_list *list;

	MUST_FAIL(image_load_archive(engine, fd, &load, &list, &err), code, text);
	close(fd);
	ck_assert_uint_eq(count("blobs/sha256"), 0);
	ck_assert_uint_eq(count("layers"), 0);
	ck_assert_uint_eq(count("tmp"), 0);
	ck_assert_uint_eq(count("leases"), 0);
	check_clean();
}

/* A docker-archive as docker wrote it before 1.10: the second image's layer is a link to the first one's. */
static int linked_archive(enum tar_kind kind, const char *target)
{
	char diff_id[SHA256_TEXT_MAX], config[512], bytes[16384];
	int layer = rootfs_tar("linked");
	ssize_t len = fd_read_full(layer, bytes, sizeof(bytes));
	struct tar tar;

	close(layer);
	ck_assert_int_gt(len, 0);
	MUST(sha256_of(bytes, (size_t)len, diff_id, &err));
	snprintf(config, sizeof(config),
		 "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
		 diff_id);
	tar_begin(&tar);
	tar_file(&tar, "1/layer.tar", bytes, (size_t)len);
	tar_link(&tar, kind, "2/layer.tar", target);
	tar_text(&tar, "c.json", config);
	tar_text(&tar, "manifest.json",
		 "[{\"Config\":\"c.json\",\"RepoTags\":[\"linked:1\"],\"Layers\":[\"2/layer.tar\"]}]");
	return tar_end(&tar);
}

START_TEST(layers_may_be_links_within_the_archive)
{
	static const struct {
		enum tar_kind kind;
		const char *target;
	} links[] = { { TAR_SYMLINK, "../1/layer.tar" }, { TAR_HARDLINK, "1/layer.tar" } };
	teu_load_options load = { .size = sizeof(load) };

	for (size_t i = 0; i < 2; i++) {
		int fd = linked_archive(links[i].kind, links[i].target);
		teu_image_list *list;

		MUST(image_load_archive(engine, fd, &load, &list, &err));
		teu_image_list_unref(list);
		close(fd);
		MUST(image_remove(engine, "linked:1", false, NULL, &err));
	}
}
END_TEST

START_TEST(links_do_not_leave_the_archive)
{
	refuse(linked_archive(TAR_SYMLINK, "/etc/passwd"), TEU_E_CORRUPT, "no file /2/layer.tar");
	refuse(linked_archive(TAR_SYMLINK, "../../../../etc/passwd"), TEU_E_CORRUPT, "no file");
	refuse(linked_archive(TAR_SYMLINK, "../2/layer.tar"), TEU_E_CORRUPT, "no file");
	refuse(linked_archive(TAR_HARDLINK, "/etc/passwd"), TEU_E_CORRUPT, "no file");
}
END_TEST

static int text_archive(const char *name, const char *text)
{
	struct tar tar;

	tar_begin(&tar);
	tar_text(&tar, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	tar_text(&tar, name, text);
	return tar_end(&tar);
}

#define ROW(digest)                                                                                                    \
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST                                     \
	"\",\"size\":2,\"digest\":\"" digest "\"}]}"

START_TEST(hostile_archives_are_refused)
{
	refuse(text_archive("x", "y"), TEU_E_CORRUPT, "neither");
	refuse(text_archive("index.json", "{"), TEU_E_CORRUPT, "index.json");
	refuse(text_archive("index.json", ROW("sha256:../../../etc/passwd")), TEU_E_INVALID, "not a digest");
	refuse(text_archive("index.json",
			    ROW("sha256:0000000000000000000000000000000000000000000000000000000000000000")),
	       TEU_E_CORRUPT, "no file");
	refuse(text_archive("manifest.json", "{}"), TEU_E_CORRUPT, "expected a list");
	refuse(text_archive("manifest.json", "[null]"), TEU_E_INVALID, "expected an object");
	refuse(text_archive("manifest.json", "[{\"Config\":7}]"), TEU_E_INVALID, "Config");
	refuse(text_archive("manifest.json", "[{\"Config\":\"../../../../etc/passwd\",\"Layers\":[]}]"), TEU_E_CORRUPT,
	       "no file");
}
END_TEST

/* CVE-2023-25153: the documents are read into memory, so they have a limit. */
START_TEST(endless_documents_are_refused)
{
	static const char *const names[] = { "index.json", "oci-layout", "manifest.json" };
	size_t len = 40 << 20;
	char *spaces = malloc(len);

	memset(spaces, ' ', len);
	for (size_t i = 0; i < 3; i++) {
		struct tar tar;

		tar_begin(&tar);
		tar_file(&tar, names[i], spaces, len);
		refuse(tar_end(&tar), TEU_E_LIMIT, "larger than");
	}
	free(spaces);
}
END_TEST

/* A blob that is not what its name says. */
START_TEST(a_lying_blob_is_refused)
{
	static const char zeros[] = "blobs/sha256/0000000000000000000000000000000000000000000000000000000000000000";
	struct tar tar;

	tar_begin(&tar);
	tar_text(&tar, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	tar_text(&tar, zeros, "{}");
	tar_text(&tar, "index.json", ROW("sha256:0000000000000000000000000000000000000000000000000000000000000000"));
	refuse(tar_end(&tar), TEU_E_CORRUPT, "has the digest");
}
END_TEST

/* Adds a blob to a layout under construction and tells its digest. */
static void tar_blob(struct tar *tar, const void *bytes, size_t len, char digest[SHA256_TEXT_MAX])
{
	char name[96];

	MUST(sha256_of(bytes, len, digest, &err));
	snprintf(name, sizeof(name), "blobs/sha256/%s", digest + 7);
	tar_file(tar, name, bytes, len);
}

/* An image for one platform; the manifest's digest and size go into a row of an index. */
static void tar_image(struct tar *tar, const char *arch, char *row, size_t row_len)
{
	char layer[SHA256_TEXT_MAX], config[SHA256_TEXT_MAX], manifest[SHA256_TEXT_MAX];
	char bytes[16384], text[1024];
	int fd = rootfs_tar(arch);
	ssize_t len = fd_read_full(fd, bytes, sizeof(bytes));
	int config_len;

	close(fd);
	tar_blob(tar, bytes, (size_t)len, layer);
	config_len =
		snprintf(text, sizeof(text),
			 "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"diff_ids\":[\"%s\"]}}", arch, layer);
	tar_blob(tar, text, (size_t)config_len, config);
	snprintf(text, sizeof(text),
		 "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG
		 "\",\"digest\":\"%s\",\"size\":%d},\"layers\":[{\"mediaType\":\"" MEDIA_OCI_LAYER
		 "\",\"digest\":\"%s\",\"size\":%zd}]}",
		 config, config_len, layer, len);
	tar_blob(tar, text, strlen(text), manifest);
	snprintf(row, row_len,
		 "{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%zu,\"platform\":"
		 "{\"os\":\"linux\",\"architecture\":\"%s\"}}",
		 manifest, strlen(text), arch);
}

START_TEST(the_asked_platform_of_an_index_is_loaded)
{
	teu_load_options load = { .size = sizeof(load), .platform = "linux/s390x" };
	char rows[2][512], text[2048], index[SHA256_TEXT_MAX];
	teu_image_list *list;
	struct tar tar;
	int fd;

	tar_begin(&tar);
	tar_text(&tar, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	tar_image(&tar, "amd64", rows[0], sizeof(rows[0]));
	tar_image(&tar, "s390x", rows[1], sizeof(rows[1]));
	snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"manifests\":[%s,%s]}", rows[0], rows[1]);
	tar_blob(&tar, text, strlen(text), index);
	snprintf(text, sizeof(text),
		 "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_INDEX
		 "\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"io.containerd.image.name\":\"many:1\","
		 "\"org.opencontainers.image.ref.name\":\"1\"}}]}",
		 index, strlen(text));
	tar_text(&tar, "index.json", text);
	fd = tar_end(&tar);
	MUST(image_load_archive(engine, fd, &load, &list, &err));
	ck_assert_uint_eq(list->n, 1);
	ck_assert_str_eq(json_get_text(list->items[0]->config, "architecture", ""), "s390x");
	ck_assert_str_eq(list->items[0]->names.items[0], "docker.io/library/many:1");
	teu_image_list_unref(list);
	/* What belongs to the other platform alone was collected. */
	ck_assert_uint_eq(count("layers"), 1);
	check_clean();

	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	load.platform = "linux/riscv64";
	MUST_FAIL(image_load_archive(engine, fd, &load, &list, &err), TEU_E_NOT_FOUND,
		  "linux/riscv64; there are: linux/amd64, linux/s390x");
	close(fd);
}
END_TEST

static int stop_at_once(const teu_progress *progress, void *data)
{
	(void)progress;
	(*(int *)data)++;
	return 1;
}

START_TEST(the_progress_callback_stops_a_load)
{
	int calls = 0;
	teu_load_options load = { .size = sizeof(load), .progress = stop_at_once, .progress_data = &calls };
	int fd = linked_archive(TAR_HARDLINK, "1/layer.tar");
	teu_image_list *list;

	MUST_FAIL(image_load_archive(engine, fd, &load, &list, &err), TEU_E_CANCELLED, "stopped");
	ck_assert_int_eq(calls, 1);
	close(fd);
}
END_TEST

START_TEST(the_inspect_document_has_dockers_fields)
{
	static const char *const fields[] = { "Id", "RepoTags",	    "RepoDigests", "Created",	  "Config.Env",
					      "Os", "Architecture", "Size",	   "RootFS.Type", "GraphDriver.Data" };
	char *id = import("busybox", "one"), *text;
	teu_image *image;
	json *document;

	MUST(image_find(engine, "busybox", &image, &err));
	MUST(image_inspect(image, &text, &err));
	MUST(json_parse(text, strlen(text), &document, &err));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		ck_assert_msg(json_find(document, fields[i]) || strcmp(fields[i], "Config.Env") == 0, "%s", fields[i]);
	ck_assert_ptr_nonnull(strstr(text, "\"Env\":null"));
	ck_assert_str_eq(json_text(json_first(json_get(document, "RepoTags")), ""), "busybox:latest");
	json_free(document);
	free(text);
	teu_image_unref(image);
	free(id);
}
END_TEST

START_TEST(the_check_sees_damage)
{
	char *id = import("busybox", "one"), path[128], *report;
	int fd;

	check_clean();
	snprintf(path, sizeof(path), "blobs/sha256/%s", id + 7);
	fd = openat(engine->store.root_fd, path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(fd, "[", 1), 1);
	close(fd);
	MUST(engine_check_store(engine, &report, &err));
	ck_assert_ptr_nonnull(strstr(report, "its bytes have the digest"));
	ck_assert_ptr_nonnull(strstr(report, "image busybox:latest"));
	free(report);
	free(id);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("images");
	TCase *tc = tcase_create("images");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_image_is_found_by_name_id_and_prefix);
	tcase_add_test(tc, an_ambiguous_prefix_is_a_conflict);
	tcase_add_test(tc, tags_share_an_image);
	tcase_add_test(tc, an_image_in_use_goes_by_force_only);
	tcase_add_test(tc, an_image_of_a_running_container_stays);
	tcase_add_test(tc, digests_go_with_the_last_tag_of_their_repository);
	tcase_add_test(tc, import_refuses_wrong_changes_before_it_reads);
	tcase_add_test(tc, a_docker_archive_comes_back);
	tcase_add_test(tc, an_oci_archive_comes_back);
	tcase_add_test(tc, layers_may_be_links_within_the_archive);
	tcase_add_test(tc, links_do_not_leave_the_archive);
	tcase_add_test(tc, hostile_archives_are_refused);
	tcase_add_test(tc, endless_documents_are_refused);
	tcase_add_test(tc, a_lying_blob_is_refused);
	tcase_add_test(tc, the_asked_platform_of_an_index_is_loaded);
	tcase_add_test(tc, the_progress_callback_stops_a_load);
	tcase_add_test(tc, the_inspect_document_has_dockers_fields);
	tcase_add_test(tc, the_check_sees_damage);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
