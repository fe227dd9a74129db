/*
 * mounts: the spec's mounts, devices, masked and read-only paths as steps. Source: runtime-spec config.md "Mounts",
 * config-linux.md "Default Devices", "Masked Paths"; mount(8) for the options.
 */
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/path.h"
#include "sandbox/compile.h"

/* What a mount option means; what is not here is the filesystem's own. */
static const struct option {
	const char *name;
	uint64_t set, clear;  /* MOUNT_ATTR_… */
	uint64_t recursive;   /* MOUNT_ATTR_… of the whole tree */
	uint64_t propagation; /* MS_… */
	uint32_t flags;	      /* PLAN_MOUNT_… */
} options[] = {
	{ "defaults", 0, 0, 0, 0, 0 },
	{ "bind", 0, 0, 0, 0, 0 },
	{ "rbind", 0, 0, 0, 0, PLAN_MOUNT_RECURSIVE },
	{ "ro", MOUNT_ATTR_RDONLY, 0, 0, 0, 0 },
	{ "rw", 0, MOUNT_ATTR_RDONLY, 0, 0, 0 },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0, 0, 0, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID, 0, 0, 0 },
	{ "nodev", MOUNT_ATTR_NODEV, 0, 0, 0, 0 },
	{ "dev", 0, MOUNT_ATTR_NODEV, 0, 0, 0 },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0, 0, 0, 0 },
	{ "exec", 0, MOUNT_ATTR_NOEXEC, 0, 0, 0 },
	{ "noatime", MOUNT_ATTR_NOATIME, 0, 0, 0, 0 },
	{ "atime", 0, MOUNT_ATTR_NOATIME, 0, 0, 0 },
	{ "relatime", 0, MOUNT_ATTR__ATIME, 0, 0, 0 },
	{ "norelatime", 0, 0, 0, 0, 0 },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, 0, 0, 0, 0 },
	{ "nostrictatime", 0, MOUNT_ATTR_STRICTATIME, 0, 0, 0 },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0, 0, 0, 0 },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME, 0, 0, 0 },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, 0, 0, 0 },
	{ "symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW, 0, 0, 0 },
	{ "rro", 0, 0, MOUNT_ATTR_RDONLY, 0, 0 },
	{ "rnosuid", 0, 0, MOUNT_ATTR_NOSUID, 0, 0 },
	{ "rnodev", 0, 0, MOUNT_ATTR_NODEV, 0, 0 },
	{ "rnoexec", 0, 0, MOUNT_ATTR_NOEXEC, 0, 0 },
	{ "rnoatime", 0, 0, MOUNT_ATTR_NOATIME, 0, 0 },
	{ "rnosymfollow", 0, 0, MOUNT_ATTR_NOSYMFOLLOW, 0, 0 },
	{ "private", 0, 0, 0, MS_PRIVATE, 0 },
	{ "rprivate", 0, 0, 0, MS_REC | MS_PRIVATE, 0 },
	{ "slave", 0, 0, 0, MS_SLAVE, 0 },
	{ "rslave", 0, 0, 0, MS_REC | MS_SLAVE, 0 },
	{ "shared", 0, 0, 0, MS_SHARED, 0 },
	{ "rshared", 0, 0, 0, MS_REC | MS_SHARED, 0 },
	{ "unbindable", 0, 0, 0, MS_UNBINDABLE, 0 },
	{ "runbindable", 0, 0, 0, MS_REC | MS_UNBINDABLE, 0 },
	{ "tmpcopyup", 0, 0, 0, 0, PLAN_MOUNT_TMPCOPYUP },
	{ "copyup", 0, 0, 0, 0, PLAN_MOUNT_COPYUP },
};

/* One mount of the spec, its options sorted. */
struct mount_spec {
	const char *type, *source;
	char *destination; /* cleaned, owned */
	uint64_t attributes, recursive, propagation;
	uint32_t flags;
	struct strv own; /* options of the filesystem */
	bool bind;
};

static void mount_done(struct mount_spec *m)
{
	free(m->destination);
	strv_done(&m->own);
}

static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

bool mounts_know_option(const char *name)
{
	return find_option(name);
}

