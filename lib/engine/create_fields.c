/*
 * create_fields: which fields a create body may have and of what type. A field of HostConfig that is not known here is
 * refused when it is set: it would limit or isolate, and we would not.
 * Source: Docker Engine API v1.43, ContainerCreate.
 */
#include "engine/create_parts.h"

#include <stdio.h>
#include <string.h>

enum type { STRING, INT, BOOL, ARRAY, OBJECT, STRINGS, WORDS, TEXTS };

struct field {
	const char *key;
	enum type type;
	const char *refused; /* why it must not be set; NULL: it may */
};

static const char no_driver[] = "this release has no such driver";
static const char no_realtime[] = "real-time scheduling of containers is not supported";
static const char no_windows[] = "it exists on Windows only";
static const char no_kernel_memory[] = "kernel memory limits are gone from Linux";

static const struct field body_fields[] = {
	{ "Hostname", STRING, NULL },
	{ "Domainname", STRING, NULL },
	{ "User", STRING, NULL },
	{ "AttachStdin", BOOL, NULL },
	{ "AttachStdout", BOOL, NULL },
	{ "AttachStderr", BOOL, NULL },
	{ "ExposedPorts", OBJECT, NULL },
	{ "Tty", BOOL, NULL },
	{ "OpenStdin", BOOL, NULL },
	{ "StdinOnce", BOOL, NULL },
	{ "Env", STRINGS, NULL },
	{ "Cmd", WORDS, NULL },
	{ "Entrypoint", WORDS, NULL },
	{ "Healthcheck", OBJECT, NULL },
	{ "ArgsEscaped", BOOL, NULL },
	{ "Image", STRING, NULL },
	{ "Volumes", OBJECT, NULL },
	{ "WorkingDir", STRING, NULL },
	{ "NetworkDisabled", BOOL, NULL },
	{ "MacAddress", STRING, "the engine chooses the address itself" },
	{ "OnBuild", STRINGS, NULL },
	{ "Labels", TEXTS, NULL },
	{ "StopSignal", STRING, NULL },
	{ "StopTimeout", INT, NULL },
	{ "Shell", STRINGS, NULL },
	{ "HostConfig", OBJECT, NULL },
	{ "NetworkingConfig", OBJECT, NULL },
};

static const struct field host_fields[] = {
	{ "CpuShares", INT, NULL },
	{ "Memory", INT, NULL },
	{ "CgroupParent", STRING, NULL },
	{ "BlkioWeight", INT, NULL },
	{ "BlkioWeightDevice", ARRAY, NULL },
	{ "BlkioDeviceReadBps", ARRAY, NULL },
	{ "BlkioDeviceWriteBps", ARRAY, NULL },
	{ "BlkioDeviceReadIOps", ARRAY, NULL },
	{ "BlkioDeviceWriteIOps", ARRAY, NULL },
	{ "CpuPeriod", INT, NULL },
	{ "CpuQuota", INT, NULL },
	{ "CpuRealtimePeriod", INT, no_realtime },
	{ "CpuRealtimeRuntime", INT, no_realtime },
	{ "CpusetCpus", STRING, NULL },
	{ "CpusetMems", STRING, NULL },
	{ "Devices", ARRAY, NULL },
	{ "DeviceCgroupRules", STRINGS, NULL },
	{ "DeviceRequests", ARRAY, no_driver },
	{ "KernelMemory", INT, no_kernel_memory },
	{ "KernelMemoryTCP", INT, no_kernel_memory },
	{ "MemoryReservation", INT, NULL },
	{ "MemorySwap", INT, NULL },
	{ "MemorySwappiness", INT, NULL },
	{ "NanoCpus", INT, NULL },
	{ "OomKillDisable", BOOL, NULL },
	{ "Init", BOOL, NULL },
	{ "PidsLimit", INT, NULL },
	{ "Ulimits", ARRAY, NULL },
	{ "CpuCount", INT, no_windows },
	{ "CpuPercent", INT, no_windows },
	{ "IOMaximumIOps", INT, no_windows },
	{ "IOMaximumBandwidth", INT, no_windows },
	{ "Binds", STRINGS, NULL },
	{ "ContainerIDFile", STRING, NULL },
	{ "LogConfig", OBJECT, NULL },
	{ "NetworkMode", STRING, NULL },
	{ "PortBindings", OBJECT, NULL },
	{ "RestartPolicy", OBJECT, NULL },
	{ "AutoRemove", BOOL, NULL },
	{ "VolumeDriver", STRING, NULL },
	{ "VolumesFrom", STRINGS, "name the volumes in Binds or Mounts" },
	{ "Mounts", ARRAY, NULL },
	{ "ConsoleSize", ARRAY, NULL },
	{ "Annotations", TEXTS, NULL },
	{ "CapAdd", STRINGS, NULL },
	{ "CapDrop", STRINGS, NULL },
	{ "CgroupnsMode", STRING, NULL },
	{ "Dns", STRINGS, NULL },
	{ "DnsOptions", STRINGS, NULL },
	{ "DnsSearch", STRINGS, NULL },
	{ "ExtraHosts", STRINGS, NULL },
	{ "GroupAdd", STRINGS, NULL },
	{ "IpcMode", STRING, NULL },
	{ "Cgroup", STRING, "containers have a cgroup of their own" },
	{ "Links", STRINGS, "links between containers are not supported" },
	{ "OomScoreAdj", INT, NULL },
	{ "PidMode", STRING, NULL },
	{ "Privileged", BOOL, NULL },
	{ "PublishAllPorts", BOOL, NULL },
	{ "ReadonlyRootfs", BOOL, NULL },
	{ "SecurityOpt", STRINGS, NULL },
	{ "StorageOpt", OBJECT, "the overlay driver has no options" },
	{ "Tmpfs", TEXTS, NULL },
	{ "UTSMode", STRING, NULL },
	{ "UsernsMode", STRING, NULL },
	{ "ShmSize", INT, NULL },
	{ "Sysctls", TEXTS, NULL },
	{ "Runtime", STRING, NULL },
	{ "Isolation", STRING, NULL },
	{ "MaskedPaths", STRINGS, NULL },
	{ "ReadonlyPaths", STRINGS, NULL },
};

