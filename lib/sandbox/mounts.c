/*
 * mounts: the spec's mounts, devices, masked and read-only paths as steps. Source: runtime-spec config.md "Mounts",
 * config-linux.md "Default Devices", "Masked Paths".
 */
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/path.h"
#include "sandbox/compile.h"
#include "sandbox/mount_spec.h"

/* "/sys/fs/cgroup/memory/teu/<id>" -> "memory": the name of the mount that the folder is on. */
static void add_controller(struct strv *list, const char *dir, const char *cgroup_path)
{
	static const char usual[] = "/sys/fs/cgroup/";
	size_t n = strlen(dir), tail = strlen(cgroup_path);
	const char *begin;

	if (strncmp(dir, usual, strlen(usual)) == 0) {
		begin = dir + strlen(usual);
		strv_addf(list, "%.*s=%s", (int)strcspn(begin, "/"), begin, dir);
		return;
	}
	if (n <= tail)
		return;
	n -= tail;
	for (begin = dir + n; begin > dir && begin[-1] != '/'; begin--)
		;
	strv_addf(list, "%.*s=%s", (int)(dir + n - begin), begin, dir);
}

/*
 * As runc and crun: v2 shows a process without a cgroup namespace the paths from the hierarchy's top, so that is what
 * has to be mounted. Not in a user namespace: whose root has no right to that mount gets his own group.
 */
size_t compile_cgroup_shown(const json *spec, const char *dir, const char *cgroup_path)
{
	size_t n = strlen(dir), tail = strlen(cgroup_path);
	bool own = compile_has_cgroups(spec) || compile_in_user_namespace(spec);

	return own || n <= tail || strcmp(dir + n - tail, cgroup_path) != 0 ? n : n - tail;
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
	if (cgroup->v2) {
		const char *dir = cgroup->dirs.items[0];

		strv_addf(&list, "%.*s", (int)compile_cgroup_shown(spec, dir, path), dir);
	}
	from = plan_list_add(p, &list);
	s = plan_step(p, PLAN_FIRST, OP_CGROUP_MOUNT, field);
	s->t1 = from;
	s->t4 = to;
	s->n1 = m->own_mount.set;
	/* CVE-2023-25809: without a cgroup namespace what an ordinary user may write there is not the container's
	 * alone. */
	if (compile_in_user_namespace(spec) && !compile_has_cgroups(spec))
		s->n1 |= MOUNT_ATTR_RDONLY;
	s->n4 = cgroup->v2;
}

/* What further mounts and nodes may be made in is read-only when they are there. */
static uint32_t late(const struct mount_spec *m)
{
	bool filled = !m->bind && (strcmp(m->type, "tmpfs") == 0 || strcmp(m->destination, "/dev") == 0);

	return filled ? m->own_mount.set & MOUNT_ATTR_RDONLY : 0;
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
	s->n1 = m->bind ? mount_change_pack(m->own_mount) : m->own_mount.set & ~late(m);
	s->n2 = m->propagation ? m->propagation : m->bind ? MS_REC | MS_PRIVATE : 0;
	s->n3 = m->flags;
	s->n4 = mount_change_pack_tree(m->tree);
	if (!m->bind && strcmp(m->type, "tmpfs") == 0 && !mount_spec_has(m, "mode="))
		s->n3 |= PLAN_MOUNT_INHERIT_MODE;
	/* The kernel's views of itself must be where they say (CVE-2019-19921). */
	if (!m->bind && (strcmp(m->type, "proc") == 0 || strcmp(m->type, "sysfs") == 0))
		s->n3 |= PLAN_MOUNT_NO_SYMLINK;
}

/* How a bind comes by its source. */
enum source { SOURCE_HERE, SOURCE_EARLY, SOURCE_FETCHED };

static enum source source_of(const json *spec, const struct mount_spec *m)
{
	const char *root = json_get_text(json_get(spec, "root"), "path", "/");

	if (m->flags & PLAN_MOUNT_IDMAP)
		return SOURCE_FETCHED;
	if (!compile_in_user_namespace(spec))
		return SOURCE_HERE;
	/* What is in the rootfs may be there only when the mounts before it are. */
	return path_is_below(m->source, root) ? SOURCE_FETCHED : SOURCE_EARLY;
}

static int check_place(int place, teu_error **err)
{
	return place < PLAN_MAX_SOURCES ? 0
					: json_field_error(err, "", "mounts", "more than %d binds in a user namespace",
							   PLAN_MAX_SOURCES);
}