static void sort_options(const struct strv *all, struct mount_spec *m)
{
	strv_foreach (item, all) {
		const struct option *o = find_option(*item);

		/* An empty one would end the list. */
		if (!**item)
			continue;
		if (!o) {
			strv_add(&m->own, *item);
			continue;
		}
		if (o->set & MOUNT_ATTR__ATIME)
			m->attributes &= ~(uint64_t)MOUNT_ATTR__ATIME;
		m->attributes = (m->attributes & ~o->clear) | o->set;
		m->recursive |= o->recursive;
		m->propagation = o->propagation ? o->propagation : m->propagation;
		m->flags |= o->flags;
		m->bind |= strcmp(*item, "bind") == 0 || strcmp(*item, "rbind") == 0;
	}
}

static int read_mount(const json *v, const char *where, struct mount_spec *m, teu_error **err)
{
	_cleanup_(strv_done) struct strv all = STRV_INIT;
	const char *destination = NULL;
	int r = json_read_string(v, where, "destination", &destination, err);

	if (r == 0)
		r = json_read_string(v, where, "type", &m->type, err);
	if (r == 0)
		r = json_read_string(v, where, "source", &m->source, err);
	if (r == 0)
		r = json_read_strings(v, where, "options", &all, err);
	if (r < 0)
		return r;
	if (!destination || !*destination)
		return json_field_error(err, where, "destination", "is missing");
	m->destination = path_clean(destination);
	if (!m->destination)
		return err_oom(err);
	if (strcmp(m->destination, "/") == 0)
		return json_field_error(err, where, "destination", "must not be \"/\"");
	sort_options(&all, m);
	m->bind |= m->type && strcmp(m->type, "bind") == 0;
	if (m->bind && (!m->source || *m->source != '/'))
		return json_field_error(err, where, "source", "expected an absolute path");
	if (!m->bind && (!m->type || !*m->type))
		return json_field_error(err, where, "type", "is missing");
	return all.oom || m->own.oom ? err_oom(err) : 0;
}

/* "/sys/fs/cgroup/memory/teu/<id>" -> "memory": the name of the mount that the folder is on. */
static void add_controller(struct strv *list, const char *dir, const char *cgroup_path)
{
	size_t n = strlen(dir), tail = strlen(cgroup_path);
	const char *begin;

	if (n <= tail)
		return;
	n -= tail;
	for (begin = dir + n; begin > dir && begin[-1] != '/'; begin--)
		;
	strv_addf(list, "%.*s=%s", (int)(dir + n - begin), begin, dir);
}

static void add_cgroup_mount(const json *spec, const struct cgroup_plan *cgroup, const struct mount_spec *m,
			     const char *field, struct plan *p)
{
	_cleanup_(strv_done) struct strv list = STRV_INIT;
	const char *path = json_get_text(json_get(spec, "linux"), "cgroupsPath", "");
	plan_off from, to = plan_text_add(p, m->destination);
	struct plan_step *s;

	for (size_t i = 0; !cgroup->v2 && i < cgroup->dirs.n; i++)
		add_controller(&list, cgroup->dirs.items[i], path);
	from = cgroup->v2 ? plan_text_add(p, cgroup->dirs.items[0]) : plan_list_add(p, &list);
	s = plan_step(p, PLAN_FIRST, OP_CGROUP_MOUNT, field);
	s->t1 = from;
	s->t4 = to;
	s->n1 = m->attributes;
	s->n4 = cgroup->v2;
}

/* @place: that of an OP_BIND_SOURCE; -1: none. */
static void add_mount(const struct mount_spec *m, const char *field, int place, struct plan *p)
{
	plan_off type = plan_text_add(p, m->type), source = plan_text_add(p, m->source);
	plan_off own = plan_list_add(p, &m->own), to = plan_text_add(p, m->destination);
	struct plan_step *s = plan_step(p, PLAN_FIRST, m->bind ? OP_BIND : OP_MOUNT, field);

	s->t1 = m->bind ? source : type;
	s->t2 = m->bind ? (plan_off)(place + 1) : source;
	s->t3 = m->bind ? 0 : own;
	s->t4 = to;
	s->n1 = m->attributes;
	s->n2 = m->propagation ? m->propagation : m->bind ? MS_REC | MS_PRIVATE : 0;
	s->n3 = m->flags;
	s->n4 = m->recursive;
	/* The kernel's views of itself must be where they say (CVE-2019-19921). */
	if (!m->bind && (strcmp(m->type, "proc") == 0 || strcmp(m->type, "sysfs") == 0))
		s->n3 |= PLAN_MOUNT_NO_SYMLINK;
}

