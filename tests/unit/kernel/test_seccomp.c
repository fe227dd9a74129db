/* Filters are judged by an interpreter of classic BPF (tests/support/bpf.c), and the default one also by the kernel, in
 * a child. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/caps.h"
#include "kernel/seccomp_impl.h"
#include "../../support/bpf.h"

#define CAP(n) (UINT64_C(1) << CAP_##n)

#if defined(__x86_64__)
enum { NATIVE = AUDIT_ARCH_X86_64 };
#else
enum { NATIVE = AUDIT_ARCH_AARCH64 };
#endif

static uint32_t ask(const struct seccomp_filter *f, long nr, uint64_t arg0, uint64_t arg1)
{
	struct seccomp_data call = { .nr = (int)nr, .arch = NATIVE, .args = { arg0, arg1 } };

	return bpf_judge(f->bpf, f->n_bytes, &call);
}

static uint32_t ask_on(const struct seccomp_filter *f, uint32_t arch, long nr)
{
	struct seccomp_data call = { .nr = (int)nr, .arch = arch };

	return bpf_judge(f->bpf, f->n_bytes, &call);
}

#define REFUSED(e) (SECCOMP_RET_ERRNO | (e))

static void default_for(uint64_t caps, struct seccomp_filter *f)
{
	teu_error *err = NULL;

	ck_assert_msg(seccomp_default(caps, -1, f, &err) == 0, "%s", teu_error_message(err));
}

static json *parse(const char *text)
{
	teu_error *err = NULL;
	json *v = NULL;

	ck_assert_msg(json_parse(text, strlen(text), &v, &err) == 0, "%s", teu_error_message(err));
	return v;
}

static void compile(const char *text, struct seccomp_filter *f)
{
	_cleanup_json_ json *profile = parse(text);
	teu_error *err = NULL;

	ck_assert_msg(seccomp_compile(profile, "linux.seccomp", -1, f, &err) == 0, "%s", teu_error_message(err));
}

START_TEST(default_allows_the_everyday)
{
	static const int calls[] = { SYS_read,	     SYS_write,	       SYS_openat,     SYS_close,  SYS_mmap,
				     SYS_execve,     SYS_futex,	       SYS_socketpair, SYS_ptrace, SYS_statx,
				     SYS_exit_group, SYS_rt_sigreturn, SYS_wait4,      SYS_chdir,  SYS_getrandom,
				     SYS_rseq,	     SYS_prctl,	       SYS_seccomp };
	struct seccomp_filter f = { 0 };

	default_for(caps_default(), &f);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		ck_assert_msg(ask(&f, calls[i], 0, 0) == SECCOMP_RET_ALLOW, "call %d", calls[i]);
	ck_assert_uint_eq(f.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	/* Each instruction costs every launch some 0.1 us. */
	ck_assert_uint_lt(f.n_bytes / 8, 450);
	seccomp_filter_done(&f);
}
END_TEST

START_TEST(default_refuses_what_reaches_the_machine)
{
	static const int calls[] = { SYS_mount,
				     SYS_umount2,
				     SYS_unshare,
				     SYS_setns,
				     SYS_bpf,
				     SYS_keyctl,
				     SYS_add_key,
				     SYS_request_key,
				     SYS_io_uring_setup,
				     SYS_io_uring_enter,
				     SYS_io_uring_register,
				     SYS_userfaultfd,
				     SYS_reboot,
				     SYS_swapon,
				     SYS_init_module,
				     SYS_kexec_load,
				     SYS_open_by_handle_at,
				     SYS_perf_event_open,
				     SYS_move_pages,
				     SYS_fsopen,
				     SYS_pivot_root,
				     SYS_settimeofday,
				     SYS_syslog,
				     SYS_kcmp,
				     SYS_mbind,
				     SYS_acct };
	struct seccomp_filter f = { 0 };

	default_for(caps_default(), &f);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		ck_assert_msg(ask(&f, calls[i], 0, 0) == REFUSED(EPERM), "call %d", calls[i]);
	seccomp_filter_done(&f);
}
END_TEST