bool create_is_zero(const json *v)
{
	if (json_is_string(v))
		return json_text(v, "")[0] == '\0';
	if (json_is_number(v))
		return json_number(v, 1) == 0;
	if (json_is_bool(v))
		return !json_truth(v, false);
	return json_count(v) == 0;
}

static int check_texts(const json *object, const char *where, const char *key, teu_error **err)
{
	const json *texts = NULL;
	char place[64];
	int r = json_read_object(object, where, key, &texts, err);

	if (r < 0)
		return r;
	snprintf(place, sizeof(place), "%s%s%s", where, *where ? "." : "", key);
	json_foreach_member (text, texts) {
		const char *ignored;

		r = json_read_string(texts, place, json_key(text), &ignored, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_strings(const json *object, const char *where, const char *key, teu_error **err)
{
	_cleanup_(strv_done) struct strv ignored = STRV_INIT;

	return json_read_strings(object, where, key, &ignored, err);
}

static int check_type(const json *object, const char *where, const struct field *field, teu_error **err)
{
	const json *value = NULL;
	const char *text;
	int64_t n;
	bool b;

	switch (field->type) {
	case STRING:
		return json_read_string(object, where, field->key, &text, err);
	case INT:
		return json_read_int(object, where, field->key, &n, err);
	case BOOL:
		return json_read_bool(object, where, field->key, &b, err);
	case ARRAY:
		return json_read_array(object, where, field->key, &value, err);
	case OBJECT:
		return json_read_object(object, where, field->key, &value, err);
	case WORDS:
		if (json_is_string(json_get(object, field->key)))
			return 0;
		/* fall through */
	case STRINGS:
		return check_strings(object, where, field->key, err);
	case TEXTS:
		return check_texts(object, where, field->key, err);
	}
	return 0;
}

static const struct field *find_field(const struct field *fields, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].key, key) == 0)
			return &fields[i];
	return NULL;
}

static int check_host(const json *host, teu_error **err)
{
	json_foreach_member (value, host) {
		const struct field *field = find_field(host_fields, ARRAY_SIZE(host_fields), json_key(value));
		int r;

		if (!field && !create_is_zero(value))
			return json_field_error(err, "HostConfig", json_key(value), "not known to this release");
		if (!field)
			continue;
		r = check_type(host, "HostConfig", field, err);
		if (r < 0)
			return r;
		if (field->refused && !create_is_zero(value))
			return json_field_error(err, "HostConfig", field->key, "not supported: %s", field->refused);
	}
	return 0;
}

int create_check_fields(const json *body, teu_error **err)
{
	if (!json_is_object(body))
		return err_set(err, TEU_E_INVALID, "container config: expected an object");
	json_foreach_member (value, body) {
		const char *key = json_key(value);
		const struct field *field = find_field(body_fields, ARRAY_SIZE(body_fields), key);
		int r;

		if (!field) {
			/* Before API 1.18 limits stood here: they must not get lost. */
			if (find_field(host_fields, ARRAY_SIZE(host_fields), key) && !create_is_zero(value))
				return json_field_error(err, "", key, "belongs in HostConfig");
			continue;
		}
		r = check_type(body, "", field, err);
		if (r < 0)
			return r;
		if (field->refused && !create_is_zero(value))
			return json_field_error(err, "", key, "not supported: %s", field->refused);
	}
	return check_host(json_get(body, "HostConfig"), err);
}
