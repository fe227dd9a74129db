/*
 * check_rules: what a field of config.json asks of others: the prose of config.md and config-linux.md that no schema
 * holds. Where the prose leaves room, as runc does. Each rule takes documents of any form: what is not well-formed has
 * been told already.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "kernel/caps.h"
#include "sandbox/check_impl.h"
#include "sandbox/compile.h"

enum { PLACE_MAX = 320, MAX_NODES = 1024 };

/* The entry of linux.namespaces of @type; NULL: there is none. */
static const json *find_namespace(const json *config, const char *type)
{
	json_foreach (ns, json_find(config, "linux.namespaces"))
		if (strcmp(json_get_text(ns, "type", ""), type) == 0)
			return ns;
	return NULL;
}

static bool has_path(const json *ns)
{
	return *json_get_text(ns, "path", "");
}

static void check_version(const json *config, struct check *c)
{
	const char *version = json_get_text(config, "ociVersion", "1.");
	size_t n = strspn(version, "0123456789");

	if (n && version[n] == '.' && strncmp(version, "1.", 2) != 0)
		check_error(c, "ociVersion", "%s: this runtime knows 1.0 to 1.3", version);
}

static void check_presence(const json *config, struct check *c)
{
	static const char *const objects[] = { "root", "process" };

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (!json_get(config, objects[i]))
			check_missing(c, "", objects[i]);
	if (json_get(config, "process") && !json_count(json_find(config, "process.args")))
		check_error(c, "process.args", "expected a command");
}

static void check_namespaces(const json *config, struct check *c)
{
	const char *root = json_get_text(json_get(config, "root"), "path", "");
	char place[PLACE_MAX];
	size_t i = 0;

	if (!find_namespace(config, "mount") && strcmp(root, "/") == 0)
		check_error(c, "root.path", "the caller's root needs a \"mount\" namespace in linux.namespaces");
	if (!find_namespace(config, "mount") && *json_get_text(json_get(config, "linux"), "rootfsPropagation", ""))
		check_error(c, "linux.rootfsPropagation", "needs a \"mount\" namespace in linux.namespaces");
	json_foreach (ns, json_find(config, "linux.namespaces")) {
		const char *path = json_get_text(ns, "path", "");

		snprintf(place, sizeof(place), "linux.namespaces[%zu]", i++);
		if (*path && *path != '/')
			check_error(c, place, "path \"%s\" is not absolute", path);
		if (find_namespace(config, json_get_text(ns, "type", "")) != ns && json_get(ns, "type"))
			check_error(c, place, "type \"%s\" stands twice", json_get_text(ns, "type", ""));
	}
}

/* Of a range of ids; one that the schema has refused still leaves room for a sum. */
static int64_t id_number(const json *range, const char *key)
{
	int64_t n = json_get_number(range, key, 0);

	return n < 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : n;
}

/* Both sides of two ranges must not meet. */
static bool overlap(const json *a, const json *b, const char *key)
{
	int64_t from_a = id_number(a, key), from_b = id_number(b, key);

	return from_a < from_b + id_number(b, "size") && from_b < from_a + id_number(a, "size");
}

static void check_id_map(const json *list, const char *place, struct check *c)
{
	size_t i = 0;

	/* What compares each with each is to have an end. */
	if (json_count(list) > COMPILE_MAX_ID_RANGES) {
		check_error(c, place, "more than %d ranges", COMPILE_MAX_ID_RANGES);
		return;
	}
	json_foreach (m, list) {
		size_t k = 0;

		for (const json *other = json_first(list); other && other != m; other = json_next(other), k++)
			if (overlap(m, other, "containerID") || overlap(m, other, "hostID"))
				check_error(c, place, "range %zu overlaps range %zu", i, k);
		i++;
	}
}

static bool is_mapped(const json *map, int64_t id)
{
	json_foreach (m, map) {
		int64_t first = id_number(m, "containerID");

		if (id >= first && id < first + id_number(m, "size"))
			return true;
	}
	return false;
}

/* Of a user namespace that is made here; what one that is joined has is not in the config. */
static void check_id(const json *config, const char *map_key, int64_t id, const char *place, struct check *c)
{
	const json *map = json_get(json_get(config, "linux"), map_key);

	if (json_count(map) && !is_mapped(map, id))
		check_error(c, place, "id %" PRId64 " has no place in linux.%s", id, map_key);
}

