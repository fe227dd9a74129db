/* The eBPF program of device rules, judged by an interpreter of the instructions it uses; and the lines for v1. */
#include <check.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/devices.h"
#include "kernel/syscalls.h"

/* What the program in @insns answers: 1, allowed; 0, refused. */
static int judge(const struct bpf_insn *insns, size_t n, const struct bpf_cgroup_dev_ctx *ctx)
{
	uint64_t reg[11] = { 0 };

	for (size_t pc = 0; pc < n; pc++) {
		const struct bpf_insn *i = &insns[pc];
		uint64_t *dst = &reg[i->dst_reg];
		uint32_t imm = (uint32_t)i->imm;

		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			ck_assert_int_eq(i->src_reg, BPF_REG_1);
			*dst = *(const uint32_t *)((const char *)ctx + i->off);
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			*dst = (uint32_t)reg[i->src_reg];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			*dst = (uint64_t)(int64_t)i->imm;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			*dst = (uint32_t)*dst & imm;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			*dst = (uint32_t)*dst >> imm;
			break;
		case BPF_JMP | BPF_JA:
			pc += (size_t)i->off;
			break;
		case BPF_JMP32 | BPF_JNE | BPF_K:
			pc += (uint32_t)*dst != imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP32 | BPF_JSET | BPF_K:
			pc += (uint32_t)*dst & imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int)reg[0];
		default:
			ck_abort_msg("instruction %zu: code %#x", pc, i->code);
		}
	}
	ck_abort_msg("the program runs past its end");
}

static void parse(const char *text, struct devices *d)
{
	_cleanup_json_ json *resources = NULL;
	teu_error *err = NULL;

	ck_assert_int_eq(json_parse(text, strlen(text), &resources, &err), 0);
	ck_assert_msg(devices_parse(resources, "linux.resources", d, &err) == 0, "%s", teu_error_message(err));
}

static struct devices rules;
static struct bpf_insn *program;
static size_t n_insns;

static void set_up(const char *text)
{
	size_t bytes;

	parse(text, &rules);
	ck_assert_int_eq(devices_program(&rules, (void **)&program, &bytes, NULL), 0);
	n_insns = bytes / sizeof(*program);
}

static void tear_down(void)
{
	devices_done(&rules);
	free(program);
	program = NULL;
}

static bool may(char type, unsigned major, unsigned minor, unsigned access)
{
	struct bpf_cgroup_dev_ctx ctx = {
		.access_type = access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		.major = major,
		.minor = minor,
	};

	return judge(program, n_insns, &ctx) == 1;
}

#define DENY_ALL "{\"allow\": false, \"access\": \"rwm\"}"

START_TEST(a_container_has_the_default_devices_only)
{
	set_up("{\"devices\": [" DENY_ALL "]}");
	ck_assert(may('c', 1, 3, DEVICE_READ | DEVICE_WRITE)); /* null */
	ck_assert(may('c', 5, 2, DEVICE_READ | DEVICE_WRITE)); /* ptmx */
	ck_assert(may('c', 136, 17, DEVICE_READ | DEVICE_WRITE));
	ck_assert(may('c', 4, 64, DEVICE_MKNOD));
	ck_assert(may('b', 8, 0, DEVICE_MKNOD));
	ck_assert(!may('b', 8, 0, DEVICE_READ));
	ck_assert(!may('b', 8, 0, DEVICE_READ | DEVICE_MKNOD));
	ck_assert(!may('c', 1, 1, DEVICE_READ));    /* mem */
	ck_assert(!may('c', 10, 229, DEVICE_READ)); /* fuse */
	ck_assert(!may('b', 1, 3, DEVICE_READ));
}
END_TEST

START_TEST(accesses_are_decided_one_by_one)
{
	set_up("{\"devices\": [" DENY_ALL
	       ", {\"allow\": true, \"type\": \"b\", \"major\": 8, \"minor\": 1, \"access\": \"r\"},"
	       "{\"allow\": true, \"type\": \"b\", \"major\": 8, \"access\": \"w\"}]}");
	ck_assert(may('b', 8, 1, DEVICE_READ | DEVICE_WRITE));
	ck_assert(may('b', 8, 2, DEVICE_WRITE));
	ck_assert(!may('b', 8, 2, DEVICE_READ));
	ck_assert(!may('b', 8, 2, DEVICE_READ | DEVICE_WRITE));
}
END_TEST

START_TEST(the_last_rule_decides)
{
	set_up("{\"devices\": [{\"allow\": true, \"access\": \"rwm\"},"
	       "{\"allow\": false, \"type\": \"b\", \"major\": 8, \"access\": \"w\"}]}");
	ck_assert(may('b', 8, 1, DEVICE_READ));
	ck_assert(!may('b', 8, 1, DEVICE_WRITE));
	ck_assert(!may('b', 8, 1, DEVICE_READ | DEVICE_WRITE));
	ck_assert(may('c', 10, 229, DEVICE_READ | DEVICE_WRITE));
	ck_assert(!devices_allow_all(&rules));
}
END_TEST

