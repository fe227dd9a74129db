/* cgroup_machine: which cgroup hierarchies are mounted, and what each controls. Source: cgroups(7), proc(5) mountinfo,
 * proc_cgroups(5).
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "kernel/cgroup_impl.h"

enum { MAX_MOUNTINFO = 64 << 20, MAX_FILE = 1 << 20 };

static const char *const names[CG_N] = {
	[CG_MEMORY] = "memory",	  [CG_CPU] = "cpu",	    [CG_CPUACCT] = "cpuacct",	   [CG_PIDS] = "pids",
	[CG_DEVICES] = "devices", [CG_FREEZER] = "freezer", [CG_CPUSET] = "cpuset",	   [CG_BLKIO] = "blkio",
	[CG_HUGETLB] = "hugetlb", [CG_NET_CLS] = "net_cls", [CG_NET_PRIO] = "net_prio",	   [CG_RDMA] = "rdma",
	[CG_PERF] = "perf_event", [CG_MISC] = "misc",	    [CG_SYSTEMD] = "name=systemd", [CG_UNIFIED] = "(unified)",
};

const char *cgroup_controller_name(enum cgroup_controller c, bool v2)
{
	return v2 && c == CG_BLKIO ? "io" : names[c];
}

/* mountinfo writes blanks and backslashes in paths as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* Is @word one of those in @list, which @separators part? */
static bool lists(const char *list, const char *separators, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		size_t part = strcspn(list, separators);

		if (part == len && memcmp(list, word, len) == 0)
			return true;
		list += part;
		list += *list != '\0';
	}
	return false;
}

static bool take_v1(struct cgroup_machine *m, const char *mount, const char *options)
{
	bool ok = true;

	for (int c = 0; ok && c < CG_N; c++) {
		if (m->mounts[c] || !lists(options, ",", names[c]))
			continue;
		m->mounts[c] = strdup(mount);
		ok = m->mounts[c] != NULL;
	}
	return ok;
}

/* "36 35 98:0 /root /mount/point rw,noatime shared:1 - type source options" */
static bool take_line(struct cgroup_machine *m, char *line)
{
	char *tail = strstr(line, " - cgroup"), *mount, *save = NULL, *type, *options;

	if (!tail)
		return true;
	*tail = '\0';
	mount = strtok_r(line, " ", &save);
	for (int i = 0; mount && i < 4; i++)
		mount = strtok_r(NULL, " ", &save);
	type = strtok_r(tail + 3, " ", &save);
	strtok_r(NULL, " ", &save);
	options = strtok_r(NULL, " ", &save);
	if (!mount || !type || !options)
		return true;
	unescape(mount);
	if (strcmp(type, "cgroup") == 0)
		return take_v1(m, mount, options);
	if (strcmp(type, "cgroup2") == 0 && !m->root)
		return (m->root = strdup(mount)) != NULL;
	return true;
}

static bool has_v1(const struct cgroup_machine *m)
{
	for (int c = 0; c < CG_LIMITS; c++)
		if (m->mounts[c])
			return true;
	return false;
}

static void read_available(struct cgroup_machine *m)
{
	char text[1024];

	if (!cgroup_read_text(m->root, "cgroup.controllers", text, sizeof(text)))
		return;
	for (int c = 0; c < CG_N; c++)
		if (lists(text, " \n", cgroup_controller_name(c, true)))
			m->available |= 1U << c;
}

int cgroup_machine_read(const char *mountinfo, struct cgroup_machine *ret, teu_error **err)
{
	_cleanup_(cgroup_machine_done) struct cgroup_machine m = { 0 };
	_cleanup_free_ char *text = NULL;
	char *save = NULL;
	int r = fd_read_file(AT_FDCWD, mountinfo, MAX_MOUNTINFO, &text, NULL, err);

	if (r < 0)
		return r;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!take_line(&m, line))
			return err_oom(err);
	if (!has_v1(&m) && !m.root)
		return err_set(err, TEU_E_UNSUPPORTED,
			       "no cgroup filesystem is mounted: mount -t cgroup2 cgroup2 /sys/fs/cgroup gives one");
	m.v2 = !has_v1(&m);
	if (m.v2)
		read_available(&m);
	else if (m.root && !(m.mounts[CG_UNIFIED] = strdup(m.root)))
		return err_oom(err);
	*ret = m;
	m = (struct cgroup_machine){ 0 };
	return 0;
}

void cgroup_machine_done(struct cgroup_machine *m)
{
	for (int c = 0; c < CG_N; c++)
		free(m->mounts[c]);
	free(m->root);
	*m = (struct cgroup_machine){ 0 };
}

static bool is_mounted(const char *path, unsigned long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

/* False: it may be anywhere. */
static bool take_place(struct cgroup_machine *m, enum cgroup_controller c)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", names[c]);
	if (!is_mounted(path, CGROUP_SUPER_MAGIC))
		return false;
	m->mounts[c] = strdup(path);
	return m->mounts[c] != NULL;
}

