#include "fixture.h"

#include <sys/wait.h>

#include "store/gc.h"
#include "store/image_record.h"
#include "store/leases.h"

static void collect(enum gc_scope scope)
{
	MUST(gc_collect(&store, scope, NULL, &err));
}

static void drop(const char *name)
{
	_cleanup_(images_done) struct images images = IMAGES_INIT;

	MUST(images_begin(&store, &images, &err));
	images_remove(&images, name);
	MUST(images_commit(&images, &err));
}

START_TEST(what_a_name_reaches_is_kept)
{
	char *id = make_image("docker.io/library/a:latest", "layer 1", "layer 2");

	collect(GC_LEFTOVERS);
	ck_assert_uint_eq(count("blobs/sha256"), 4);
	ck_assert_uint_eq(count("layers"), 2);
	ck_assert_uint_eq(count("images"), 1);
	drop("docker.io/library/a:latest");
	collect(GC_UNREACHED);
	ck_assert_uint_eq(count("blobs/sha256"), 0);
	ck_assert_uint_eq(count("layers"), 0);
	ck_assert_uint_eq(count("images"), 0);
	free(id);
}
END_TEST

START_TEST(a_shared_layer_goes_with_its_last_image)
{
	char *a = make_image("docker.io/library/a:latest", "shared", NULL);
	char *b = make_image("docker.io/library/b:latest", "shared", "more");

	drop("docker.io/library/a:latest");
	collect(GC_UNREACHED);
	ck_assert_uint_eq(count("layers"), 2);
	ck_assert_uint_eq(count("blobs/sha256"), 4);
	drop("docker.io/library/b:latest");
	collect(GC_UNREACHED);
	ck_assert_uint_eq(count("layers"), 0);
	free(a);
	free(b);
}
END_TEST

START_TEST(a_container_keeps_its_layers)
{
	char *id = make_image("docker.io/library/a:latest", "one", NULL), *chain, record[512];

	/* The chainID of a lowest layer is its diffID, and here that of its blob. */
	MUST(content_put(&store, "one", 3, &chain, &err));
	snprintf(record, sizeof(record), "{\"Image\":\"%s\",\"Layers\":[\"%s\"]}", id, chain);
	ck_assert_int_eq(mkdirat(store.root_fd, "containers/c1", 0710), 0);
	MUST(fd_replace_file(store.root_fd, "containers/c1/container.json", record, strlen(record), 0600, FD_NO_SYNC,
			     &err));
	drop("docker.io/library/a:latest");
	collect(GC_LEFTOVERS);
	ck_assert(layers_has(&store, chain));
	ck_assert(content_has(&store, id));
	MUST(fd_remove_tree(store.root_fd, "containers/c1", &err));
	MUST(gc_release(&store, id, &err));
	ck_assert(!layers_has(&store, chain));
	ck_assert_uint_eq(count("blobs/sha256"), 0);
	free(chain);
	free(id);
}
END_TEST

START_TEST(an_unreadable_container_record_stops_the_collector)
{
	char *digest;

	MUST(content_put(&store, "x", 1, &digest, &err));
	ck_assert_int_eq(mkdirat(store.root_fd, "containers/c1", 0710), 0);
	MUST(fd_replace_file(store.root_fd, "containers/c1/container.json", "{", 1, 0600, FD_NO_SYNC, &err));
	ck_assert_int_eq(gc_collect(&store, GC_UNREACHED, NULL, NULL), TEU_E_CORRUPT);
	ck_assert(content_has(&store, digest));
	free(digest);
}
END_TEST

START_TEST(a_lease_keeps_blobs_and_the_parents_of_layers)
{
	struct lease lease = LEASE_INIT;
	char *blob, *other, *low, *high;

	MUST(content_put(&store, "leased", 6, &blob, &err));
	MUST(content_put(&store, "other", 5, &other, &err));
	low = make_layer(blob, NULL, 1);
	high = make_layer(other, low, 1);
	MUST(lease_take(&store, &lease, &err));
	MUST(lease_add(&lease, blob, &err));
	MUST(lease_add(&lease, high, &err));
	collect(GC_LEFTOVERS);
	ck_assert(content_has(&store, blob));
	ck_assert(!content_has(&store, other));
	ck_assert(layers_has(&store, low));
	ck_assert(layers_has(&store, high));
	lease_done(&lease);
	ck_assert_uint_eq(count("leases"), 0);
	collect(GC_LEFTOVERS);
	ck_assert(!content_has(&store, blob));
	ck_assert_uint_eq(count("layers"), 0);
	free(blob);
	free(other);
	free(low);
	free(high);
}
END_TEST

