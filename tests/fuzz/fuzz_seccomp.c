/*
 * fuzz_seccomp: a profile made of the input's bytes is compiled by us and, rule by rule, by libseccomp alone; both
 * filters are asked for many calls, and must answer alike. Where each call stands in one rule only, so must what the
 * runtime-spec says of it; but for alternatives, where libseccomp 2.5.4 compares one half of an argument with the other
 * (x >= 0x3b0000000000000 or x <= 1 holds for 0x13ffffff). Ours differs by intent in one answer: a call newer than all
 * that are named gets ENOSYS. Bytes that begin with '{' are a profile as they are.
 */
#include "fuzz.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/seccomp_impl.h"

#include "../support/bpf.h"

const size_t fuzz_rounds = 500;

enum { MAX_RULES = 8, MAX_NAMES = 4, MAX_CONDITIONS = 6, X32_BIT = 0x40000000, ASKED = 400 };

#if defined(__x86_64__)
#define NATIVE SCMP_ARCH_X86_64
#else
#define NATIVE SCMP_ARCH_AARCH64
#endif

/* libseccomp 2.5.4 loses some of its own nodes when rules overlap. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libseccomp\n";
}

static void must(bool truth)
{
	if (!truth)
		abort();
}

/* The input; zeros behind its end. */
struct input {
	const uint8_t *at, *end;
};

static unsigned take(struct input *in, unsigned below)
{
	return in->at < in->end ? *in->at++ % below : 0;
}

static const struct {
	const char *name;
	uint32_t action;
} actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
	{ "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
};

/* Old and new ones, some of one architecture only, some that are made of another, some that nobody knows. */
static const char *const names[] = { "read",   "open",	"close",  "dup",     "socket",	   "socketpair",  "shmget",
				     "clone",  "stat",	"mmap2",  "waitpid", "arch_prctl", "personality", "ptrace",
				     "ioctl",  "prctl", "getpid", "exit",    "statx",	   "clone3",	  "openat2",
				     "no_one", "ipc",	"mount",  "kcmp",    "recv",	   "rt_sigreturn" };