int compile_sources(const json *spec, struct plan *p, teu_error **err)
{
	char where[32];
	size_t i = 0;
	int place = 0, r;

	json_foreach (v, json_get(spec, "mounts")) {
		_cleanup_(mount_spec_done) struct mount_spec m = { 0 };
		struct plan_step *s;
		plan_off at;

		snprintf(where, sizeof(where), "mounts[%zu]", i++);
		r = mount_spec_read(v, where, &m, err);
		if (r == 0)
			r = check_place(place, err);
		if (r < 0)
			return r;
		if (!m.bind)
			continue;
		if (source_of(spec, &m) == SOURCE_EARLY) {
			at = plan_text_add(p, m.source);
			s = plan_step(p, PLAN_FIRST, OP_BIND_SOURCE, where);
			s->t1 = at;
			s->n1 = (uint64_t)place;
			s->n2 = m.flags & PLAN_MOUNT_RECURSIVE;
		}
		place++;
	}
	return 0;
}

static int add_map(const json *list, const char *where, const char *key, struct plan *p, plan_off *ret, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	char place[64];
	int r;

	snprintf(place, sizeof(place), "%s.%s", where, key);
	r = compile_id_ranges(list, place, &text, err);
	*ret = r == 0 && text.len ? plan_text_add(p, text.text) : 0;
	return r;
}

