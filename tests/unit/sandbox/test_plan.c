/* plan: the flat buffer, and what its failures are called. */
#include "sandbox/plan.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "init/wire.h"
#include "sandbox/compile.h"
#include "sandbox/spawn.h"

static struct plan plan;

static void make(enum plan_list list, enum plan_op op, const char *field, const char *t1, const char *t4)
{
	teu_error *err = NULL;
	plan_off a, d;
	struct plan_step *s;

	plan_init(&plan);
	a = plan_text_add(&plan, t1);
	d = plan_text_add(&plan, t4);
	s = plan_step(&plan, list, op, field);
	s->t1 = a;
	s->t4 = d;
	ck_assert_int_eq(plan_finish(&plan, &err), 0);
}

START_TEST(steps_stay_in_their_order)
{
	const struct plan_header *h;
	const struct plan_step *s;
	teu_error *err = NULL;

	plan_init(&plan);
	for (unsigned i = 0; i < 100; i++) {
		plan_step(&plan, PLAN_FIRST, OP_UMASK, NULL)->n1 = i;
		plan_step(&plan, PLAN_AFTER, OP_RMDIR, NULL)->n1 = i;
	}
	ck_assert_int_eq(plan_finish(&plan, &err), 0);
	h = plan_header(&plan);
	ck_assert_uint_eq(h->size, plan.bytes.len);
	ck_assert_uint_eq(h->first.count, 100);
	ck_assert_uint_eq(h->after.count, 100);
	ck_assert_uint_eq(h->born.count, 0);
	s = (const struct plan_step *)(plan.bytes.text + h->first.at);
	ck_assert_uint_eq((uintptr_t)s % 8, 0);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(s[i].n1, i);
	plan_done(&plan);
}
END_TEST

START_TEST(a_sealed_plan_does_not_change)
{
	char magic[4];
	teu_error *err = NULL;
	int fd;

	make(PLAN_FIRST, OP_PIVOT, NULL, NULL, NULL);
	fd = memfd_create("plan", MFD_ALLOW_SEALING);
	ck_assert_int_eq(plan_seal(&plan, fd, &err), 0);
	ck_assert_int_eq(pread(fd, magic, 4, 0), 4);
	ck_assert_int_eq(memcmp(magic, "1teu", 4), 0);
	ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	close(fd);
	plan_done(&plan);
}
END_TEST

static const struct {
	enum plan_op op;
	const char *field, *t1, *t4;
	int eno, code;
	const char *message;
} failures[] = {
	{ OP_EXEC, NULL, "nothing", NULL, ENOENT, TEU_E_NO_COMMAND,
	  "exec \"nothing\": executable file not found in $PATH" },
	{ OP_EXEC, NULL, "/nothing", NULL, ENOENT, TEU_E_NO_COMMAND,
	  "exec \"/nothing\": no such file or directory (or its interpreter)" },
	{ OP_EXEC, NULL, "/etc", NULL, EACCES, TEU_E_NOT_EXECUTABLE,
	  "exec \"/etc\": permission denied: not an executable file" },
	{ OP_USER_NAME, "process.user", "me", NULL, ESRCH, TEU_E_NOT_FOUND,
	  "unable to find user me: no such entry in the container's passwd and group files" },
	{ OP_MOUNT, "mounts[3]", "proc", "/proc", ELOOP, TEU_E_LAUNCH,
	  "mount /proc: Too many levels of symbolic links: the way there leads over a symbolic link, which is not "
	  "followed (mounts[3])" },
	{ OP_RLIMIT, "process.rlimits", NULL, NULL, EPERM, TEU_E_LAUNCH,
	  "rlimit: Operation not permitted: the caller has no right to raise this limit (CAP_SYS_RESOURCE) "
	  "(process.rlimits)" },
	{ OP_MASK, NULL, NULL, "/proc/kcore", ENODEV, TEU_E_LAUNCH, "mask /proc/kcore: No such device" },
};

START_TEST(failures_in_words)
{
	teu_error *err = NULL;

	make(PLAN_FIRST, failures[_i].op, failures[_i].field, failures[_i].t1, failures[_i].t4);
	ck_assert_int_eq(plan_failure(&plan, WIRE_FIRST, 0, failures[_i].eno, &err), failures[_i].code);
	ck_assert_int_eq(teu_error_code(err), failures[_i].code);
	ck_assert_str_eq(teu_error_message(err), failures[_i].message);
	if (failures[_i].code == TEU_E_LAUNCH && failures[_i].field)
		ck_assert_str_eq(teu_error_detail(err, "field"), failures[_i].field);
	teu_error_unref(err);
	plan_done(&plan);
}
END_TEST

START_TEST(a_step_that_is_not_there)
{
	teu_error *err = NULL;

	make(PLAN_FIRST, OP_PIVOT, NULL, NULL, NULL);
	ck_assert_int_lt(plan_failure(&plan, WIRE_BORN, 9, EIO, &err), 0);
	ck_assert_ptr_nonnull(err);
	teu_error_unref(err);
	plan_done(&plan);
}
END_TEST

static void make_bare(void)
{
	_cleanup_(strv_done) struct strv argv = STRV_INIT, env = STRV_INIT;
	const struct bare bare = { .argv = &argv, .env = &env, .hostname = "name" };
	teu_error *err = NULL;

	strv_add(&argv, "true");
	strv_add(&argv, "");
	strv_add(&env, "A=b");
	ck_assert_int_eq(compile_bare(&bare, &plan, &err), 0);
}

