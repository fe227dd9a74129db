#include "fixture.h"

#include "store/image_record.h"

#define A "docker.io/library/a:latest"
#define B "docker.io/library/b:latest"

static struct images images;

static void read_again(void)
{
	images_done(&images);
	MUST(images_read(&store, &images, &err));
}

START_TEST(an_image_that_loses_its_name_stays_nameless)
{
	char *old = make_image(A, "old", NULL), *new = make_image(A, "new", NULL);

	read_again();
	ck_assert_uint_eq(images.n_rows, 2);
	ck_assert_str_eq(images_find(&images, A)->id, new);
	ck_assert_ptr_nonnull(images_find_id(&images, old));
	ck_assert_ptr_null(images_find_id(&images, old)->name);
	images_done(&images);

	/* It gets a name again: no nameless row is left beside it. */
	free(make_image(B, "old2", NULL));
	read_again();
	ck_assert_uint_eq(images.n_rows, 3);
	images_done(&images);
	free(old);
	free(new);
}
END_TEST

START_TEST(names_come_and_go)
{
	struct image_row row;
	char *id = make_image(A, "one", NULL);

	MUST(images_begin(&store, &images, &err));
	row = *images_find(&images, A);
	row.name = (char *)B;
	MUST(images_set(&images, &row, &err));
	MUST(images_commit(&images, &err));
	read_again();
	ck_assert_uint_eq(images.n_rows, 2);
	images_done(&images);

	MUST(images_begin(&store, &images, &err));
	images_remove(&images, A);
	MUST(images_unname(&images, B, &err));
	MUST(images_commit(&images, &err));
	read_again();
	ck_assert_uint_eq(images.n_rows, 1);
	ck_assert_ptr_null(images.rows[0].name);
	ck_assert_str_eq(images.rows[0].id, id);
	images_remove_id(&images, id);
	ck_assert_uint_eq(images.n_rows, 0);
	images_done(&images);
	free(id);
}
END_TEST

/* Rows without our annotation come from other tools that write image layouts. */
START_TEST(the_id_of_a_foreign_row_comes_from_its_manifest)
{
	char *id = make_image(A, "one", NULL), text[512];

	read_again();
	snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"%s\",\"size\":%zu}]}",
		 images.rows[0].manifest, (size_t)images.rows[0].size);
	MUST(fd_replace_file(store.root_fd, "index.json", text, strlen(text), 0644, FD_NO_SYNC, &err));
	read_again();
	ck_assert_str_eq(images.rows[0].id, id);
	images_done(&images);
	free(id);
}
END_TEST

START_TEST(a_row_with_a_path_for_a_digest_is_refused)
{
	static const char text[] = "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:../x\",\"size\":1}]}";

	MUST(fd_replace_file(store.root_fd, "index.json", text, strlen(text), 0644, FD_NO_SYNC, &err));
	ck_assert_int_eq(images_read(&store, &images, NULL), TEU_E_CORRUPT);
}
END_TEST

START_TEST(a_lost_record_is_made_again)
{
	char *id = make_image(A, "low", "high"), path[128], *text;
	json *config;
	size_t len;

	MUST(content_read(&store, id, &text, &len, &err));
	MUST(json_parse(text, len, &config, &err));
	snprintf(path, sizeof(path), "images/%s.json", id + 7);
	for (int i = 0; i < 3; i++) {
		struct image_record record;

		MUST(image_record_read(&store, id, config, &record, &err));
		ck_assert_uint_eq(record.chains.n, 2);
		ck_assert_uint_eq(record.size, 30);
		image_record_done(&record);
		ck_assert(exists(path));
		if (i == 0)
			unlinkat(store.root_fd, path, 0);
		else
			MUST(fd_replace_file(store.root_fd, path, "", 0, 0644, FD_NO_SYNC, &err));
	}
	json_free(config);
	free(text);
	free(id);
}
END_TEST

START_TEST(reopening_keeps_the_index)
{
	char *id = make_image(A, "one", NULL);

	store_done(&store);
	MUST(store_open(fixture_root, fixture_run, &store, &err));
	read_again();
	ck_assert_uint_eq(images.n_rows, 1);
	images_done(&images);
	ck_assert(exists("oci-layout"));
	free(id);
}
END_TEST

START_TEST(a_newer_state_is_refused)
{
	struct store again;

	MUST(fd_replace_file(store.root_fd, "version", "99\n", 3, 0644, FD_NO_SYNC, &err));
	ck_assert_int_eq(store_open(fixture_root, fixture_run, &again, NULL), TEU_E_UNSUPPORTED);
	ck_assert_int_eq(store_open("relative", fixture_run, &again, NULL), TEU_E_INVALID);
}
END_TEST

static void add(TCase *tc)
{
	images = IMAGES_INIT;
	tcase_add_test(tc, an_image_that_loses_its_name_stays_nameless);
	tcase_add_test(tc, names_come_and_go);
	tcase_add_test(tc, the_id_of_a_foreign_row_comes_from_its_manifest);
	tcase_add_test(tc, a_row_with_a_path_for_a_digest_is_refused);
	tcase_add_test(tc, a_lost_record_is_made_again);
	tcase_add_test(tc, reopening_keeps_the_index);
	tcase_add_test(tc, a_newer_state_is_refused);
}

int main(void)
{
	return run_suite("images", add);
}
