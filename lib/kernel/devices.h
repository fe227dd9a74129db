/*
 * devices: which device nodes a cgroup may open and make. Rules come as runtime-spec linux.resources.devices, and go to
 * the kernel as lines of devices.allow and devices.deny (v1) or as an eBPF program (v2).
 * Source: runtime-spec config-linux.md, "Allowed Device list" and "Default Devices"; kernel documentation,
 * cgroup-v1/devices.rst and cgroup-v2.rst "Device controller".
 */
#ifndef TEU_KERNEL_DEVICES_H
#define TEU_KERNEL_DEVICES_H

#include <stdint.h>

#include "format/json.h"

enum { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4, DEVICE_ALL = 7 }; /* as BPF_DEVCG_ACC_… */

struct device_rule {
	bool allow;
	char type;	      /* 'a', 'b' or 'c' */
	int64_t major, minor; /* -1: any */
	unsigned access;      /* DEVICE_… */
};

/* Rules in order: the last that speaks about an access decides. What no rule speaks about is allowed. */
struct devices {
	struct device_rule *rules; /* owned */
	size_t n;
};

/*
 * The array "devices" of @resources (none: no rules), followed by what every container may have: null, zero, full,
 * random, urandom, tty, console, ptmx, pseudo-terminals, and making of nodes that it may not open.
 */
int devices_parse(const json *resources, const char *where, struct devices *ret, teu_error **err);
void devices_done(struct devices *d);

/* Do the rules allow everything? */
bool devices_allow_all(const struct devices *d);

enum { DEVICE_LINE_MAX = 64 };
/* The v1 line of a rule, "c 1:3 rwm". */
void device_rule_line(const struct device_rule *rule, char line[DEVICE_LINE_MAX]);
/* Can v1 say it in one line? It takes "a" for everything, whatever numbers and access stand behind it. */
bool device_rule_is_plain(const struct device_rule *rule);

/* The rules as an eBPF program (struct bpf_insn[]), for free(). */
int devices_program(const struct devices *d, void **ret, size_t *ret_bytes, teu_error **err);

/* Loads the program and makes it the one of the v2 cgroup at @dir, in place of those it has. */
int devices_attach(const char *dir, const void *program, size_t n_bytes, teu_error **err);

#endif
