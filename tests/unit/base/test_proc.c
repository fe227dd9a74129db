#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/proc.h"

enum { NEVER = 1 };

/* From now on this process may open @n more descriptors. Each test is a process of its own. */
static void leave_descriptors(int n)
{
	int next = dup(0);
	struct rlimit limit;

	ck_assert_int_ge(next, 0);
	close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)(next + n);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* A sanitizer that looks for leaks at the end opens files, too. */
static void get_descriptors_back(void)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

START_TEST(who_runs_and_who_has_ended)
{
	uint64_t start = 0;
	int pidfd, status;
	pid_t child = fork();

	if (child == 0)
		for (;;)
			pause();
	ck_assert_int_eq(proc_start_time(child, &start, NULL), 0);
	ck_assert_uint_gt(start, 0);
	ck_assert_int_eq(proc_runs(child, start, NULL), 1);
	ck_assert_int_eq(proc_runs(child, start + NEVER, NULL), 0);
	ck_assert_int_eq(proc_open(child, start, &pidfd, NULL), 0);
	close(pidfd);
	ck_assert_int_eq(proc_open(child, start + NEVER, &pidfd, NULL), TEU_E_NOT_FOUND);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)child, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(proc_runs(child, start, NULL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(proc_runs(child, start, NULL), 0);
	ck_assert_int_eq(proc_start_time(child, &start, NULL), TEU_E_NOT_FOUND);
	ck_assert_int_eq(proc_open(child, start, &pidfd, NULL), TEU_E_NOT_FOUND);
	ck_assert_int_eq(proc_runs(0, 0, NULL), 0);
}
END_TEST

START_TEST(what_cannot_be_asked_is_not_known)
{
	_cleanup_error_ teu_error *err = NULL;
	uint64_t start;
	int pidfd;

	ck_assert_int_eq(proc_start_time(getpid(), &start, NULL), 0);
	leave_descriptors(1);
	ck_assert_int_eq(proc_runs(getpid(), start, NULL), 1);
	/* There is one for the pidfd, and none to read the start time by. */
	ck_assert_int_eq(proc_open(getpid(), start, &pidfd, NULL), TEU_E_SYSTEM);
	leave_descriptors(0);
	ck_assert_int_eq(proc_runs(getpid(), start, &err), TEU_E_SYSTEM);
	ck_assert_int_eq(teu_error_errno(err), EMFILE);
	ck_assert_int_eq(proc_start_time(getpid(), &start, NULL), TEU_E_SYSTEM);
	ck_assert_int_eq(proc_open(getpid(), start, &pidfd, NULL), TEU_E_SYSTEM);
	get_descriptors_back();
}
END_TEST

START_TEST(a_lock_that_cannot_be_opened_may_be_held)
{
	char folder[] = "/tmp/teu-proc.XXXXXX", *path;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_gt(asprintf(&path, "%s/lock", folder), 0);
	ck_assert_int_eq(lock_look(-1, path, NULL), 0);
	ck_assert_int_eq(lock_take(-1, path, LOCK_EXCLUSIVE, &fd, NULL), 0);
	ck_assert_int_eq(lock_look(-1, path, NULL), 1);
	close(fd);
	ck_assert_int_eq(lock_look(-1, path, NULL), 0);
	ck_assert(!lock_is_held(-1, path));
	leave_descriptors(0);
	ck_assert_int_eq(lock_look(-1, path, NULL), TEU_E_SYSTEM);
	ck_assert(lock_is_held(-1, path));
	get_descriptors_back();
	unlink(path);
	rmdir(folder);
	free(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proc");
	TCase *tests = tcase_create("proc");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, who_runs_and_who_has_ended);
	tcase_add_test(tests, what_cannot_be_asked_is_not_known);
	tcase_add_test(tests, a_lock_that_cannot_be_opened_may_be_held);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
