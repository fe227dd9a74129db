/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shared: --volumes-from CONTAINER[:ro]: the mounts of another container, as they are now, for a new one.
 * Source: docs.docker.com, "docker run", --volumes-from.
 */
#include "body.h"

#include <string.h>

/* Something goes there already: what the user says about a path counts more than what another container has. */
static bool is_taken(const struct body *b, const char *path)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, doc_get(b->host, "Binds"))
	{
		const char *colon = strchr(item->valuestring, ':');
		size_t len = colon ? strcspn(colon + 1, ":") : 0;

		if (colon && len == strlen(path) && strncmp(colon + 1, path, len) == 0)
			return true;
	}
	cJSON_ArrayForEach(item, doc_get(b->host, "Mounts"))
	{
		if (strcmp(doc_text(item, "Target"), path) == 0)
			return true;
	}
	return cJSON_GetObjectItemCaseSensitive(doc_get(b->config, "Volumes"), path) ||
	       cJSON_GetObjectItemCaseSensitive(doc_get(b->host, "Tmpfs"), path);
}

static void share(struct body *b, const cJSON *mount, bool read_only)
{
	const char *source = doc_text(mount, strcmp(doc_text(mount, "Type"), "volume") == 0 ? "Name" : "Source");
	const char *path = doc_text(mount, "Destination");
	_cleanup_free_ char *bind = NULL;

	if (!*source || is_taken(b, path))
		return;
	bind = cli_format("%s:%s%s", source, path, read_only || !cJSON_IsTrue(doc_get(mount, "RW")) ? ":ro" : "");
	doc_add_text(doc_array_at(b->host, "Binds"), bind);
}

/* All mounts of the container that @spec names. */
static bool share_all(struct body *b, const char *spec)
{
	const char *colon = strchr(spec, ':');
	_cleanup_free_ char *name = cli_copy(spec, colon ? (size_t)(colon - spec) : strlen(spec));
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_container_ teu_container *container = NULL;
	_cleanup_teu_free_ char *json = NULL;
	_cleanup_doc_ cJSON *doc = NULL;
	const cJSON *mount;

	if (colon && strcmp(colon, ":ro") != 0 && strcmp(colon, ":rw") != 0)
		return body_fail(b, "invalid argument \"%s\" for --volumes-from: expected CONTAINER[:ro]", spec);
	if (teu_container_find(b->engine, name, &container, &err) < 0 ||
	    teu_container_inspect(container, &json, &err) < 0)
		return body_fail(b, "--volumes-from: %s", teu_error_message(err));
	doc = doc_parse(json);
	cJSON_ArrayForEach(mount, doc_get(doc, "Mounts")) share(b, mount, colon && strcmp(colon, ":ro") == 0);
	return true;
}

bool body_shared(struct body *b)
{
	const struct list *list = &b->options->volumes_from;

	for (size_t i = 0; i < list->n; i++)
		if (!share_all(b, list->items[i]))
			return false;
	return true;
}
