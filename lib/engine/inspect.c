/* inspect: one container as Docker's API shows it. Source: Docker Engine API v1.43, ContainerInspect. */
#include "engine/inspect.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "engine/inspect_parts.h"
#include "engine/status.h"
#include "kernel/cgroup.h"

/* What a record leaves out because it is the default: clients expect every field. */
static const char host_defaults[] =
	"{\"Binds\":null,\"ContainerIDFile\":\"\",\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{}},"
	"\"NetworkMode\":\"bridge\",\"PortBindings\":{},\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0},"
	"\"AutoRemove\":false,\"VolumeDriver\":\"\",\"VolumesFrom\":null,\"ConsoleSize\":[0,0],\"CapAdd\":null,"
	"\"CapDrop\":null,\"CgroupnsMode\":\"private\",\"Dns\":[],\"DnsOptions\":[],\"DnsSearch\":[],"
	"\"ExtraHosts\":null,\"GroupAdd\":null,\"IpcMode\":\"private\",\"Cgroup\":\"\",\"Links\":null,"
	"\"OomScoreAdj\":0,\"PidMode\":\"\",\"Privileged\":false,\"PublishAllPorts\":false,"
	"\"ReadonlyRootfs\":false,\"SecurityOpt\":null,\"UTSMode\":\"\",\"UsernsMode\":\"\",\"ShmSize\":67108864,"
	"\"Runtime\":\"teu\",\"Isolation\":\"\",\"CpuShares\":0,\"Memory\":0,\"NanoCpus\":0,\"CgroupParent\":\"\","
	"\"BlkioWeight\":0,\"BlkioWeightDevice\":[],\"BlkioDeviceReadBps\":[],\"BlkioDeviceWriteBps\":[],"
	"\"BlkioDeviceReadIOps\":[],\"BlkioDeviceWriteIOps\":[],\"CpuPeriod\":0,\"CpuQuota\":0,"
	"\"CpuRealtimePeriod\":0,\"CpuRealtimeRuntime\":0,\"CpusetCpus\":\"\",\"CpusetMems\":\"\",\"Devices\":[],"
	"\"DeviceCgroupRules\":null,\"DeviceRequests\":null,\"MemoryReservation\":0,\"MemorySwap\":0,"
	"\"MemorySwappiness\":null,\"OomKillDisable\":false,\"PidsLimit\":null,\"Ulimits\":null,\"CpuCount\":0,"
	"\"CpuPercent\":0,\"IOMaximumIOps\":0,\"IOMaximumBandwidth\":0}";

static const char config_defaults[] =
	"{\"Hostname\":\"\",\"Domainname\":\"\",\"User\":\"\",\"AttachStdin\":false,\"AttachStdout\":false,"
	"\"AttachStderr\":false,\"Tty\":false,\"OpenStdin\":false,\"StdinOnce\":false,\"Env\":[],\"Cmd\":null,"
	"\"Image\":\"\",\"Volumes\":null,\"WorkingDir\":\"\",\"Entrypoint\":null,\"OnBuild\":null,\"Labels\":{}}";

/* The defaults with what is set in @over. */
static json *with_defaults(const char *defaults, const json *over)
{
	_cleanup_json_ json *object = NULL;

	if (json_parse(defaults, strlen(defaults), &object, NULL) < 0)
		return NULL;
	json_foreach_member (value, over)
		if (json_get(over, json_key(value)) && !json_add(object, json_key(value), json_copy(value)))
			return NULL;
	return TAKE_PTR(object);
}

static json *host_config(const teu_container *container)
{
	static const char *const masks[] = { "MaskedPaths", "ReadonlyPaths" };
	const json *host = json_get(container->record, "HostConfig");
	_cleanup_json_ json *object = with_defaults(host_defaults, host);

	/* Where nobody chose, what the spec has. */
	for (size_t i = 0; object && container->spec && i < ARRAY_SIZE(masks); i++) {
		const json *used = json_find(container->spec, i ? "linux.readonlyPaths" : "linux.maskedPaths");

		if (!json_get(host, masks[i]) && !json_add(object, masks[i], used ? json_copy(used) : json_null()))
			return NULL;
	}
	return TAKE_PTR(object);
}

static json *state_object(const struct container_state *state)
{
	bool running = state->state == TEU_STATE_RUNNING || state->state == TEU_STATE_PAUSED;
	char started[CLOCK_TEXT_MAX], finished[CLOCK_TEXT_MAX];
	_cleanup_json_ json *to = json_object();

	clock_format(state->started_ns, started);
	clock_format(state->finished_ns, finished);
	if (!json_add_string(to, "Status", status_word(state->state)) || !json_add_bool(to, "Running", running) ||
	    !json_add_bool(to, "Paused", state->state == TEU_STATE_PAUSED) ||
	    !json_add_bool(to, "Restarting", state->state == TEU_STATE_RESTARTING) ||
	    !json_add_bool(to, "OOMKilled", state->oom_killed) || !json_add_bool(to, "Dead", false) ||
	    !json_add_int(to, "Pid", state->pid) || !json_add_int(to, "ExitCode", state->exit_status) ||
	    !json_add_string(to, "Error", state->error) || !json_add_string(to, "StartedAt", started) ||
	    !json_add_string(to, "FinishedAt", finished))
		return NULL;
	return TAKE_PTR(to);
}