static void check_user(const json *config, struct check *c)
{
	const json *user = json_find(config, "process.user");
	char place[PLACE_MAX];
	size_t i = 0;

	/* Root builds the container, whoever the process is. */
	check_id(config, "uidMappings", 0, "root", c);
	check_id(config, "gidMappings", 0, "root's group", c);
	check_id(config, "uidMappings", json_get_number(user, "uid", 0), "process.user.uid", c);
	check_id(config, "gidMappings", json_get_number(user, "gid", 0), "process.user.gid", c);
	json_foreach (gid, json_get(user, "additionalGids")) {
		snprintf(place, sizeof(place), "process.user.additionalGids[%zu]", i++);
		check_id(config, "gidMappings", json_number(gid, 0), place, c);
	}
}

static void check_user_namespace(const json *config, struct check *c)
{
	static const char *const keys[] = { "uidMappings", "gidMappings" };
	const json *ns = find_namespace(config, "user");
	char place[PLACE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const json *map = json_get(json_get(config, "linux"), keys[i]);

		snprintf(place, sizeof(place), "linux.%s", keys[i]);
		if (json_count(map) && !ns)
			check_error(c, place, "needs a \"user\" namespace in linux.namespaces");
		if (!json_count(map) && ns && !has_path(ns))
			check_error(c, place, "is missing for the user namespace");
		check_id_map(map, place, c);
	}
}

static void check_time_namespace(const json *config, struct check *c)
{
	const json *ns = find_namespace(config, "time");

	if (!json_count(json_find(config, "linux.timeOffsets")))
		return;
	if (!ns)
		check_error(c, "linux.timeOffsets", "needs a \"time\" namespace in linux.namespaces");
	else if (has_path(ns))
		check_error(c, "linux.timeOffsets", "can't be set in a time namespace that is joined");
}

static void check_names(const json *config, struct check *c)
{
	static const char *const keys[] = { "hostname", "domainname" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *name = json_get_text(config, keys[i], "");

		if (*name && !find_namespace(config, "uts"))
			check_error(c, keys[i], "needs a \"uts\" namespace in linux.namespaces");
		if (strlen(name) > 64)
			check_error(c, keys[i], "is longer than 64 bytes");
	}
}

/* "net/ipv4/conf/eth0.1/x" is "net.ipv4.conf.eth0/1.x": which sign comes first tells which one separates. */
static void dotted(const char *key, char *out, size_t cap)
{
	size_t first = strcspn(key, "./"), n;
	bool slashes = key[first] == '/';

	for (n = 0; key[n] && n + 1 < cap; n++)
		out[n] = !slashes ? key[n] : key[n] == '/' ? '.' : key[n] == '.' ? '/' : key[n];
	out[n] = '\0';
}

