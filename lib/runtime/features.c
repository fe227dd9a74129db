/*
 * features: what this release can do here. Lists that the compiler of configs has are asked of it name by name, so that
 * they stay true. Source: runtime-spec features.md, features-linux.md.
 */
#include "runtime/features.h"

#include "kernel/caps.h"
#include "kernel/seccomp.h"
#include "kernel/systemd.h"
#include "runtime/criu.h"
#include "runtime/runtime.h"
#include "sandbox/compile.h"

static char *const phases[] = {
	"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL
};
static const char *const mount_options[] = { "async",	     "atime",	    "bind",	      "copyup",
					     "defaults",     "dev",	    "diratime",	      "dirsync",
					     "exec",	     "idmap",	    "iversion",	      "lazytime",
					     "loud",	     "mand",	    "noatime",	      "nodev",
					     "nodiratime",   "noexec",	    "noiversion",     "nolazytime",
					     "nomand",	     "norelatime",  "nostrictatime",  "nosuid",
					     "nosymfollow",  "private",	    "ratime",	      "rbind",
					     "rdev",	     "rdiratime",   "relatime",	      "rexec",
					     "ridmap",	     "rnoatime",    "rnodev",	      "rnodiratime",
					     "rnoexec",	     "rnorelatime", "rnostrictatime", "rnosuid",
					     "rnosymfollow", "ro",	    "rprivate",	      "rrelatime",
					     "rro",	     "rrw",	    "rshared",	      "rslave",
					     "rstrictatime", "rsuid",	    "rsymfollow",     "runbindable",
					     "rw",	     "shared",	    "silent",	      "slave",
					     "strictatime",  "suid",	    "symfollow",      "sync",
					     "tmpcopyup",    "unbindable" };
static const char *const namespaces[] = { "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts" };
static char *const actions[] = {
	"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO",  "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
	"SCMP_ACT_LOG",	  "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",		NULL
};
static char *const operators[] = { "SCMP_CMP_EQ", "SCMP_CMP_GE",	"SCMP_CMP_GT", "SCMP_CMP_LE",
				   "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE", NULL };
static const char *const archs[] = {
	"SCMP_ARCH_AARCH64",  "SCMP_ARCH_ARM",	       "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",
	"SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",	"SCMP_ARCH_MIPSEL",
	"SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC",	"SCMP_ARCH_PARISC64",
	"SCMP_ARCH_PPC",      "SCMP_ARCH_PPC64",       "SCMP_ARCH_PPC64LE",	"SCMP_ARCH_RISCV64",
	"SCMP_ARCH_S390",     "SCMP_ARCH_S390X",       "SCMP_ARCH_SH",		"SCMP_ARCH_SHEB",
	"SCMP_ARCH_X32",      "SCMP_ARCH_X86",	       "SCMP_ARCH_X86_64",
};
static const char *const memory_modes[] = {
	"MPOL_BIND",	  "MPOL_DEFAULT",	 "MPOL_INTERLEAVE",	    "MPOL_LOCAL",
	"MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"
};
static const char *const memory_flags[] = { "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES" };
/* Those that a launch heeds: an image should not bring them along. */
static char *const unsafe_annotations[] = { "org.criu.config", "org.systemd.property.", "teu.", NULL };

/* Those of @names that @knows knows, as the list @key. */
static bool add_known(json *to, const char *key, const char *const *names, size_t n, bool (*knows)(const char *))
{
	json *list = json_add_array(to, key);

	for (size_t i = 0; i < n; i++)
		if (knows(names[i]) && !json_append_string(list, names[i]))
			return false;
	return list;
}

#define ADD_KNOWN(to, key, names, knows) add_known(to, key, names, ARRAY_SIZE(names), knows)

static bool knows_namespace(const char *type)
{
	_cleanup_json_ json *spec = json_object();

	json_add_string(json_append_object(json_add_array(json_add_object(spec, "linux"), "namespaces")), "type", type);
	return compile_namespaces(spec) != 0;
}

static bool add_caps(json *to)
{
	json *list = json_add_array(to, "capabilities");

	for (int n = 0; caps_name(n); n++)
		if (!json_append_string(list, caps_name(n)))
			return false;
	return list;
}

static bool add_cgroup(json *to)
{
	json *cgroup = json_add_object(to, "cgroup");
	bool systemd = systemd_is_known();

	return json_add_bool(cgroup, "v1", true) && json_add_bool(cgroup, "v2", true) &&
	       json_add_bool(cgroup, "systemd", systemd) && json_add_bool(cgroup, "systemdUser", systemd) &&
	       json_add_bool(cgroup, "rdma", true);
}

static bool add_filter_flags(json *seccomp)
{
	json *known = json_add_array(seccomp, "knownFlags"), *work = json_add_array(seccomp, "supportedFlags");

	for (size_t i = 0; seccomp_flag_name(i); i++)
		if (!json_append_string(known, seccomp_flag_name(i)) ||
		    (seccomp_flag_works(i) && !json_append_string(work, seccomp_flag_name(i))))
			return false;
	return known && work;
}

/* Without libseccomp there is none. */
static bool add_seccomp(json *to)
{
	json *seccomp = json_add_object(to, "seccomp");

	if (!seccomp_knows_arch("SCMP_ARCH_NATIVE"))
		return json_add_bool(seccomp, "enabled", false);
	return json_add_bool(seccomp, "enabled", true) && json_add(seccomp, "actions", json_strings(actions)) &&
	       json_add(seccomp, "operators", json_strings(operators)) &&
	       ADD_KNOWN(seccomp, "archs", archs, seccomp_knows_arch) && add_filter_flags(seccomp);
}

static bool add_memory_policy(json *to)
{
	json *policy = json_add_object(to, "memoryPolicy");

	return ADD_KNOWN(policy, "modes", memory_modes, schedule_memory_mode) &&
	       ADD_KNOWN(policy, "flags", memory_flags, schedule_memory_flag);
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

/* What this release knows, whatever the machine has (features-linux.md). */
static bool add_linux(json *to)
{
	return ADD_KNOWN(to, "namespaces", namespaces, knows_namespace) && add_caps(to) && add_cgroup(to) &&
	       add_seccomp(to) && add_switch(to, "apparmor", true) && add_switch(to, "selinux", true) && add_rdt(to) &&
	       add_memory_policy(to) && add_switch(to, "netDevices", true) &&
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
	    !json_add(top, "hooks", json_strings(phases)) ||
	    !ADD_KNOWN(top, "mountOptions", mount_options, mounts_know_option) ||
	    !json_add(top, "potentiallyUnsafeConfigAnnotations", json_strings(unsafe_annotations)) ||
	    !add_linux(json_add_object(top, "linux")) ||
	    !json_add_string(annotations, "teu.version", PACKAGE_VERSION) || !add_checkpoint(annotations))
		return err_oom(err);
	*ret = TAKE_PTR(top);
	return 0;
}