START_TEST(default_socket_families)
{
	struct seccomp_filter f = { 0 };

	default_for(caps_default(), &f);
	for (uint64_t family = 0; family < 64; family++) {
		bool refused = family == AF_ALG || family == AF_VSOCK;

		ck_assert_uint_eq(ask(&f, SYS_socket, family, SOCK_STREAM),
				  refused ? REFUSED(EPERM) : SECCOMP_RET_ALLOW);
		/* The kernel looks at the lower half only, and so must the filter. */
		ck_assert_uint_eq(ask(&f, SYS_socket, family | UINT64_C(1) << 32, SOCK_STREAM),
				  refused ? REFUSED(EPERM) : SECCOMP_RET_ALLOW);
	}
	seccomp_filter_done(&f);
}
END_TEST

START_TEST(default_clone_and_personality)
{
	static const uint64_t flags[] = { CLONE_NEWNS,	 CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
					  CLONE_NEWUSER, CLONE_NEWPID,	  CLONE_NEWNET };
	struct seccomp_filter f = { 0 };

	default_for(caps_default(), &f);
	ck_assert_uint_eq(ask(&f, SYS_clone, SIGCHLD, 0), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_clone, CLONE_VM | CLONE_FILES | CLONE_THREAD | CLONE_SIGHAND, 0),
			  SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		ck_assert_uint_eq(ask(&f, SYS_clone, flags[i] | SIGCHLD, 0), REFUSED(EPERM));
	ck_assert_uint_eq(ask(&f, SYS_clone3, 0, 0), REFUSED(ENOSYS));

	ck_assert_uint_eq(ask(&f, SYS_personality, 0, 0), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_personality, 8, 0), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_personality, 0x20000, 0), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_personality, 0x20008, 0), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_personality, 0xffffffff, 0), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_personality, 0x40000, 0), REFUSED(EPERM)); /* ADDR_NO_RANDOMIZE */
	seccomp_filter_done(&f);
}
END_TEST

START_TEST(capabilities_open_their_calls)
{
	static const struct {
		uint64_t cap;
		int call;
	} opened[] = {
		{ CAP(SYS_ADMIN), SYS_mount },
		{ CAP(SYS_ADMIN), SYS_unshare },
		{ CAP(SYS_ADMIN), SYS_clone3 },
		{ CAP(SYS_ADMIN), SYS_bpf },
		{ CAP(BPF), SYS_bpf },
		{ CAP(PERFMON), SYS_perf_event_open },
		{ CAP(SYSLOG), SYS_syslog },
		{ CAP(SYS_PTRACE), SYS_kcmp },
		{ CAP(SYS_MODULE), SYS_init_module },
		{ CAP(SYS_TIME), SYS_settimeofday },
		{ CAP(SYS_NICE), SYS_mbind },
		{ CAP(SYS_BOOT), SYS_reboot },
		{ CAP(SYS_PACCT), SYS_acct },
		{ CAP(SYS_TTY_CONFIG), SYS_vhangup },
		{ CAP(SYS_CHROOT), SYS_chroot },
		{ CAP(DAC_READ_SEARCH), SYS_open_by_handle_at },
	};

	for (size_t i = 0; i < ARRAY_SIZE(opened); i++) {
		struct seccomp_filter with = { 0 }, without = { 0 };

		default_for(opened[i].cap, &with);
		default_for(0, &without);
		ck_assert_msg(ask(&with, opened[i].call, 0, 0) == SECCOMP_RET_ALLOW, "call %d", opened[i].call);
		ck_assert_msg(ask(&without, opened[i].call, 0, 0) != SECCOMP_RET_ALLOW, "call %d", opened[i].call);
		seccomp_filter_done(&with);
		seccomp_filter_done(&without);
	}
}
END_TEST