static bool is_ipc_sysctl(const char *name)
{
	static const char *const names[] = {
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
		"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return strncmp(name, "fs.mqueue.", 10) == 0;
}

/* Which namespace has @name of its own; NULL: none has. */
static const char *sysctl_owner(const char *name)
{
	if (is_ipc_sysctl(name))
		return "ipc";
	if (strncmp(name, "net.", 4) == 0)
		return "network";
	if (strcmp(name, "kernel.domainname") == 0 || strcmp(name, "kernel.hostname") == 0)
		return "uts";
	if (strncmp(name, "user.", 5) == 0)
		return "user";
	return NULL;
}

static void check_sysctls(const json *config, struct check *c)
{
	char place[PLACE_MAX], name[256];

	json_foreach_member (v, json_find(config, "linux.sysctl")) {
		const char *key = json_key(v), *owner;

		snprintf(place, sizeof(place), "linux.sysctl.%s", key);
		dotted(key, name, sizeof(name));
		owner = sysctl_owner(name);
		if (!*key || strlen(key) >= sizeof(name) || strstr(name, "..") || *key == '/' || strstr(name, "//"))
			check_error(c, place, "is no name of a sysctl");
		else if (!owner)
			check_error(c, place, "belongs to the whole machine, not to a namespace");
		else if (!find_namespace(config, owner))
			check_error(c, place,
				    "needs a \"%s\" namespace in linux.namespaces: it would change the host's", owner);
		else if (strcmp(name, "kernel.hostname") == 0)
			check_error(c, place, "is what the field \"hostname\" says");
	}
}

static bool is_link_name(const char *name)
{
	return *name && strlen(name) < 16 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       !strpbrk(name, "/: \t\n");
}

static void check_net_devices(const json *config, struct check *c)
{
	const json *list = json_find(config, "linux.netDevices");
	char place[PLACE_MAX];

	if (json_count(list) && !find_namespace(config, "network"))
		check_error(c, "linux.netDevices", "needs a \"network\" namespace in linux.namespaces");
	json_foreach_member (v, list) {
		snprintf(place, sizeof(place), "linux.netDevices.%s", json_key(v));
		if (!is_link_name(json_key(v)))
			check_error(c, place, "is no name of a link");
		if (*json_get_text(v, "name", "") && !is_link_name(json_get_text(v, "name", "")))
			check_error(c, place, "\"%s\" is no name of a link", json_get_text(v, "name", ""));
	}
}

static bool is_bind(const json *m)
{
	json_foreach (o, json_get(m, "options"))
		if (strcmp(json_text(o, ""), "bind") == 0 || strcmp(json_text(o, ""), "rbind") == 0)
			return true;
	return strcmp(json_get_text(m, "type", ""), "bind") == 0;
}

static void check_bind(const json *m, const char *place, struct check *c)
{
	if (!*json_get_text(m, "source", ""))
		check_missing(c, place, "source");
	/* The kernel would pass over them without a word. */
	json_foreach (o, json_get(m, "options")) {
		const char *name = json_text(o, "");

		if (*name && !mounts_know_option(name))
			check_error(c, place, "a bind mount can't have the filesystem's option \"%s\"", name);
		else if (mounts_is_filesystems(name))
			check_warning(c, place, "\"%s\" is left out: the filesystem of a bind mount stays as it is",
				      name);
	}
}

static bool has_option(const json *m, const char *name)
{
	json_foreach (o, json_get(m, "options"))
		if (strcmp(json_text(o, ""), name) == 0)
			return true;
	return false;
}

static void check_mapped_mount(const json *config, const json *m, const char *place, struct check *c)
{
	bool uids = json_count(json_get(m, "uidMappings")), gids = json_count(json_get(m, "gidMappings"));
	bool asked = has_option(m, "idmap") || has_option(m, "ridmap");

	if (!uids && !gids && !asked)
		return;
	if (!is_bind(m))
		check_error(c, place, "only bind mounts can be id-mapped");
	if (uids != gids)
		check_missing(c, place, uids ? "gidMappings" : "uidMappings");
	if (!uids && !gids && !find_namespace(config, "user"))
		check_error(c, place,
			    "\"idmap\" needs uidMappings and gidMappings, or a \"user\" namespace that has them");
}

/* The owner that a tmpfs or devpts is to have. */
static void check_owner(const json *config, const json *m, const char *place, struct check *c)
{
	char where[PLACE_MAX + 64];
	uint32_t id;

	json_foreach (o, json_get(m, "options")) {
		const char *text = json_text(o, "");
		bool uid = strncmp(text, "uid=", 4) == 0;

		if ((!uid && strncmp(text, "gid=", 4) != 0) || !parse_u32(text + 4, &id))
			continue;
		snprintf(where, sizeof(where), "%s.options: cannot specify %.32s", place, text);
		check_id(config, uid ? "uidMappings" : "gidMappings", id, where, c);
	}
}

static void check_destination(const json *m, const char *place, struct check *c)
{
	const char *destination = json_get_text(m, "destination", "/?"), *refusal;
	uint32_t flags;

	if (!*destination) {
		check_missing(c, place, "destination");
		return;
	}
	if (*destination != '/')
		check_warning(c, place, "destination \"%s\" is relative: taken as below /", destination);
	refusal = mounts_refusal(destination, json_get_text(m, "type", ""), is_bind(m), &flags);
	if (refusal)
		check_error(c, place, "\"%s\" %s", destination, refusal);
}

static void check_mounts(const json *config, struct check *c)
{
	char place[PLACE_MAX];
	size_t i = 0;

	json_foreach (m, json_get(config, "mounts")) {
		snprintf(place, sizeof(place), "mounts[%zu]", i++);
		check_destination(m, place, c);
		if (is_bind(m))
			check_bind(m, place, c);
		else if (!*json_get_text(m, "type", ""))
			check_missing(c, place, "type");
		check_mapped_mount(config, m, place, c);
		check_owner(config, m, place, c);
	}
}

static bool notifies(const json *v, const char *key)
{
	return strcmp(json_get_text(v, key, ""), "SCMP_ACT_NOTIFY") == 0;
}

/* The first process says by these calls that the filter is loaded, and to whom it listens. */
static bool is_needed_call(const json *name)
{
	return strcmp(json_text(name, ""), "write") == 0 || strcmp(json_text(name, ""), "sendmsg") == 0;
}

static void check_seccomp(const json *config, struct check *c)
{
	const json *profile = json_find(config, "linux.seccomp");
	bool listens = *json_get_text(profile, "listenerPath", ""), asked = false;
	char place[PLACE_MAX];
	size_t i = 0;

	if (notifies(profile, "defaultAction"))
		check_error(c, "linux.seccomp.defaultAction", "SCMP_ACT_NOTIFY cannot be the answer to every call");
	json_foreach (rule, json_get(profile, "syscalls")) {
		snprintf(place, sizeof(place), "linux.seccomp.syscalls[%zu]", i++);
		if (!notifies(rule, "action"))
			continue;
		asked = true;
		json_foreach (name, json_get(rule, "names"))
			if (is_needed_call(name))
				check_error(c, place, "SCMP_ACT_NOTIFY cannot be used for the %s syscall",
					    json_text(name, ""));
	}
	if (asked && !listens)
		check_error(c, "linux.seccomp.listenerPath", "is missing for SCMP_ACT_NOTIFY");
	if (!listens && *json_get_text(profile, "listenerMetadata", ""))
		check_error(c, "linux.seccomp.listenerMetadata", "needs listenerPath");
}

/* As runc says these, whose tests ask for the words. */
static void check_memory_policy(const json *config, struct check *c)
{
	static const char nodes_place[] = "linux.memoryPolicy.nodes";
	const json *policy = json_find(config, "linux.memoryPolicy");
	const char *mode = json_get_text(policy, "mode", ""), *nodes = json_get_text(policy, "nodes", "");
	bool none = strcmp(mode, "MPOL_DEFAULT") == 0 || strcmp(mode, "MPOL_LOCAL") == 0;
	uint64_t bits[MAX_NODES / 64];
	int count = 0;

	if (!policy)
		return;
	if (!schedule_memory_mode(mode))
		check_error(c, "linux.memoryPolicy.mode", "invalid memory policy mode \"%s\"", mode);
	json_foreach (flag, json_get(policy, "flags"))
		if (!schedule_memory_flag(json_text(flag, "")))
			check_error(c, "linux.memoryPolicy.flags", "invalid memory policy flag \"%s\"",
				    json_text(flag, ""));
	if (!parse_bits(nodes, bits, MAX_NODES)) {
		check_error(c, nodes_place, "invalid memory policy node in \"%s\"", nodes);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		count += __builtin_popcountll(bits[i]);
	if (none && count)
		check_error(c, nodes_place, "%s: mode requires 0 nodes but got %d", mode, count);
	if (!none && !count && strcmp(mode, "MPOL_PREFERRED") != 0)
		check_error(c, nodes_place, "%s: mode requires at least one node but got 0", mode);
}

static void check_rdt(const json *config, struct check *c)
{
	const char *group = json_find(config, "linux.intelRdt")
				    ? json_get_text(json_find(config, "linux.intelRdt"), "closID", "")
				    : "";

	if (strcmp(group, ".") == 0 || strcmp(group, "..") == 0 || (group[0] && group[1] && strchr(group, '/')))
		check_error(c, "linux.intelRdt.closID", "\"%s\" is no name of a group", group);
}

static void check_personality(const json *config, struct check *c)
{
	if (json_count(json_find(config, "linux.personality.flags")))
		check_error(c, "linux.personality.flags", "no flag is defined");
}

static void check_rlimits(const json *process, const char *where, struct check *c)
{
	const json *list = json_get(process, "rlimits");
	char place[PLACE_MAX];
	size_t i = 0;

	json_foreach (v, list) {
		const char *type = json_get_text(v, "type", "");
		uint64_t soft, hard;

		snprintf(place, sizeof(place), "%s.rlimits[%zu]", where, i++);
		if (json_unsigned(json_get(v, "hard"), &hard) &&
		    (!json_unsigned(json_get(v, "soft"), &soft) ? json_get_number(v, "soft", 0) < 0 : soft > hard))
			check_error(c, place, "%s: soft is above hard", type);
		for (const json *other = json_first(list); other && other != v; other = json_next(other))
			if (strcmp(json_get_text(other, "type", "?"), type) == 0)
				check_error(c, place, "type %s stands twice", type);
	}
}

static void check_scheduler(const json *process, const char *where, struct check *c)
{
	const json *s = json_get(process, "scheduler");
	const char *policy = json_get_text(s, "policy", "");
	int64_t nice = json_get_number(s, "nice", 0);
	bool deadline = strcmp(policy, "SCHED_DEADLINE") == 0;
	char place[PLACE_MAX];

	snprintf(place, sizeof(place), "%s.scheduler", where);
	if ((strcmp(policy, "SCHED_OTHER") == 0 || strcmp(policy, "SCHED_BATCH") == 0) && (nice < -20 || nice > 19))
		check_error(c, place, "nice %" PRId64 " is not between -20 and 19", nice);
	if (json_get_number(s, "priority", 0) && strcmp(policy, "SCHED_FIFO") != 0 && strcmp(policy, "SCHED_RR") != 0)
		check_error(c, place, "priority goes with SCHED_FIFO and SCHED_RR only");
	if (!deadline &&
	    (json_get_number(s, "runtime", 0) || json_get_number(s, "deadline", 0) || json_get_number(s, "period", 0)))
		check_error(c, place, "runtime, deadline and period go with SCHED_DEADLINE only");
}

/* runtime-spec: what can't be granted is warned of. */
static void check_capabilities(const json *process, const char *where, struct check *c)
{
	char place[PLACE_MAX];

	json_foreach_member (set, json_get(process, "capabilities")) {
		snprintf(place, sizeof(place), "%s.capabilities.%s", where, json_key(set));
		json_foreach (name, set)
			if (json_is_string(name) && caps_number(json_text(name, "")) < 0)
				check_warning(c, place, "unknown capability %s is left out", json_text(name, ""));
	}
}

static bool in_set(const json *caps, const char *set, int number)
{
	json_foreach (name, json_get(caps, set))
		if (caps_number(json_text(name, "")) == number)
			return true;
	return false;
}

/* capabilities(7): only what is permitted and inheritable can be ambient. In runc's words. */
static void check_ambient(const json *process, const char *where, struct check *c)
{
	const json *caps = json_get(process, "capabilities");
	char place[PLACE_MAX];

	snprintf(place, sizeof(place), "%s.capabilities.ambient", where);
	json_foreach (name, json_get(caps, "ambient")) {
		int number = caps_number(json_text(name, ""));

		if (number >= 0 && (!in_set(caps, "permitted", number) || !in_set(caps, "inheritable", number)))
			check_warning(c, place,
				      "can't raise ambient capability %s: it is not permitted and inheritable",
				      json_text(name, ""));
	}
}

void check_process_rules(const json *process, const char *place, struct check *c)
{
	static void (*const rules[])(const json *, const char *, struct check *) = { check_rlimits, check_scheduler,
										     check_capabilities,
										     check_ambient };

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		rules[i](process, place, c);
}

void check_config_rules(const json *config, struct check *c)
{
	static void (*const rules[])(const json *, struct check *) = {
		check_version, check_presence,	    check_namespaces, check_user_namespace, check_time_namespace,
		check_user,    check_names,	    check_sysctls,    check_net_devices,    check_mounts,
		check_seccomp, check_memory_policy, check_rdt,	      check_personality,
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		rules[i](config, c);
	check_process_rules(json_get(config, "process"), "process", c);
}
