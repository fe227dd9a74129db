#include "store/state.h"

#include "base/lock.h"
#include "fixture.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void put(int root_fd, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "containers/%s", ID);
	mkdirat(root_fd, "containers", 0700);
	mkdirat(root_fd, path, 0700);
	snprintf(path, sizeof(path), "containers/%s/%s", ID, name);
	MUST(fd_replace_file(root_fd, path, text, strlen(text), 0600, FD_NO_SYNC, &err));
}

static struct container_state read_it(void)
{
	struct container_state s;

	MUST(state_read(&store, ID, &s, &err));
	return s;
}

static void forget_run(void)
{
	fd_remove_tree(store.run_fd, "containers/" ID, NULL);
}

START_TEST(never_run_is_created)
{
	put(store.root_fd, "container.json", "{}");
	ck_assert_int_eq(read_it().state, TEU_STATE_CREATED);
	MUST(state_keep_exit(&store, ID, &err));
	ck_assert_int_eq(read_it().state, TEU_STATE_CREATED);
}
END_TEST

START_TEST(it_runs_while_its_monitor_has_the_lock)
{
	_cleanup_close_ int lock = -EBADF;

	put(store.root_fd, "exit", "status 3\noom 0\nstarted 10\nfinished 20\nrestarts 0\n");
	put(store.run_fd, "state", "pid 7\npid_start 8\nmonitor 6\nstarted 30\nrestarts 1\n");
	MUST(lock_take(store.run_fd, "containers/" ID "/alive", LOCK_EXCLUSIVE, &lock, &err));
	ck_assert_int_eq(read_it().state, TEU_STATE_RUNNING);
	ck_assert_int_eq(read_it().pid, 7);
}
END_TEST

START_TEST(the_end_of_a_killed_monitor_is_put_on_record)
{
	put(store.root_fd, "exit", "status 3\noom 0\nstarted 10\nfinished 20\nrestarts 0\n");
	put(store.run_fd, "state", "pid 7\npid_start 8\nmonitor 6\nstarted 30\nrestarts 1\n");
	ck_assert_int_eq(read_it().exit_status, 137);
	MUST(state_keep_exit(&store, ID, &err));
	forget_run();
	ck_assert_int_eq(read_it().state, TEU_STATE_EXITED);
	ck_assert_int_eq(read_it().exit_status, 137);
	ck_assert_int_eq(read_it().started_ns, 30);
	ck_assert_int_gt(read_it().finished_ns, 30);
}
END_TEST

START_TEST(what_is_on_record_stays)
{
	put(store.root_fd, "exit", "status 3\noom 0\nstarted 10\nfinished 20\nrestarts 0\n");
	put(store.run_fd, "state", "pid 7\npid_start 8\nmonitor 6\nstarted 10\nrestarts 0\n");
	ck_assert_int_eq(read_it().exit_status, 3);
	MUST(state_keep_exit(&store, ID, &err));
	forget_run();
	ck_assert_int_eq(read_it().exit_status, 3);
}
END_TEST

/* The disk was full: the exit stands in place of the state. */
START_TEST(an_exit_in_the_run_root_is_kept)
{
	put(store.root_fd, "container.json", "{}");
	put(store.run_fd, "state", "status 4\noom 1\nstarted 10\nfinished 20\nrestarts 0\n");
	ck_assert_int_eq(read_it().state, TEU_STATE_EXITED);
	ck_assert_int_eq(read_it().exit_status, 4);
	MUST(state_keep_exit(&store, ID, &err));
	forget_run();
	ck_assert_int_eq(read_it().exit_status, 4);
	ck_assert(read_it().oom_killed);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, never_run_is_created);
	tcase_add_test(tc, it_runs_while_its_monitor_has_the_lock);
	tcase_add_test(tc, the_end_of_a_killed_monitor_is_put_on_record);
	tcase_add_test(tc, what_is_on_record_stays);
	tcase_add_test(tc, an_exit_in_the_run_root_is_kept);
}

int main(void)
{
	return run_suite("state", add);
}
