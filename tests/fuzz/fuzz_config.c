/*
 * fuzz_config: any bytes as the config.json of an OCI bundle, on the way that `teu-oci create` takes it: checked, its
 * mounts resolved, its cgroup and its plan compiled. Nothing is made. Each of these either works, or says in lines
 * what is wrong; what the check lets pass and compiles is a plan that the helper could run.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/spec.h"
#include "sandbox/check.h"
#include "sandbox/compile.h"
#include "sound.h"

const size_t fuzz_rounds = 8000;

static void must_be_said(int r, const teu_error *err)
{
	must(r == teu_error_code(err) && (r == 0 || *teu_error_message(err)));
}

/* Each on a line of its own, whatever names the document brings. */
static void must_be_lines(const struct strv *lines)
{
	strv_foreach (line, lines)
		must(**line && !strchr(*line, '\n'));
}

static bool passes(const json *config, enum check_for what)
{
	_cleanup_(check_done) struct check check = { 0 };
	_cleanup_error_ teu_error *err = NULL;
	int r;

	check_config(config, what, &check);
	must_be_lines(&check.errors);
	must_be_lines(&check.warnings);
	r = check_result(&check, &err);
	must_be_said(r, err);
	must((r == 0) == (check.errors.n == 0));
	return r == 0;
}

static void as_process(const json *process)
{
	_cleanup_(check_done) struct check check = { 0 };

	check_process(process, &check);
	must_be_lines(&check.errors);
}

static void compile_cgroup(const json *config, struct cgroup_plan *ret)
{
	_cleanup_error_ teu_error *err = NULL;
	int r = cgroup_compile("/fuzz", json_find(config, "linux.resources"), "linux.resources", ret, &err);

	must_be_said(r, err);
	if (r < 0)
		cgroup_plan_done(ret);
}

static void compile(json *config)
{
	_cleanup_(cgroup_plan_done) struct cgroup_plan cgroup = { 0 };
	_cleanup_(plan_done) struct plan plan = { 0 };
	_cleanup_error_ teu_error *err = NULL;
	struct launch launch = {
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
	int r = mounts_resolve(config, "/bundle", &err);

	must_be_said(r, err);
	if (r < 0)
		return;
	compile_cgroup(config, &cgroup);
	launch.cgroup = cgroup.dirs.n ? &cgroup : NULL;
	r = compile_launch(&launch, &plan, &err);
	must_be_said(r, err);
	if (r == 0)
		must_be_sound(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_error_ teu_error *ignored = NULL;
	_cleanup_json_ json *config = NULL;

	if (json_parse((const char *)bytes, len, &config, &ignored) < 0)
		return 0;
	passes(config, CHECK_DOCUMENT);
	as_process(json_get(config, "process"));
	if (passes(config, CHECK_LAUNCH))
		compile(config);
	return 0;
}

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
	"\"dup\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":5}]}}}";

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	_cleanup_json_ json *spec = NULL;
	char *text;

	if (n < 2)
		must(runtime_spec(n == 1, &spec, NULL) == 0);
	else if (n > 2)
		return NULL;
	text = spec ? json_print(spec) : strdup(rich);
	*ret_len = text ? strlen(text) : 0;
	return (uint8_t *)text;
}
