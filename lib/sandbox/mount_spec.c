/*
 * mount_spec: a mount as the spec has it, its options sorted. Source: runtime-spec config.md "Mounts"; mount(8) for the
 * options.
 */
#include "sandbox/mount_spec.h"

#include <linux/mount.h>
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "sandbox/compile.h"

/* What a mount option means; what is not here is the filesystem's own. Those of the whole tree have an "r" before. */
static const struct option {
	const char *name;
	uint32_t set, clear;  /* MOUNT_ATTR_… */
	uint32_t propagation; /* MS_… */
	uint32_t flags;	      /* PLAN_MOUNT_… */
} options[] = {
	{ "defaults", 0, 0, 0, 0 },
	{ "bind", 0, 0, 0, 0 },
	{ "rbind", 0, 0, 0, PLAN_MOUNT_RECURSIVE },
	{ "private", 0, 0, MS_PRIVATE, 0 },
	{ "rprivate", 0, 0, MS_REC | MS_PRIVATE, 0 },
	{ "slave", 0, 0, MS_SLAVE, 0 },
	{ "rslave", 0, 0, MS_REC | MS_SLAVE, 0 },
	{ "shared", 0, 0, MS_SHARED, 0 },
	{ "rshared", 0, 0, MS_REC | MS_SHARED, 0 },
	{ "unbindable", 0, 0, MS_UNBINDABLE, 0 },
	{ "runbindable", 0, 0, MS_REC | MS_UNBINDABLE, 0 },
	{ "idmap", 0, 0, 0, PLAN_MOUNT_IDMAP },
	{ "ridmap", 0, 0, 0, PLAN_MOUNT_IDMAP | PLAN_MOUNT_IDMAP_TREE },
	{ "tmpcopyup", 0, 0, 0, PLAN_MOUNT_TMPCOPYUP },
	{ "copyup", 0, 0, 0, PLAN_MOUNT_COPYUP },
}, attributes[] = {
	{ "ro", MOUNT_ATTR_RDONLY, 0, 0, 0 },
	{ "rw", 0, MOUNT_ATTR_RDONLY, 0, 0 },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0, 0, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID, 0, 0 },
	{ "nodev", MOUNT_ATTR_NODEV, 0, 0, 0 },
	{ "dev", 0, MOUNT_ATTR_NODEV, 0, 0 },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0, 0, 0 },
	{ "exec", 0, MOUNT_ATTR_NOEXEC, 0, 0 },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, 0, 0 },
	{ "symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW, 0, 0 },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0, 0, 0 },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME, 0, 0 },
	/* One field of three values, of which relatime is 0. What takes one back chooses no other: of a single mount
	 * the old one stays then, as with mount(8). */
	{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0, 0 },
	{ "atime", 0, MOUNT_ATTR_NOATIME, 0, 0 },
	{ "relatime", 0, MOUNT_ATTR__ATIME, 0, 0 },
	{ "norelatime", 0, PLAN_ATTR_NORELATIME, 0, 0 },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0, 0 },
	{ "nostrictatime", 0, MOUNT_ATTR_STRICTATIME, 0, 0 },
};

/* Of the filesystem itself, whatever its type. Those that fsconfig(2) has no word for say what is so anyway, as for
 * mount(2). */
static const struct word {
	const char *name;
	bool passed_on;
} words[] = {
	{ "async", true },	 { "sync", true },    { "dirsync", true }, { "lazytime", true },
	{ "nolazytime", true },	 { "mand", true },    { "nomand", true },  { "iversion", false },
	{ "noiversion", false }, { "silent", false }, { "loud", false },
};

void mount_spec_done(struct mount_spec *m)
{
	free(m->destination);
	strv_done(&m->own);
}