static const char *const operators[] = {
	[SCMP_CMP_NE] = "SCMP_CMP_NE",
	[SCMP_CMP_LT] = "SCMP_CMP_LT",
	[SCMP_CMP_LE] = "SCMP_CMP_LE",
	[SCMP_CMP_EQ] = "SCMP_CMP_EQ",
	[SCMP_CMP_GE] = "SCMP_CMP_GE",
	[SCMP_CMP_GT] = "SCMP_CMP_GT",
	[SCMP_CMP_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
};

static const uint64_t values[] = { 0,
				   1,
				   2,
				   0x7e020000,
				   0x7fffffff,
				   0x80000000,
				   0xfffffffe,
				   0xffffffff,
				   0x100000000,
				   0x100000001,
				   0x7fffffffffffffff,
				   0x8000000000000000,
				   0xffffffff00000000,
				   0xfffffffffffffffe,
				   0xffffffffffffffff,
				   8 };

struct rule {
	uint32_t action;
	int error; /* -1: not said */
	const char *action_name, *names[MAX_NAMES];
	unsigned n_names, n_conditions;
	struct scmp_arg_cmp conditions[MAX_CONDITIONS];
	bool alternatives;
};

struct profile {
	struct rule all; /* action and errno of the default */
	bool x86, x32;
	struct rule rules[MAX_RULES];
	unsigned n_rules;
	bool once;	   /* no name stands twice */
	bool alternatives; /* some rule has them */
};

static void take_action(struct input *in, struct rule *rule)
{
	unsigned i = take(in, ARRAY_SIZE(actions));
	unsigned error = take(in, 4);

	rule->action_name = actions[i].name;
	rule->error = error == 0 ? -1 : (int)(error == 3 ? 4093 + take(in, 3) : error * ENOSYS);
	rule->action = actions[i].action;
	if (rule->action == SCMP_ACT_ERRNO(0) || rule->action == SCMP_ACT_TRACE(0))
		rule->action |= (uint32_t)(rule->error < 0 ? EPERM : rule->error);
}

static uint64_t take_value(struct input *in)
{
	unsigned i = take(in, 32);

	return i < ARRAY_SIZE(values) ? values[i] : (uint64_t)take(in, 256) << take(in, 57);
}

static void take_rule(struct input *in, struct rule *rule)
{
	unsigned seen = 0;

	take_action(in, rule);
	rule->n_names = take(in, MAX_NAMES) + 1;
	for (unsigned i = 0; i < rule->n_names; i++)
		rule->names[i] = names[take(in, ARRAY_SIZE(names))];
	rule->n_conditions = take(in, 2) ? take(in, MAX_CONDITIONS + 1) : take(in, 2);
	for (unsigned i = 0; i < rule->n_conditions; i++) {
		struct scmp_arg_cmp *c = &rule->conditions[i];

		*c = (struct scmp_arg_cmp){ .arg = take(in, 6), .op = take(in, 7) + SCMP_CMP_NE };
		c->datum_a = take_value(in);
		c->datum_b = c->op == SCMP_CMP_MASKED_EQ ? take_value(in) : 0;
		rule->alternatives |= seen >> c->arg & 1;
		seen |= 1u << c->arg;
	}
}

static bool named_before(const struct profile *p, unsigned rule, unsigned name)
{
	for (unsigned i = 0; i <= rule; i++)
		for (unsigned k = 0; k < (i == rule ? name : p->rules[i].n_names); k++)
			if (strcmp(p->rules[i].names[k], p->rules[rule].names[name]) == 0)
				return true;
	return false;
}

static void take_profile(struct input *in, struct profile *p)
{
	unsigned arches = take(in, 4);

	take_action(in, &p->all);
	p->x86 = arches & 1;
	p->x32 = arches & 2;
	p->n_rules = take(in, MAX_RULES + 1);
	p->once = true;
	for (unsigned i = 0; i < p->n_rules; i++) {
		take_rule(in, &p->rules[i]);
		for (unsigned k = 0; k < p->rules[i].n_names; k++)
			p->once = p->once && !named_before(p, i, k);
		p->alternatives |= p->rules[i].alternatives;
	}
	/* libseccomp takes minutes to merge long rules for one call. */
	for (unsigned i = 0; !p->once && i < p->n_rules; i++) {
		p->rules[i].n_conditions = p->rules[i].n_conditions > 0;
		p->rules[i].alternatives = false;
	}
}

static void put_rule(struct strbuf *text, const struct rule *rule)
{
	strbuf_adds(text, "{\"names\":[");
	for (unsigned i = 0; i < rule->n_names; i++)
		strbuf_addf(text, "%s\"%s\"", i ? "," : "", rule->names[i]);
	strbuf_addf(text, "],\"action\":\"%s\"", rule->action_name);
	if (rule->error >= 0)
		strbuf_addf(text, ",\"errnoRet\":%d", rule->error);
	strbuf_adds(text, ",\"args\":[");
	for (unsigned i = 0; i < rule->n_conditions; i++) {
		const struct scmp_arg_cmp *c = &rule->conditions[i];

		strbuf_addf(text, "%s{\"index\":%u,\"op\":\"%s\",\"value\":%llu,\"valueTwo\":%llu}", i ? "," : "",
			    c->arg, operators[c->op], (unsigned long long)c->datum_a, (unsigned long long)c->datum_b);
	}
	strbuf_adds(text, "]}");
}

static void put_profile(struct strbuf *text, const struct profile *p)
{
	strbuf_addf(text, "{\"defaultAction\":\"%s\"", p->all.action_name);
	if (p->all.error >= 0)
		strbuf_addf(text, ",\"defaultErrnoRet\":%d", p->all.error);
#if defined(__x86_64__)
	strbuf_addf(text, ",\"architectures\":[\"SCMP_ARCH_X86_64\"%s%s]", p->x86 ? ",\"SCMP_ARCH_X86\"" : "",
		    p->x32 ? ",\"SCMP_ARCH_X32\"" : "");
#endif
	strbuf_adds(text, ",\"syscalls\":[");
	for (unsigned i = 0; i < p->n_rules; i++) {
		if (i)
			strbuf_adds(text, ",");
		put_rule(text, &p->rules[i]);
	}
	strbuf_adds(text, "]}");
	must(!text->oom);
}

/* False: it refuses a rule. */
static bool reference_rules(const struct profile *p, scmp_filter_ctx ctx)
{
	for (unsigned i = 0; i < p->n_rules; i++) {
		const struct rule *rule = &p->rules[i];
		unsigned rounds = rule->alternatives ? rule->n_conditions : 1;
		unsigned each = rule->alternatives ? 1 : rule->n_conditions;

		for (unsigned k = 0; k < rule->n_names * rounds; k++) {
			int number = seccomp_syscall_resolve_name(rule->names[k / rounds]), r;

			if (number == __NR_SCMP_ERROR || rule->action == p->all.action)
				continue;
			r = seccomp_rule_add_array(ctx, rule->action, number, each, rule->conditions + k % rounds);
			if (r < 0 && r != -EEXIST)
				return false;
		}
	}
	return true;
}

/* What libseccomp makes of it; false: it can't. */
static bool reference(const struct profile *p, struct strbuf *program)
{
	scmp_filter_ctx ctx = seccomp_init(p->all.action);
	int fd = memfd_create("reference", MFD_CLOEXEC);
	char part[4096];
	bool good;
	ssize_t n;

	must(ctx && fd >= 0);
	must(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0) == 0);
	/* Without the tree, 2.5.4 loses rules where a name is no call of this machine (recv on x86-64). */
	must(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0);
	must(!p->x86 || NATIVE != SCMP_ARCH_X86_64 || seccomp_arch_add(ctx, SCMP_ARCH_X86) == 0);
	must(!p->x32 || NATIVE != SCMP_ARCH_X86_64 || seccomp_arch_add(ctx, SCMP_ARCH_X32) == 0);
	good = reference_rules(p, ctx) && seccomp_export_bpf(ctx, fd) == 0;
	if (good) {
		must(lseek(fd, 0, SEEK_SET) == 0);
		while ((n = read(fd, part, sizeof(part))) > 0)
			strbuf_add(program, part, (size_t)n);
	}
	close(fd);
	seccomp_release(ctx);
	return good;
}

