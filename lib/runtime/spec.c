/*
 * spec: a config to begin with, as `runc spec` writes it: a shell in a read-only rootfs, with three capabilities.
 * Source: runtime-spec config.md; for the rootless one user_namespaces(7).
 */
#include "runtime/spec.h"

#include <string.h>
#include <unistd.h>

#include "kernel/cgroup.h"
#include "runtime/runtime.h"

static const char text[] =
	"{\"ociVersion\":\"" RUNTIME_SPEC_VERSION "\","
	"\"process\":{\"terminal\":true,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"sh\"],"
	"\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\"TERM=xterm\"],"
	"\"cwd\":\"/\",\"capabilities\":{},"
	"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}],\"noNewPrivileges\":true},"
	"\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"teu-oci\","
	"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
	"\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
	"\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
	"{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\"]}],"
	"\"linux\":{\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]},"
	"\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
	"{\"type\":\"mount\"}],"
	"\"maskedPaths\":[\"/proc/acpi\",\"/proc/asound\",\"/proc/kcore\",\"/proc/keys\",\"/proc/latency_stats\","
	"\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\",\"/sys/firmware\",\"/proc/scsi\"],"
	"\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]}}";

static bool add_caps(json *spec)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };
	static char *const names[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", NULL };
	json *caps = json_get_mutable(json_get_mutable(spec, "process"), "capabilities");

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		if (!json_add(caps, sets[i], json_strings(names)))
			return false;
	return true;
}

/* On v1 the mounts of its own groups alone hide the others, and what runs in containers of v1 may not expect more. */
static bool add_cgroup_namespace(json *spec)
{
	json *list = json_get_mutable(json_get_mutable(spec, "linux"), "namespaces");

	return !cgroup_is_v2() || json_add_string(json_append_object(list), "type", "cgroup");
}

static bool map_self(json *linux_part, const char *key, int64_t id)
{
	json *range = json_append_object(json_add_array(linux_part, key));

	return json_add_int(range, "containerID", 0) && json_add_int(range, "hostID", id) &&
	       json_add_int(range, "size", 1);
}

/* Group 5 has no id in a namespace of one; a sysfs needs the network namespace that the user keeps. */
static bool fit_mount(json *to, const json *mount)
{
	const char *type = json_get_text(mount, "type", "");
	json *copy = json_copy(mount), *options;

	if (strcmp(type, "devpts") == 0) {
		options = json_add_array(copy, "options");
		json_foreach (o, json_get(mount, "options"))
			if (strcmp(json_text(o, ""), "gid=5") != 0 && !json_append_string(options, json_text(o, "")))
				return json_append(to, copy) && false;
	} else if (strcmp(type, "sysfs") == 0) {
		static char *const bind[] = { "rbind", "nosuid", "noexec", "nodev", "ro", NULL };

		json_add_string(copy, "type", "none");
		json_add_string(copy, "source", "/sys");
		json_add(copy, "options", json_strings(bind));
	}
	return json_append(to, copy);
}

static bool make_rootless(json *spec)
{
	_cleanup_json_ json *old_mounts = json_copy(json_get(spec, "mounts"));
	_cleanup_json_ json *old_spaces = json_copy(json_find(spec, "linux.namespaces"));
	json *linux_part = json_get_mutable(spec, "linux");
	json *mounts = json_add_array(spec, "mounts"), *spaces = json_add_array(linux_part, "namespaces");

	json_foreach (m, old_mounts)
		if (!fit_mount(mounts, m))
			return false;
	json_foreach (ns, old_spaces)
		if (strcmp(json_get_text(ns, "type", ""), "network") != 0 && !json_append(spaces, json_copy(ns)))
			return false;
	json_remove(linux_part, "resources");
	return json_add_string(json_append_object(spaces), "type", "user") &&
	       map_self(linux_part, "uidMappings", geteuid()) && map_self(linux_part, "gidMappings", getegid());
}

int runtime_spec(bool rootless, json **ret, teu_error **err)
{
	_cleanup_json_ json *spec = NULL;
	int r = json_parse(text, sizeof(text) - 1, &spec, err);

	if (r < 0)
		return r;
	if (!add_caps(spec) || !add_cgroup_namespace(spec) || (rootless && !make_rootless(spec)))
		return err_oom(err);
	*ret = TAKE_PTR(spec);
	return 0;
}