static int add_fetch(const struct mount_spec *m, const char *where, int place, struct plan *p, teu_error **err)
{
	plan_off source = plan_text_add(p, m->source), uids, gids;
	struct plan_step *s;
	int r = check_place(place, err);

	if (r == 0)
		r = add_map(m->uids, where, "uidMappings", p, &uids, err);
	if (r == 0)
		r = add_map(m->gids, where, "gidMappings", p, &gids, err);
	if (r < 0)
		return r;
	if (!uids != !gids)
		return json_field_error(err, where, uids ? "gidMappings" : "uidMappings", "is missing");
	s = plan_step(p, PLAN_FIRST, OP_FETCH_SOURCE, where);
	s->t1 = source;
	s->t2 = uids;
	s->t3 = gids;
	s->n1 = (uint64_t)place;
	s->n2 = m->flags;
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

static int add_bind(const json *spec, const struct mount_spec *m, const char *where, int place, struct plan *p,
		    teu_error **err)
{
	enum source source = source_of(spec, m);
	int r = source == SOURCE_FETCHED ? add_fetch(m, where, place, p, err) : 0;

	if (r == 0)
		add_mount(m, where, source == SOURCE_HERE ? -1 : place, p);
	return r;
}

/* SELinux: files of filesystems without labels of their own. Those of procfs and sysfs are the policy's; mqueue takes
 * no option. */
static void add_context(const char *label, struct mount_spec *m)
{
	static const char *const fixed[] = { "proc", "sysfs", "mqueue" };

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (strcmp(m->type, fixed[i]) == 0)
			return;
	if (!mount_spec_has(m, "context="))
		strv_addf(&m->own, "context=%s", label);
}

int compile_mounts(const struct launch *l, struct plan *p, teu_error **err)
{
	const struct cgroup_plan *cgroup = l->cgroup_seen ? l->cgroup_seen : l->cgroup;
	const json *spec = l->spec;
	const char *shm = json_get_text(json_get(spec, "annotations"), "teu.shm", NULL);
	const json *list = NULL;
	char where[32];
	size_t i = 0;
	int place = 0, r = json_read_array(spec, "", "mounts", &list, err);

	if (r < 0)
		return r;
	json_foreach (v, list) {
		_cleanup_(mount_spec_done) struct mount_spec m = { 0 };

		snprintf(where, sizeof(where), "mounts[%zu]", i++);
		r = mount_spec_read(v, where, &m, err);
		if (r < 0)
			return r;
		if (m.type && !m.bind && strcmp(m.type, "cgroup") == 0) {
			if (cgroup && cgroup->dirs.n)
				add_cgroup_mount(spec, cgroup, &m, where, p);
			continue;
		}
		if (l->mount_label && !m.bind)
			add_context(l->mount_label, &m);
		if (shm && !m.bind && strcmp(m.destination, "/dev/shm") == 0)
			add_shared_memory(shm, &m, where, p);
		else if (m.bind)
			r = add_bind(spec, &m, where, place++, p, err);
		else
			add_mount(&m, where, -1, p);
		if (r < 0)
			return r;
	}
	return 0;
}

/* On the host, before the container's namespaces are entered: its own folders are none of the container's business. */
static int add_change_source(const struct mount_spec *m, const char *where, int place, struct plan *p, teu_error **err)
{
	plan_off at;
	struct plan_step *s;
	int r;

	if (m->flags & PLAN_MOUNT_IDMAP) {
		if (!json_count(m->uids))
			return json_field_error(err, where, "uidMappings", "is missing");
		return add_fetch(m, where, place, p, err);
	}
	r = check_place(place, err);
	if (r < 0)
		return r;
	at = plan_text_add(p, m->source);
	s = plan_step(p, PLAN_FIRST, OP_BIND_SOURCE, where);
	s->t1 = at;
	s->n1 = (uint64_t)place;
	s->n2 = m->flags & PLAN_MOUNT_RECURSIVE;
	return 0;
}

static int add_change(const struct mount_spec *m, const char *where, int place, struct plan *p, teu_error **err)
{
	if (!m->bind && strcmp(m->type, "cgroup") == 0)
		return json_field_error(err, where, "type", "cgroup can be mounted at create only");
	add_mount(m, where, m->bind ? place : -1, p);
	return 0;
}

enum part { PART_SOURCES, PART_MOUNTS, PART_REMOVALS };

static int add_changes(const json *mounts, enum part part, struct plan *p, teu_error **err)
{
	char where[32];
	size_t i = 0;
	int place = 0, r = 0;

	json_foreach (v, mounts) {
		_cleanup_(mount_spec_done) struct mount_spec m = { 0 };
		plan_off at;

		snprintf(where, sizeof(where), "mounts[%zu]", i++);
		r = mount_spec_read(v, where, &m, err);
		if (r < 0)
			return r;
		if (part == PART_REMOVALS) {
			at = plan_text_add(p, m.destination);
			plan_step(p, PLAN_FIRST, OP_UNMOUNT, where)->t4 = at;
		} else if (part == PART_MOUNTS) {
			r = add_change(&m, where, place, p, err);
		} else if (m.bind) {
			r = add_change_source(&m, where, place, p, err);
		}
		if (r < 0)
			return r;
		place += m.bind;
	}
	return 0;
}

int compile_mount_changes(const json *mounts, struct plan *p, teu_error **err)
{
	return add_changes(mounts, PART_MOUNTS, p, err);
}

int compile_mount_sources(const json *mounts, struct plan *p, teu_error **err)
{
	return add_changes(mounts, PART_SOURCES, p, err);
}

int compile_mount_removals(const json *mounts, struct plan *p, teu_error **err)
{
	return add_changes(mounts, PART_REMOVALS, p, err);
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

/* Is the host's /dev bound to the container's? Then the nodes are there, and the host's. */
static int bound_dev(const json *spec, bool *ret, teu_error **err)
{
	*ret = false;
	json_foreach (v, json_get(spec, "mounts")) {
		_cleanup_(mount_spec_done) struct mount_spec m = { 0 };
		int r = mount_spec_read(v, "mounts", &m, err);

		if (r < 0)
			return r;
		if (strcmp(m.destination, "/dev") == 0)
			*ret = m.bind;
	}
	return 0;
}

static int read_device(const json *v, const char *where, bool bound, struct plan *p, teu_error **err)
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
	/* A link to that of the container's own devpts stands there. */
	if (bound || strcmp(clean, "/dev/ptmx") == 0)
		return 0;
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
	bool bound = false;
	size_t i = 0;
	int r = json_read_array(json_get(spec, "linux"), "linux", "devices", &list, err);

	if (r == 0)
		r = bound_dev(spec, &bound, err);
	if (r < 0)
		return r;
	if (!bound) {
		for (size_t k = 0; k < ARRAY_SIZE(always); k++)
			add_device(p, always[k].path, S_IFCHR | 0666, makedev(always[k].major, always[k].minor), 0, 0);
		for (size_t k = 0; k < ARRAY_SIZE(links); k++)
			add_symlink(p, links[k].path, links[k].target);
	}
	json_foreach (v, list) {
		snprintf(where, sizeof(where), "linux.devices[%zu]", i++);
		r = read_device(v, where, bound, p, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_paths(const json *lx, const char *key, enum plan_op op, struct plan *p, teu_error **err)
{
	_cleanup_(strv_done) struct strv paths = STRV_INIT, seen = STRV_INIT;
	int r = json_read_strings(lx, "linux", key, &paths, err);

	if (r < 0)
		return r;
	strv_foreach (item, &paths) {
		plan_off at;

		if (**item != '/')
			return json_field_error(err, "linux", key, "\"%s\" is not absolute", *item);
		if (strv_has(&seen, *item))
			continue;
		strv_add(&seen, *item);
		at = plan_text_add(p, *item);
		plan_step(p, PLAN_FIRST, op, NULL)->t4 = at;
	}
	return 0;
}

int compile_late_mounts(const json *spec, struct plan *p, teu_error **err)
{
	char where[32];
	size_t i = 0;

	json_foreach (v, json_get(spec, "mounts")) {
		_cleanup_(mount_spec_done) struct mount_spec m = { 0 };
		int r;

		snprintf(where, sizeof(where), "mounts[%zu]", i++);
		r = mount_spec_read(v, where, &m, err);
		if (r < 0)
			return r;
		if (late(&m)) {
			plan_off at = plan_text_add(p, m.destination);

			plan_step(p, PLAN_FIRST, OP_LATE_READONLY, where)->t4 = at;
		}
	}
	return 0;
}

int compile_masks(const json *spec, struct plan *p, teu_error **err)
{
	const json *lx = json_get(spec, "linux");
	int r = add_paths(lx, "maskedPaths", OP_MASK, p, err);

	return r < 0 ? r : add_paths(lx, "readonlyPaths", OP_READONLY, p, err);
}
