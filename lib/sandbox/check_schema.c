/*
 * check_schema: the form of the specification's documents as tables. Source: runtime-spec schema/config-schema.json,
 * config-linux.json, state-schema.json, features-schema.json, features-linux.json, defs.json, defs-linux.json. Where
 * runc takes more than the schema says (rootfsPropagation, modes with set-id bits), so does this.
 */
#include <string.h>

#include "sandbox/check_impl.h"
#include "sandbox/compile.h"

#define FIELDS(...) ((const struct shape_field[]){ __VA_ARGS__, { 0 } })
#define WORDS(...)                                                                                                     \
	(const char *const[])                                                                                          \
	{                                                                                                              \
		__VA_ARGS__, NULL                                                                                      \
	}
#define OBJECT(...) (&(const struct shape){ .kind = SHAPE_OBJECT, .fields = FIELDS(__VA_ARGS__) })
#define ARRAY(of) (&(const struct shape){ .kind = SHAPE_ARRAY, .item = (of) })
#define MAP(of) (&(const struct shape){ .kind = SHAPE_OBJECT, .item = (of) })
#define ONE_OF(...) (&(const struct shape){ .kind = SHAPE_STRING, .words = WORDS(__VA_ARGS__) })
#define INTEGER(from, to) (&(const struct shape){ .kind = SHAPE_INTEGER, .min = (from), .max = (to) })
#define FORM(function, text) (&(const struct shape){ .kind = SHAPE_STRING, .fits = (function), .expected = (text) })

/* What stands in many places. */
static const struct shape string = { .kind = SHAPE_STRING }, boolean = { .kind = SHAPE_BOOL };
static const struct shape strings = { .kind = SHAPE_ARRAY, .item = &string };
static const struct shape int32 = { .kind = SHAPE_INTEGER, .min = INT32_MIN, .max = INT32_MAX };
static const struct shape int64 = { .kind = SHAPE_INTEGER, .min = INT64_MIN, .max = INT64_MAX };
static const struct shape uint16 = { .kind = SHAPE_INTEGER, .max = UINT16_MAX };
static const struct shape uint32 = { .kind = SHAPE_INTEGER, .max = UINT32_MAX };
static const struct shape uint64 = { .kind = SHAPE_INTEGER, .max = UINT64_MAX };
static const struct shape id = { .kind = SHAPE_INTEGER, .max = UINT32_MAX - 1 };
#define STRING (&string)
#define STRINGS (&strings)
#define BOOL (&boolean)
#define INT32 (&int32)
#define INT64 (&int64)
#define UINT16 (&uint16)
#define UINT32 (&uint32)
#define UINT64 (&uint64)
#define ID (&id)

static bool is_absolute(const char *text)
{
	return *text == '/';
}

/* Semantic versioning: "1.2.0", "1.0.2-dev", "1.1.0+git". */
static bool is_version(const char *text)
{
	for (int part = 0; part < 3; part++) {
		size_t n = strspn(text, "0123456789");

		if (n == 0 || (n > 1 && *text == '0') || (part < 2 && text[n] != '.'))
			return false;
		text += n + (part < 2);
	}
	return !*text ||
	       ((*text == '-' || *text == '+') && text[1] &&
		!text[1 + strspn(text + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+")]);
}

static bool is_page_size(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n && *text != '0' && strchr("KMG", text[n]) && text[n] && strcmp(text + n + 1, "B") == 0;
}

static bool is_device_type(const char *text)
{
	return *text && strchr("cbup", *text) && !text[1];
}

static bool is_rule_type(const char *text)
{
	return !*text || (strchr("abcup", *text) && !text[1]);
}

/* The "a" of kernel/devices. */
static bool is_access(const char *text)
{
	return !text[strspn(text, "rwma")];
}

static bool is_rlimit(const char *text)
{
	return process_rlimit(text) >= 0;
}

static bool is_cpu_list(const char *text)
{
	return !text[strspn(text, "0123456789, -")];
}

static bool is_bandwidth(const char *text)
{
	return strncmp(text, "MB:", 3) == 0 && !strchr(text, '\n');
}

static bool is_capability(const char *text)
{
	return strncmp(text, "CAP_", 4) == 0 && text[4] && !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")];
}

#define ABSOLUTE FORM(is_absolute, "an absolute path")
#define SPEC_VERSION FORM(is_version, "a version such as 1.2.0")
#define ANNOTATIONS MAP(STRING)

static const struct shape namespace_type = {
	.kind = SHAPE_STRING,
	.words = WORDS("mount", "pid", "network", "uts", "ipc", "user", "cgroup", "time"),
};

static const struct shape hook = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "path", ABSOLUTE, true }, { "args", STRINGS, false }, { "env", STRINGS, false },
			 { "timeout", INTEGER(1, INT32_MAX), false }),
};