START_TEST(calls_from_the_future_are_unknown)
{
	struct seccomp_filter f = { 0 };

	default_for(caps_default(), &f);
	ck_assert_uint_eq(ask(&f, 1000, 0, 0), REFUSED(ENOSYS));
	ck_assert_uint_eq(ask(&f, -1, 0, 0), REFUSED(ENOSYS));
#if defined(__x86_64__)
	ck_assert_uint_eq(ask_on(&f, AUDIT_ARCH_I386, 1000), REFUSED(ENOSYS));
	ck_assert_uint_eq(ask_on(&f, AUDIT_ARCH_I386, 4), SECCOMP_RET_ALLOW); /* write */
	ck_assert_uint_eq(ask_on(&f, AUDIT_ARCH_I386, 21), REFUSED(EPERM));   /* mount */
	ck_assert_uint_eq(ask_on(&f, AUDIT_ARCH_X86_64, 0x40000000 | 1), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask_on(&f, AUDIT_ARCH_X86_64, 0x40000000 | 165), REFUSED(EPERM));
	ck_assert_uint_eq(ask_on(&f, AUDIT_ARCH_X86_64, 0x40000000 | 1000), REFUSED(ENOSYS));
#endif
	ck_assert_uint_eq(ask_on(&f, AUDIT_ARCH_S390X, 1) & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_KILL_THREAD);
	seccomp_filter_done(&f);
}
END_TEST

START_TEST(actions_operators_and_errnos)
{
	struct seccomp_filter f = { 0 };

	compile("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
		"{\"names\": [\"mkdir\", \"no_such_call\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 30},"
		"{\"names\": [\"getpid\"], \"action\": \"SCMP_ACT_ERRNO\"},"
		"{\"names\": [\"gettid\"], \"action\": \"SCMP_ACT_KILL_PROCESS\"},"
		"{\"names\": [\"getppid\"], \"action\": \"SCMP_ACT_TRAP\"},"
		"{\"names\": [\"getuid\"], \"action\": \"SCMP_ACT_LOG\"},"
		"{\"names\": [\"getgid\"], \"action\": \"SCMP_ACT_TRACE\", \"errnoRet\": 7},"
		"{\"names\": [\"close\"], \"action\": \"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 0, \"value\": 5, "
		"\"op\": \"SCMP_CMP_GE\"}]},"
		"{\"names\": [\"dup\"], \"action\": \"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 0, \"value\": 3, "
		"\"op\": \"SCMP_CMP_EQ\"},"
		"  {\"index\": 0, \"value\": 9, \"op\": \"SCMP_CMP_EQ\"}]},"
		"{\"names\": [\"kill\"], \"action\": \"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 0, \"value\": 1, "
		"\"op\": \"SCMP_CMP_EQ\"},"
		"  {\"index\": 1, \"value\": 240, \"valueTwo\": 16, \"op\": \"SCMP_CMP_MASKED_EQ\"}]}"
		"]}",
		&f);
	ck_assert_uint_eq(ask(&f, SYS_read, 0, 0), SECCOMP_RET_ALLOW);
#ifdef SYS_mkdir
	ck_assert_uint_eq(ask(&f, SYS_mkdir, 0, 0), REFUSED(EROFS));
#endif
	ck_assert_uint_eq(ask(&f, SYS_getpid, 0, 0), REFUSED(EPERM));
	ck_assert_uint_eq(ask(&f, SYS_gettid, 0, 0), SECCOMP_RET_KILL_PROCESS);
	ck_assert_uint_eq(ask(&f, SYS_getppid, 0, 0), SECCOMP_RET_TRAP);
	ck_assert_uint_eq(ask(&f, SYS_getuid, 0, 0), SECCOMP_RET_LOG);
	ck_assert_uint_eq(ask(&f, SYS_getgid, 0, 0), SECCOMP_RET_TRACE | 7);
	ck_assert_uint_eq(ask(&f, SYS_close, 4, 0), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_close, 5, 0), REFUSED(EPERM));
	ck_assert_uint_eq(ask(&f, SYS_dup, 3, 0), REFUSED(EPERM));
	ck_assert_uint_eq(ask(&f, SYS_dup, 9, 0), REFUSED(EPERM));
	ck_assert_uint_eq(ask(&f, SYS_dup, 4, 0), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_kill, 1, 0x1f), REFUSED(EPERM));
	ck_assert_uint_eq(ask(&f, SYS_kill, 1, 0x2f), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_kill, 2, 0x1f), SECCOMP_RET_ALLOW);
	/* A permissive default stays one for new calls. */
	ck_assert_uint_eq(ask(&f, 1000, 0, 0), SECCOMP_RET_ALLOW);
	seccomp_filter_done(&f);
}
END_TEST

