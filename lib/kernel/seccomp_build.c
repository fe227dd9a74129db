/*
 * seccomp_build: a runtime-spec linux.seccomp object compiled by libseccomp. The library is opened on first use: most
 * launches find their filter in the cache and need it not.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/library.h"
#include "kernel/seccomp_impl.h"

enum { MAX_ARCHES = 24, MAX_ARGS = 6, MAX_PROGRAM = BPF_MAXINSNS * sizeof(struct sock_filter), X32_BIT = 0x40000000 };
enum { MAX_ERRNO = 4094 }; /* libseccomp takes none above it */

/* What is used of libseccomp. */
static struct {
	__typeof__(&seccomp_init) init;
	__typeof__(&seccomp_release) release;
	__typeof__(&seccomp_attr_set) attr_set;
	__typeof__(&seccomp_arch_add) arch_add;
	__typeof__(&seccomp_arch_native) arch_native;
	__typeof__(&seccomp_arch_resolve_name) arch_resolve_name;
	__typeof__(&seccomp_syscall_resolve_name) resolve_name;
	__typeof__(&seccomp_syscall_resolve_name_arch) resolve_name_arch;
	__typeof__(&seccomp_rule_add_array) rule_add_array;
	__typeof__(&seccomp_export_bpf) export_bpf;
} lib;

static const struct library_symbol symbols[] = {
	{ "seccomp_init", &lib.init },
	{ "seccomp_release", &lib.release },
	{ "seccomp_attr_set", &lib.attr_set },
	{ "seccomp_arch_add", &lib.arch_add },
	{ "seccomp_arch_native", &lib.arch_native },
	{ "seccomp_arch_resolve_name", &lib.arch_resolve_name },
	{ "seccomp_syscall_resolve_name", &lib.resolve_name },
	{ "seccomp_syscall_resolve_name_arch", &lib.resolve_name_arch },
	{ "seccomp_rule_add_array", &lib.rule_add_array },
	{ "seccomp_export_bpf", &lib.export_bpf },
};