START_TEST(everything_allowed)
{
	set_up("{\"devices\": [" DENY_ALL ", {\"allow\": true, \"type\": \"a\", \"access\": \"rwm\"}]}");
	ck_assert(devices_allow_all(&rules));
	ck_assert_uint_eq(rules.n, 2);
	ck_assert(may('b', 8, 0, DEVICE_ALL));
}
END_TEST

START_TEST(large_device_numbers)
{
	set_up("{\"devices\": [" DENY_ALL
	       ", {\"allow\": true, \"type\": \"c\", \"major\": 4294967295, \"minor\": 4294967295,"
	       " \"access\": \"rw\"}]}");
	ck_assert(may('c', 4294967295U, 4294967295U, DEVICE_READ));
	ck_assert(!may('c', 4294967295U, 4294967294U, DEVICE_READ));
}
END_TEST

START_TEST(lines_for_v1)
{
	static const struct {
		struct device_rule rule;
		const char *line;
		bool plain;
	} cases[] = {
		{ { true, 'c', 1, 3, DEVICE_ALL }, "c 1:3 rwm", true },
		{ { true, 'c', 136, -1, DEVICE_READ | DEVICE_WRITE }, "c 136:* rw", true },
		{ { false, 'a', -1, -1, DEVICE_ALL }, "a", true },
		{ { false, 'b', -1, -1, DEVICE_MKNOD }, "b *:* m", true },
		{ { true, 'a', 5, -1, DEVICE_ALL }, "a 5:* rwm", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[DEVICE_LINE_MAX];

		device_rule_line(&cases[i].rule, line);
		ck_assert_str_eq(line, cases[i].line);
		ck_assert_int_eq(device_rule_is_plain(&cases[i].rule), cases[i].plain);
	}
}
END_TEST

START_TEST(said_twice_is_written_once)
{
	struct devices d = { 0 };

	parse("{\"devices\": [" DENY_ALL
	      ", {\"allow\": true, \"type\": \"c\", \"major\": 1, \"minor\": 3, \"access\": \"rwm\"},"
	      "{\"allow\": true, \"type\": \"c\", \"major\": 1, \"minor\": 3, \"access\": \"mwr\"}]}",
	      &d);
	ck_assert_uint_eq(d.n, 1 + 11);
	devices_done(&d);
	parse("{}", &d);
	ck_assert_uint_eq(d.n, 0);
	ck_assert(devices_allow_all(&d));
}
END_TEST

START_TEST(malformed_rules_name_the_place)
{
	static const struct {
		const char *text, *field;
	} bad[] = {
		{ "{\"devices\": 1}", "linux.resources.devices" },
		{ "{\"devices\": [{\"type\": \"x\"}]}", "linux.resources.devices[0].type" },
		{ "{\"devices\": [{\"type\": \"p\"}]}", "linux.resources.devices[0].type" },
		{ "{\"devices\": [{}, {\"access\": \"rx\"}]}", "linux.resources.devices[1].access" },
		{ "{\"devices\": [{\"major\": -2}]}", "linux.resources.devices[0].major" },
		{ "{\"devices\": [{\"minor\": 4294967296}]}", "linux.resources.devices[0].minor" },
		{ "{\"devices\": [{\"allow\": 1}]}", "linux.resources.devices[0].allow" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ json *resources = NULL;
		_cleanup_error_ teu_error *err = NULL;
		struct devices d = { 0 };

		ck_assert_int_eq(json_parse(bad[i].text, strlen(bad[i].text), &resources, NULL), 0);
		ck_assert_int_eq(devices_parse(resources, "linux.resources", &d, &err), TEU_E_INVALID);
		ck_assert_str_eq(teu_error_detail(err, "field"), bad[i].field);
		devices_done(&d);
	}
}
END_TEST

START_TEST(the_kernel_verifies_it)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE };
	int fd;

	set_up("{\"devices\": [" DENY_ALL ", {\"allow\": false, \"type\": \"b\", \"major\": 7, \"access\": \"w\"},"
	       "{\"allow\": true, \"type\": \"a\", \"minor\": 7, \"access\": \"r\"}]}");
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = (uint32_t)n_insns;
	attr.license = (uintptr_t) "LGPL";
	fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd == -EPERM || fd == -ENOSYS || fd == -EINVAL) {
		/* EINVAL also comes from a kernel without this type of program: a trivial one tells. */
		struct bpf_insn trivial[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
					      { .code = BPF_JMP | BPF_EXIT } };

		attr.insns = (uintptr_t)trivial;
		attr.insn_cnt = 2;
		ck_assert_msg(sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)) == fd, "refused by the verifier: %s",
			      strerror(-fd));
		printf("SKIP the_kernel_verifies_it: no right to load eBPF programs, or no such type\n");
		return;
	}
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices");
	TCase *tc = tcase_create("devices");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, NULL, tear_down);
	tcase_add_test(tc, a_container_has_the_default_devices_only);
	tcase_add_test(tc, accesses_are_decided_one_by_one);
	tcase_add_test(tc, the_last_rule_decides);
	tcase_add_test(tc, everything_allowed);
	tcase_add_test(tc, large_device_numbers);
	tcase_add_test(tc, lines_for_v1);
	tcase_add_test(tc, said_twice_is_written_once);
	tcase_add_test(tc, malformed_rules_name_the_place);
	tcase_add_test(tc, the_kernel_verifies_it);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
