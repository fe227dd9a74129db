/* The functions of include/teu/container.h that do not run a container: create, find, list, inspect, remove. */
#include <teu/container.h>

#include "api/options.h"
#include "engine/container.h"
#include "engine/create.h"
#include "engine/inspect.h"
#include "engine/remove.h"

void(teu_create_options_init)(teu_create_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

void(teu_remove_options_init)(teu_remove_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

int teu_container_create(teu_engine *engine, const char *config_json, const teu_create_options *opts,
			 teu_container **ret_container, teu_error **err)
{
	teu_create_options own;
	int r = engine_check(engine, err);

	if (r == 0)
		r = options_take(&own, opts, "teu_create_options", err);
	return r < 0 ? r : container_create(engine, config_json, own.name, ret_container, err);
}

int teu_container_find(teu_engine *engine, const char *name, teu_container **ret_container, teu_error **err)
{
	int r = engine_check(engine, err);

	if (r < 0)
		return r;
	if (!name || !*name)
		return err_set(err, TEU_E_INVALID, "no name of a container given");
	return container_find(engine, name, ret_container, err);
}

int teu_container_list_all(teu_engine *engine, int all, teu_container_list **ret_list, teu_error **err)
{
	int r = engine_check(engine, err);

	return r < 0 ? r : container_list(engine, all, ret_list, err);
}

size_t teu_container_list_count(const teu_container_list *list)
{
	return list ? list->n : 0;
}

teu_container *teu_container_list_get(const teu_container_list *list, size_t i)
{
	return list && i < list->n ? list->items[i].container : NULL;
}

static int print(json *document, char **ret_json, teu_error **err)
{
	char *text = json_print(document);

	json_free(document);
	if (!text)
		return err_oom(err);
	*ret_json = text;
	return 0;
}

int teu_container_list_json(const teu_container_list *list, char **ret_json, teu_error **err)
{
	json *document = NULL;
	int r;

	if (!list)
		return err_set(err, TEU_E_INVALID, "no list of containers given");
	r = engine_check(list->engine, err);
	if (r == 0)
		r = inspect_list(list, &document, err);
	return r < 0 ? r : print(document, ret_json, err);
}

const char *teu_container_id(const teu_container *container)
{
	return container->id;
}

const char *teu_container_name(const teu_container *container)
{
	return container->name;
}

int teu_container_state(teu_container *container, teu_error **err)
{
	struct container_state state;
	int r = container_check(container, err);

	if (r == 0)
		r = container_state(container, &state, err);
	return r < 0 ? r : (int)state.state;
}

int teu_container_pid(teu_container *container, int32_t *ret_pid, teu_error **err)
{
	struct container_state state;
	int r = container_check(container, err);

	if (r == 0)
		r = container_state(container, &state, err);
	if (r == 0)
		*ret_pid = state.pid;
	return r;
}

int teu_container_inspect(teu_container *container, char **ret_json, teu_error **err)
{
	json *document = NULL;
	int r = container_check(container, err);

	if (r == 0)
		r = inspect_container(container, &document, err);
	return r < 0 ? r : print(document, ret_json, err);
}

int teu_container_remove(teu_container *container, const teu_remove_options *opts, teu_error **err)
{
	teu_remove_options own;
	int r = container_check(container, err);

	if (r == 0)
		r = options_take(&own, opts, "teu_remove_options", err);
	return r < 0 ? r : container_remove(container, own.force, own.volumes, err);
}