static bool has_user_namespace(const json *spec)
{
	return compile_namespaces(spec) & CLONE_NEWUSER;
}

int compile_sources(const json *spec, struct plan *p, teu_error **err)
{
	char where[32];
	size_t i = 0;
	int place = 0, r;

	json_foreach (v, json_get(spec, "mounts")) {
		_cleanup_(mount_done) struct mount_spec m = { 0 };
		struct plan_step *s;
		plan_off at;

		snprintf(where, sizeof(where), "mounts[%zu]", i++);
		r = read_mount(v, where, &m, err);
		if (r < 0)
			return r;
		if (!m.bind)
			continue;
		if (place == PLAN_MAX_SOURCES)
			return json_field_error(err, "", "mounts", "more than %d binds in a user namespace",
						PLAN_MAX_SOURCES);
		at = plan_text_add(p, m.source);
		s = plan_step(p, PLAN_FIRST, OP_BIND_SOURCE, where);
		s->t1 = at;
		s->n1 = (uint64_t)place++;
		s->n2 = m.flags & PLAN_MOUNT_RECURSIVE;
	}
	return 0;
}

/* Shared memory goes with the IPC namespace: the joined container's own, found in its mount namespace. */
static void add_shared_memory(const char *namespace, const struct mount_spec *m, const char *field, struct plan *p)
{
	plan_off at = plan_text_add(p, m->destination), from = plan_text_add(p, namespace);
	struct plan_step *s = plan_step(p, PLAN_FIRST, OP_BIND, field);

	s->t1 = s->t4 = at;
	s->t3 = from;
	s->n2 = MS_REC | MS_PRIVATE;
}

int compile_mounts(const json *spec, const struct cgroup_plan *cgroup, struct plan *p, teu_error **err)
{
	bool opened = has_user_namespace(spec);
	const char *shm = json_get_text(json_get(spec, "annotations"), "teu.shm", NULL);
	const json *list = NULL;
	char where[32];
	size_t i = 0;
	int place = 0, r = json_read_array(spec, "", "mounts", &list, err);

	if (r < 0)
		return r;
	json_foreach (v, list) {
		_cleanup_(mount_done) struct mount_spec m = { 0 };

		snprintf(where, sizeof(where), "mounts[%zu]", i++);
		r = read_mount(v, where, &m, err);
		if (r < 0)
			return r;
		if (m.type && !m.bind && strcmp(m.type, "cgroup") == 0) {
			if (cgroup && cgroup->dirs.n)
				add_cgroup_mount(spec, cgroup, &m, where, p);
			continue;
		}
		if (shm && !m.bind && strcmp(m.destination, "/dev/shm") == 0)
			add_shared_memory(shm, &m, where, p);
		else
			add_mount(&m, where, m.bind && opened ? place++ : -1, p);
	}
	return 0;
}

static void add_device(struct plan *p, const char *path, uint32_t mode, dev_t device, uint32_t uid, uint32_t gid)
{
	plan_off at = plan_text_add(p, path);
	struct plan_step *s = plan_step(p, PLAN_FIRST, OP_DEVICE, NULL);
	unsigned major_ = major(device), minor_ = minor(device);

	s->t4 = at;
	s->n1 = mode;
	/* The kernel's own packing of a device number, which is not the C library's. */
	s->n2 = (minor_ & 0xff) | (major_ << 8) | ((uint64_t)(minor_ & ~0xffu) << 12);
	s->n3 = uid | (uint64_t)gid << 32;
}

static void add_symlink(struct plan *p, const char *path, const char *target)
{
	plan_off to = plan_text_add(p, target), at = plan_text_add(p, path);
	struct plan_step *s = plan_step(p, PLAN_FIRST, OP_SYMLINK, NULL);

	s->t1 = to;
	s->t4 = at;
}

