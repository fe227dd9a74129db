#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/container_write.h"
#include "store/name.h"
#include "store/volumes.h"

static char scratch[64];
static struct store store;

static void open_scratch(void)
{
	char state[80], run[80];

	strcpy(scratch, "/tmp/teu-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
	snprintf(state, sizeof(state), "%s/state", scratch);
	snprintf(run, sizeof(run), "%s/run", scratch);
	ck_assert_int_eq(store_open(state, run, &store, NULL), 0);
}

static void close_scratch(void)
{
	store_done(&store);
	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, scratch, NULL), 0);
}

/* Entries of a folder, hidden ones too. */
static size_t count(int root_fd, const char *folder)
{
	_cleanup_closedir_ DIR *dir = fdopendir(openat(root_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t n = 0;

	while (readdir(dir))
		n++;
	return n - 2;
}

static void put_record(struct container_draft *draft, const char *volume)
{
	char text[512];

	snprintf(text, sizeof(text), "{\"Id\":\"%s\",\"Name\":\"%s\",\"AnonymousVolumes\":[%s%s%s],\"Mounts\":[]}",
		 draft->id, draft->name, volume ? "\"" : "", volume ? volume : "", volume ? "\"" : "");
	ck_assert_int_eq(containers_put(draft, "container.json", text, FD_NO_SYNC, NULL), 0);
	if (volume)
		ck_assert_int_eq(volumes_create(&store, volume, true, NULL), 0);
}

static void make(const char *name, const char *volume, char id[CONTAINER_ID_LEN + 1])
{
	struct container_draft draft = CONTAINER_DRAFT_INIT;

	ck_assert_int_eq(containers_new_id(id, NULL), 0);
	ck_assert_int_eq(containers_begin(&store, id, name, &draft, NULL), 0);
	put_record(&draft, volume);
	ck_assert_int_eq(containers_commit(&draft, NULL), 0);
}

START_TEST(found_by_name_id_and_prefix)
{
	char a[CONTAINER_ID_LEN + 1], b[CONTAINER_ID_LEN + 1], found[CONTAINER_ID_LEN + 1], prefix[8];
	teu_error *err = NULL;

	make("web", NULL, a);
	ck_assert_int_eq(containers_find(&store, "web", found, NULL), 0);
	ck_assert_str_eq(found, a);
	ck_assert_int_eq(containers_find(&store, "/web", found, NULL), 0);
	ck_assert_int_eq(containers_find(&store, a, found, NULL), 0);
	snprintf(prefix, sizeof(prefix), "%.4s", a);
	ck_assert_int_eq(containers_find(&store, prefix, found, NULL), 0);
	ck_assert_str_eq(found, a);
	make("db", NULL, b);
	/* A name wins over a prefix. */
	ck_assert_int_eq(containers_find(&store, "db", found, NULL), 0);
	ck_assert_str_eq(found, b);
	ck_assert_int_eq(containers_find(&store, "nope", found, &err), TEU_E_NOT_FOUND);
	ck_assert_str_eq(teu_error_message(err), "no such container: nope");
	ck_assert_int_eq(containers_find(&store, "../names/web", found, NULL), TEU_E_NOT_FOUND);
	teu_error_unref(err);
}
END_TEST

START_TEST(an_ambiguous_prefix_is_a_conflict)
{
	char id[CONTAINER_ID_LEN + 1], found[CONTAINER_ID_LEN + 1];

	/* Of 17 ids two begin with the same digit. */
	for (int i = 0; i < 17; i++) {
		char name[8];

		snprintf(name, sizeof(name), "z%d", i);
		make(name, NULL, id);
	}
	for (const char *digit = "0123456789abcdef"; *digit; digit++) {
		char prefix[2] = { *digit };

		if (containers_find(&store, prefix, found, NULL) == TEU_E_CONFLICT)
			return;
	}
	ck_abort_msg("no conflict");
}
END_TEST

START_TEST(names_follow_the_rule)
{
	static const char *const good[] = { "ab", "a.b-c_d", "0a" }, *const bad[] = { "",    "a",   ".a", "-a",
										      "a/b", "a b", "ä1" };
	struct container_draft draft = CONTAINER_DRAFT_INIT;
	char id[CONTAINER_ID_LEN + 1];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_msg(name_ok(good[i]), "%s", good[i]);
	ck_assert_int_eq(containers_new_id(id, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_msg(!name_ok(bad[i]), "%s", bad[i]);
		ck_assert_int_eq(containers_begin(&store, id, bad[i], &draft, NULL), TEU_E_INVALID);
	}
	ck_assert_uint_eq(count(store.run_fd, "locks"), 0);
}
END_TEST

START_TEST(one_taker_gets_a_name)
{
	struct container_draft draft = CONTAINER_DRAFT_INIT, other = CONTAINER_DRAFT_INIT;
	char a[CONTAINER_ID_LEN + 1], b[CONTAINER_ID_LEN + 1], found[CONTAINER_ID_LEN + 1];

	ck_assert_int_eq(containers_new_id(a, NULL), 0);
	ck_assert_int_eq(containers_new_id(b, NULL), 0);
	ck_assert_int_eq(containers_begin(&store, a, "web", &draft, NULL), 0);
	/* It is taken while its container is being made, and can't be found yet. */
	ck_assert_int_eq(containers_begin(&store, b, "web", &other, NULL), TEU_E_CONFLICT);
	ck_assert_int_eq(containers_find(&store, "web", found, NULL), TEU_E_NOT_FOUND);
	containers_draft_done(&draft);
	ck_assert_int_eq(containers_begin(&store, b, "web", &other, NULL), 0);
	containers_draft_done(&other);
	ck_assert_uint_eq(count(store.root_fd, "containers"), 0);
	ck_assert_uint_eq(count(store.root_fd, "names"), 0);
	ck_assert_uint_eq(count(store.run_fd, "locks"), 0);
}
END_TEST

START_TEST(remove_takes_name_lock_and_volumes)
{
	char id[CONTAINER_ID_LEN + 1];
	int lock_fd;

	make("web", "anonymous1", id);
	ck_assert_int_eq(containers_lock(&store, id, &lock_fd, NULL), 0);
	ck_assert_int_eq(containers_remove(&store, id, true, NULL), 0);
	ck_assert_int_eq(containers_remove(&store, id, true, NULL), TEU_E_NOT_FOUND);
	close(lock_fd);
	ck_assert_uint_eq(count(store.root_fd, "containers"), 0);
	ck_assert_uint_eq(count(store.root_fd, "names"), 0);
	ck_assert_uint_eq(count(store.root_fd, "volumes"), 0);
	ck_assert_uint_eq(count(store.run_fd, "locks"), 0);
}
END_TEST

/* A process that dies after @steps steps of making a container. */
static void die_while_making(int steps)
{
	struct container_draft draft = CONTAINER_DRAFT_INIT;
	char id[CONTAINER_ID_LEN + 1];
	pid_t pid = fork();

	if (pid == 0) {
		containers_new_id(id, NULL);
		containers_begin(&store, id, "web", &draft, NULL);
		if (steps > 0)
			put_record(&draft, "anonymous1");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_dead_maker_leaves_nothing)
{
	char id[CONTAINER_ID_LEN + 1];

	for (int steps = 0; steps < 2; steps++) {
		die_while_making(steps);
		ck_assert_uint_eq(count(store.root_fd, "containers"), 1);
		ck_assert_int_eq(containers_sweep(&store, NULL), 0);
		ck_assert_uint_eq(count(store.root_fd, "containers"), 0);
		ck_assert_uint_eq(count(store.root_fd, "names"), 0);
		ck_assert_uint_eq(count(store.root_fd, "volumes"), 0);
		ck_assert_uint_eq(count(store.run_fd, "locks"), 0);
	}
	/* Its name is free at once, without a sweep. */
	die_while_making(0);
	make("web", NULL, id);
}
END_TEST

START_TEST(the_sweep_leaves_the_living_alone)
{
	struct container_draft draft = CONTAINER_DRAFT_INIT;
	char id[CONTAINER_ID_LEN + 1];

	ck_assert_int_eq(containers_new_id(id, NULL), 0);
	ck_assert_int_eq(containers_begin(&store, id, "web", &draft, NULL), 0);
	put_record(&draft, "anonymous1");
	ck_assert_int_eq(containers_sweep(&store, NULL), 0);
	ck_assert_int_eq(containers_commit(&draft, NULL), 0);
	ck_assert_int_eq(containers_sweep(&store, NULL), 0);
	ck_assert_int_eq(containers_find(&store, "web", id, NULL), 0);
	ck_assert_uint_eq(count(store.root_fd, "volumes"), 1);
}
END_TEST

START_TEST(the_sweep_ends_a_removal)
{
	char id[CONTAINER_ID_LEN + 1], from[128], to[128];

	make("web", "anonymous1", id);
	snprintf(from, sizeof(from), "containers/%s", id);
	snprintf(to, sizeof(to), "containers/.removing-volumes-%s", id);
	ck_assert_int_eq(renameat(store.root_fd, from, store.root_fd, to), 0);
	ck_assert_int_eq(containers_sweep(&store, NULL), 0);
	ck_assert_uint_eq(count(store.root_fd, "containers"), 0);
	ck_assert_uint_eq(count(store.root_fd, "names"), 0);
	ck_assert_uint_eq(count(store.root_fd, "volumes"), 0);
}
END_TEST

static void churn(void)
{
	for (;;) {
		char id[CONTAINER_ID_LEN + 1], volume[CONTAINER_ID_LEN + 1];
		struct container_draft draft = CONTAINER_DRAFT_INIT;
		char text[512];
		int lock_fd;

		containers_new_id(id, NULL);
		containers_new_id(volume, NULL);
		if (containers_begin(&store, id, "web", &draft, NULL) < 0)
			continue;
		snprintf(text, sizeof(text), "{\"Id\":\"%s\",\"Name\":\"web\",\"AnonymousVolumes\":[\"%s\"]}", id,
			 volume);
		containers_put(&draft, "container.json", text, FD_NO_SYNC, NULL);
		volumes_create(&store, volume, true, NULL);
		containers_commit(&draft, NULL);
		containers_lock(&store, id, &lock_fd, NULL);
		containers_remove(&store, id, true, NULL);
		close(lock_fd);
	}
}

START_TEST(killed_at_any_moment_the_store_is_whole)
{
	for (int round = 0; round < 200; round++) {
		char id[CONTAINER_ID_LEN + 1];
		int lock_fd;
		pid_t pid = fork();
		size_t n;

		if (pid == 0)
			churn();
		usleep((useconds_t)(1 + random() % 3000));
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		ck_assert_int_eq(containers_sweep(&store, NULL), 0);
		n = count(store.root_fd, "containers");
		ck_assert_uint_eq(count(store.root_fd, "names"), n);
		ck_assert_uint_eq(count(store.root_fd, "volumes"), n);
		if (n == 0) {
			ck_assert_uint_eq(count(store.run_fd, "locks"), 0);
			continue;
		}
		ck_assert_int_eq(containers_find(&store, "web", id, NULL), 0);
		ck_assert_int_eq(containers_lock(&store, id, &lock_fd, NULL), 0);
		ck_assert_int_eq(containers_remove(&store, id, true, NULL), 0);
		close(lock_fd);
	}
}
END_TEST

START_TEST(volumes_are_made_once_and_listed)
{
	struct strv names = STRV_INIT;
	teu_error *err = NULL;
	json *volume = NULL;

	ck_assert_int_eq(volumes_create(&store, "b1", false, NULL), 0);
	ck_assert_int_eq(volumes_create(&store, "a1", false, NULL), 0);
	ck_assert_int_eq(volumes_create(&store, "a1", false, NULL), 0);
	ck_assert_int_eq(volumes_create(&store, "../x", false, NULL), TEU_E_INVALID);
	ck_assert_int_eq(volumes_list(&store, &names, NULL), 0);
	ck_assert_uint_eq(names.n, 2);
	ck_assert_str_eq(names.items[0], "a1");
	ck_assert_int_eq(volumes_read(&store, "a1", &volume, NULL), 0);
	ck_assert_str_eq(json_get_text(volume, "Driver", ""), "local");
	ck_assert_int_eq(volumes_remove(&store, "a1", NULL), 0);
	ck_assert_int_eq(volumes_remove(&store, "a1", &err), TEU_E_NOT_FOUND);
	ck_assert_str_eq(teu_error_message(err), "no such volume: a1");
	teu_error_unref(err);
	json_free(volume);
	strv_done(&names);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("containers");
	TCase *tc = tcase_create("containers");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_scratch, close_scratch);
	tcase_add_test(tc, found_by_name_id_and_prefix);
	tcase_add_test(tc, an_ambiguous_prefix_is_a_conflict);
	tcase_add_test(tc, names_follow_the_rule);
	tcase_add_test(tc, one_taker_gets_a_name);
	tcase_add_test(tc, remove_takes_name_lock_and_volumes);
	tcase_add_test(tc, a_dead_maker_leaves_nothing);
	tcase_add_test(tc, the_sweep_leaves_the_living_alone);
	tcase_add_test(tc, the_sweep_ends_a_removal);
	tcase_add_test(tc, killed_at_any_moment_the_store_is_whole);
	tcase_add_test(tc, volumes_are_made_once_and_listed);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
