/* container: the object behind teu_container. */
#include "engine/container.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int container_new(teu_engine *engine, json *record, json *spec, teu_container **ret, teu_error **err)
{
	_cleanup_json_ json *owned_record = record, *owned_spec = spec;
	const char *id = json_get_text(record, "Id", "");
	teu_container *c;

	if (strlen(id) != CONTAINER_ID_LEN)
		return err_set(err, TEU_E_CORRUPT, "container.json: Id: expected %d digits, found \"%s\"",
			       CONTAINER_ID_LEN, id);
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_oom(err);
	c->refs = 1;
	c->engine = teu_engine_ref(engine);
	strcpy(c->id, id);
	c->name = json_get_text(record, "Name", "");
	c->record = TAKE_PTR(owned_record);
	c->spec = TAKE_PTR(owned_spec);
	*ret = c;
	return 0;
}

int container_load(teu_engine *engine, const char *id, teu_container **ret, teu_error **err)
{
	json *record = NULL;
	int r = containers_read(&engine->store, id, "container.json", &record, err);

	return r < 0 ? r : container_new(engine, record, NULL, ret, err);
}

int container_find(teu_engine *engine, const char *name, teu_container **ret, teu_error **err)
{
	char id[CONTAINER_ID_LEN + 1];
	int r = containers_find(&engine->store, name, id, err);

	return r < 0 ? r : container_load(engine, id, ret, err);
}

int container_check(const teu_container *container, teu_error **err)
{
	return container ? engine_check(container->engine, err) : err_set(err, TEU_E_INVALID, "no container given");
}

int container_state(const teu_container *container, struct container_state *ret, teu_error **err)
{
	const struct store *store = &container->engine->store;
	char path[CONTAINER_ID_LEN + 16];

	snprintf(path, sizeof(path), "containers/%s", container->id);
	if (faccessat(store->root_fd, path, F_OK, 0) < 0)
		return err_set(err, TEU_E_NOT_FOUND, "no such container: %s", container->name);
	return state_read(store, container->id, ret, err);
}

bool container_is_up(const struct container_state *state)
{
	return state->state == TEU_STATE_RUNNING || state->state == TEU_STATE_PAUSED ||
	       state->state == TEU_STATE_RESTARTING;
}

int container_spec(teu_container *container, const json **ret, teu_error **err)
{
	int r = 0;

	if (!container->spec)
		r = containers_read(&container->engine->store, container->id, "config.json", &container->spec, err);
	if (r == 0)
		*ret = container->spec;
	return r;
}

/* RFC 3339 in UTC with nine digits sorts as text. */
static int newest_first(const void *a, const void *b)
{
	const struct listed *one = a, *other = b;

	return strcmp(json_get_text(other->container->record, "Created", ""),
		      json_get_text(one->container->record, "Created", ""));
}

/* Containers that another process removes meanwhile are passed over. */
static int fill(teu_container_list *list, const struct strv *ids, bool all, teu_error **err)
{
	list->items = calloc(ids->n + 1, sizeof(*list->items));
	if (!list->items)
		return err_oom(err);
	strv_foreach (id, ids) {
		_cleanup_error_ teu_error *cause = NULL;
		_cleanup_(teu_container_unrefp) teu_container *one = NULL;
		struct container_state state;
		int r = container_load(list->engine, *id, &one, &cause);

		if (r == 0)
			r = container_state(one, &state, &cause);
		/* What can't be read for want of descriptors or memory must not be left out. */
		if (r == TEU_E_NO_MEMORY || r == TEU_E_SYSTEM)
			return err_pass(err, r, &cause);
		if (r == 0 && (all || container_is_up(&state)))
			list->items[list->n++] = (struct listed){ TAKE_PTR(one), state };
	}
	qsort(list->items, list->n, sizeof(*list->items), newest_first);
	return 0;
}

int container_list(teu_engine *engine, bool all, teu_container_list **ret, teu_error **err)
{
	_cleanup_(teu_container_list_unrefp) teu_container_list *list = calloc(1, sizeof(*list));
	_cleanup_(strv_done) struct strv ids = STRV_INIT;
	int r;

	if (!list)
		return err_oom(err);
	list->refs = 1;
	list->engine = teu_engine_ref(engine);
	/* What runs has a folder in the run root. */
	r = containers_list(&engine->store, !all, &ids, err);
	if (r == 0)
		r = fill(list, &ids, all, err);
	if (r == 0)
		*ret = TAKE_PTR(list);
	return r;
}

teu_container *teu_container_ref(teu_container *container)
{
	if (container)
		atomic_fetch_add(&container->refs, 1);
	return container;
}

void teu_container_unref(teu_container *container)
{
	if (!container || atomic_fetch_sub(&container->refs, 1) != 1)
		return;
	json_free(container->record);
	json_free(container->spec);
	teu_engine_unref(container->engine);
	free(container);
}

teu_container_list *teu_container_list_ref(teu_container_list *list)
{
	if (list)
		atomic_fetch_add(&list->refs, 1);
	return list;
}

void teu_container_list_unref(teu_container_list *list)
{
	if (!list || atomic_fetch_sub(&list->refs, 1) != 1)
		return;
	for (size_t i = 0; i < list->n; i++)
		teu_container_unref(list->items[i].container);
	free(list->items);
	teu_engine_unref(list->engine);
	free(list);
}
