/* The public functions and the inner ones on this machine's own cgroups, whatever their version. Needs root. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/cgroup_impl.h"

static pid_t runner; /* all groups of a run are below one that has its pid in its name */
static char path[64];
static teu_cgroup *group;
static teu_error *err;

#define OK(call) ck_assert_msg((call) == 0, "%s", teu_error_message(err))

static void set_up(void)
{
	snprintf(path, sizeof(path), "/teu-test-%d/%d", (int)runner, (int)getpid());
	OK(teu_cgroup_open(path, &group, &err));
}

static void tear_down(void)
{
	teu_cgroup *parent = NULL;

	OK(teu_cgroup_kill(group, &err));
	OK(teu_cgroup_remove(group, &err));
	teu_cgroup_unref(group);
	*strrchr(path, '/') = '\0';
	OK(cgroup_find(path, &parent, &err));
	OK(teu_cgroup_remove(parent, &err));
	teu_cgroup_unref(parent);
}

/* A child that waits in the group. */
static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	OK(teu_cgroup_add(group, pid, &err));
	return pid;
}

static json *get(int (*read)(teu_cgroup *, char **, teu_error **))
{
	char *text = NULL;
	json *document = NULL;

	OK(read(group, &text, &err));
	OK(json_parse(text, strlen(text), &document, &err));
	teu_free(text);
	return document;
}

static int64_t number(const json *document, const char *place)
{
	const json *value = json_find(document, place);

	ck_assert_msg(value != NULL, "no %s", place);
	return json_number(value, -2);
}

START_TEST(limits_are_read_back)
{
	_cleanup_json_ json *limits = NULL;

	OK(teu_cgroup_set(
		group,
		"{\"memory\": {\"limit\": 67108864, \"swap\": 134217728}, \"cpu\": {\"shares\": 512, \"quota\": 50000,"
		"\"period\": 100000, \"cpus\": \"0\"}, \"pids\": {\"limit\": 64}}",
		&err));
	limits = get(teu_cgroup_get);
	ck_assert_int_eq(number(limits, "memory.limit"), 67108864);
	ck_assert_int_eq(number(limits, "memory.swap"), 134217728);
	ck_assert_int_eq(number(limits, "cpu.shares"), 512);
	ck_assert_int_eq(number(limits, "cpu.quota"), 50000);
	ck_assert_int_eq(number(limits, "cpu.period"), 100000);
	ck_assert_int_eq(number(limits, "pids.limit"), 64);
	ck_assert_str_eq(json_text(json_find(limits, "cpu.cpus"), ""), "0");
}
END_TEST

/* Both up and down, where the two limits bound each other. */
START_TEST(limits_change_in_both_directions)
{
	static const int64_t sizes[] = { 64 << 20, 256 << 20, 32 << 20, -1, 48 << 20 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_json_ json *limits = NULL;
		char text[128];

		snprintf(text, sizeof(text), "{\"memory\": {\"limit\": %lld, \"swap\": %lld}}", (long long)sizes[i],
			 (long long)(sizes[i] < 0 ? -1 : sizes[i] + (1 << 20)));
		OK(teu_cgroup_set(group, text, &err));
		limits = get(teu_cgroup_get);
		ck_assert_int_eq(number(limits, "memory.limit"), sizes[i]);
		ck_assert_int_eq(number(limits, "memory.swap"), sizes[i] < 0 ? -1 : sizes[i] + (1 << 20));
	}
}
END_TEST

START_TEST(bad_limits_are_told)
{
	ck_assert_int_eq(teu_cgroup_set(group, "{\"cpu\": {\"cpus\": \"999\"}}", &err), TEU_E_INVALID);
	ck_assert_str_eq(teu_error_detail(err, "field"), "linux.resources.cpu.cpus");
	ck_assert_int_eq(teu_cgroup_set(group, "{", NULL), TEU_E_INVALID);
	ck_assert_int_eq(teu_cgroup_open("/teu/../x", &group, NULL), TEU_E_INVALID);
}
END_TEST

START_TEST(use_is_counted)
{
	_cleanup_json_ json *stats = NULL;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		char *bytes;

		raise(SIGSTOP);
		bytes = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (volatile char *at = bytes; at < bytes + (8 << 20); at += 4096)
			*at = 1;
		for (clock_t end = clock() + CLOCKS_PER_SEC / 20; clock() < end;)
			;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	OK(teu_cgroup_add(group, pid, &err));
	kill(pid, SIGCONT);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	stats = get(teu_cgroup_stats);
	ck_assert_int_ge(number(stats, "cpu.usage_ns"), 40000000);
	ck_assert_int_ge(number(stats, "cpu.user_ns"), 0);
	ck_assert_int_ge(number(stats, "cpu.system_ns"), 0);
	ck_assert_int_eq(number(stats, "pids.current"), 0);
	ck_assert_int_eq(number(stats, "memory.oom_kills"), 0);
	ck_assert_int_ge(number(stats, "memory.current"), 0);
	ck_assert_int_ge(number(stats, "memory.peak"), 8 << 20);
	ck_assert_int_ge(number(stats, "io.read_bytes"), 0);
}
END_TEST