START_TEST(a_lease_on_everything)
{
	struct lease lease = LEASE_INIT;
	char *blob;

	MUST(lease_take(&store, &lease, &err));
	MUST(lease_add_all(&lease, &err));
	MUST(content_put(&store, "later", 5, &blob, &err));
	collect(GC_LEFTOVERS);
	ck_assert(content_has(&store, blob));
	lease_done(&lease);
	free(blob);
}
END_TEST

/* A process that dies with everything open leaves a lease, two drafts and half a layer. */
START_TEST(leftovers_of_a_killed_process_are_swept)
{
	int ready[2], status;
	pid_t other;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	other = fork();
	if (other == 0) {
		struct lease lease = LEASE_INIT;
		struct content_draft draft, fresh;
		struct layer_draft layer;
		bool there;

		if (lease_take(&store, &lease, NULL) == 0 && lease_add_all(&lease, NULL) == 0 &&
		    content_begin(&store, "sha256:0000000000000000000000000000000000000000000000000000000000000000",
				  NULL, &draft, &there, NULL) == 0 &&
		    write(draft.fd, "x", 1) == 1 && content_begin_new(&store, &fresh, NULL) == 0 &&
		    layers_begin(&store, &layer, NULL) == 0 && write(ready[1], "k", 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	collect(GC_LEFTOVERS);
	ck_assert_uint_eq(count("leases"), 1);
	ck_assert_uint_eq(count("tmp"), 2);
	ck_assert_uint_eq(count("layers"), 1);
	kill(other, SIGKILL);
	waitpid(other, &status, 0);
	collect(GC_LEFTOVERS);
	ck_assert_uint_eq(count("leases"), 0);
	ck_assert_uint_eq(count("tmp"), 0);
	ck_assert_uint_eq(count("layers"), 0);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

START_TEST(half_fetched_blobs_outlive_the_removal_of_an_image)
{
	struct content_draft draft;
	bool there;

	MUST(content_begin(&store, "sha256:0000000000000000000000000000000000000000000000000000000000000000", NULL,
			   &draft, &there, &err));
	ck_assert_int_eq(write(draft.fd, "x", 1), 1);
	content_draft_done(&draft);
	collect(GC_UNREACHED);
	ck_assert_uint_eq(count("tmp"), 1);
	collect(GC_LEFTOVERS);
	ck_assert_uint_eq(count("tmp"), 0);
}
END_TEST

START_TEST(the_second_of_two_makers_of_a_layer_succeeds)
{
	char *blob, *one, *two;

	MUST(content_put(&store, "x", 1, &blob, &err));
	one = make_layer(blob, NULL, 1);
	two = make_layer(blob, NULL, 1);
	ck_assert_str_eq(one, two);
	ck_assert_uint_eq(count("layers"), 1);
	free(blob);
	free(one);
	free(two);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, what_a_name_reaches_is_kept);
	tcase_add_test(tc, a_shared_layer_goes_with_its_last_image);
	tcase_add_test(tc, a_container_keeps_its_layers);
	tcase_add_test(tc, an_unreadable_container_record_stops_the_collector);
	tcase_add_test(tc, a_lease_keeps_blobs_and_the_parents_of_layers);
	tcase_add_test(tc, a_lease_on_everything);
	tcase_add_test(tc, leftovers_of_a_killed_process_are_swept);
	tcase_add_test(tc, half_fetched_blobs_outlive_the_removal_of_an_image);
	tcase_add_test(tc, the_second_of_two_makers_of_a_layer_succeeds);
}

int main(void)
{
	return run_suite("gc", add);
}
