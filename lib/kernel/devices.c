/* devices: which device nodes a cgroup may open and make. */
#include "kernel/devices.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/syscalls.h"

enum { MAX_RULES = 1024 };

/* runtime-spec "Default Devices"; the two mknod rules as in runc: a node that may not be opened does no harm. */
static const struct device_rule defaults[] = {
	{ true, 'c', -1, -1, DEVICE_MKNOD }, { true, 'b', -1, -1, DEVICE_MKNOD }, { true, 'c', 1, 3, DEVICE_ALL },
	{ true, 'c', 1, 8, DEVICE_ALL },     { true, 'c', 1, 7, DEVICE_ALL },	  { true, 'c', 5, 0, DEVICE_ALL },
	{ true, 'c', 1, 5, DEVICE_ALL },     { true, 'c', 1, 9, DEVICE_ALL },	  { true, 'c', 136, -1, DEVICE_ALL },
	{ true, 'c', 5, 2, DEVICE_ALL },     { true, 'c', 5, 1, DEVICE_ALL },
};

static bool is_everything(const struct device_rule *r)
{
	return r->type == 'a' && r->major < 0 && r->minor < 0 && r->access == DEVICE_ALL;
}

static bool is_same(const struct device_rule *a, const struct device_rule *b)
{
	return a->allow == b->allow && a->type == b->type && a->major == b->major && a->minor == b->minor &&
	       a->access == b->access;
}

/* Rules that say again what was said since the last one of the other kind are dropped: each costs a write. */
static int add(struct devices *d, const struct device_rule *rule, teu_error **err)
{
	struct device_rule *grown;

	for (size_t i = d->n; i > 0 && d->rules[i - 1].allow == rule->allow; i--)
		if (is_same(&d->rules[i - 1], rule))
			return 0;
	grown = reallocarray(d->rules, d->n + 1, sizeof(*grown));
	if (!grown)
		return err_oom(err);
	d->rules = grown;
	d->rules[d->n++] = *rule;
	return 0;
}

static int parse_type(const json *object, const char *where, struct device_rule *rule, teu_error **err)
{
	const char *type = "a";
	int r = json_read_string(object, where, "type", &type, err);

	if (r < 0)
		return r;
	if (strlen(type) > 1 || !strchr("abcup", *type))
		return json_field_error(err, where, "type", "\"%s\" is none of a, b, c", type);
	if (*type == 'p')
		return json_field_error(err, where, "type", "a fifo is no device, so no rule can speak about it");
	rule->type = *type == '\0' ? 'a' : *type == 'u' ? 'c' : *type;
	return 0;
}

static int parse_access(const json *object, const char *where, struct device_rule *rule, teu_error **err)
{
	const char *access = "rwm";
	int r = json_read_string(object, where, "access", &access, err);

	if (r < 0)
		return r;
	for (const char *c = *access ? access : "rwm"; *c; c++) {
		unsigned bit = *c == 'r' ? DEVICE_READ : *c == 'w' ? DEVICE_WRITE : *c == 'm' ? DEVICE_MKNOD : 0;

		/* Configs written for runc have it; there too it asks for nothing. */
		if (!bit && *c != 'a')
			return json_field_error(err, where, "access", "\"%s\" has other letters than r, w, m", access);
		rule->access |= bit;
	}
	return 0;
}

static int parse_number(const json *object, const char *where, const char *key, int64_t *ret, teu_error **err)
{
	int r;

	*ret = -1;
	r = json_read_int(object, where, key, ret, err);
	if (r == 0 && (*ret < -1 || *ret > UINT32_MAX))
		return json_field_error(err, where, key, "%" PRId64 " is no device number", *ret);
	return r;
}

static int parse_rule(const json *object, const char *where, struct device_rule *rule, teu_error **err)
{
	int r;

	*rule = (struct device_rule){ 0 };
	r = json_read_bool(object, where, "allow", &rule->allow, err);
	if (r == 0)
		r = parse_type(object, where, rule, err);
	if (r == 0)
		r = parse_access(object, where, rule, err);
	if (r == 0)
		r = parse_number(object, where, "major", &rule->major, err);
	if (r == 0)
		r = parse_number(object, where, "minor", &rule->minor, err);
	return r;
}

