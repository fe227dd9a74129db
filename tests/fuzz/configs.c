/* configs: documents to begin with, and the plans that they make. */
#include "configs.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/spec.h"
#include "sound.h"

enum { TEXTS = 3 };

/* What `spec` does not have. */
static const char rich[] =
	"{\"ociVersion\":\"1.2.0\",\"process\":{\"terminal\":true,\"consoleSize\":{\"height\":4,\"width\":5},\"cwd\":"
	"\"/\",\"args\":[\"a\"],\"env\":[\"A=b\"],\"user\":{\"uid\":1,\"gid\":2,\"umask\":18,\"additionalGids\":[3]},"
	"\"capabilities\":{\"ambient\":[\"CAP_KILL\"],\"inheritable\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]},"
	"\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":1,\"deadline\":2,\"period\":3,\"flags\":["
	"\"SCHED_FLAG_RESET_ON_FORK\"]},\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4},"
	"\"execCPUAffinity\":{\"initial\":\"0-3,7\",\"final\":\"1\"},\"oomScoreAdj\":-5,\"apparmorProfile\":\"p\","
	"\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":0}]},"
	"\"root\":{\"path\":\"/r\"},\"hostname\":\"h\",\"domainname\":\"d\",\"annotations\":{\"x\":\"y\"},"
	"\"hooks\":{\"createContainer\":[{\"path\":\"/h\",\"args\":[\"h\"],\"env\":[\"E=f\"],\"timeout\":3}],"
	"\"startContainer\":[{\"path\":\"/s\"}],\"prestart\":[{\"path\":\"/p\"}]},"
	"\"mounts\":[{\"destination\":\"/v\",\"source\":\"s\",\"options\":[\"rbind\",\"rro\",\"rslave\"]},{"
	"\"destination\":\"i\",\"type\":\"bind\",\"source\":\"/i\",\"options\":[\"bind\",\"idmap\",\"noatime\"],"
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":8}],\"gidMappings\":[{\"containerID\":0,"
	"\"hostID\":9,\"size\":8}]},{\"destination\":\"/t\",\"type\":\"tmpfs\",\"options\":[\"tmpcopyup\",\"size=1\"]},"
	"{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\"}],"
	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"user\"},{\"type\":\"ipc\","
	"\"path\":\"/n\"},{\"type\":\"network\"},{\"type\":\"time\"},{\"type\":\"cgroup\"},{\"type\":\"uts\"}],"
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":5,\"size\":9}],\"gidMappings\":[{\"containerID\":0,\"hostID\":"
	"5,\"size\":9}],\"timeOffsets\":{\"boottime\":{\"secs\":-3,\"nanosecs\":4}},\"sysctl\":{\"net.x\":\"1\"},"
	"\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1,\"minor\":2,\"fileMode\":438,\"uid\":0}],"
	"\"maskedPaths\":[\"/m\"],\"readonlyPaths\":[\"/p\"],\"rootfsPropagation\":\"shared\",\"mountLabel\":\"l\","
	"\"personality\":{\"domain\":\"LINUX32\"},\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0-1\",\"flags\":"
	"["
	"\"MPOL_F_STATIC_NODES\"]},\"intelRdt\":{\"closID\":\"c\"},\"cgroupsPath\":\"/c\",\"resources\":{\"devices\":[{"
	"\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rw\"}],\"memory\":{\"limit\":1048576,"
	"\"swap\":-1,\"reservation\":1,\"swappiness\":3},\"cpu\":{\"shares\":5,\"quota\":1000,\"period\":2000,\"cpus\":"
	"\"0\",\"burst\":1,\"idle\":1},\"pids\":{\"limit\":7},\"blockIO\":{\"weight\":10,\"throttleReadBpsDevice\":[{"
	"\"major\":8,\"minor\":0,\"rate\":9}]},\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}],\"rdma\":{\"m\":"
	"{"
	"\"hcaHandles\":1}},\"unified\":{\"pids.max\":\"9\"},\"network\":{\"classID\":1,\"priorities\":[{\"name\":"
	"\"lo\",\"priority\":1}]}},\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":["
	"\"dup\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":5},{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]"
	","
	"\"listenerPath\":\"/run/agent.sock\",\"listenerMetadata\":\"m\"}}}";

char *config_text(size_t n)
{
	_cleanup_json_ json *spec = NULL;

	if (n >= TEXTS)
		return NULL;
	if (n == TEXTS - 1)
		return strdup(rich);
	must(runtime_spec(n == 1, &spec, NULL) == 0);
	return json_print(spec);
}