START_TEST(out_of_memory_is_counted)
{
	_cleanup_json_ json *stats = NULL;
	int status;
	pid_t pid;

	OK(teu_cgroup_set(group, "{\"memory\": {\"limit\": 16777216, \"swap\": 16777216}}", &err));
	pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		for (;;) {
			char *bytes = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			memset(bytes, 1, 1 << 20);
		}
	}
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	OK(teu_cgroup_add(group, pid, &err));
	kill(pid, SIGCONT);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	stats = get(teu_cgroup_stats);
	ck_assert_int_eq(number(stats, "memory.oom_kills"), 1);
}
END_TEST

START_TEST(processes_are_listed_and_limited)
{
	_cleanup_free_ pid_t *pids = NULL;
	pid_t pid = sleeper();
	size_t n;

	OK(cgroup_read_pids(group, &pids, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(pids[0], pid);
	OK(teu_cgroup_kill(group, &err));
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(teu_cgroup_add(group, pid, NULL), TEU_E_NOT_FOUND);
}
END_TEST

/* Counts what the shared number grows by in 50 ms. */
static unsigned progress(const volatile unsigned *counter, bool expected)
{
	unsigned before = *counter;

	/* On a busy machine its turn may be long in coming. */
	for (int i = 0; i < (expected ? 200 : 1) && *counter == before; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	return *counter - before;
}

START_TEST(frozen_means_frozen)
{
	volatile unsigned *counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			++*counter;
	OK(teu_cgroup_add(group, pid, &err));
	ck_assert_uint_gt(progress(counter, true), 0);
	OK(teu_cgroup_freeze(group, 1, &err));
	ck_assert_uint_eq(progress(counter, false), 0);
	OK(teu_cgroup_freeze(group, 1, &err));
	OK(teu_cgroup_freeze(group, 0, &err));
	ck_assert_uint_gt(progress(counter, true), 0);
	/* Killing reaches the frozen too. */
	OK(teu_cgroup_freeze(group, 1, &err));
	OK(teu_cgroup_kill(group, &err));
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	OK(teu_cgroup_freeze(group, 0, &err));
}
END_TEST

START_TEST(kill_reaches_what_forks)
{
	_cleanup_free_ pid_t *pids = NULL;
	pid_t pid;
	size_t n;

	OK(teu_cgroup_set(group, "{\"pids\": {\"limit\": 50}}", &err));
	pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		signal(SIGCHLD, SIG_IGN);
		for (;;)
			fork();
	}
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	OK(teu_cgroup_add(group, pid, &err));
	kill(pid, SIGCONT);
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	OK(teu_cgroup_kill(group, &err));
	OK(cgroup_read_pids(group, &pids, &n, &err));
	ck_assert_uint_eq(n, 0);
	waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(a_group_in_use_stays)
{
	pid_t pid = sleeper();

	ck_assert_int_eq(teu_cgroup_remove(group, &err), TEU_E_CONFLICT);
	OK(teu_cgroup_kill(group, NULL));
	waitpid(pid, NULL, 0);
}
END_TEST

static int open_as_member(const char *node)
{
	int fd;

	raise(SIGSTOP);
	fd = open(node, O_RDWR);
	return fd >= 0 ? 0 : errno;
}

/* What opening a new node answers to a process in the group. */
static int opening(unsigned major, unsigned minor)
{
	char node[64];
	int status;
	pid_t pid;

	snprintf(node, sizeof(node), "/tmp/teu-test-node.%d", (int)getpid());
	unlink(node); /* of one that was killed */
	ck_assert_int_eq(mknod(node, S_IFCHR | 0600, makedev(major, minor)), 0);
	pid = fork();
	if (pid == 0)
		_exit(open_as_member(node));
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	OK(teu_cgroup_add(group, pid, &err));
	kill(pid, SIGCONT);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	unlink(node);
	return WEXITSTATUS(status);
}

START_TEST(device_rules_are_kept)
{
	OK(teu_cgroup_set(group, "{\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]}", &err));
	ck_assert_int_eq(opening(1, 3), 0);	 /* null */
	ck_assert_int_eq(opening(1, 11), EPERM); /* kmsg */
	OK(teu_cgroup_set(group,
			  "{\"devices\": [{\"allow\": false, \"access\": \"rwm\"}, {\"allow\": true, \"type\": \"c\", "
			  "\"major\": 1,"
			  "\"minor\": 11, \"access\": \"rw\"}]}",
			  &err));
	ck_assert_int_eq(opening(1, 11), 0);
	OK(teu_cgroup_set(group, "{\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]}", &err));
	ck_assert_int_eq(opening(1, 11), EPERM);
}
END_TEST

/* A v2 cgroup has either processes or children with controllers; v1 has no such rule. */
START_TEST(a_parent_with_processes_is_told)
{
	pid_t pid = sleeper();
	teu_cgroup *child = NULL;
	char below[128];
	int r;

	snprintf(below, sizeof(below), "%s/below", path);
	r = teu_cgroup_open(below, &child, &err);
	if (cgroup_is_v2()) {
		ck_assert_int_eq(r, TEU_E_CONFLICT);
		ck_assert_ptr_nonnull(strstr(teu_error_message(err), "it holds processes itself"));
		ck_assert_int_eq(cgroup_find(below, &child, NULL), TEU_E_NOT_FOUND);
	} else {
		OK(r);
		OK(teu_cgroup_remove(child, &err));
	}
	teu_cgroup_unref(child);
	OK(teu_cgroup_kill(group, NULL));
	waitpid(pid, NULL, 0);
}
END_TEST

/* cgroup_compile() joins no cpuset unless it is asked to; a later change has to bring the processes there. */
START_TEST(a_controller_may_come_later)
{
	_cleanup_(cgroup_plan_done) struct cgroup_plan plan = { 0 };
	_cleanup_json_ json *change = NULL;
	static const char text[] = "{\"cpu\": {\"cpus\": \"0\"}}";
	teu_cgroup *late = NULL;
	char below[128], allowed[4096];
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	snprintf(below, sizeof(below), "%s-late", path);
	OK(cgroup_compile(below, NULL, "linux.resources", &plan, &err));
	OK(cgroup_run(&plan, &err));
	OK(cgroup_find(below, &late, &err));
	OK(cgroup_add(late, pid, &err));
	OK(json_parse(text, strlen(text), &change, &err));
	OK(cgroup_set(late, change, "linux.resources", NULL, &err));
	snprintf(below, sizeof(below), "/proc/%d", (int)pid);
	ck_assert(cgroup_read_text(below, "status", allowed, sizeof(allowed)));
	ck_assert_ptr_nonnull(strstr(allowed, "Cpus_allowed_list:\t0\n"));
	OK(cgroup_kill_all(late, &err));
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	OK(cgroup_rmdir(late, &err));
	cgroup_unref(late);
}
END_TEST

START_TEST(what_is_missing)
{
	teu_cgroup *none = NULL;

	ck_assert_int_eq(cgroup_find("/teu-no-such-group", &none, NULL), TEU_E_NOT_FOUND);
	ck_assert_int_eq(teu_cgroup_set(NULL, "{}", NULL), TEU_E_INVALID);
	teu_cgroup_unref(NULL);
}
END_TEST

static bool is_usable(void)
{
	const struct cgroup_machine *m;
	teu_cgroup *probe = NULL;
	bool ok;

	if (geteuid() != 0 || cgroup_machine_get(&m, NULL) < 0)
		return false;
	snprintf(path, sizeof(path), "/teu-probe-%d", (int)getpid());
	ok = teu_cgroup_open(path, &probe, NULL) == 0 && teu_cgroup_remove(probe, NULL) == 0;
	teu_cgroup_unref(probe);
	return ok;
}

/* What is left when the runner is gone, killed perhaps or with a test that failed, is taken away by a process that
 * outlives it. */
static void guard(void)
{
	struct pollfd end = { .fd = pidfd_open(runner, 0), .events = POLLIN };
	teu_cgroup *all = NULL;

	setsid();
	close_range(0, 2, 0);
	while (end.fd >= 0 && poll(&end, 1, -1) < 0 && errno == EINTR)
		;
	snprintf(path, sizeof(path), "/teu-test-%d", (int)runner);
	if (cgroup_find(path, &all, NULL) == 0) {
		teu_cgroup_kill(all, NULL);
		teu_cgroup_remove(all, NULL);
	}
	_exit(0);
}

int main(void)
{
	Suite *s = suite_create("cgroup_live");
	TCase *tc = tcase_create("live");
	SRunner *sr;
	int failed;

	if (!is_usable()) {
		printf("SKIP cgroup_live: needs root and cgroups that can be written to\n");
		suite_add_tcase(s, tc);
		return 77;
	}
	runner = getpid();
	if (fork() == 0)
		guard();
	sr = srunner_create(s);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, limits_are_read_back);
	tcase_add_test(tc, limits_change_in_both_directions);
	tcase_add_test(tc, bad_limits_are_told);
	tcase_add_test(tc, use_is_counted);
	tcase_add_test(tc, out_of_memory_is_counted);
	tcase_add_test(tc, processes_are_listed_and_limited);
	tcase_add_test(tc, frozen_means_frozen);
	tcase_add_test(tc, kill_reaches_what_forks);
	tcase_add_test(tc, a_group_in_use_stays);
	tcase_add_test(tc, device_rules_are_kept);
	tcase_add_test(tc, a_parent_with_processes_is_told);
	tcase_add_test(tc, a_controller_may_come_later);
	tcase_add_test(tc, what_is_missing);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
