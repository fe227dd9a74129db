/*
 * cgroup_detail: what a cgroup's files tell beyond cgroup_read_stats(), in the words of runc's event "stats", as only
 * who knows those asks for it. Source: kernel documentation, admin-guide/cgroup-v1/{cpuacct,cpusets,memory,
 * blkio-controller}.rst, admin-guide/cgroup-v2.rst "IO Interface Files".
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/cgroup_impl.h"

enum { MAX_CPUS = 1 << 16 };

/* "1234 5678 ": nanoseconds a CPU. */
static bool add_cpus(const char *dir, json *to)
{
	_cleanup_free_ char *text = cgroup_read_long(dir, "cpuacct.usage_percpu");
	json *list = text ? json_add_array(to, "percpu") : NULL;
	char *end;

	for (char *at = text; at; at = end) {
		int64_t n = strtoll(at, &end, 10);

		if (end == at)
			break;
		if (!json_append(list, json_int(n)))
			return false;
	}
	return true;
}

/* A line "cpu user system", and one a CPU. */
static bool add_cpu_modes(const char *dir, json *to)
{
	_cleanup_free_ char *text = cgroup_read_long(dir, "cpuacct.usage_all");
	json *kernel, *user;
	int64_t used, system;
	char *save = NULL;

	if (!text || !strtok_r(text, "\n", &save))
		return true;
	kernel = json_add_array(to, "percpu_kernel");
	user = json_add_array(to, "percpu_user");
	for (char *line; (line = strtok_r(NULL, "\n", &save));)
		if (sscanf(line, "%*d %" SCNd64 " %" SCNd64, &used, &system) == 2 &&
		    (!json_append(kernel, json_int(system)) || !json_append(user, json_int(used))))
			return false;
	return kernel && user;
}

/* "0-1,4" as numbers. */
static bool add_set(const char *dir, const char *file, json *to, const char *key)
{
	char text[1024], *end;
	json *list = cgroup_read_text(dir, file, text, sizeof(text)) ? json_add_array(to, key) : NULL;

	for (char *at = text; list; at = end + 1) {
		long first = strtol(at, &end, 10), last = *end == '-' ? strtol(end + 1, &end, 10) : first;

		if (end == at)
			break;
		for (long n = first; n <= last && n < MAX_CPUS; n++)
			if (!json_append(list, json_int(n)))
				return false;
		if (*end != ',')
			break;
	}
	return true;
}

static bool add_cpuset(const char *dir, json *to)
{
	static const char *const numbers[] = { "cpu_exclusive",	  "mem_hardwall",	"mem_exclusive",
					       "memory_migrate",  "memory_spread_page", "memory_spread_slab",
					       "memory_pressure", "sched_load_balance", "sched_relax_domain_level" };
	char file[64];
	int64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		snprintf(file, sizeof(file), "cpuset.%s", numbers[i]);
		if (cgroup_read_number(dir, file, &n) && !json_add_int(to, numbers[i], n))
			return false;
	}
	return add_set(dir, "cpuset.cpus", to, "cpus") && add_set(dir, "cpuset.mems", to, "mems");
}

/* Swap is counted with the memory. */
static bool add_memory(const char *dir, json *to)
{
	static const char *const kinds[][2] = { { "memsw", "swap" },
						{ "kmem", "kernel" },
						{ "kmem.tcp", "kernelTCP" } };
	static const char *const files[][2] = { { "limit_in_bytes", "limit" },
						{ "usage_in_bytes", "usage" },
						{ "max_usage_in_bytes", "max" },
						{ "failcnt", "failcnt" } };
	char file[64];
	int64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) * ARRAY_SIZE(files); i++) {
		const char *const *kind = kinds[i / ARRAY_SIZE(files)], *const *what = files[i % ARRAY_SIZE(files)];

		snprintf(file, sizeof(file), "memory.%s.%s", kind[0], what[0]);
		if (cgroup_read_number(dir, file, &n) && !json_add_int(cgroup_member(to, kind[1]), what[1], n))
			return false;
	}
	return true;
}

static bool add_io_entry(json *to, const char *key, int64_t major, int64_t minor, const char *op, int64_t value)
{
	json *list = json_get_mutable(to, key), *entry = json_append_object(list ? list : json_add_array(to, key));

	return json_add_int(entry, "major", major) && json_add_int(entry, "minor", minor) &&
	       json_add_string(entry, "op", op) && json_add_int(entry, "value", value);
}

static const char bytes_key[] = "ioServiceBytesRecursive", times_key[] = "ioServicedRecursive";

/* "8:0 Read 4096" */
static bool add_io_v1(const char *dir, const char *file, const char *key, json *to)
{
	_cleanup_free_ char *text = cgroup_read_long(dir, file);
	int64_t major, minor, value;
	char *save = NULL, op[16];

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%" SCNd64 ":%" SCNd64 " %15s %" SCNd64, &major, &minor, op, &value) == 4 &&
		    !add_io_entry(to, key, major, minor, op, value))
			return false;
	return true;
}

/* "8:0 rbytes=4096 wbytes=0 rios=1 …" */
static bool add_io_v2(const char *dir, json *to)
{
	static const struct {
		const char *word, *op, *key;
	} words[] = { { " rbytes=", "Read", bytes_key },    { " wbytes=", "Write", bytes_key },
		      { " dbytes=", "Discard", bytes_key }, { " rios=", "Read", times_key },
		      { " wios=", "Write", times_key },	    { " dios=", "Discard", times_key } };
	_cleanup_free_ char *text = cgroup_read_long(dir, "io.stat");
	int64_t major, minor;
	char *save = NULL;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		for (size_t i = 0; i < ARRAY_SIZE(words) && sscanf(line, "%" SCNd64 ":%" SCNd64, &major, &minor) == 2;
		     i++) {
			const char *at = strstr(line, words[i].word);

			if (at && !add_io_entry(to, words[i].key, major, minor, words[i].op,
						strtoll(at + strlen(words[i].word), NULL, 10)))
				return false;
		}
	return true;
}

static bool add_v1(const teu_cgroup *g, json *to)
{
	json *usage = json_add_object(to, "usage"), *io = json_add_object(to, "blkio");
	const char *cpu = g->dirs[CG_CPUACCT], *set = g->dirs[CG_CPUSET], *block = g->dirs[CG_BLKIO];

	return usage && io && (!cpu || (add_cpus(cpu, usage) && add_cpu_modes(cpu, usage))) &&
	       (!set || add_cpuset(set, json_add_object(to, "cpuset"))) &&
	       (!g->dirs[CG_MEMORY] || add_memory(g->dirs[CG_MEMORY], json_add_object(to, "memory"))) &&
	       (!block || (add_io_v1(block, "blkio.throttle.io_service_bytes_recursive", bytes_key, io) &&
			   add_io_v1(block, "blkio.throttle.io_serviced_recursive", times_key, io)));
}

int cgroup_read_detail(const teu_cgroup *g, json **ret, teu_error **err)
{
	_cleanup_json_ json *to = json_object();

	if (!to || !(g->m->v2 ? add_io_v2(g->main_dir, json_add_object(to, "blkio")) : add_v1(g, to)))
		return err_oom(err);
	*ret = TAKE_PTR(to);
	return 0;
}