int devices_parse(const json *resources, const char *where, struct devices *ret, teu_error **err)
{
	const json *array = NULL;
	int r = json_read_array(resources, where, "devices", &array, err);
	unsigned n = 0;

	if (r < 0 || json_count(array) == 0)
		return r;
	if (json_count(array) > MAX_RULES)
		return json_field_error(err, where, "devices", "more than %d rules", MAX_RULES);
	json_foreach (object, array) {
		struct device_rule rule;
		char place[256];

		snprintf(place, sizeof(place), "%s.devices[%u]", where, n++);
		r = parse_rule(object, place, &rule, err);
		if (r == 0)
			r = add(ret, &rule, err);
		if (r < 0)
			return r;
	}
	if (devices_allow_all(ret))
		return 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(defaults); i++)
		r = add(ret, &defaults[i], err);
	return r;
}

void devices_done(struct devices *d)
{
	free(d->rules);
	*d = (struct devices){ 0 };
}

bool devices_allow_all(const struct devices *d)
{
	for (size_t i = d->n; i > 0 && d->rules[i - 1].allow; i--)
		if (is_everything(&d->rules[i - 1]))
			return true;
	for (size_t i = 0; i < d->n; i++)
		if (!d->rules[i].allow)
			return false;
	return true;
}

bool device_rule_is_plain(const struct device_rule *rule)
{
	return rule->type != 'a' || is_everything(rule);
}

void device_rule_line(const struct device_rule *rule, char line[DEVICE_LINE_MAX])
{
	char major[24] = "*", minor[24] = "*";

	if (rule->major >= 0)
		snprintf(major, sizeof(major), "%" PRId64, rule->major);
	if (rule->minor >= 0)
		snprintf(minor, sizeof(minor), "%" PRId64, rule->minor);
	if (is_everything(rule))
		strcpy(line, "a");
	else
		snprintf(line, DEVICE_LINE_MAX, "%c %s:%s %s%s%s", rule->type, major, minor,
			 rule->access & DEVICE_READ ? "r" : "", rule->access & DEVICE_WRITE ? "w" : "",
			 rule->access & DEVICE_MKNOD ? "m" : "");
}

/* Registers of the program: the type of node, the accesses not yet decided, the device's numbers. */
enum { TYPE = BPF_REG_2, PENDING = BPF_REG_3, MAJOR = BPF_REG_4, MINOR = BPF_REG_5 };

static void emit(struct strbuf *p, unsigned code, unsigned dst, unsigned src, int off, int32_t imm)
{
	struct bpf_insn insn = {
		.code = (uint8_t)code, .dst_reg = dst & 0xf, .src_reg = src & 0xf, .off = (int16_t)off, .imm = imm
	};

	strbuf_add(p, &insn, sizeof(insn));
}

static void emit_load(struct strbuf *p, unsigned reg, size_t offset)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, reg, BPF_REG_1, (int)offset, 0);
}