static struct library libseccomp = {
	.soname = TEU_LIBSECCOMP_SONAME,
	.package = "libseccomp2",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

/* One filter under way. */
struct build {
	scmp_filter_ctx ctx; /* owned */
	const json *profile;
	const char *where;
	uint32_t default_action;
	uint32_t arches[MAX_ARCHES];
	size_t n_arches;
	int last[MAX_ARCHES]; /* the largest number of a call that the profile names, for each of @arches */
	bool listens;	      /* some calls are left to a listener */
	teu_error **err;
};

static void build_done(struct build *b)
{
	if (b->ctx)
		lib.release(b->ctx);
}

static int find_action(struct build *b, const char *where, const char *key, const char *name, uint32_t errno_value,
		       uint32_t *ret)
{
	const struct {
		const char *name;
		uint32_t action;
	} actions[] = {
		{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
		{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(errno_value) },
		{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
		{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
		{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(errno_value) },
		{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
		{ "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].name, name) != 0)
			continue;
		*ret = actions[i].action;
		return 0;
	}
	return json_field_error(b->err, where, key, "unknown action %s", name);
}

/* The action under @key, with the errno under @errno_key (EPERM if absent). */
static int read_action(struct build *b, const json *object, const char *where, const char *key, const char *errno_key,
		       uint32_t *ret)
{
	int64_t errno_value = EPERM;
	const char *name = NULL;
	int r;

	r = json_read_string(object, where, key, &name, b->err);
	if (r == 0)
		r = json_read_int(object, where, errno_key, &errno_value, b->err);
	if (r < 0)
		return r;
	if (!name)
		return json_field_error(b->err, where, key, "is missing");
	if (errno_value < 0 || errno_value > (strcmp(name, "SCMP_ACT_ERRNO") == 0 ? MAX_ERRNO : UINT16_MAX))
		return json_field_error(b->err, where, errno_key, "%" PRId64 " is no errno", errno_value);
	return find_action(b, where, key, name, (uint32_t)errno_value, ret);
}

static const struct {
	const char *name;
	unsigned flag;
} known_flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
};

const char *seccomp_flag_name(size_t i)
{
	return i < ARRAY_SIZE(known_flags) ? known_flags[i].name : NULL;
}

bool seccomp_flag_works(size_t i)
{
	unsigned flags = known_flags[i].flag;

	if (flags == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	/* seccomp(2): flags are looked at first, and then there is no program at that address. */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) < 0 && errno == EFAULT;
}

bool seccomp_knows_arch(const char *name)
{
	static char *const none[] = { NULL };
	_cleanup_json_ json *profile = json_object();
	struct seccomp_filter filter = { 0 };
	bool ok = json_add_string(profile, "defaultAction", "SCMP_ACT_ALLOW") &&
		  json_add(profile, "syscalls", json_strings(none)) &&
		  json_append_string(json_add_array(profile, "architectures"), name) &&
		  seccomp_compile(profile, "", -1, &filter, NULL) == 0;

	seccomp_filter_done(&filter);
	return ok;
}

static int read_flags(struct build *b, unsigned *ret)
{
	_cleanup_(strv_done) struct strv names = STRV_INIT;
	int r;

	/* The mitigation that this flag turns off costs every call of every process below a filter; runc and systemd
	 * turn it off as well unless told otherwise. */
	*ret = json_get(b->profile, "flags") ? 0 : SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	r = json_read_strings(b->profile, b->where, "flags", &names, b->err);
	if (r < 0)
		return r;
	strv_foreach (name, &names) {
		unsigned flag = 0;

		for (size_t i = 0; i < ARRAY_SIZE(known_flags); i++)
			if (strcmp(known_flags[i].name, *name) == 0)
				flag = known_flags[i].flag;
		if (!flag)
			return json_field_error(b->err, b->where, "flags", "unknown flag %s", *name);
		*ret |= flag;
	}
	return 0;
}

static int add_arch(struct build *b, uint32_t arch, const char *name)
{
	int r;

	for (size_t i = 0; i < b->n_arches; i++)
		if (b->arches[i] == arch)
			return 0;
	if (b->n_arches == MAX_ARCHES)
		return json_field_error(b->err, b->where, "architectures", "more than %d", MAX_ARCHES);
	r = lib.arch_add(b->ctx, arch);
	if (r < 0 && r != -EEXIST)
		return json_field_error(b->err, b->where, "architectures", "%s does not go with the machine's own",
					name);
	b->arches[b->n_arches++] = arch;
	return 0;
}

static int add_arches(struct build *b)
{
	_cleanup_(strv_done) struct strv names = STRV_INIT;
	int r = add_arch(b, lib.arch_native(), "native");

	if (r == 0)
		r = json_read_strings(b->profile, b->where, "architectures", &names, b->err);
	if (r < 0)
		return r;
	strv_foreach (name, &names) {
		char lower[32] = "";
		uint32_t arch;

		/* "SCMP_ARCH_X86_64" is "x86_64" to libseccomp. */
		if (strncmp(*name, "SCMP_ARCH_", 10) == 0)
			for (size_t i = 0; (*name)[10 + i] && i < sizeof(lower) - 1; i++)
				lower[i] = (*name)[10 + i] >= 'A' && (*name)[10 + i] <= 'Z'
						   ? (char)((*name)[10 + i] - 'A' + 'a')
						   : (*name)[10 + i];
		if (strcmp(*name, "SCMP_ARCH_NATIVE") == 0)
			continue;
		arch = lower[0] ? lib.arch_resolve_name(lower) : 0;
		if (arch == 0)
			return json_field_error(b->err, b->where, "architectures", "unknown architecture %s", *name);
		r = add_arch(b, arch, *name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_arg(struct build *b, const json *arg, const char *where, struct scmp_arg_cmp *ret)
{
	static const char *const ops[] = {
		[SCMP_CMP_NE] = "SCMP_CMP_NE",
		[SCMP_CMP_LT] = "SCMP_CMP_LT",
		[SCMP_CMP_LE] = "SCMP_CMP_LE",
		[SCMP_CMP_EQ] = "SCMP_CMP_EQ",
		[SCMP_CMP_GE] = "SCMP_CMP_GE",
		[SCMP_CMP_GT] = "SCMP_CMP_GT",
		[SCMP_CMP_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
	};
	uint64_t value = 0, value_two = 0;
	int64_t index = 0;
	const char *op = "";
	int r = json_read_int(arg, where, "index", &index, b->err);

	if (r == 0)
		r = json_read_uint(arg, where, "value", &value, b->err);
	if (r == 0)
		r = json_read_uint(arg, where, "valueTwo", &value_two, b->err);
	if (r == 0)
		r = json_read_string(arg, where, "op", &op, b->err);
	if (r < 0)
		return r;
	if (index < 0 || index >= MAX_ARGS)
		return json_field_error(b->err, where, "index", "%" PRId64 ": a call has arguments 0 to 5", index);
	*ret = (struct scmp_arg_cmp){ .arg = (unsigned)index, .datum_a = value, .datum_b = value_two };
	for (size_t i = SCMP_CMP_NE; i < ARRAY_SIZE(ops); i++)
		if (strcmp(ops[i], op) == 0)
			ret->op = (enum scmp_compare)i;
	return ret->op ? 0 : json_field_error(b->err, where, "op", "unknown operator \"%s\"", op);
}

struct rule {
	uint32_t action;
	struct scmp_arg_cmp args[MAX_ARGS];
	unsigned n_args;
	bool alternatives; /* an argument is named twice: any one of the conditions will do */
};

static int read_args(struct build *b, const json *object, const char *where, struct rule *rule)
{
	const json *args = NULL;
	int r = json_read_array(object, where, "args", &args, b->err);

	if (r < 0)
		return r;
	json_foreach (arg, args) {
		char place[256];

		snprintf(place, sizeof(place), "%s.args[%u]", where, rule->n_args);
		if (rule->n_args == MAX_ARGS)
			return json_field_error(b->err, where, "args", "more than %d conditions", MAX_ARGS);
		r = read_arg(b, arg, place, &rule->args[rule->n_args]);
		if (r < 0)
			return r;
		for (unsigned i = 0; i < rule->n_args; i++)
			rule->alternatives |= rule->args[i].arg == rule->args[rule->n_args].arg;
		rule->n_args++;
	}
	return 0;
}

static int add_rule(struct build *b, const char *where, const char *name, int number, const struct rule *rule)
{
	unsigned rounds = rule->alternatives ? rule->n_args : 1;
	unsigned each = rule->alternatives ? 1 : rule->n_args;

	for (unsigned i = 0; i < rounds; i++) {
		int r = lib.rule_add_array(b->ctx, rule->action, number, each, rule->args + i);

		if (r == -ENOMEM)
			return err_oom(b->err);
		if (r < 0 && r != -EEXIST)
			return json_field_error(b->err, where, "names", "libseccomp refuses the rule for %s: %s", name,
						strerrordesc_np(-r));
	}
	return 0;
}

static void note_last(struct build *b, const char *name)
{
	for (size_t i = 0; i < b->n_arches; i++) {
		int number = lib.resolve_name_arch(b->arches[i], name);

		if (number > b->last[i])
			b->last[i] = number;
	}
}

/*
 * The process that loads the filter says by these calls that it has, and to whom the filter listens: were they the
 * listener's to answer, it would wait for itself.
 */
static int check_notify(struct build *b, const struct strv *names, const char *where)
{
	static const char *const needed[] = { "write", "sendmsg" };

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (strv_has(names, needed[i]))
			return json_field_error(b->err, where, "names",
						"SCMP_ACT_NOTIFY cannot be used for the %s syscall", needed[i]);
	b->listens = true;
	return 0;
}

static int add_syscalls(struct build *b, const json *object, const char *where)
{
	_cleanup_(strv_done) struct strv names = STRV_INIT;
	struct rule rule = { 0 };
	int r = read_action(b, object, where, "action", "errnoRet", &rule.action);

	if (r == 0)
		r = json_read_strings(object, where, "names", &names, b->err);
	if (r == 0)
		r = read_args(b, object, where, &rule);
	if (r < 0)
		return r;
	if (names.n == 0)
		return json_field_error(b->err, where, "names", "at least one system call has to be named");
	if (rule.action == SCMP_ACT_NOTIFY) {
		r = check_notify(b, &names, where);
		if (r < 0)
			return r;
	}
	strv_foreach (name, &names) {
		int number = lib.resolve_name(*name);

		note_last(b, *name);
		/* libseccomp refuses a rule that says what the default says. */
		if (number == __NR_SCMP_ERROR || rule.action == b->default_action)
			continue;
		r = add_rule(b, where, *name, number, &rule);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_all_syscalls(struct build *b)
{
	const json *syscalls = NULL;
	int r = json_read_array(b->profile, b->where, "syscalls", &syscalls, b->err);
	unsigned n = 0;

	if (r < 0)
		return r;
	json_foreach (object, syscalls) {
		char place[160];

		snprintf(place, sizeof(place), "%s.syscalls[%u]", b->where, n++);
		r = add_syscalls(b, object, place);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The kernel's name of libseccomp's @arch: x32 is x86_64 with a bit in the number. */
static uint32_t audit_arch(uint32_t arch)
{
	return arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch;
}

/*
 * A call that is newer than all those the profile names answers ENOSYS, as an older kernel would, so that libc falls
 * back to what the profile knows; EPERM would end programs that could do without.
 */
static void add_newer_calls(const struct build *b, struct strbuf *program)
{
	for (size_t i = 0; i < b->n_arches; i++) {
		bool x32 = b->arches[i] == SCMP_ARCH_X32, x86_64 = b->arches[i] == SCMP_ARCH_X86_64;
		bool shared = x32 || x86_64;
		const struct sock_filter section[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audit_arch(b->arches[i]), 0, shared ? 4 : 3),
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, x32 ? 0 : 2, x32 ? 2 : 0),
			BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)b->last[i], 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		};

		if (b->last[i] == 0)
			continue;
		strbuf_add(program, section, 3 * sizeof(section[0]));
		if (shared)
			strbuf_add(program, &section[3], sizeof(section[0]));
		strbuf_add(program, &section[4], 2 * sizeof(section[0]));
	}
}

static int export(struct build *b, struct strbuf *program)
{
	_cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (fd < 0)
		return err_errno(b->err, errno, "memfd_create");
	r = lib.export_bpf(b->ctx, fd);
	if (r < 0)
		return err_errno(b->err, -r, "%s: libseccomp can't generate the filter", b->where);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(b->err, errno, "lseek");
	r = fd_read_rest(fd, "seccomp filter", MAX_PROGRAM, &text, &len, b->err);
	if (r < 0)
		return r;
	strbuf_add(program, text, len);
	if (program->oom)
		return err_oom(b->err);
	if (program->len > MAX_PROGRAM)
		return err_set(b->err, TEU_E_LIMIT, "%s: the filter has %zu instructions, the kernel takes %d",
			       b->where, program->len / sizeof(struct sock_filter), BPF_MAXINSNS);
	return 0;
}

/* Whether a call that no rule names is refused. */
static bool refuses(uint32_t action)
{
	return action != SCMP_ACT_ALLOW && action != SCMP_ACT_LOG &&
	       (action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_TRACE;
}

static int fill(struct build *b)
{
	int r = read_action(b, b->profile, b->where, "defaultAction", "defaultErrnoRet", &b->default_action);

	if (r < 0)
		return r;
	if (b->default_action == SCMP_ACT_NOTIFY)
		return json_field_error(b->err, b->where, "defaultAction",
					"SCMP_ACT_NOTIFY cannot be the answer to every call");
	b->ctx = lib.init(b->default_action);
	if (!b->ctx)
		return err_oom(b->err);
	/* A binary tree: a call costs some ten comparisons instead of some hundred. */
	if (lib.attr_set(b->ctx, SCMP_FLTATR_CTL_NNP, 0) < 0 || lib.attr_set(b->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0)
		return err_set(b->err, TEU_E_UNSUPPORTED, "libseccomp is older than 2.5");
	r = add_arches(b);
	return r < 0 ? r : add_all_syscalls(b);
}

static void shrink(const struct build *b, struct strbuf *program)
{
	uint32_t arches[MAX_ARCHES];
	size_t n = 0;

	for (size_t i = 0; i < b->n_arches; i++) {
		uint32_t arch = audit_arch(b->arches[i]);
		bool known = false;

		for (size_t k = 0; k < n; k++)
			known |= arches[k] == arch;
		if (!known)
			arches[n++] = arch;
	}
	seccomp_shrink(program, arches, n);
}

/* One thread loads it: TSYNC says nothing then, and does not go with a listener. */
static unsigned fitting(unsigned flags, bool listens)
{
	flags &= ~(unsigned)SECCOMP_FILTER_FLAG_TSYNC;
	return listens ? flags | SECCOMP_FILTER_FLAG_NEW_LISTENER
		       : flags & ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
}

int seccomp_build(const json *profile, const char *where, struct seccomp_filter *ret, teu_error **err)
{
	_cleanup_(build_done) struct build b = { .profile = profile, .where = where, .err = err };
	_cleanup_(strbuf_done) struct strbuf program = STRBUF_INIT;
	unsigned flags = 0;
	int r;

	if (!json_is_object(profile))
		return json_field_error(err, where, "", "expected an object");
	r = library_open(&libseccomp, err);
	if (r == 0)
		r = read_flags(&b, &flags);
	if (r == 0)
		r = fill(&b);
	if (r < 0)
		return r;
	if (refuses(b.default_action) && b.default_action != SCMP_ACT_ERRNO(ENOSYS))
		add_newer_calls(&b, &program);
	r = export(&b, &program);
	if (r < 0)
		return r;
	shrink(&b, &program);
	if (program.oom)
		return err_oom(err);
	ret->n_bytes = program.len;
	ret->flags = fitting(flags, b.listens);
	ret->bpf = strbuf_take(&program);
	return ret->bpf ? 0 : err_oom(err);
}

const char *seccomp_compiler(void)
{
	Dl_info info;
	void *at;

	memcpy(&at, &lib.init, sizeof(at));
	return at && dladdr(at, &info) ? info.dli_fname : NULL;
}