#define HOOKS ARRAY(&hook)

static const struct shape id_map = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "containerID", ID, true }, { "hostID", ID, true }, { "size", INTEGER(1, UINT32_MAX), true }),
};

static const struct shape mount = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "destination", STRING, true }, { "type", STRING, false }, { "source", STRING, false },
			 { "options", STRINGS, false }, { "uidMappings", ARRAY(&id_map), false },
			 { "gidMappings", ARRAY(&id_map), false }),
};

static const struct shape user = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "uid", ID, false }, { "gid", ID, false }, { "umask", INTEGER(0, 0777), false },
			 { "additionalGids", ARRAY(ID), false }, { "username", STRING, false }),
};

static const struct shape rlimit = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "type", FORM(is_rlimit, "a name such as RLIMIT_NOFILE"), true },
			 { "soft", INTEGER(-1, UINT64_MAX), true }, { "hard", INTEGER(-1, UINT64_MAX), true }),
};

static const struct shape scheduler = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "policy",
			   ONE_OF("SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE",
				  "SCHED_DEADLINE"),
			   true },
			 { "nice", INT32, false }, { "priority", INT32, false },
			 { "flags",
			   ARRAY(ONE_OF("SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN",
					"SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN",
					"SCHED_FLAG_UTIL_CLAMP_MAX")),
			   false },
			 { "runtime", UINT64, false }, { "deadline", UINT64, false }, { "period", UINT64, false }),
};

const struct shape shape_process = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "cwd", ABSOLUTE, true }, { "args", STRINGS, false }, { "commandLine", STRING, false },
			 { "env", STRINGS, false }, { "terminal", BOOL, false },
			 { "consoleSize", OBJECT({ "height", UINT16, true }, { "width", UINT16, true }), false },
			 { "user", &user, false },
			 { "capabilities",
			   OBJECT({ "bounding", STRINGS, false }, { "permitted", STRINGS, false },
				  { "effective", STRINGS, false }, { "inheritable", STRINGS, false },
				  { "ambient", STRINGS, false }),
			   false },
			 { "rlimits", ARRAY(&rlimit), false }, { "apparmorProfile", STRING, false },
			 { "selinuxLabel", STRING, false }, { "oomScoreAdj", INTEGER(-1000, 1000), false },
			 { "noNewPrivileges", BOOL, false }, { "scheduler", &scheduler, false },
			 { "ioPriority",
			   OBJECT({ "class", ONE_OF("IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"), true },
				  { "priority", INTEGER(0, 7), false }),
			   false },
			 { "execCPUAffinity",
			   OBJECT({ "initial", FORM(is_cpu_list, "a list such as 0-3,5"), false },
				  { "final", FORM(is_cpu_list, "a list such as 0-3,5"), false }),
			   false }),
};

static const struct shape device = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "type", FORM(is_device_type, "\"c\", \"b\", \"u\" or \"p\""), true },
			 { "path", ABSOLUTE, true }, { "fileMode", INTEGER(0, 07777), false },
			 { "major", INTEGER(0, UINT32_MAX), false }, { "minor", INTEGER(0, UINT32_MAX), false },
			 { "uid", ID, false }, { "gid", ID, false }),
};

static const struct shape device_rule = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "allow", BOOL, true }, { "type", FORM(is_rule_type, "\"a\", \"b\", \"c\" or \"u\""), false },
			 { "major", INTEGER(-1, UINT32_MAX), false }, { "minor", INTEGER(-1, UINT32_MAX), false },
			 { "access", FORM(is_access, "letters of \"rwm\""), false }),
};

#define NUMBERS                                                                                                        \
	{ "major", INT64, true },                                                                                      \
	{                                                                                                              \
		"minor", INT64, true                                                                                   \
	}
static const struct shape throttles = {
	.kind = SHAPE_ARRAY,
	.item = OBJECT(NUMBERS, { "rate", UINT64, false }),
};

static const struct shape memory = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "limit", INT64, false }, { "reservation", INT64, false }, { "swap", INT64, false },
			 { "kernel", INT64, false }, { "kernelTCP", INT64, false },
			 { "swappiness", INTEGER(-1, 100), false }, { "disableOOMKiller", BOOL, false },
			 { "useHierarchy", BOOL, false }, { "checkBeforeUpdate", BOOL, false }),
};

