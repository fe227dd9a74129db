/*
 * cgroup_hugetlb: the huge pages that a cgroup has in use, page size by page size. Source: kernel documentation,
 * admin-guide/cgroup-v1/hugetlb.rst, admin-guide/cgroup-v2.rst "HugeTLB"; the machine's sizes: admin-guide/mm/
 * hugetlbpage.rst.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/cgroup_impl.h"

enum { NAME_MAX_LEN = 32 };

/* "hugepages-2048kB" as the files of cgroups have it: "2MB". */
static bool page_size(const char *folder, char name[NAME_MAX_LEN])
{
	static const char units[] = "KMG";
	size_t unit = 0;
	uint64_t n;

	if (sscanf(folder, "hugepages-%" SCNu64 "kB", &n) != 1 || n == 0)
		return false;
	for (; n % 1024 == 0 && unit + 1 < strlen(units); n /= 1024)
		unit++;
	snprintf(name, NAME_MAX_LEN, "%" PRIu64 "%cB", n, units[unit]);
	return true;
}

static bool read_file(const char *dir, const char *size, const char *what, int64_t *ret)
{
	char file[2 * NAME_MAX_LEN];

	snprintf(file, sizeof(file), "hugetlb.%s.%s", size, what);
	return cgroup_read_number(dir, file, ret);
}

/* Counted from the reservation on, as it is limited, where the kernel (since 5.7) does so. */
static bool add_v1(const char *dir, const char *size, json *to)
{
	bool reserved = read_file(dir, size, "rsvd.usage_in_bytes", &(int64_t){ 0 });
	const char *const files[] = { reserved ? "rsvd.usage_in_bytes" : "usage_in_bytes",
				      reserved ? "rsvd.max_usage_in_bytes" : "max_usage_in_bytes",
				      reserved ? "rsvd.failcnt" : "failcnt" };
	static const char *const keys[] = { "usage", "max", "failcnt" };
	bool ok = true;
	int64_t n;

	for (size_t i = 0; ok && i < ARRAY_SIZE(files); i++)
		if (read_file(dir, size, files[i], &n))
			ok = json_add_int(to, keys[i], n);
	return ok;
}

static bool add_v2(const char *dir, const char *size, json *to)
{
	char events[2 * NAME_MAX_LEN];
	bool ok = true;
	int64_t n;

	if (read_file(dir, size, "rsvd.current", &n) || read_file(dir, size, "current", &n))
		ok = json_add_int(to, "usage", n);
	snprintf(events, sizeof(events), "hugetlb.%s.events", size);
	if (ok && cgroup_read_key(dir, events, "max", &n))
		ok = json_add_int(to, "failcnt", n);
	return ok;
}

static bool add_size(const teu_cgroup *g, const char *dir, const char *size, json *to)
{
	char file[2 * NAME_MAX_LEN];

	snprintf(file, sizeof(file), "hugetlb.%s.%s", size, g->m->v2 ? "current" : "usage_in_bytes");
	if (!cgroup_has_file(dir, file))
		return true;
	return (g->m->v2 ? add_v2 : add_v1)(dir, size, json_add_object(to, size));
}

int cgroup_hugetlb_stats(const teu_cgroup *g, json *to)
{
	const char *dir = g->m->v2 ? g->main_dir : g->dirs[CG_HUGETLB];
	_cleanup_closedir_ DIR *sizes = dir ? opendir("/sys/kernel/mm/hugepages") : NULL;
	bool ok = to != NULL;
	struct dirent *e;

	while (ok && sizes && (e = readdir(sizes))) {
		char size[NAME_MAX_LEN];

		if (page_size(e->d_name, size))
			ok = add_size(g, dir, size, to);
	}
	return ok ? 0 : -ENOMEM;
}