/* Conditions compare all 64 bits, of which no double holds the last. */
START_TEST(conditions_have_64_bits)
{
	struct seccomp_filter f = { 0 };

	compile("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
		"{\"names\": [\"dup\"], \"action\": \"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 0, "
		"\"value\": 18446744073709551615, \"op\": \"SCMP_CMP_EQ\"}]},"
		"{\"names\": [\"close\"], \"action\": \"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 0, "
		"\"value\": 9007199254740993, \"op\": \"SCMP_CMP_GT\"}]}"
		"]}",
		&f);
	ck_assert_uint_eq(ask(&f, SYS_dup, UINT64_MAX, 0), REFUSED(EPERM));
	ck_assert_uint_eq(ask(&f, SYS_dup, INT64_MAX, 0), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_close, UINT64_C(9007199254740993), 0), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_close, UINT64_C(9007199254740994), 0), REFUSED(EPERM));
	seccomp_filter_done(&f);
}
END_TEST

START_TEST(flags_as_the_kernel_takes_them)
{
	static const struct {
		const char *flags;
		unsigned plain, listening;
	} cases[] = {
		{ "", SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		  SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER },
		{ "\"flags\": [],", 0, SECCOMP_FILTER_FLAG_NEW_LISTENER },
		{ "\"flags\": [\"SECCOMP_FILTER_FLAG_TSYNC\", \"SECCOMP_FILTER_FLAG_LOG\"],", SECCOMP_FILTER_FLAG_LOG,
		  SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_NEW_LISTENER },
		/* Says something of a listener only: without one the kernel refuses it. */
		{ "\"flags\": [\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],", 0,
		  1 << 5 | SECCOMP_FILTER_FLAG_NEW_LISTENER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const char *const actions[] = { "ERRNO", "NOTIFY" };

		for (int k = 0; k < 2; k++) {
			struct seccomp_filter f = { 0 };
			char text[512];

			snprintf(text, sizeof(text),
				 "{%s\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
				 "{\"names\": [\"getpid\"], \"action\": \"SCMP_ACT_%s\"}]}",
				 cases[i].flags, actions[k]);
			compile(text, &f);
			ck_assert_uint_eq(f.flags, k ? cases[i].listening : cases[i].plain);
			ck_assert_uint_eq(ask(&f, SYS_getpid, 0, 0), k ? SECCOMP_RET_USER_NOTIF : REFUSED(EPERM));
			seccomp_filter_done(&f);
		}
	}
}
END_TEST

static void add(struct strbuf *p, struct sock_filter insn)
{
	strbuf_add(p, &insn, sizeof(insn));
}

/* A comparison a call, as libseccomp writes it, with some that look at an argument. */
static void make_program(struct strbuf *p, unsigned seed, unsigned n_calls)
{
	add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0));
	add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD));
	add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	for (unsigned nr = 0; nr < n_calls; nr++) {
		seed = seed * 1103515245 + 12345;
		if ((seed >> 16) % 16 == 0) {
			add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 5));
			add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							    offsetof(struct seccomp_data, args)));
			add(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 3));
			add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (seed >> 20) % 4, 0, 1));
			add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
			add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSED(nr % 7)));
		} else {
			add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1));
			add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (seed >> 20) % 3
										     ? SECCOMP_RET_ALLOW
										     : REFUSED((seed >> 24) % 3)));
		}
	}
	add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
}