static const struct shape cpu = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "shares", UINT64, false }, { "quota", INT64, false }, { "period", UINT64, false },
			 { "burst", UINT64, false }, { "realtimeRuntime", INT64, false },
			 { "realtimePeriod", UINT64, false }, { "idle", INT64, false }, { "cpus", STRING, false },
			 { "mems", STRING, false }),
};

static const struct shape block_io = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS(
		{ "weight", UINT16, false }, { "leafWeight", UINT16, false },
		{ "weightDevice", ARRAY(OBJECT(NUMBERS, { "weight", UINT16, false }, { "leafWeight", UINT16, false })),
		  false },
		{ "throttleReadBpsDevice", &throttles, false }, { "throttleWriteBpsDevice", &throttles, false },
		{ "throttleReadIOPSDevice", &throttles, false }, { "throttleWriteIOPSDevice", &throttles, false }),
};

static const struct shape resources = {
	.kind = SHAPE_OBJECT,
	.fields =
		FIELDS({ "devices", ARRAY(&device_rule), false }, { "memory", &memory, false }, { "cpu", &cpu, false },
		       { "pids", OBJECT({ "limit", INT64, false }), false }, { "blockIO", &block_io, false },
		       { "hugepageLimits",
			 ARRAY(OBJECT({ "pageSize", FORM(is_page_size, "a size such as 2MB"), true },
				      { "limit", UINT64, true })),
			 false },
		       { "network",
			 OBJECT({ "classID", UINT32, false },
				{ "priorities", ARRAY(OBJECT({ "name", STRING, true }, { "priority", UINT32, true })),
				  false }),
			 false },
		       { "rdma", MAP(OBJECT({ "hcaHandles", UINT32, false }, { "hcaObjects", UINT32, false })), false },
		       { "unified", MAP(STRING), false }),
};

static const struct shape action = {
	.kind = SHAPE_STRING,
	.words = WORDS("SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP",
		       "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY"),
};

static const struct shape comparison = {
	.kind = SHAPE_STRING,
	.words = WORDS("SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
		       "SCMP_CMP_MASKED_EQ"),
};

static const struct shape condition = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "index", INTEGER(0, 5), true }, { "value", UINT64, true }, { "valueTwo", UINT64, false },
			 { "op", &comparison, true }),
};

static const struct shape filter_flag = {
	.kind = SHAPE_STRING,
	.words = WORDS("SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
		       "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"),
};

static const struct shape architecture = {
	.kind = SHAPE_STRING,
	.words = WORDS("SCMP_ARCH_NATIVE", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM",
		       "SCMP_ARCH_AARCH64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_MIPS",
		       "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
		       "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE",
		       "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB", "SCMP_ARCH_PARISC",
		       "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64"),
};

static const struct shape seccomp = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS(
		{ "defaultAction", &action, true }, { "defaultErrnoRet", UINT16, false },
		{ "flags", ARRAY(&filter_flag), false }, { "listenerPath", STRING, false },
		{ "listenerMetadata", STRING, false }, { "architectures", ARRAY(&architecture), false },
		{ "syscalls",
		  ARRAY(OBJECT({ "names",
				 &((const struct shape){ .kind = SHAPE_ARRAY, .item = STRING, .filled = true }), true },
			       { "action", &action, true }, { "errnoRet", UINT16, false },
			       { "args", ARRAY(&condition), false })),
		  false }),
};

static const struct shape offsets = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "secs", INT64, false }, { "nanosecs", INTEGER(0, 999999999), false }),
};

static const struct shape linux_shape = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS(
		{ "namespaces", ARRAY(OBJECT({ "type", &namespace_type, true }, { "path", STRING, false })), false },
		{ "uidMappings", ARRAY(&id_map), false }, { "gidMappings", ARRAY(&id_map), false },
		{ "timeOffsets", OBJECT({ "boottime", &offsets, false }, { "monotonic", &offsets, false }), false },
		{ "devices", ARRAY(&device), false }, { "netDevices", MAP(OBJECT({ "name", STRING, false })), false },
		{ "cgroupsPath", STRING, false }, { "resources", &resources, false },
		{ "rootfsPropagation",
		  ONE_OF("", "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable",
			 "runbindable"),
		  false },
		{ "seccomp", &seccomp, false }, { "sysctl", MAP(STRING), false },
		{ "maskedPaths", ARRAY(ABSOLUTE), false }, { "readonlyPaths", ARRAY(ABSOLUTE), false },
		{ "mountLabel", STRING, false },
		{ "intelRdt",
		  OBJECT({ "closID", STRING, false }, { "schemata", STRINGS, false },
			 { "l3CacheSchema", STRING, false },
			 { "memBwSchema", FORM(is_bandwidth, "one line that begins with MB:"), false },
			 { "enableMonitoring", BOOL, false }),
		  false },
		{ "memoryPolicy",
		  OBJECT({ "mode", STRING, false }, { "nodes", STRING, false }, { "flags", STRINGS, false }), false },
		{ "personality", OBJECT({ "domain", ONE_OF("LINUX", "LINUX32"), true }, { "flags", STRINGS, false }),
		  false }),
};

