/*
 * create_host: Docker's HostConfig object with its defaults, and the rules between options. Rules about what the spec
 * is made of (limits, devices, capabilities) stand in the spec_… files, where the values are read.
 */
#include "engine/create_parts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "engine/ports.h"

#define HOST "HostConfig"

enum { SHM_SIZE = 64 << 20 };

/* Clients send all seventy fields: those that say nothing are not kept. An empty list of masks says something. */
static int keep_set_fields(struct create *c, const json *host, teu_error **err)
{
	static const char *const telling_zeros[] = { "MaskedPaths", "ReadonlyPaths", "MemorySwappiness" };

	json_foreach_member (value, host) {
		bool keep = !create_is_zero(value);

		for (size_t i = 0; i < ARRAY_SIZE(telling_zeros); i++)
			keep |= strcmp(json_key(value), telling_zeros[i]) == 0 && json_get(host, telling_zeros[i]);
		if (keep && !json_add(c->host, json_key(value), json_copy(value)))
			return err_oom(err);
	}
	return 0;
}

/* "container:web" -> "container:<id>", with *@ret_target the container; NULL when @key names none. */
static int resolve_container(struct create *c, const char *key, teu_container **ret_target, teu_error **err)
{
	const char *mode = json_get_text(c->host, key, "");
	char full[CONTAINER_ID_LEN + 16];
	int r;

	*ret_target = NULL;
	if (strncmp(mode, "container:", 10) != 0)
		return 0;
	if (!mode[10])
		return json_field_error(err, HOST, key, "no container after \"container:\"");
	r = container_find(c->engine, mode + 10, ret_target, err);
	if (r < 0)
		return err_wrap(err, r, HOST ".%s", key);
	snprintf(full, sizeof(full), "container:%s", (*ret_target)->id);
	return json_add_string(c->host, key, full) ? 0 : err_oom(err);
}

/* A mode that is one of @allowed (NULL-terminated), or names a container where @containers. */
static int check_mode(struct create *c, const char *key, const char *const *allowed, bool containers, teu_error **err)
{
	_cleanup_(teu_container_unrefp) teu_container *target = NULL;
	const char *mode = json_get_text(c->host, key, "");

	if (containers && strncmp(mode, "container:", 10) == 0)
		return resolve_container(c, key, &target, err);
	for (; *mode && *allowed; allowed++)
		if (strcmp(mode, *allowed) == 0)
			return 0;
	return *mode ? json_field_error(err, HOST, key, "invalid mode \"%s\"", mode) : 0;
}

static bool mode_is(const struct create *c, const char *key, const char *mode)
{
	return strcmp(json_get_text(c->host, key, ""), mode) == 0;
}

/* As with docker, shared memory is shared by who said so. */
static int check_ipc_donor(struct create *c, teu_error **err)
{
	_cleanup_(teu_container_unrefp) teu_container *donor = NULL;
	int r = resolve_container(c, "IpcMode", &donor, err);
	const char *mode;

	if (r < 0 || !donor)
		return r;
	mode = json_get_text(json_get(donor->record, "HostConfig"), "IpcMode", "");
	if (strcmp(mode, "shareable") != 0 && strcmp(mode, "host") != 0)
		return json_field_error(err, HOST, "IpcMode",
					"container %s does not share its IPC namespace: make it with IpcMode shareable",
					donor->name);
	return 0;
}

static int check_modes(struct create *c, teu_error **err)
{
	static const char *const pid[] = { "host", "private", NULL };
	static const char *const ipc[] = { "host", "private", "shareable", "none", NULL };
	static const char *const uts[] = { "host", NULL };
	static const char *const cgroup[] = { "host", "private", NULL };
	static const char *const user[] = { "host", "auto", "private", "remap", NULL };
	static const char *const shared[] = { "PidMode", "IpcMode", "NetworkMode" };
	int r = check_mode(c, "PidMode", pid, true, err);

	if (r == 0)
		r = check_mode(c, "IpcMode", ipc, true, err);
	if (r == 0)
		r = check_ipc_donor(c, err);
	if (r == 0)
		r = check_mode(c, "UTSMode", uts, false, err);
	if (r == 0)
		r = check_mode(c, "CgroupnsMode", cgroup, false, err);
	if (r == 0)
		r = check_mode(c, "UsernsMode", user, false, err);
	if (r < 0 || mode_is(c, "UsernsMode", "") || mode_is(c, "UsernsMode", "host"))
		return r;
	/* The host's namespaces belong to the host's user namespace: proc and sysfs of them can't be mounted from ours.
	 */
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (mode_is(c, shared[i], "host"))
			return json_field_error(
				err, HOST, shared[i],
				"conflicting options: a container with a user namespace can't share the host's");
	if (json_get_truth(c->host, "Privileged", false))
		return json_field_error(
			err, HOST, "Privileged",
			"conflicting options: a privileged container runs in the host's user namespace");
	return 0;
}

