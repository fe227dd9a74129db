#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "runtime/record.h"

enum { THREADS = 4, ROUNDS = 100 };

static char folder[64];
static teu_runtime *runtime;
static atomic_int made, removed;

static void setup(void)
{
	teu_runtime_options options;

	strcpy(folder, "/tmp/teu-record.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	teu_runtime_options_init(&options);
	options.root = folder;
	ck_assert_int_eq(runtime_open(&options, &runtime, NULL), 0);
}

static void teardown(void)
{
	teu_runtime_unref(runtime);
	fd_remove_tree(AT_FDCWD, folder, NULL);
}

static bool there(const char *name)
{
	return faccessat(runtime->root_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* How many names there are. */
static int count(void)
{
	_cleanup_closedir_ DIR *dir = opendir(folder);
	int n = -2;

	while (readdir(dir))
		n++;
	return n;
}

START_TEST(an_id_is_taken_once)
{
	_cleanup_(record_done) struct record first = RECORD_INIT, second = RECORD_INIT;

	ck_assert_int_eq(record_make(runtime, "a", &first, NULL), 0);
	ck_assert(lock_is_held(first.dir_fd, "lock"));
	ck_assert_int_eq(record_make(runtime, "a", &second, NULL), TEU_E_CONFLICT);
	ck_assert_int_eq(count(), 1);
	ck_assert_int_eq(record_remove(runtime, &first, NULL), 0);
	ck_assert_int_eq(count(), 0);
	ck_assert_int_eq(record_make(runtime, "a", &second, NULL), 0);
}
END_TEST

/* As a create leaves them that is killed before it has the lock, or its name. */
START_TEST(what_has_no_name_is_swept)
{
	_cleanup_(record_done) struct record kept = RECORD_INIT;
	_cleanup_close_ int dir = -EBADF, lock = -EBADF;

	ck_assert_int_eq(record_make(runtime, "a", &kept, NULL), 0);
	ck_assert_int_eq(mkdirat(runtime->root_fd, ".making-1", 0711), 0);
	ck_assert_int_eq(fd_open_dir(runtime->root_fd, ".making-2", 0711, &dir, NULL), 0);
	ck_assert_int_eq(lock_take(dir, "lock", LOCK_EXCLUSIVE, &lock, NULL), 0);
	ck_assert_int_eq(mkdirat(runtime->root_fd, ".removing-1", 0711), 0);
	ck_assert_int_eq(record_sweep(runtime, NULL), 0);
	ck_assert(!there(".making-1"));
	ck_assert(there(".making-2"));
	ck_assert(!there(".removing-1"));
	ck_assert(there("a"));
	close(TAKE_FD(lock));
	ck_assert_int_eq(record_sweep(runtime, NULL), 0);
	ck_assert(!there(".making-2"));
}
END_TEST

static void make_one(int round)
{
	_cleanup_(record_done) struct record rec = RECORD_INIT;
	int r = record_make(runtime, "a", &rec, NULL);

	ck_assert(r == 0 || r == TEU_E_CONFLICT);
	if (r < 0)
		return;
	made++;
	if (round % 2)
		return;
	ck_assert_int_eq(record_remove(runtime, &rec, NULL), 0);
	removed++;
}

static void remove_one(void)
{
	_cleanup_(record_done) struct record rec = RECORD_INIT;
	int r = record_open_any(runtime, "a", &rec, NULL);

	ck_assert(r == 0 || r == TEU_E_NOT_FOUND);
	if (r < 0)
		return;
	ck_assert_int_eq(record_remove(runtime, &rec, NULL), 0);
	removed++;
}

static void *work(void *number)
{
	for (int i = 0; i < ROUNDS; i++) {
		make_one(i + (int)(intptr_t)number);
		if (i % 16 == 0)
			ck_assert_int_eq(record_sweep(runtime, NULL), 0);
		remove_one();
	}
	return NULL;
}

/* One that two take for theirs is removed by the one below the other. */
START_TEST(what_is_made_is_removed_once)
{
	pthread_t threads[THREADS];

	for (intptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(made - removed, there("a"));
	ck_assert_int_eq(record_sweep(runtime, NULL), 0);
	ck_assert_int_eq(count(), there("a"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *tests = tcase_create("record");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_id_is_taken_once);
	tcase_add_test(tests, what_has_no_name_is_swept);
	tcase_add_test(tests, what_is_made_is_removed_once);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