/* Of other platforms only what a document must not say. */
#define SHARING ONE_OF("disable", "new", "inherit")
static const struct shape jail = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "parent", STRING, false }, { "host", ONE_OF("new", "inherit"), false },
			 { "ip4", SHARING, false }, { "ip4Addr", STRINGS, false }, { "ip6", SHARING, false },
			 { "ip6Addr", STRINGS, false }, { "vnet", ONE_OF("new", "inherit"), false },
			 { "interface", STRING, false }, { "vnetInterfaces", STRINGS, false },
			 { "sysvmsg", SHARING, false }, { "sysvsem", SHARING, false }, { "sysvshm", SHARING, false },
			 { "enforceStatfs", INTEGER(0, UINT8_MAX), false }),
};

#define ANY_OBJECT (&(const struct shape){ .kind = SHAPE_OBJECT })

const struct shape shape_config = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS(
		{ "ociVersion", SPEC_VERSION, true },
		{ "root", OBJECT({ "path", STRING, true }, { "readonly", BOOL, false }), false },
		{ "process", &shape_process, false }, { "hostname", STRING, false }, { "domainname", STRING, false },
		{ "mounts", ARRAY(&mount), false }, { "annotations", ANNOTATIONS, false },
		{ "hooks",
		  OBJECT({ "prestart", HOOKS, false }, { "createRuntime", HOOKS, false },
			 { "createContainer", HOOKS, false }, { "startContainer", HOOKS, false },
			 { "poststart", HOOKS, false }, { "poststop", HOOKS, false }),
		  false },
		{ "linux", &linux_shape, false }, { "freebsd", OBJECT({ "jail", &jail, false }), false },
		{ "solaris", ANY_OBJECT, false }, { "windows", ANY_OBJECT, false }, { "zos", ANY_OBJECT, false },
		{ "vm", OBJECT({ "kernel", OBJECT({ "path", STRING, true }), true }), false }),
};

const struct shape shape_state = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS({ "ociVersion", SPEC_VERSION, true }, { "id", STRING, true },
			 { "status", ONE_OF("creating", "created", "running", "paused", "stopped"), true },
			 { "pid", INTEGER(0, INT32_MAX), false }, { "bundle", STRING, true },
			 { "annotations", ANNOTATIONS, false }),
};

#define SWITCH OBJECT({ "enabled", BOOL, false })

const struct shape shape_features = {
	.kind = SHAPE_OBJECT,
	.fields = FIELDS(
		{ "ociVersionMin", SPEC_VERSION, true }, { "ociVersionMax", SPEC_VERSION, true },
		{ "hooks", STRINGS, false }, { "mountOptions", STRINGS, false }, { "annotations", ANNOTATIONS, false },
		{ "potentiallyUnsafeConfigAnnotations", STRINGS, false },
		{ "linux",
		  OBJECT({ "namespaces", ARRAY(&namespace_type), false },
			 { "capabilities", ARRAY(FORM(is_capability, "a name such as CAP_CHOWN")), false },
			 { "cgroup",
			   OBJECT({ "v1", BOOL, false }, { "v2", BOOL, false }, { "systemd", BOOL, false },
				  { "systemdUser", BOOL, false }, { "rdma", BOOL, false }),
			   false },
			 { "seccomp",
			   OBJECT({ "enabled", BOOL, false }, { "actions", ARRAY(&action), false },
				  { "operators", ARRAY(&comparison), false }, { "archs", ARRAY(&architecture), false },
				  { "knownFlags", ARRAY(&filter_flag), false },
				  { "supportedFlags", ARRAY(&filter_flag), false }),
			   false },
			 { "apparmor", SWITCH, false }, { "selinux", SWITCH, false },
			 { "intelRdt",
			   OBJECT({ "enabled", BOOL, false }, { "schemata", BOOL, false },
				  { "monitoring", BOOL, false }),
			   false },
			 { "memoryPolicy", OBJECT({ "modes", STRINGS, false }, { "flags", STRINGS, false }), false },
			 { "mountExtensions", OBJECT({ "idmap", SWITCH, false }), false },
			 { "netDevices", SWITCH, false }),
		  false }),
};