/* Options that a container in somebody else's network has no say in. */
static int check_joined_network(struct create *c, teu_error **err)
{
	static const struct {
		const char *key, *what;
	} conflicts[] = {
		{ "Dns", "dns" },
		{ "DnsSearch", "dns" },
		{ "DnsOptions", "dns" },
		{ "ExtraHosts", "custom host-to-IP mapping" },
		{ "PortBindings", "port publishing" },
		{ "PublishAllPorts", "port publishing" },
	};

	if (*json_get_text(c->config, "Hostname", ""))
		return json_field_error(err, "", "Hostname", "conflicting options: hostname and the network mode");
	for (size_t i = 0; i < ARRAY_SIZE(conflicts); i++)
		if (json_get(c->host, conflicts[i].key))
			return json_field_error(err, HOST, conflicts[i].key,
						"conflicting options: %s and the network mode", conflicts[i].what);
	return 0;
}

static int check_endpoints(struct create *c, teu_error **err)
{
	json_foreach_member (endpoint, json_find(c->body, "NetworkingConfig.EndpointsConfig")) {
		static const char *const unknown[] = { "IPAMConfig", "Links", "Aliases", "MacAddress" };
		const char *name = json_key(endpoint), *mode = json_get_text(c->host, "NetworkMode", "");

		if (strcmp(name, mode) != 0 && strcmp(name, "default") != 0 && strcmp(name, "bridge") != 0)
			return json_field_error(err, "NetworkingConfig.EndpointsConfig", name,
						"a container has one network, that of HostConfig.NetworkMode");
		for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
			if (!create_is_zero(json_get(endpoint, unknown[i])))
				return json_field_error(err, "NetworkingConfig.EndpointsConfig", name,
							"%s is not supported: the engine chooses the address itself",
							unknown[i]);
	}
	return 0;
}

static int publish_all(struct create *c, teu_error **err)
{
	json *bindings = json_get_mutable(c->host, "PortBindings");

	if (!json_get_truth(c->host, "PublishAllPorts", false) || !json_count(json_get(c->config, "ExposedPorts")))
		return 0;
	if (!bindings)
		bindings = json_add_object(c->host, "PortBindings");
	json_foreach_member (port, json_get(c->config, "ExposedPorts")) {
		if (json_count(json_get(bindings, json_key(port))))
			continue;
		if (!json_add_string(json_append_object(json_add_array(bindings, json_key(port))), "HostPort", "0"))
			return err_oom(err);
	}
	return 0;
}

static int check_ports(struct create *c, teu_error **err)
{
	_cleanup_free_ struct port_mapping *ports = NULL;
	size_t n;
	int r = ports_of(c->host, &ports, &n, err);

	if (r < 0)
		return r;
	if (n && mode_is(c, "NetworkMode", "host"))
		engine_log(c->engine, TEU_LOG_WARNING, "published ports are discarded when using host network mode");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (ports[i].host_port && ports[i].host_port == ports[k].host_port &&
			    ports[i].protocol == ports[k].protocol && ports[i].host_ip == ports[k].host_ip)
				return json_field_error(err, HOST, "PortBindings", "host port %u/%s is asked for twice",
							ports[i].host_port, ports_protocol(ports[i].protocol));
	return publish_all(c, err);
}

/* What the container calls itself where nobody said. */
static int choose_hostname(struct create *c, const teu_container *network_of, teu_error **err)
{
	char name[CONTAINER_ID_LEN + 1];
	struct utsname host;

	if (*json_get_text(c->config, "Hostname", "")) {
		if (mode_is(c, "UTSMode", "host"))
			return json_field_error(err, "", "Hostname", "conflicting options: hostname and the UTS mode");
		return 0;
	}
	snprintf(name, sizeof(name), "%.12s", c->id);
	if (network_of)
		snprintf(name, sizeof(name), "%s", json_text(json_find(network_of->record, "Config.Hostname"), ""));
	else if (mode_is(c, "NetworkMode", "host") || mode_is(c, "UTSMode", "host"))
		snprintf(name, sizeof(name), "%s", uname(&host) == 0 ? host.nodename : "");
	return json_add_string(c->config, "Hostname", name) ? 0 : err_oom(err);
}