/* libseccomp's number of the architecture that makes @call; 0: none that the profile has. */
static uint32_t arch_of(const struct profile *p, const struct seccomp_data *call)
{
	if (call->arch == AUDIT_ARCH_I386 && NATIVE == SCMP_ARCH_X86_64)
		return p->x86 ? SCMP_ARCH_X86 : 0;
	if (call->arch != NATIVE)
		return 0;
	if (NATIVE == SCMP_ARCH_X86_64 && (uint32_t)call->nr >= X32_BIT)
		return p->x32 ? SCMP_ARCH_X32 : 0;
	return NATIVE;
}

/* Is it newer than all that the profile names? */
static bool is_newer(const struct profile *p, const struct seccomp_data *call)
{
	uint32_t arch = arch_of(p, call);
	int last = 0;

	for (unsigned i = 0; i < p->n_rules; i++)
		for (unsigned k = 0; k < p->rules[i].n_names; k++) {
			int number = seccomp_syscall_resolve_name_arch(arch, p->rules[i].names[k]);

			last = number > last ? number : last;
		}
	return arch && last && (uint32_t)call->nr > (uint32_t)last;
}

static bool refuses(uint32_t action)
{
	return action != SCMP_ACT_ALLOW && action != SCMP_ACT_LOG &&
	       (action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_TRACE && action != SCMP_ACT_ERRNO(ENOSYS);
}

static bool holds(const struct scmp_arg_cmp *c, uint64_t arg)
{
	switch (c->op) {
	case SCMP_CMP_NE:
		return arg != c->datum_a;
	case SCMP_CMP_LT:
		return arg < c->datum_a;
	case SCMP_CMP_LE:
		return arg <= c->datum_a;
	case SCMP_CMP_EQ:
		return arg == c->datum_a;
	case SCMP_CMP_GE:
		return arg >= c->datum_a;
	case SCMP_CMP_GT:
		return arg > c->datum_a;
	default:
		return (arg & c->datum_a) == (c->datum_b & c->datum_a);
	}
}

static bool applies(const struct rule *rule, const struct seccomp_data *call)
{
	for (unsigned i = 0; i < rule->n_conditions; i++)
		if (holds(&rule->conditions[i], call->args[rule->conditions[i].arg]) == rule->alternatives)
			return rule->alternatives;
	return !rule->alternatives;
}

/* What the specification says of a native call that no two rules speak of. */
static uint32_t specified(const struct profile *p, const struct seccomp_data *call)
{
	for (unsigned i = 0; i < p->n_rules; i++)
		for (unsigned k = 0; k < p->rules[i].n_names; k++)
			if (seccomp_syscall_resolve_name_arch(NATIVE, p->rules[i].names[k]) == call->nr)
				return applies(&p->rules[i], call) ? p->rules[i].action : p->all.action;
	return p->all.action;
}

static uint32_t state;

static uint32_t next(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

/* Near to what the rules compare with. */
static uint64_t some_argument(const struct profile *p)
{
	const struct rule *rule = p->n_rules ? &p->rules[next(p->n_rules)] : NULL;
	const struct scmp_arg_cmp *c = rule && rule->n_conditions ? &rule->conditions[next(rule->n_conditions)] : NULL;
	uint64_t value = values[next(ARRAY_SIZE(values))];

	if (c && next(4))
		value = next(2) ? c->datum_a : c->datum_b;
	return value + next(3) - 1 + (next(8) ? 0 : (uint64_t)next(UINT32_MAX) << 32);
}

static void some_call(const struct profile *p, struct seccomp_data *call)
{
	static const uint32_t arches[] = { NATIVE, NATIVE, NATIVE, AUDIT_ARCH_I386, AUDIT_ARCH_S390X };
	const struct rule *rule = p->n_rules ? &p->rules[next(p->n_rules)] : NULL;
	const char *name = rule && next(4) ? rule->names[next(rule->n_names)] : names[next(ARRAY_SIZE(names))];

	call->arch = arches[next(ARRAY_SIZE(arches))];
	call->nr = seccomp_syscall_resolve_name_arch(call->arch == AUDIT_ARCH_I386 ? SCMP_ARCH_X86 : NATIVE, name);
	if (next(8) == 0)
		call->nr = (int)next(1200) - 4;
	if (call->arch == AUDIT_ARCH_X86_64 && next(5) == 0)
		call->nr |= X32_BIT;
	for (unsigned i = 0; i < 6; i++)
		call->args[i] = some_argument(p);
	call->instruction_pointer = next(UINT32_MAX);
}

static void must_answer(const char *who, const struct seccomp_data *call, uint32_t found, uint32_t expected)
{
	if (found == expected)
		return;
	fprintf(stderr, "%s: call %#x of %#x (", who, (unsigned)call->nr, call->arch);
	for (int i = 0; i < 6; i++)
		fprintf(stderr, " %#llx", (unsigned long long)call->args[i]);
	fprintf(stderr, " ) gets %#x and not %#x\n", found, expected);
	abort();
}

static void compare(const struct profile *p, const struct seccomp_filter *ours, const struct strbuf *theirs)
{
	for (unsigned i = 0; i < ASKED; i++) {
		struct seccomp_data call;
		uint32_t found, expected;

		some_call(p, &call);
		found = bpf_judge(ours->bpf, ours->n_bytes, &call);
		expected = theirs->len ? bpf_judge(theirs->text, theirs->len, &call) : found;
		if (refuses(p->all.action) && is_newer(p, &call))
			expected = SECCOMP_RET_ERRNO | ENOSYS;
		else if (p->once && !p->alternatives && arch_of(p, &call) == NATIVE)
			must_answer("libseccomp alone", &call, expected, specified(p, &call));
		must_answer("our filter", &call, found, expected);
	}
}

static bool no_errno(const struct rule *rule)
{
	return rule->error > 4094 && (rule->action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
}

/* What we refuse in words of our own. */
static bool is_mistaken(const struct profile *p)
{
	for (unsigned i = 0; i < p->n_rules; i++)
		if (no_errno(&p->rules[i]))
			return true;
	return p->all.action == SCMP_ACT_NOTIFY || no_errno(&p->all);
}

static void must_compile(const struct profile *p, const char *text, size_t len)
{
	_cleanup_(strbuf_done) struct strbuf theirs = STRBUF_INIT;
	_cleanup_(seccomp_filter_done) struct seccomp_filter ours = { 0 };
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_json_ json *document = NULL;
	int r;

	must(json_parse(text, len, &document, &err) == 0);
	r = seccomp_build(document, "p", &ours, &err);
	must(r == teu_error_code(err));
	if (r == 0) {
		reference(p, &theirs);
		compare(p, &ours, &theirs);
	} else {
		must(*teu_error_message(err) && (is_mistaken(p) || !reference(p, &theirs)));
	}
}

static void must_be_refused_or_run(const uint8_t *bytes, size_t len)
{
	_cleanup_(seccomp_filter_done) struct seccomp_filter filter = { 0 };
	_cleanup_error_ teu_error *err = NULL, *ignored = NULL;
	_cleanup_json_ json *document = NULL, *from_docker = NULL;
	struct seccomp_data call = { .arch = NATIVE };
	int r;

	if (json_parse((const char *)bytes, len, &document, &ignored) < 0)
		return;
	seccomp_from_docker(document, 0, &from_docker, NULL);
	r = seccomp_build(document, "p", &filter, &err);
	must(r == teu_error_code(err) && (r == 0 || *teu_error_message(err)));
	for (call.nr = -1; r == 0 && call.nr < 500; call.nr++)
		bpf_judge(filter.bpf, filter.n_bytes, &call);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	struct input in = { bytes, bytes + len };
	struct profile p = { 0 };

	if (len && *bytes == '{') {
		must_be_refused_or_run(bytes, len);
		return 0;
	}
	state = 1;
	for (size_t i = 0; i < len; i++)
		state = state * 31 + bytes[i] + 1;
	state = state ? state : 1;
	take_profile(&in, &p);
	put_profile(&text, &p);
	if (getenv("FUZZ_SHOW"))
		fprintf(stderr, "%.*s\n", (int)text.len, text.text);
	must_compile(&p, text.text, text.len);
	return 0;
}

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	static const char *const documents[] = {
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,\"architectures\":[\"SCMP_ARCH_X86_64\","
		"\"SCMP_ARCH_X86\"],\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],\"syscalls\":[{\"names\":[\"read\","
		"\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":2114060288,\"valueTwo\":0,"
		"\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}",
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\","
		"\"subArchitectures\":[\"SCMP_ARCH_X86\"]}],\"syscalls\":[{\"name\":\"dup\",\"action\":"
		"\"SCMP_ACT_TRACE\",\"errnoRet\":7,\"includes\":{\"caps\":[\"CAP_KILL\"],\"minKernel\":\"4.8\"}}]}",
	};
	enum { MADE = 16, MADE_BYTES = 160 };
	uint8_t *bytes;

	if (n < ARRAY_SIZE(documents)) {
		*ret_len = strlen(documents[n]);
		return (uint8_t *)strdup(documents[n]);
	}
	n -= ARRAY_SIZE(documents);
	bytes = n < MADE ? malloc(MADE_BYTES) : NULL;
	state = (uint32_t)n * 7919 + 1;
	for (size_t i = 0; bytes && i < MADE_BYTES; i++)
		bytes[i] = (uint8_t)next(256);
	if (bytes)
		bytes[0] = (uint8_t)(n % 4);
	*ret_len = MADE_BYTES;
	return bytes;
}
