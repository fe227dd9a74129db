/* create_config: Docker's Config object: the request with the image's defaults merged in. */
#include "engine/create_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/signame.h"
#include "engine/ports.h"

enum { HOST_NAME_LIMIT = 64 }; /* sethostname(2) */

/* The image says it where the request does not. */
static int inherit(struct create *c, const json *image, const char *key, teu_error **err)
{
	if (!create_is_zero(json_get(c->config, key)) || !json_get(image, key))
		return 0;
	return json_add(c->config, key, json_copy(json_get(image, key))) ? 0 : err_oom(err);
}

/* Objects whose keys count: the image's first, the request's over them. */
static int merge_object(struct create *c, const json *image, const char *key, teu_error **err)
{
	const json *from = json_get(image, key);
	json *to = json_get_mutable(c->config, key);

	if (!json_count(from))
		return 0;
	if (!to)
		to = json_add_object(c->config, key);
	json_foreach_member (value, from)
		if (!json_get(to, json_key(value)) && !json_add(to, json_key(value), json_copy(value)))
			return err_oom(err);
	return 0;
}

static int merge_env(struct create *c, const json *image, teu_error **err)
{
	_cleanup_(strv_done) struct strv env = STRV_INIT;

	json_foreach (pair, json_get(image, "Env"))
		if (*json_text(pair, ""))
			strv_setenv(&env, json_text(pair, ""));
	json_foreach (pair, json_get(c->config, "Env")) {
		if (*json_text(pair, "") == '\0' || *json_text(pair, "") == '=')
			return json_field_error(err, "", "Env",
						"invalid environment variable \"%s\": expected NAME=value",
						json_text(pair, ""));
		strv_setenv(&env, json_text(pair, ""));
	}
	if (env.oom || !json_add(c->config, "Env", json_strings(env.items)))
		return err_oom(err);
	return 0;
}

/* A command may be given as one string: a list of one word. */
static int as_words(struct create *c, const char *key, teu_error **err)
{
	const json *value = json_get(c->config, key);
	json *list;

	if (!json_is_string(value))
		return 0;
	list = json_array();
	if (*json_text(value, ""))
		json_append_string(list, json_text(value, ""));
	return json_add(c->config, key, list) ? 0 : err_oom(err);
}

/* Who sets an entrypoint sets the command too: the image's was written for another one. */
static int merge_command(struct create *c, const json *image, teu_error **err)
{
	const json *entrypoint;
	int r = as_words(c, "Entrypoint", err);

	if (r == 0)
		r = as_words(c, "Cmd", err);
	if (r < 0)
		return r;
	entrypoint = json_get(c->config, "Entrypoint");
	if (!json_count(entrypoint))
		r = inherit(c, image, "Cmd", err);
	/* [] says there is none; null, that nothing is said. */
	if (r == 0 && !json_is_array(entrypoint))
		r = inherit(c, image, "Entrypoint", err);
	if (r < 0)
		return r;
	/* [""] is how a command line says "no entrypoint". */
	entrypoint = json_get(c->config, "Entrypoint");
	if (json_count(entrypoint) == 1 && *json_text(json_first(entrypoint), "") == '\0') {
		json_remove(c->config, "Entrypoint");
		entrypoint = NULL;
	}
	if (!json_count(entrypoint) && !json_count(json_get(c->config, "Cmd")))
		return json_field_error(err, "", "Cmd", "no command specified, and the image has none");
	return 0;
}

static int check_values(struct create *c, teu_error **err)
{
	const char *cwd = json_get_text(c->config, "WorkingDir", "");
	const char *stop = json_get_text(c->config, "StopSignal", "");
	int64_t timeout = json_get_number(c->config, "StopTimeout", 0);

	if (*cwd && *cwd != '/')
		return json_field_error(err, "", "WorkingDir", "\"%s\" is not an absolute path", cwd);
	if (*stop && signame_parse(stop) < 0)
		return json_field_error(err, "", "StopSignal", "invalid signal: %s", stop);
	if (timeout < -1 || timeout > INT32_MAX)
		return json_field_error(err, "", "StopTimeout", "%lld is not a number of seconds", (long long)timeout);
	if (strlen(json_get_text(c->config, "Hostname", "")) > HOST_NAME_LIMIT)
		return json_field_error(err, "", "Hostname", "longer than %d bytes", HOST_NAME_LIMIT);
	if (strlen(json_get_text(c->config, "Domainname", "")) > HOST_NAME_LIMIT)
		return json_field_error(err, "", "Domainname", "longer than %d bytes", HOST_NAME_LIMIT);
	return 0;
}

static int check_ports(struct create *c, teu_error **err)
{
	json_foreach_member (port, json_get(c->config, "ExposedPorts")) {
		uint8_t protocol;
		uint16_t number;

		if (!ports_parse_key(json_key(port), &number, &protocol))
			return json_field_error(err, "", "ExposedPorts",
						"invalid port \"%s\": expected 1 to 65535, then /tcp or /udp",
						json_key(port));
	}
	return 0;
}

int create_config(struct create *c, teu_error **err)
{
	static const char *const single[] = { "User", "WorkingDir", "StopSignal", "Healthcheck", "Shell" };
	static const char *const merged[] = { "Labels", "Volumes", "ExposedPorts" };
	const json *image = json_get(c->image->config, "config");
	int r;

	json_remove(c->config, "HostConfig");
	json_remove(c->config, "NetworkingConfig");
	r = merge_command(c, image, err);
	if (r == 0)
		r = merge_env(c, image, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(single); i++)
		r = inherit(c, image, single[i], err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(merged); i++)
		r = merge_object(c, image, merged[i], err);
	if (r == 0)
		r = check_values(c, err);
	if (r == 0)
		r = check_ports(c, err);
	return r;
}
