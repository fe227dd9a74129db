/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* update: changes a container that runs: its limits, by flags or a document, and its mounts. */
#include <errno.h>
#include <string.h>

#include "../teu/doc.h"
#include "oci.h"

struct update_options {
	const char *resources, *cpuset_cpus, *cpuset_mems, *l3, *mem_bw;
	struct number blkio_weight, cpu_period, cpu_quota, cpu_burst, cpu_rt_period, cpu_rt_runtime, cpu_shares,
		cpu_idle;
	struct number memory, memory_reservation, memory_swap, kernel_memory, kernel_memory_tcp, pids_limit;
};

#define AT(field) offsetof(struct update_options, field)

/* The last column: where the value goes in linux.resources; none: it has no effect any more. */
static const struct option table[] = {
	{ "blkio-weight", 0, OPT_INT, AT(blkio_weight), "Block I/O weight, 10 to 1000", "blockIO.weight" },
	{ "cpu-burst", 0, OPT_INT, AT(cpu_burst), "CPU time saved up for bursts, microseconds", "cpu.burst" },
	{ "cpu-idle", 0, OPT_INT, AT(cpu_idle), "1: only when nobody else wants the CPU", "cpu.idle" },
	{ "cpu-period", 0, OPT_INT, AT(cpu_period), "Period of the CPU quota, microseconds", "cpu.period" },
	{ "cpu-quota", 0, OPT_INT, AT(cpu_quota), "CPU time in each period, microseconds", "cpu.quota" },
	{ "cpu-rt-period", 0, OPT_INT, AT(cpu_rt_period), "Period of realtime CPU", "cpu.realtimePeriod" },
	{ "cpu-rt-runtime", 0, OPT_INT, AT(cpu_rt_runtime), "Realtime CPU in each period", "cpu.realtimeRuntime" },
	{ "cpu-share", 0, OPT_INT, AT(cpu_shares), "Relative weight of CPU time", "cpu.shares" },
	{ "cpuset-cpus", 0, OPT_TEXT, AT(cpuset_cpus), "CPUs to run on", "cpu.cpus" },
	{ "cpuset-mems", 0, OPT_TEXT, AT(cpuset_mems), "Memory nodes to use", "cpu.mems" },
	{ "kernel-memory", 0, OPT_SWAP, AT(kernel_memory), "No effect: kernels have no such limit any more", NULL },
	{ "kernel-memory-tcp", 0, OPT_SWAP, AT(kernel_memory_tcp), "Memory of TCP buffers", "memory.kernelTCP" },
	{ "l3-cache-schema", 0, OPT_TEXT, AT(l3), "Intel RDT's L3 cache", "intelRdt.l3CacheSchema" },
	{ "mem-bw-schema", 0, OPT_TEXT, AT(mem_bw), "Intel RDT's memory bandwidth", "intelRdt.memBwSchema" },
	{ "memory", 0, OPT_SWAP, AT(memory), "Limit of memory", "memory.limit" },
	{ "memory-reservation", 0, OPT_SWAP, AT(memory_reservation), "Soft limit of memory", "memory.reservation" },
	{ "memory-swap", 0, OPT_SWAP, AT(memory_swap), "Limit of memory and swap; -1: none", "memory.swap" },
	{ "pids-limit", 0, OPT_INT, AT(pids_limit), "Limit of processes", "pids.limit" },
	{ "resources", 'r', OPT_TEXT, AT(resources), "File with linux.resources as JSON; -: stdin", NULL },
	{ 0 },
};
static const struct option *const tables[] = { table, NULL };

static void add_flag(const struct update_options *o, const struct option *flag, cJSON *resources)
{
	const char *dot = flag->json ? strchr(flag->json, '.') : NULL;
	const void *at = (const char *)o + flag->offset;
	const char *text = flag->kind == OPT_TEXT ? *(const char *const *)at : NULL;
	const struct number *number = flag->kind == OPT_TEXT ? NULL : at;
	char object[32];

	if (!dot || !(text ? *text != '\0' : number && number->set))
		return;
	memcpy(object, flag->json, (size_t)(dot - flag->json));
	object[dot - flag->json] = '\0';
	if (text)
		doc_set_text(doc_object_at(resources, object), dot + 1, text);
	else
		doc_set_number(doc_object_at(resources, object), dot + 1, number->value);
}

/* NULL: told. */
static char *build(const struct call *call)
{
	const struct update_options *o = call->options;
	_cleanup_doc_ cJSON *resources = doc_object();
	char *text;

	if (o->resources) {
		text = oci_read_file(o->resources);
		if (!text)
			cli_fail(call, "open %s: %s", o->resources, strerror(errno));
		return text;
	}
	for (const struct option *flag = table; flag->name; flag++)
		add_flag(o, flag, resources);
	return doc_print(resources);
}

static int run_update(const struct call *call)
{
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_free_ char *resources = NULL;
	teu_runtime *rt = oci_runtime();

	if (!rt)
		return EXIT_FAILED;
	resources = build(call);
	if (!resources)
		return EXIT_FAILED;
	return teu_runtime_update(rt, call->args[0], resources, &err) < 0 ? cli_error(call, err) : 0;
}

const struct command command_update = {
	.operands = "ID",
	.summary = "Change the limits of a container",
	.run = run_update,
	.min = 1,
	.max = 1,
	.options = tables,
	.options_size = sizeof(struct update_options),
};

static int run_mounts(const struct call *call)
{
	const char *verb = call->args[0], *path = call->args[2];
	bool add = strcmp(verb, "add") == 0;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_free_ char *text = NULL;
	teu_runtime *rt;

	if (!add && strcmp(verb, "remove") != 0)
		return cli_usage(call->path, EXIT_FAILED, "unknown command %s: expected add or remove", verb);
	text = oci_read_file(path);
	if (!text)
		return cli_fail(call, "open %s: %s", path, strerror(errno));
	rt = oci_runtime();
	if (!rt)
		return EXIT_FAILED;
	return (add ? teu_runtime_mounts_add : teu_runtime_mounts_remove)(rt, call->args[1], text, &err) < 0
		       ? cli_error(call, err)
		       : 0;
}

/* crun's. */
const struct command command_mounts = {
	.operands = "add|remove ID FILE",
	.summary = "Add mounts to a container, or take them off",
	.run = run_mounts,
	.min = 3,
	.max = 3,
};