static void emit_return(struct strbuf *p, int value)
{
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void emit_begin(struct strbuf *p)
{
	emit_load(p, TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit(p, BPF_ALU | BPF_MOV | BPF_X, PENDING, TYPE, 0, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
	emit(p, BPF_ALU | BPF_RSH | BPF_K, PENDING, 0, 0, 16);
	emit_load(p, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(p, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
}

/*
 * One rule. An access may ask for several things at once; rules speak about single ones. So, from the last rule to the
 * first: a rule that allows takes its bits off the pending ones, one that denies ends it when a pending bit is its.
 */
static void emit_rule(struct strbuf *p, const struct device_rule *r)
{
	enum { DECISION = 4 }; /* instructions behind the tests, which each of them has to skip */
	int tests = (r->type != 'a') + (r->major >= 0) + (r->minor >= 0);

	if (r->type != 'a')
		emit(p, BPF_JMP32 | BPF_JNE | BPF_K, TYPE, 0, --tests + DECISION,
		     r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (r->major >= 0)
		emit(p, BPF_JMP32 | BPF_JNE | BPF_K, MAJOR, 0, --tests + DECISION, (int32_t)(uint32_t)r->major);
	if (r->minor >= 0)
		emit(p, BPF_JMP32 | BPF_JNE | BPF_K, MINOR, 0, --tests + DECISION, (int32_t)(uint32_t)r->minor);
	if (r->allow) {
		emit(p, BPF_ALU | BPF_AND | BPF_K, PENDING, 0, 0, (int32_t)~r->access);
		emit(p, BPF_JMP32 | BPF_JNE | BPF_K, PENDING, 0, 2, 0);
	} else {
		emit(p, BPF_JMP32 | BPF_JSET | BPF_K, PENDING, 0, 1, (int32_t)r->access);
		emit(p, BPF_JMP | BPF_JA, 0, 0, 2, 0);
	}
	emit_return(p, r->allow);
}

int devices_program(const struct devices *d, void **ret, size_t *ret_bytes, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf p = STRBUF_INIT;
	bool initially = true;
	size_t i;

	emit_begin(&p);
	for (i = d->n; i > 0 && !is_everything(&d->rules[i - 1]); i--)
		emit_rule(&p, &d->rules[i - 1]);
	if (i > 0)
		initially = d->rules[i - 1].allow;
	emit_return(&p, initially);
	*ret_bytes = p.len;
	*ret = strbuf_take(&p);
	return *ret ? 0 : err_oom(err);
}

static int load(const void *program, size_t n_bytes, teu_error **err)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insn_cnt = (uint32_t)(n_bytes / sizeof(struct bpf_insn)),
		.insns = (uintptr_t)program,
		.license = (uintptr_t) "LGPL",
		.prog_name = "teu_devices",
	};
	int fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));

	return fd < 0 ? err_errno(err, -fd, "load the eBPF program of the device rules") : fd;
}

/* The programs that the cgroup itself has; parents' ones don't count. */
static int query(int dir_fd, const char *dir, uint32_t *ids, uint32_t max, teu_error **err)
{
	union bpf_attr attr = {
		.query = { .target_fd = (uint32_t)dir_fd,
			   .attach_type = BPF_CGROUP_DEVICE,
			   .prog_ids = (uintptr_t)ids,
			   .prog_cnt = max },
	};
	int r = sys_bpf(BPF_PROG_QUERY, &attr, sizeof(attr));

	return r < 0 ? err_errno(err, -r, "ask for the device programs of %s", dir) : (int)attr.query.prog_cnt;
}

static int open_program(uint32_t id)
{
	union bpf_attr attr = { .prog_id = id };

	return sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
}

static int attach(int dir_fd, int program_fd, int replace_fd)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)dir_fd,
		.attach_bpf_fd = (uint32_t)program_fd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI | (replace_fd >= 0 ? BPF_F_REPLACE : 0U),
		.replace_bpf_fd = replace_fd >= 0 ? (uint32_t)replace_fd : 0,
	};

	return sys_bpf(BPF_PROG_ATTACH, &attr, sizeof(attr));
}

static void detach(int dir_fd, uint32_t id)
{
	_cleanup_close_ int fd = open_program(id);
	union bpf_attr attr = {
		.target_fd = (uint32_t)dir_fd,
		.attach_bpf_fd = (uint32_t)fd,
		.attach_type = BPF_CGROUP_DEVICE,
	};

	if (fd >= 0)
		sys_bpf(BPF_PROG_DETACH, &attr, sizeof(attr));
}

int devices_attach(const char *dir, const void *program, size_t n_bytes, teu_error **err)
{
	_cleanup_close_ int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int program_fd = -EBADF, old_fd = -EBADF;
	uint32_t ids[16];
	int n, r;

	if (dir_fd < 0)
		return err_errno(err, errno, "open %s", dir);
	program_fd = load(program, n_bytes, err);
	if (program_fd < 0)
		return program_fd;
	n = query(dir_fd, dir, ids, ARRAY_SIZE(ids), err);
	if (n < 0)
		return n;

	/* All programs of a cgroup have to agree, so a second one could only narrow: the old one goes, in one step
	 * with the new one's coming if it is alone. */
	old_fd = n == 1 ? open_program(ids[0]) : -EBADF;
	r = attach(dir_fd, program_fd, old_fd);
	if (r < 0)
		return err_errno(err, -r, "attach the device rules to %s", dir);
	for (int i = 0; old_fd < 0 && i < n; i++)
		detach(dir_fd, ids[i]);
	return 0;
}
