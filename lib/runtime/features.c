/*
 * features: what this release can do here. Lists that the compiler of configs has are asked of it name by name, so that
 * they stay true. Source: runtime-spec features.md, features-linux.md.
 */
#include "runtime/features.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/caps.h"
#include "kernel/cgroup.h"
#include "kernel/systemd.h"
#include "runtime/criu.h"
#include "runtime/runtime.h"
#include "sandbox/compile.h"

static char *const phases[] = {
	"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL
};
static const char *const mount_options[] = { "atime",	    "bind",	      "copyup",	     "defaults",
					     "dev",	    "diratime",	      "exec",	     "idmap",
					     "noatime",	    "nodev",	      "noexec",	     "nodiratime",
					     "norelatime",  "nostrictatime",  "nosuid",	     "nosymfollow",
					     "private",	    "ratime",	      "rbind",	     "rdev",
					     "rdiratime",   "relatime",	      "rexec",	     "ridmap",
					     "rnoatime",    "rnodev",	      "rnoexec",     "rnodiratime",
					     "rnorelatime", "rnostrictatime", "rnosuid",     "rnosymfollow",
					     "ro",	    "rprivate",	      "rrelatime",   "rro",
					     "rrw",	    "rshared",	      "rslave",	     "rstrictatime",
					     "rsuid",	    "rsymfollow",     "runbindable", "rw",
					     "shared",	    "slave",	      "strictatime", "suid",
					     "symfollow",   "tmpcopyup",      "unbindable" };
static const char *const namespaces[] = { "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts" };
static char *const actions[] = {
	"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO",  "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
	"SCMP_ACT_LOG",	  "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",		NULL
};
static char *const operators[] = { "SCMP_CMP_EQ", "SCMP_CMP_GE",	"SCMP_CMP_GT", "SCMP_CMP_LE",
				   "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE", NULL };
static char *const archs[] = { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM",	"SCMP_ARCH_X32",
			       "SCMP_ARCH_X86",	    "SCMP_ARCH_X86_64", NULL };
static char *const filter_flags[] = { "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
				      "SECCOMP_FILTER_FLAG_TSYNC", NULL };

static bool add_mount_options(json *to)
{
	json *list = json_add_array(to, "mountOptions");

	for (size_t i = 0; i < ARRAY_SIZE(mount_options); i++)
		if (mounts_know_option(mount_options[i]) && !json_append_string(list, mount_options[i]))
			return false;
	return list;
}

static bool knows_namespace(const char *type)
{
	_cleanup_json_ json *spec = json_object();

	json_add_string(json_append_object(json_add_array(json_add_object(spec, "linux"), "namespaces")), "type", type);
	return compile_namespaces(spec) != 0;
}

static bool add_namespaces(json *to)
{
	json *list = json_add_array(to, "namespaces");

	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (knows_namespace(namespaces[i]) && !json_append_string(list, namespaces[i]))
			return false;
	return list;
}

static bool add_caps(json *to)
{
	json *list = json_add_array(to, "capabilities");
	uint64_t all = caps_all();

	for (int n = 0; caps_name(n); n++)
		if (all & (1ull << n) && !json_append_string(list, caps_name(n)))
			return false;
	return list;
}

static bool add_cgroup(json *to)
{
	json *cgroup = json_add_object(to, "cgroup");
	bool v2 = cgroup_is_v2(), systemd = systemd_is_known();

	return json_add_bool(cgroup, "v1", !v2) && json_add_bool(cgroup, "v2", v2) &&
	       json_add_bool(cgroup, "systemd", systemd) && json_add_bool(cgroup, "systemdUser", systemd) &&
	       json_add_bool(cgroup, "rdma", true);
}

static bool add_seccomp(json *to)
{
	json *seccomp = json_add_object(to, "seccomp");

	return json_add_bool(seccomp, "enabled", true) && json_add(seccomp, "actions", json_strings(actions)) &&
	       json_add(seccomp, "operators", json_strings(operators)) &&
	       json_add(seccomp, "archs", json_strings(archs)) &&
	       json_add(seccomp, "knownFlags", json_strings(filter_flags)) &&
	       json_add(seccomp, "supportedFlags", json_strings(filter_flags));
}

static bool add_switch(json *to, const char *key, bool on)
{
	return json_add_bool(json_add_object(to, key), "enabled", on);
}

static bool add_rdt(json *to)
{
	json *rdt = json_add_object(to, "intelRdt");

	return json_add_bool(rdt, "enabled", true) && json_add_bool(rdt, "schemata", true) &&
	       json_add_bool(rdt, "monitoring", true);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool add_linux(json *to)
{
	return add_namespaces(to) && add_caps(to) && add_cgroup(to) && add_seccomp(to) &&
	       add_switch(to, "apparmor", is_there("/sys/module/apparmor")) &&
	       add_switch(to, "selinux", is_there("/sys/fs/selinux/enforce")) && add_rdt(to) &&
	       add_switch(json_add_object(to, "mountExtensions"), "idmap", mounts_know_option("idmap"));
}

/* runc's name: it is asked before a checkpoint is tried. */
static bool add_checkpoint(json *to)
{
	_cleanup_free_ char *criu = NULL;
	bool there = criu_find(&criu, NULL) == 0;

	return json_add_string(to, "org.opencontainers.runc.checkpoint.enabled", there ? "true" : "false");
}

int runtime_features(json **ret, teu_error **err)
{
	_cleanup_json_ json *top = json_object();
	json *annotations = json_add_object(top, "annotations");

	if (!json_add_string(top, "ociVersionMin", "1.0.0") ||
	    !json_add_string(top, "ociVersionMax", RUNTIME_SPEC_VERSION) ||
	    !json_add(top, "hooks", json_strings(phases)) || !add_mount_options(top) ||
	    !add_linux(json_add_object(top, "linux")) ||
	    !json_add_string(annotations, "teu.version", PACKAGE_VERSION) || !add_checkpoint(annotations))
		return err_oom(err);
	*ret = TAKE_PTR(top);
	return 0;
}