static const struct option *find_in(const struct option *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static const struct word *find_word(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

static void change_add(struct mount_change *c, const struct option *o)
{
	bool takes_back = !o->set && o->clear & MOUNT_ATTR__ATIME && o->clear != MOUNT_ATTR__ATIME;

	if (takes_back && c->set & o->clear)
		c->clear &= ~(uint32_t)MOUNT_ATTR__ATIME;
	c->set = (c->set & ~o->clear) | o->set;
	c->clear = (c->clear & ~o->set) | o->clear;
}

uint64_t mount_change_pack(struct mount_change c)
{
	return c.set | (uint64_t)c.clear << 32;
}

/* Of a whole tree there is no one old value that could stay. */
uint64_t mount_change_pack_tree(struct mount_change c)
{
	if (c.clear & MOUNT_ATTR__ATIME)
		c.clear |= MOUNT_ATTR__ATIME;
	return mount_change_pack(c);
}

bool mounts_is_filesystems(const char *name)
{
	return find_word(name);
}

bool mounts_know_option(const char *name)
{
	return mounts_is_filesystems(name) || find_in(options, ARRAY_SIZE(options), name) ||
	       find_in(attributes, ARRAY_SIZE(attributes), name) ||
	       (*name == 'r' && find_in(attributes, ARRAY_SIZE(attributes), name + 1));
}

static void sort_option(const char *name, struct mount_spec *m)
{
	const struct option *o = find_in(options, ARRAY_SIZE(options), name);
	const struct option *attribute = find_in(attributes, ARRAY_SIZE(attributes), name);
	const struct word *word = find_word(name);
	const struct option *tree = *name == 'r' ? find_in(attributes, ARRAY_SIZE(attributes), name + 1) : NULL;

	if (o) {
		m->propagation = o->propagation ? m->propagation << 32 | o->propagation : m->propagation;
		m->flags |= o->flags;
		m->bind |= strcmp(name, "bind") == 0 || strcmp(name, "rbind") == 0;
	} else if (attribute) {
		change_add(&m->own_mount, attribute);
	} else if (tree) {
		change_add(&m->tree, tree);
	} else if (word ? word->passed_on : *name != '\0') { /* an empty one would end the list */
		strv_add(&m->own, name);
	}
}

/* The files in /proc that lxcfs gives a container its own view of; nothing else there may be replaced, as runc has it:
 * what is meant for the kernel must reach it (CVE-2019-16884, CVE-2025-52881). */
static bool may_be_covered(const char *path)
{
	static const char *const files[] = { "cpuinfo",
					     "diskstats",
					     "meminfo",
					     "stat",
					     "swaps",
					     "uptime",
					     "loadavg",
					     "slabinfo",
					     "net/dev",
					     "sys/kernel/ns_last_pid",
					     "sys/crypto/fips_enabled" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (strcmp(path, files[i]) == 0)
			return true;
	return false;
}

const char *mounts_refusal(const char *destination, const char *type, bool bind, uint32_t *ret_flags)
{
	_cleanup_free_ char *clean = path_clean(destination);
	const char *path = clean ? clean : destination;

	*ret_flags = 0;
	if (strncmp(path, "/proc", 5) != 0 || (path[5] && path[5] != '/'))
		return NULL;
	if (!path[5]) {
		*ret_flags = PLAN_MOUNT_PROC | PLAN_MOUNT_NO_SYMLINK;
		return bind || strcmp(type, "proc") == 0 ? NULL : "cannot be mounted because it is not of type proc";
	}
	*ret_flags = PLAN_MOUNT_IN_PROC;
	return may_be_covered(path + 6) ? NULL : "cannot be mounted because it is inside /proc";
}

static int check_place_of(const char *where, struct mount_spec *m, teu_error **err)
{
	uint32_t flags;
	const char *refusal = mounts_refusal(m->destination, m->type ? m->type : "", m->bind, &flags);

	m->flags |= flags;
	if (strcmp(m->destination, "/") == 0)
		return json_field_error(err, where, "destination", "must not be \"/\"");
	return refusal ? json_field_error(err, where, "destination", "\"%s\" %s", m->destination, refusal) : 0;
}

int mount_spec_read(const json *v, const char *where, struct mount_spec *m, teu_error **err)
{
	_cleanup_(strv_done) struct strv all = STRV_INIT;
	const char *destination = NULL;
	int r = json_read_string(v, where, "destination", &destination, err);

	if (r == 0)
		r = json_read_string(v, where, "type", &m->type, err);
	if (r == 0)
		r = json_read_string(v, where, "source", &m->source, err);
	if (r == 0)
		r = json_read_array(v, where, "uidMappings", &m->uids, err);
	if (r == 0)
		r = json_read_array(v, where, "gidMappings", &m->gids, err);
	if (r == 0)
		r = json_read_strings(v, where, "options", &all, err);
	if (r < 0)
		return r;
	if (!destination || !*destination)
		return json_field_error(err, where, "destination", "is missing");
	m->destination = path_clean(destination);
	if (!m->destination)
		return err_oom(err);
	strv_foreach (item, &all)
		sort_option(*item, m);
	m->bind |= m->type && strcmp(m->type, "bind") == 0;
	/* Below a new filesystem there is no other mount yet. */
	if (!m->bind)
		m->own_mount.set = (m->own_mount.set & ~m->tree.clear) | m->tree.set;
	r = check_place_of(where, m, err);
	if (r < 0)
		return r;
	m->flags |= json_count(m->uids) ? PLAN_MOUNT_IDMAP : 0;
	if (m->bind && (!m->source || *m->source != '/'))
		return json_field_error(err, where, "source", "expected an absolute path");
	if (!m->bind && (!m->type || !*m->type))
		return json_field_error(err, where, "type", "is missing");
	return all.oom || m->own.oom ? err_oom(err) : 0;
}

bool mount_spec_has(const struct mount_spec *m, const char *prefix)
{
	strv_foreach (item, &m->own)
		if (strncmp(*item, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

/* A destination that begins with the rootfs is taken as inside of it, as runc does. */
static int strip_rootfs(const json *spec, const json *v, teu_error **err)
{
	const char *root = json_get_text(json_get(spec, "root"), "path", "");
	const char *destination = json_get_text(v, "destination", "");
	_cleanup_free_ char *rest = NULL;
	size_t n = strlen(root);

	if (n < 2 || strncmp(destination, root, n) != 0 || destination[n] != '/')
		return 0;
	rest = strdup(destination + n);
	return rest && json_add_string((json *)(uintptr_t)v, "destination", rest) ? 0 : err_oom(err);
}

int mounts_resolve(json *spec, const char *bundle, teu_error **err)
{
	for (const json *v = json_first(json_get(spec, "mounts")); v; v = json_next(v)) {
		int r = strip_rootfs(spec, v, err);

		if (r < 0)
			return r;
	}
	json_foreach (v, json_get(spec, "mounts")) {
		_cleanup_(strv_done) struct strv options = STRV_INIT;
		const char *source = json_get_text(v, "source", NULL);
		_cleanup_free_ char *whole = NULL;
		bool bind = strcmp(json_get_text(v, "type", ""), "bind") == 0;

		if (json_read_strings(v, "", "options", &options, NULL) == 0)
			bind |= strv_has(&options, "bind") || strv_has(&options, "rbind");
		if (!bind || !source || *source == '/')
			continue;
		if (asprintf(&whole, "%s/%s", bundle, source) < 0) {
			whole = NULL;
			return err_oom(err);
		}
		/* The document is ours to change: the walk just gives it as it was. */
		if (!json_add_string((json *)(uintptr_t)v, "source", whole))
			return err_oom(err);
	}
	return 0;
}