/* "Path" is the program, "Args" what follows. */
static bool add_command(json *to, const teu_container *container)
{
	const json *words = json_find(container->spec, "process.args"), *first = json_first(words);
	json *args = json_add_array(to, "Args");

	for (const json *word = first ? json_next(first) : NULL; word; word = json_next(word))
		if (!json_append_string(args, json_text(word, "")))
			return false;
	return args && json_add_string(to, "Path", json_text(first, ""));
}

static bool add_path(json *to, const char *key, const teu_container *container, const char *file)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/containers/%s/%s", container->engine->store.root, container->id, file) < 0)
		return false;
	return json_add_string(to, key, path);
}

static bool add_head(json *to, const teu_container *container, const struct container_state *state)
{
	_cleanup_free_ char *name = NULL;

	if (asprintf(&name, "/%s", container->name) < 0)
		return false;
	return json_add_string(to, "Id", container->id) &&
	       json_add_string(to, "Created", json_get_text(container->record, "Created", "")) &&
	       add_command(to, container) && json_add(to, "State", state_object(state)) &&
	       json_add_string(to, "Image", json_get_text(container->record, "Image", "")) &&
	       add_path(to, "ResolvConfPath", container, "resolv.conf") &&
	       add_path(to, "HostnamePath", container, "hostname") && add_path(to, "HostsPath", container, "hosts") &&
	       json_add_string(to, "LogPath", json_get_text(container->record, "LogPath", "")) &&
	       json_add_string(to, "Name", name) && json_add_int(to, "RestartCount", state->restarts);
}

static json *graph_driver(const teu_container *container)
{
	_cleanup_json_ json *driver = json_object();
	json *data = json_add_object(driver, "Data");

	if (!json_add_string(driver, "Name", "overlay2") || !add_path(data, "UpperDir", container, "upper") ||
	    !add_path(data, "WorkDir", container, "work") || !add_path(data, "MergedDir", container, "rootfs"))
		return NULL;
	return TAKE_PTR(driver);
}

static bool add_middle(json *to, const teu_container *container)
{
	const char *profile = json_text(json_find(container->spec, "process.apparmorProfile"), "");
	const char *label = json_text(json_find(container->spec, "process.selinuxLabel"), "");

	return json_add_string(to, "Driver", "overlay2") && json_add_string(to, "Platform", "linux") &&
	       json_add_string(to, "MountLabel", "") && json_add_string(to, "ProcessLabel", label) &&
	       json_add_string(to, "AppArmorProfile", profile) && json_add(to, "ExecIDs", json_null()) &&
	       json_add(to, "HostConfig", host_config(container)) &&
	       json_add(to, "GraphDriver", graph_driver(container)) &&
	       json_add(to, "Mounts", inspect_mounts(container)) &&
	       json_add(to, "Config", with_defaults(config_defaults, json_get(container->record, "Config")));
}

/* What the kernel says, whatever was asked for. A container that ends meanwhile has nothing left to read. */
static int add_effective(json *to, const teu_container *container, teu_error **err)
{
	const char *path = json_text(json_find(container->spec, "linux.cgroupsPath"), "");
	teu_cgroup *cgroup = NULL;
	json *limits = NULL;
	int r = cgroup_find(path, &cgroup, NULL);

	if (r == 0)
		r = cgroup_read_limits(cgroup, &limits, NULL);
	cgroup_unref(cgroup);
	return r < 0 || json_add(to, "Effective", limits) ? 0 : err_oom(err);
}

int inspect_container(teu_container *container, json **ret, teu_error **err)
{
	_cleanup_(endpoint_done) struct endpoint ep = { 0 };
	_cleanup_json_ json *document = json_object();
	struct container_state state;
	const json *spec;
	bool connected;
	int r = container_state(container, &state, err);

	if (r == 0)
		r = container_spec(container, &spec, err);
	if (r < 0)
		return r;
	connected = container_is_up(&state) && inspect_endpoint(container, &ep);
	if (!document || !add_head(document, container, &state) || !add_middle(document, container) ||
	    !json_add(document, "NetworkSettings", inspect_network(container, connected ? &ep : NULL)))
		return err_oom(err);
	r = state.pid ? add_effective(document, container, err) : 0;
	if (r == 0)
		*ret = TAKE_PTR(document);
	return r;
}