static bool take_root(struct cgroup_machine *m)
{
	static const char root[] = "/sys/fs/cgroup";

	if (!is_mounted(root, CGROUP2_SUPER_MAGIC) || !(m->root = strdup(root)))
		return false;
	m->v2 = true;
	read_available(m);
	return true;
}

/* The hierarchies without a controller have no line in /proc/cgroups. */
static bool take_others(struct cgroup_machine *m)
{
	static const char unified[] = "/sys/fs/cgroup/unified", systemd[] = "/sys/fs/cgroup/systemd";

	if (is_mounted(systemd, CGROUP_SUPER_MAGIC) && !(m->mounts[CG_SYSTEMD] = strdup(systemd)))
		return false;
	return !is_mounted(unified, CGROUP2_SUPER_MAGIC) || (m->mounts[CG_UNIFIED] = strdup(unified));
}

/* @text: /proc/cgroups, in each line a controller and the number of its v1 hierarchy, 0 without one. */
static bool take_places(struct cgroup_machine *m, char *text)
{
	char name[64], *save = NULL;
	unsigned hierarchy, seen = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%63s %u", name, &hierarchy) != 2 || !hierarchy)
			continue;
		for (int c = 0; c < CG_N; c++) {
			if (strcmp(names[c], name) != 0)
				continue;
			if (hierarchy >= 32 || seen & 1U << hierarchy || !take_place(m, c))
				return false;
			seen |= 1U << hierarchy;
		}
	}
	return has_v1(m) && take_others(m);
}

/* Every container of the machine adds to the mounts, so they are only walked when not all is where everybody has it:
 * v2 as a whole, or each controller in a hierarchy of its own. */
static int ask(struct cgroup_machine *ret, teu_error **err)
{
	_cleanup_(cgroup_machine_done) struct cgroup_machine m = { 0 };
	_cleanup_free_ char *text = NULL;

	if (!take_root(&m) &&
	    (fd_read_file(AT_FDCWD, "/proc/cgroups", MAX_FILE, &text, NULL, NULL) < 0 || !take_places(&m, text)))
		return cgroup_machine_read("/proc/self/mountinfo", ret, err);
	*ret = m;
	m = (struct cgroup_machine){ 0 };
	return 0;
}

int cgroup_machine_get(const struct cgroup_machine **ret, teu_error **err)
{
	static _Atomic(struct cgroup_machine *) asked;
	struct cgroup_machine *mine, *theirs = NULL;
	int r;

	*ret = atomic_load(&asked);
	if (*ret)
		return 0;
	mine = calloc(1, sizeof(*mine));
	if (!mine)
		return err_oom(err);
	r = ask(mine, err);
	if (r < 0) {
		free(mine);
		return r;
	}
	if (!atomic_compare_exchange_strong(&asked, &theirs, mine)) {
		cgroup_machine_done(mine);
		free(mine);
		mine = theirs;
	}
	*ret = mine;
	return 0;
}

bool cgroup_is_v2(void)
{
	const struct cgroup_machine *m;

	return cgroup_machine_get(&m, NULL) == 0 && m->v2;
}

static int open_file(const char *dir, const char *file)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, file) >= sizeof(path))
		return -ENAMETOOLONG;
	return open(path, O_RDONLY | O_CLOEXEC);
}

bool cgroup_has_file(const char *dir, const char *file)
{
	char path[4096];

	return (size_t)snprintf(path, sizeof(path), "%s/%s", dir, file) < sizeof(path) && access(path, F_OK) == 0;
}

bool cgroup_read_text(const char *dir, const char *file, char *text, size_t size)
{
	_cleanup_close_ int fd = open_file(dir, file);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, size - 1);

	if (n < 0)
		return false;
	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	return true;
}

char *cgroup_read_long(const char *dir, const char *file)
{
	_cleanup_close_ int fd = open_file(dir, file);
	char *text = NULL;

	if (fd < 0 || fd_read_rest(fd, file, MAX_FILE, &text, NULL, NULL) < 0)
		return NULL;
	return text;
}

bool cgroup_read_number(const char *dir, const char *file, int64_t *ret)
{
	char text[64], *end;

	if (!cgroup_read_text(dir, file, text, sizeof(text)))
		return false;
	if (strcmp(text, "max") == 0) {
		*ret = -1;
		return true;
	}
	*ret = strtoll(text, &end, 10);
	return end != text && *end == '\0';
}

bool cgroup_read_key(const char *dir, const char *file, const char *key, int64_t *ret)
{
	_cleanup_free_ char *text = cgroup_read_long(dir, file);
	size_t len = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, key, len) != 0 || line[len] != ' ')
			continue;
		*ret = strtoll(line + len + 1, NULL, 10);
		return true;
	}
	return false;
}

json *cgroup_member(json *to, const char *key)
{
	json *object = json_get_mutable(to, key);

	return object ? object : json_add_object(to, key);
}
