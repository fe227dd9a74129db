/*
 * spec_namespaces: which namespaces are new, the id maps of a user namespace, kernel parameters of the others.
 * Source: runtime-spec config-linux.md, "Namespaces", "User namespace mappings"; namespaces(7); subuid(5).
 */
#include "engine/spec_parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"

enum { MAP_START = 100000, MAP_SIZE = 65536, SUBID_MAX = 1 << 20 };

static const char *mode_of(const struct spec *s, const char *key)
{
	return json_get_text(s->host, key, "");
}

bool spec_has_user_namespace(const struct spec *s)
{
	return *mode_of(s, "UsernsMode") && strcmp(mode_of(s, "UsernsMode"), "host") != 0;
}

/* A namespace is made anew unless its mode says host, or joins another container's, which is found at start. */
static int add_namespace(struct spec *s, json *list, const char *type, const char *key, const char *annotation,
			 teu_error **err)
{
	const char *mode = key ? mode_of(s, key) : "";

	if (strncmp(mode, "container:", 10) == 0)
		return !annotation || json_add_string(s->annotations, annotation, mode) ? 0 : err_oom(err);
	if (strcmp(mode, "host") == 0)
		return 0;
	return json_add_string(json_append_object(list), "type", type) ? 0 : err_oom(err);
}

static int add_namespaces(struct spec *s, teu_error **err)
{
	static const struct {
		const char *type, *key, *annotation;
	} all[] = {
		{ "mount", NULL, NULL },	 { "pid", "PidMode", "teu.pid" },    { "uts", "UTSMode", NULL },
		{ "ipc", "IpcMode", "teu.ipc" }, { "network", "NetworkMode", NULL }, { "cgroup", "CgroupnsMode", NULL },
	};
	json *list = json_add_array(s->platform, "namespaces");
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(all); i++)
		r = add_namespace(s, list, all[i].type, all[i].key, all[i].annotation, err);
	if (r == 0 && spec_has_user_namespace(s) && !json_add_string(json_append_object(list), "type", "user"))
		r = err_oom(err);
	return r;
}

/* The first range of user teu, or else of dockremap, that is as large as a container's ids are. */
static bool find_subid(char *text, const char *user, uint32_t *ret_start)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *start = strchr(line, ':'), *count = start ? strchr(start + 1, ':') : NULL;
		uint32_t first, n;

		if (!count || (size_t)(start - line) != strlen(user) || strncmp(line, user, strlen(user)) != 0)
			continue;
		*count = '\0';
		if (parse_u32(start + 1, &first) && parse_u32(count + 1, &n) && n >= MAP_SIZE) {
			*ret_start = first;
			return true;
		}
	}
	return false;
}

static uint32_t map_start(const char *file)
{
	static const char *const users[] = { "teu", "dockremap" };
	_cleanup_free_ char *text = NULL;
	uint32_t start = MAP_START;
	size_t len;

	if (fd_read_file(AT_FDCWD, file, SUBID_MAX, &text, &len, NULL) < 0)
		return start;
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		_cleanup_free_ char *copy = strdup(text);

		if (copy && find_subid(copy, users[i], &start))
			break;
	}
	return start;
}

static int add_map(struct spec *s, const char *key, const char *file, teu_error **err)
{
	json *range = json_append_object(json_add_array(s->platform, key));

	if (!json_add_int(range, "containerID", 0) || !json_add_int(range, "hostID", map_start(file)) ||
	    !json_add_int(range, "size", MAP_SIZE))
		return err_oom(err);
	return 0;
}

static int add_names(struct spec *s, teu_error **err)
{
	const char *host = json_get_text(s->config, "Hostname", ""),
		   *domain = json_get_text(s->config, "Domainname", "");

	if (strcmp(mode_of(s, "UTSMode"), "host") == 0)
		return 0;
	if ((*host && !json_add_string(s->spec, "hostname", host)) ||
	    (*domain && !json_add_string(s->spec, "domainname", domain)))
		return err_oom(err);
	return 0;
}

static bool joins_or_host(const struct spec *s, const char *key)
{
	return strcmp(mode_of(s, key), "host") == 0 || strncmp(mode_of(s, key), "container:", 10) == 0;
}

/* Only parameters that belong to a namespace: all others would change the machine. */
static int check_sysctl(const struct spec *s, const char *name, teu_error **err)
{
	static const char *const ipc[] = {
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
		"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"
	};
	bool is_ipc = strncmp(name, "fs.mqueue.", 10) == 0, is_net = strncmp(name, "net.", 4) == 0;

	for (size_t i = 0; i < ARRAY_SIZE(ipc); i++)
		is_ipc |= strcmp(name, ipc[i]) == 0;
	if ((!is_ipc && !is_net) || strstr(name, "..") || strchr(name, '/'))
		return json_field_error(err, "HostConfig.Sysctls", name, "not a parameter of a namespace");
	if (is_ipc && joins_or_host(s, "IpcMode"))
		return json_field_error(err, "HostConfig.Sysctls", name,
					"not allowed, the container does not have an ipc namespace of its own");
	if (is_net && joins_or_host(s, "NetworkMode"))
		return json_field_error(err, "HostConfig.Sysctls", name,
					"not allowed, the container does not have a network namespace of its own");
	return 0;
}

/* Docker's defaults: a container may use low ports and ping without a capability; its network is its own. */
static int add_sysctls(struct spec *s, teu_error **err)
{
	json *list = json_object();

	if (!json_add(s->platform, "sysctl", list))
		return err_oom(err);
	if (!joins_or_host(s, "NetworkMode")) {
		if (!json_add_string(list, "net.ipv4.ip_unprivileged_port_start", "0"))
			return err_oom(err);
		if (!spec_has_user_namespace(s) && !json_add_string(list, "net.ipv4.ping_group_range", "0 2147483647"))
			return err_oom(err);
	}
	json_foreach_member (one, json_get(s->host, "Sysctls")) {
		int r = check_sysctl(s, json_key(one), err);

		if (r < 0)
			return r;
		if (!json_add_string(list, json_key(one), json_text(one, "")))
			return err_oom(err);
	}
	return 0;
}

int spec_namespaces(struct spec *s, teu_error **err)
{
	int r = add_namespaces(s, err);

	if (r == 0 && spec_has_user_namespace(s)) {
		r = add_map(s, "uidMappings", "/etc/subuid", err);
		if (r == 0)
			r = add_map(s, "gidMappings", "/etc/subgid", err);
	}
	if (r == 0)
		r = add_names(s, err);
	if (r == 0 && !json_add_string(s->annotations, "teu.network", mode_of(s, "NetworkMode")))
		r = err_oom(err);
	return r < 0 ? r : add_sysctls(s, err);
}