/* From a few calls to so many that conditional jumps don't reach across. */
START_TEST(shrinking_changes_no_answer)
{
	static const uint32_t arch[] = { NATIVE };

	for (unsigned n = 1; n <= 1400; n += n / 2 + 1) {
		_cleanup_(strbuf_done) struct strbuf old = STRBUF_INIT, new = STRBUF_INIT;
		struct seccomp_filter before, after;

		make_program(&old, n, n);
		strbuf_add(&new, old.text, old.len);
		seccomp_shrink(&new, arch, 1);
		ck_assert(new.len < old.len || n < 10);
		before = (struct seccomp_filter){ .bpf = old.text, .n_bytes = old.len };
		after = (struct seccomp_filter){ .bpf = new.text, .n_bytes = new.len };
		for (long nr = -2; nr < (long)n + 3; nr++)
			for (uint64_t arg = 0; arg < 5; arg++)
				ck_assert_uint_eq(ask(&before, nr, arg, 0), ask(&after, nr, arg, 0));
		ck_assert_uint_eq(ask_on(&after, AUDIT_ARCH_S390X, 1), SECCOMP_RET_KILL_THREAD);
	}
}
END_TEST

START_TEST(shrinking_leaves_alone_what_it_does_not_know)
{
	static const uint32_t arch[] = { NATIVE };
	static const struct sock_filter programs[][4] = {
		/* Scratch memory; arithmetic on the number; a jump past the end. */
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
		  BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 1),
		  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 9, 0),
		  BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		_cleanup_(strbuf_done) struct strbuf p = STRBUF_INIT;

		strbuf_add(&p, programs[i], sizeof(programs[i]));
		seccomp_shrink(&p, arch, 1);
		ck_assert_uint_eq(p.len, sizeof(programs[i]));
		ck_assert_int_eq(memcmp(p.text, programs[i], p.len), 0);
	}
}
END_TEST

START_TEST(malformed_profiles_name_the_place)
{
	static const struct {
		const char *text, *field;
	} bad[] = {
		{ "{}", "linux.seccomp.defaultAction" },
		{ "{\"defaultAction\": \"ALLOW\"}", "linux.seccomp.defaultAction" },
		{ "{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}", "linux.seccomp.defaultAction" },
		{ "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"sendmsg\"], "
		  "\"action\": \"SCMP_ACT_NOTIFY\"}]}",
		  "linux.seccomp.syscalls[0].names" },
		{ "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 70000}",
		  "linux.seccomp.defaultErrnoRet" },
		{ "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 4095}",
		  "linux.seccomp.defaultErrnoRet" },
		{ "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_VAX\"]}",
		  "linux.seccomp.architectures" },
		{ "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [\"X\"]}", "linux.seccomp.flags" },
		{ "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [], \"action\": "
		  "\"SCMP_ACT_KILL\"}]}",
		  "linux.seccomp.syscalls[0].names" },
		{ "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": "
		  "\"SCMP_ACT_KILL\","
		  " \"args\": [{\"index\": 6, \"value\": 0, \"op\": \"SCMP_CMP_EQ\"}]}]}",
		  "linux.seccomp.syscalls[0].args[0].index" },
		{ "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": "
		  "\"SCMP_ACT_KILL\","
		  " \"args\": [{\"index\": 0, \"value\": 0, \"op\": \"==\"}]}]}",
		  "linux.seccomp.syscalls[0].args[0].op" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ json *profile = parse(bad[i].text);
		_cleanup_error_ teu_error *err = NULL;
		struct seccomp_filter f = { 0 };

		ck_assert_msg(seccomp_compile(profile, "linux.seccomp", -1, &f, &err) == TEU_E_INVALID, "%s",
			      bad[i].text);
		ck_assert_str_eq(teu_error_detail(err, "field"), bad[i].field);
	}
}
END_TEST

/* The only file in the folder. */
static void corrupt(int dir, const char *name, off_t at)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDWR | O_CLOEXEC);
	char byte;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 0x55;
	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
}

static void only_file(int dir_fd, char name[256])
{
	_cleanup_closedir_ DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	int n = 0;

	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		strcpy(name, e->d_name);
		n++;
	}
	ck_assert_int_eq(n, 1);
}