static struct plan_step *step_of(enum plan_op op)
{
	struct plan_header *h = plan_header(&plan);
	struct plan_step *s = (struct plan_step *)((char *)h + h->first.at);

	while (s->op != op)
		s++;
	return s;
}

/* Offsets from which on something is put, into the header or the step of @op. */
#define IN_HEADER(field) 0, offsetof(struct plan_header, field)
#define IN_STEP(op, field) op, offsetof(struct plan_step, field)

static const struct {
	unsigned op;
	size_t at;
	uint32_t value;
	enum plan_fault fault;
} damages[] = {
	{ IN_HEADER(magic), 0, PLAN_BAD_SIZE },
	{ IN_HEADER(size), 1 << 20, PLAN_BAD_SIZE },
	{ IN_HEADER(before.at), 4, PLAN_BAD_SIZE },
	{ IN_HEADER(first.count), 1000, PLAN_BAD_SIZE },
	{ IN_HEADER(after.count), UINT32_MAX, PLAN_BAD_SIZE },
	{ IN_HEADER(birth.clone_flags), 0x100 /* CLONE_VM */, PLAN_BAD_HEADER },
	{ IN_HEADER(birth.flags), 2000u << PLAN_KEEP_SHIFT, PLAN_BAD_HEADER },
	{ IN_HEADER(birth.flags), PLAN_RECORD, PLAN_BAD_TEXT },
	{ IN_HEADER(birth.flags), PLAN_LOG, PLAN_BAD_TEXT },
	{ IN_HEADER(restart), PLAN_RESTART_ALWAYS, PLAN_BAD_TEXT },
	{ IN_HEADER(oom_path), 4, PLAN_BAD_TEXT },
	{ IN_HEADER(id), 1 << 20, PLAN_BAD_TEXT },
	{ IN_STEP(OP_READY, op), 0, PLAN_BAD_OP },
	{ IN_STEP(OP_READY, op), OP_COUNT, PLAN_BAD_OP },
	{ IN_STEP(OP_READY, op), OP_RMDIR, PLAN_BAD_OP },
	{ IN_STEP(OP_READY, op), OP_SCHEDULER, PLAN_BAD_OPERANDS },
	{ IN_STEP(OP_READY, field), UINT32_MAX, PLAN_BAD_TEXT },
	{ IN_STEP(OP_HOSTNAME, t1), 0, PLAN_BAD_TEXT },
	{ IN_STEP(OP_HOSTNAME, t1), 1 << 20, PLAN_BAD_TEXT },
	{ IN_STEP(OP_EXEC, n2), 0, PLAN_BAD_OPERANDS },
	{ IN_STEP(OP_EXEC, n3), 1000, PLAN_BAD_OPERANDS },
	{ IN_STEP(OP_EXEC, n3), UINT32_MAX, PLAN_BAD_OPERANDS },
};

START_TEST(damages_are_seen)
{
	const struct plan_step *at = NULL;
	char *whole;

	make_bare();
	ck_assert_int_eq(plan_check(plan_header(&plan), plan.bytes.len, &at), PLAN_SOUND);
	whole = damages[_i].op ? (char *)step_of(damages[_i].op) : plan.bytes.text;
	memcpy(whole + damages[_i].at, &damages[_i].value, damages[_i].op && !damages[_i].at ? 2 : 4);
	ck_assert_int_eq(plan_check(plan_header(&plan), plan.bytes.len, &at), damages[_i].fault);
	ck_assert_int_eq(damages[_i].op != 0, at != NULL);
	plan_done(&plan);
}
END_TEST

START_TEST(the_last_text_has_an_end)
{
	const struct plan_step *at = NULL;

	make_bare();
	plan.bytes.text[plan_header(&plan)->before.at - 2] = 'x';
	ck_assert_int_eq(plan_check(plan_header(&plan), plan.bytes.len, &at), PLAN_BAD_TEXT);
	for (size_t n = 0; n < plan.bytes.len; n++)
		ck_assert_int_eq(plan_check(plan_header(&plan), n, &at), PLAN_BAD_SIZE);
	plan_done(&plan);
}
END_TEST

START_TEST(the_helper_refuses_what_is_damaged)
{
	const struct spawn_fds fds = { .alive = -EBADF,
				       .join = -EBADF,
				       .cgroup = -EBADF,
				       .stdio = { -EBADF, -EBADF, -EBADF },
				       .console = -EBADF };
	teu_error *err = NULL;
	int32_t pid;
	int wire;

	make_bare();
	step_of(OP_CWD)->t1 = 1 << 20;
	plan_header(&plan)->birth.flags |= _i ? PLAN_EARLY : 0;
	ck_assert_int_eq(spawn_launch(&plan, &fds, 0, &wire, &pid, &err), TEU_E_LAUNCH);
	ck_assert_str_eq(teu_error_message(err), "the helper refuses the launch plan, cwd: a text is missing or not "
						 "in it; report this as an error of teu");
	teu_error_unref(err);
	plan_done(&plan);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *cases = tcase_create("plan");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(cases, steps_stay_in_their_order);
	tcase_add_test(cases, a_sealed_plan_does_not_change);
	tcase_add_loop_test(cases, failures_in_words, 0, ARRAY_SIZE(failures));
	tcase_add_test(cases, a_step_that_is_not_there);
	tcase_add_loop_test(cases, damages_are_seen, 0, ARRAY_SIZE(damages));
	tcase_add_test(cases, the_last_text_has_an_end);
	tcase_add_loop_test(cases, the_helper_refuses_what_is_damaged, 0, 2);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