static bool bound_dev(const json *spec)
{
	json_foreach (m, json_get(spec, "mounts"))
		if (strcmp(json_get_text(m, "destination", ""), "/dev") == 0)
			return strcmp(json_get_text(m, "type", ""), "bind") == 0;
	return false;
}

static int read_device(const json *v, const char *where, struct plan *p, teu_error **err)
{
	const char *path = NULL, *type = NULL;
	int64_t major_ = 0, minor_ = 0, mode = 0666, uid = 0, gid = 0;
	const struct {
		const char *key;
		int64_t *to;
	} numbers[] = {
		{ "major", &major_ }, { "minor", &minor_ }, { "fileMode", &mode }, { "uid", &uid }, { "gid", &gid }
	};
	_cleanup_free_ char *clean = NULL;
	uint32_t kind;
	int r = json_read_string(v, where, "path", &path, err);

	if (r == 0)
		r = json_read_string(v, where, "type", &type, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(numbers); i++)
		r = json_read_int(v, where, numbers[i].key, numbers[i].to, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (*numbers[i].to < 0 || *numbers[i].to > UINT32_MAX)
			return json_field_error(err, where, numbers[i].key, "expected a number of 32 bits");
	if (!path || *path != '/')
		return json_field_error(err, where, "path", "expected an absolute path");
	if (!type || strlen(type) != 1 || !strchr("cubp", *type))
		return json_field_error(err, where, "type", "expected \"c\", \"b\", \"u\" or \"p\"");
	clean = path_clean(path);
	if (!clean)
		return err_oom(err);
	kind = *type == 'b' ? S_IFBLK : *type == 'p' ? S_IFIFO : S_IFCHR;
	add_device(p, clean, kind | ((uint32_t)mode & 07777), makedev((unsigned)major_, (unsigned)minor_),
		   (uint32_t)uid, (uint32_t)gid);
	return 0;
}

int compile_devices(const json *spec, struct plan *p, teu_error **err)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} always[] = { { "/dev/null", 1, 3 },	{ "/dev/zero", 1, 5 },	  { "/dev/full", 1, 7 },
		       { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 } };
	static const struct {
		const char *path, *target;
	} links[] = { { "/dev/fd", "/proc/self/fd" },	    { "/dev/stdin", "/proc/self/fd/0" },
		      { "/dev/stdout", "/proc/self/fd/1" }, { "/dev/stderr", "/proc/self/fd/2" },
		      { "/dev/core", "/proc/kcore" },	    { "/dev/ptmx", "pts/ptmx" } };
	const json *list = NULL;
	char where[32];
	size_t i = 0;
	int r = json_read_array(json_get(spec, "linux"), "linux", "devices", &list, err);

	if (r < 0)
		return r;
	if (!bound_dev(spec)) {
		for (size_t k = 0; k < ARRAY_SIZE(always); k++)
			add_device(p, always[k].path, S_IFCHR | 0666, makedev(always[k].major, always[k].minor), 0, 0);
		for (size_t k = 0; k < ARRAY_SIZE(links); k++)
			add_symlink(p, links[k].path, links[k].target);
	}
	json_foreach (v, list) {
		snprintf(where, sizeof(where), "linux.devices[%zu]", i++);
		r = read_device(v, where, p, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_paths(const json *lx, const char *key, enum plan_op op, struct plan *p, teu_error **err)
{
	_cleanup_(strv_done) struct strv paths = STRV_INIT;
	int r = json_read_strings(lx, "linux", key, &paths, err);

	if (r < 0)
		return r;
	strv_foreach (item, &paths) {
		plan_off at;

		if (**item != '/')
			return json_field_error(err, "linux", key, "\"%s\" is not absolute", *item);
		at = plan_text_add(p, *item);
		plan_step(p, PLAN_FIRST, op, NULL)->t4 = at;
	}
	return 0;
}

int compile_masks(const json *spec, struct plan *p, teu_error **err)
{
	const json *lx = json_get(spec, "linux");
	int r = add_paths(lx, "maskedPaths", OP_MASK, p, err);

	return r < 0 ? r : add_paths(lx, "readonlyPaths", OP_READONLY, p, err);
}