static int check_network(struct create *c, teu_error **err)
{
	_cleanup_(teu_container_unrefp) teu_container *target = NULL;
	const char *mode;
	int r;

	if (json_get_truth(c->config, "NetworkDisabled", false) && !json_add_string(c->host, "NetworkMode", "none"))
		return err_oom(err);
	mode = json_get_text(c->host, "NetworkMode", "");
	if (!*mode || strcmp(mode, "default") == 0) {
		if (!json_add_string(c->host, "NetworkMode", "bridge"))
			return err_oom(err);
		mode = "bridge";
	}
	r = resolve_container(c, "NetworkMode", &target, err);
	if (r < 0)
		return r;
	if (target)
		r = check_joined_network(c, err);
	else if (strcmp(mode, "bridge") != 0 && strcmp(mode, "host") != 0 && strcmp(mode, "none") != 0)
		return err_set(err, TEU_E_NOT_FOUND,
			       HOST
			       ".NetworkMode: network %s not found: there are bridge, host, none and container:NAME",
			       mode);
	if (r == 0)
		r = check_endpoints(c, err);
	if (r == 0)
		r = check_ports(c, err);
	return r < 0 ? r : choose_hostname(c, target, err);
}

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static int check_names(struct create *c, teu_error **err)
{
	json_foreach (server, json_get(c->host, "Dns"))
		if (!is_address(json_text(server, "")))
			return json_field_error(err, HOST, "Dns", "\"%s\" is not an IP address", json_text(server, ""));
	json_foreach (extra, json_get(c->host, "ExtraHosts")) {
		const char *text = json_text(extra, ""), *colon = strchr(text, ':');

		if (!colon || colon == text || (!is_address(colon + 1) && strcmp(colon + 1, "host-gateway") != 0))
			return json_field_error(err, HOST, "ExtraHosts",
						"\"%s\": expected NAME:ADDRESS or NAME:host-gateway", text);
	}
	return 0;
}

static int check_restart(struct create *c, teu_error **err)
{
	static const char *const known[] = { "", "no", "always", "on-failure", "unless-stopped" };
	const json *policy = json_get(c->host, "RestartPolicy");
	const char *name = "";
	int64_t retries = 0;
	size_t i = 0;
	int r = json_read_string(policy, HOST ".RestartPolicy", "Name", &name, err);

	if (r == 0)
		r = json_read_int(policy, HOST ".RestartPolicy", "MaximumRetryCount", &retries, err);
	if (r < 0)
		return r;
	while (i < ARRAY_SIZE(known) && strcmp(name, known[i]) != 0)
		i++;
	if (i == ARRAY_SIZE(known))
		return json_field_error(
			err, HOST ".RestartPolicy", "Name",
			"invalid restart policy \"%s\": there are no, always, on-failure and unless-stopped", name);
	if (retries < 0)
		return json_field_error(err, HOST ".RestartPolicy", "MaximumRetryCount",
					"maximum retry count cannot be negative");
	if (retries && strcmp(name, "on-failure") != 0)
		return json_field_error(err, HOST ".RestartPolicy", "MaximumRetryCount",
					"maximum retry count cannot be used with restart policy \"%s\"", name);
	if (i > 1 && json_get_truth(c->host, "AutoRemove", false))
		return json_field_error(
			err, HOST, "AutoRemove",
			"conflicting options: a container that is removed at its end can't have restart policy \"%s\"",
			name);
	return 0;
}

static int check_log(struct create *c, teu_error **err)
{
	const json *log = json_get(c->host, "LogConfig");
	const char *type = "";
	int r = json_read_string(log, HOST ".LogConfig", "Type", &type, err);

	if (r < 0)
		return r;
	if (*type && strcmp(type, "json-file") != 0 && strcmp(type, "none") != 0)
		return json_field_error(err, HOST ".LogConfig", "Type",
					"no log driver \"%s\": there are json-file and none", type);
	return 0;
}

/* Fields that have one good value. */
static int check_single(struct create *c, teu_error **err)
{
	static const struct {
		const char *key, *only;
	} single[] = { { "Isolation", "default" }, { "VolumeDriver", "local" }, { "Runtime", "teu" } };

	for (size_t i = 0; i < ARRAY_SIZE(single); i++)
		if (json_get(c->host, single[i].key) && !mode_is(c, single[i].key, single[i].only))
			return json_field_error(err, HOST, single[i].key, "not supported: \"%s\", only \"%s\"",
						json_get_text(c->host, single[i].key, ""), single[i].only);
	if (json_get_number(c->host, "ShmSize", 0) < 0)
		return json_field_error(err, HOST, "ShmSize", "a size can't be negative");
	if (!json_get(c->host, "ShmSize") && !json_add_int(c->host, "ShmSize", SHM_SIZE))
		return err_oom(err);
	return 0;
}

int create_host_config(struct create *c, teu_error **err)
{
	static int (*const rules[])(struct create * c, teu_error * *err) = {
		check_modes, check_network, check_names, check_restart, check_log, check_single,
	};
	int r = keep_set_fields(c, json_get(c->body, "HostConfig"), err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rules); i++)
		r = rules[i](c, err);
	return r;
}