START_TEST(cache_serves_and_heals)
{
	char path[] = "/tmp/teu-test-seccomp.XXXXXX", name[256];
	struct seccomp_filter first = { 0 }, again = { 0 };
	teu_error *err = NULL;
	struct stat before, after;
	int dir;

	ck_assert_ptr_nonnull(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(seccomp_default(caps_default(), dir, &first, &err), 0);
	only_file(dir, name);
	ck_assert_int_eq(fstatat(dir, name, &before, 0), 0);

	/* Capabilities that open no call share the program. */
	ck_assert_int_eq(seccomp_default(caps_default() | CAP(NET_ADMIN), dir, &again, &err), 0);
	only_file(dir, name);
	ck_assert_uint_eq(again.n_bytes, first.n_bytes);
	ck_assert_int_eq(memcmp(again.bpf, first.bpf, first.n_bytes), 0);
	ck_assert_uint_eq(again.flags, first.flags);

	/* Damage in the header, the library that was noted (as if there were another by now), the key, the program and
	 * the library's path. */
	for (int i = 0; i < 5; i++) {
		const off_t at[] = { 3, 48, 80, before.st_size / 2, before.st_size - 5 };

		seccomp_filter_done(&again);
		corrupt(dir, name, at[i]);
		ck_assert_int_eq(seccomp_default(caps_default(), dir, &again, &err), 0);
		ck_assert_uint_eq(again.n_bytes, first.n_bytes);
		ck_assert_int_eq(memcmp(again.bpf, first.bpf, first.n_bytes), 0);
		ck_assert_int_eq(fstatat(dir, name, &after, 0), 0);
		ck_assert(after.st_ino != before.st_ino);
		before = after;
	}
	close(openat(dir, name, O_WRONLY | O_TRUNC | O_CLOEXEC));
	seccomp_filter_done(&again);
	ck_assert_int_eq(seccomp_default(caps_default(), dir, &again, &err), 0);
	ck_assert_uint_eq(again.n_bytes, first.n_bytes);

	seccomp_filter_done(&first);
	seccomp_filter_done(&again);
	ck_assert_int_eq(unlinkat(dir, name, 0), 0);
	close(dir);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(docker_format)
{
	_cleanup_json_ json *profile = parse(
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 1, \"archMap\": ["
		"{\"architecture\": \"SCMP_ARCH_S390X\", \"subArchitectures\": [\"SCMP_ARCH_S390\"]},"
		"{\"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": [\"SCMP_ARCH_X86\"]},"
		"{\"architecture\": \"SCMP_ARCH_AARCH64\", \"subArchitectures\": [\"SCMP_ARCH_ARM\"]}],"
		"\"syscalls\": ["
		"{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\", \"comment\": \"c\", \"includes\": {}, "
		"\"excludes\": {}},"
		"{\"name\": \"write\", \"action\": \"SCMP_ACT_ALLOW\", \"args\": []},"
		"{\"names\": [\"mount\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"caps\": "
		"[\"CAP_SYS_ADMIN\"]}},"
		"{\"names\": [\"clone3\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 38, \"excludes\": {\"caps\": "
		"[\"CAP_SYS_ADMIN\"]}},"
		"{\"names\": [\"ptrace\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"minKernel\": \"4.8\"}},"
		"{\"names\": [\"kcmp\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"minKernel\": \"99.0\"}},"
		"{\"names\": [\"sync\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"arches\": [\"s390x\"]}}"
		"]}");
	_cleanup_json_ json *without = NULL, *with = NULL;
	_cleanup_free_ char *text = NULL;
	struct seccomp_filter f = { 0 };
	teu_error *err = NULL;

	ck_assert_int_eq(seccomp_from_docker(profile, 0, &without, &err), 0);
	ck_assert_int_eq(seccomp_from_docker(profile, CAP(SYS_ADMIN), &with, &err), 0);
	text = json_print(json_get(without, "syscalls"));
	ck_assert_str_eq(text, "[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},"
			       "{\"action\":\"SCMP_ACT_ALLOW\",\"args\":[],\"names\":[\"write\"]},"
			       "{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38},"
			       "{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_ALLOW\"}]");
	ck_assert_uint_eq(json_count(json_get(without, "architectures")), 2);
	ck_assert_ptr_null(json_get(without, "archMap"));

	ck_assert_msg(seccomp_compile(with, "p", -1, &f, &err) == 0, "%s", teu_error_message(err));
	ck_assert_uint_eq(ask(&f, SYS_mount, 0, 0), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(ask(&f, SYS_clone3, 0, 0), REFUSED(ENOSYS)); /* newer than all that is named */
	ck_assert_uint_eq(ask(&f, SYS_write, 0, 0), SECCOMP_RET_ALLOW);
	seccomp_filter_done(&f);
}
END_TEST

START_TEST(docker_format_contradictions)
{
	static const char *const bad[] = {
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"architectures\": [\"SCMP_ARCH_X86\"], \"archMap\": [{}]}",
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"name\": \"a\", \"names\": [\"b\"], "
		"\"action\": \"x\"}]}",
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"b\"], \"includes\": "
		"{\"minKernel\": \"x\"}}]}",
		"{\"syscalls\": 7}",
		"[]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ json *profile = parse(bad[i]), *to = NULL;

		ck_assert_msg(seccomp_from_docker(profile, 0, &to, NULL) == TEU_E_INVALID, "%s", bad[i]);
	}
}
END_TEST

/* What the kernel answers below the filter: bit n is set when check n failed. */
static int checks_below(const struct seccomp_filter *f)
{
	struct sock_fprog program = { .len = (unsigned short)(f->n_bytes / 8), .filter = f->bpf };
	int failed = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, f->flags, &program) < 0)
		return 128;
	failed |= !(socket(AF_ALG, SOCK_SEQPACKET, 0) < 0 && errno == EPERM) << 0;
	failed |= !(syscall(SYS_socket, UINT64_C(1) << 32 | AF_ALG, SOCK_SEQPACKET, 0) < 0 && errno == EPERM) << 1;
	failed |= !(syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == EPERM) << 2;
	failed |= !(syscall(SYS_keyctl, 0, 0, 0, 0, 0) < 0 && errno == EPERM) << 3;
	failed |= !(unshare(CLONE_NEWUSER) < 0 && errno == EPERM) << 4;
	failed |= !(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS) << 5;
	failed |= !(syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == EPERM) << 6;
	return failed;
}

START_TEST(the_kernel_takes_it)
{
	struct seccomp_filter f = { 0 };
	int status;
	pid_t pid;

	default_for(caps_default(), &f);
	pid = fork();
	if (pid == 0)
		_exit(checks_below(&f));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "status %#x", status);
	ck_assert_msg(WEXITSTATUS(status) == 0, "failed checks: %#x", WEXITSTATUS(status));
	seccomp_filter_done(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("seccomp");
	TCase *tc = tcase_create("seccomp");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, default_allows_the_everyday);
	tcase_add_test(tc, default_refuses_what_reaches_the_machine);
	tcase_add_test(tc, default_socket_families);
	tcase_add_test(tc, default_clone_and_personality);
	tcase_add_test(tc, capabilities_open_their_calls);
	tcase_add_test(tc, calls_from_the_future_are_unknown);
	tcase_add_test(tc, actions_operators_and_errnos);
	tcase_add_test(tc, conditions_have_64_bits);
	tcase_add_test(tc, flags_as_the_kernel_takes_them);
	tcase_add_test(tc, shrinking_changes_no_answer);
	tcase_add_test(tc, shrinking_leaves_alone_what_it_does_not_know);
	tcase_add_test(tc, malformed_profiles_name_the_place);
	tcase_add_test(tc, cache_serves_and_heals);
	tcase_add_test(tc, docker_format);
	tcase_add_test(tc, docker_format_contradictions);
	tcase_add_test(tc, the_kernel_takes_it);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