struct launch config_launch(const json *config)
{
	return (struct launch){
		.spec = config,
		.id = "fuzz",
		.seccomp_cache_fd = -1,
		.flags = PLAN_STDIO | PLAN_LEAVE,
		.start_path = "/run/fuzz/exec.fifo",
		.keyring = "_ses.fuzz",
		.state_head = "{\"pid\":",
		.state_tails = { ",\"status\":\"creating\"}", ",\"status\":\"created\"}" },
		.cgroup_stays = true,
		.n_keep = 1,
	};
}

static json *read_config(size_t n)
{
	_cleanup_free_ char *text = config_text(n);
	json *config = NULL;

	must(text && json_parse(text, strlen(text), &config, NULL) == 0);
	must(mounts_resolve(config, "/bundle", NULL) == 0);
	return config;
}

static void with_cgroup(const json *config, struct launch *launch, struct cgroup_plan *cgroup)
{
	if (cgroup_compile("/fuzz", json_find(config, "linux.resources"), "linux.resources", cgroup, NULL) == 0 &&
	    cgroup->dirs.n)
		launch->cgroup = cgroup;
}

static void by_runtime(const json *config, struct plan *ret)
{
	_cleanup_(cgroup_plan_done) struct cgroup_plan cgroup = { 0 };
	struct launch launch = config_launch(config);

	with_cgroup(config, &launch, &cgroup);
	must(compile_launch(&launch, ret, NULL) == 0);
}

/* As a container of the engine, on layers, and in a network. */
static void by_engine(const json *config, struct plan *ret)
{
	_cleanup_(cgroup_plan_done) struct cgroup_plan cgroup = { 0 };
	_cleanup_(strv_done) struct strv layers = STRV_INIT;
	uint32_t message[] = { 16, 0x50010, 1, 0 }; /* struct nlmsghdr that asks for an answer */
	struct nl_batch batch = { .bytes = message, .n_bytes = sizeof(message), .pid_at = 12 };
	struct launch launch = {
		.spec = config,
		.id = "fuzz",
		.layers = &layers,
		.upper = "/layers/upper",
		.work = "/layers/work",
		.volatile_upper = true,
		.host = &batch,
		.guest = &batch,
		.unpublish = &batch,
		.n_ports = 2,
		.seccomp_cache_fd = -1,
		.flags = PLAN_RECORD | PLAN_LOG | PLAN_CLEANUP | PLAN_STDIN,
		.state_root = "/state",
		.run_root = "/run",
		.library = "/lib/libteu.so",
		.state_path = "/run/state",
		.exit_path = "/state/exit",
		.socket_path = "/run/monitor.sock",
		.log_path = "/state/log",
		.stopped_path = "/run/stopped",
		.restart = PLAN_RESTART_ON_FAILURE,
		.restart_max = 3,
	};

	strv_add(&layers, "/layers/1");
	strv_add(&layers, "/layers/2");
	with_cgroup(config, &launch, &cgroup);
	must(compile_launch(&launch, ret, NULL) == 0);
}

static void of_exec(const json *config, struct plan *ret)
{
	struct launch launch = config_launch(config);

	launch.start_path = NULL;
	launch.join_root = "/proc/1000/root";
	launch.state = "{}";
	must(compile_exec(&launch, json_get(config, "process"), ret, NULL) == 0);
}

static void of_mounts(const json *config, struct plan *ret)
{
	_cleanup_json_ json *mounts = NULL;
	static const char text[] = "[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"size=1\"]},{"
				   "\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"rbind\",\"ro\"]}]";
	struct launch launch = config_launch(config);

	launch.join_root = "/proc/1000/root";
	must(json_parse(text, strlen(text), &mounts, NULL) == 0);
	must(compile_remount(&launch, mounts, false, ret, NULL) == 0);
}

static void of_command(struct plan *ret)
{
	_cleanup_(strv_done) struct strv argv = STRV_INIT, env = STRV_INIT;
	const struct bare bare = {
		.namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP,
		.bound = "/r",
		.hostname = "h",
		.argv = &argv,
		.env = &env,
		.siblings = true,
	};

	strv_add(&argv, "true");
	strv_add(&argv, "");
	strv_add(&env, "PATH=/bin::/usr/bin");
	must(compile_bare(&bare, ret, NULL) == 0);
}

bool config_plan(size_t n, struct plan *ret)
{
	static void (*const makers[])(const json *, struct plan *) = { by_runtime, by_engine, of_exec, of_mounts };
	_cleanup_json_ json *config = NULL;

	if (n == TEXTS * ARRAY_SIZE(makers)) {
		of_command(ret);
		return true;
	}
	if (n > TEXTS * ARRAY_SIZE(makers))
		return false;
	config = read_config(n % TEXTS);
	makers[n / TEXTS](config, ret);
	return true;
}
