/* inspect_list: the containers of ps. Source: Docker Engine API v1.43, ContainerList. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "engine/inspect.h"
#include "engine/inspect_parts.h"
#include "engine/ports.h"
#include "engine/status.h"
#include "store/name.h"

static bool add_command(json *to, const json *config)
{
	static const char *const from[] = { "Entrypoint", "Cmd" };
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		json_foreach (word, json_get(config, from[i]))
			strbuf_addf(&text, "%s%s", text.len ? " " : "", json_text(word, ""));
	return !text.oom && json_add_string(to, "Command", text.text ? text.text : "");
}

static bool add_ports(json *to, const teu_container *container, const struct endpoint *ep)
{
	const json *exposed = json_find(container->record, "Config.ExposedPorts");

	return json_add(to, "Ports", ports_to_list(ep ? ep->ports : NULL, ep ? ep->n_ports : 0, ep ? exposed : NULL));
}

static bool add_networks(json *to, const teu_container *container, const struct endpoint *ep)
{
	_cleanup_json_ json *settings = inspect_network(container, ep);
	const json *networks = json_get(settings, "Networks");

	return networks && json_add(json_add_object(to, "NetworkSettings"), "Networks", json_copy(networks));
}

static bool add_entry(json *list, const teu_container *container, const struct container_state *state, int64_t now)
{
	const json *record = container->record, *config = json_get(record, "Config");
	const char *mode = json_text(json_find(record, "HostConfig.NetworkMode"), "bridge");
	_cleanup_(endpoint_done) struct endpoint ep = { 0 };
	json *to = json_append_object(list), *names = json_add_array(to, "Names");
	const json *labels = json_get(config, "Labels");
	char slashed[NAME_MAX_LEN + 2], status[STATUS_MAX];
	int64_t created = 0;
	bool connected;

	connected = container_is_up(state) && strcmp(mode, "bridge") == 0 && inspect_endpoint(container, &ep);
	clock_parse(json_get_text(record, "Created", ""), &created);
	status_text(state, now, status);
	snprintf(slashed, sizeof(slashed), "/%s", container->name);
	return json_add_string(to, "Id", container->id) && json_append_string(names, slashed) &&
	       json_add_string(to, "Image", json_get_text(record, "ImageName", "")) &&
	       json_add_string(to, "ImageID", json_get_text(record, "Image", "")) && add_command(to, config) &&
	       json_add_int(to, "Created", created / 1000000000) && add_ports(to, container, connected ? &ep : NULL) &&
	       json_add(to, "Labels", labels ? json_copy(labels) : json_object()) &&
	       json_add_string(to, "State", status_word(state->state)) && json_add_string(to, "Status", status) &&
	       json_add_string(json_add_object(to, "HostConfig"), "NetworkMode", mode) &&
	       add_networks(to, container, connected ? &ep : NULL) && json_add(to, "Mounts", inspect_mounts(container));
}

int inspect_list(const teu_container_list *list, json **ret, teu_error **err)
{
	_cleanup_json_ json *document = json_array();
	int64_t now = clock_now_ns();

	if (!document)
		return err_oom(err);
	for (size_t i = 0; i < list->n; i++)
		if (!add_entry(document, list->items[i].container, &list->items[i].state, now))
			return err_oom(err);
	*ret = TAKE_PTR(document);
	return 0;
}
