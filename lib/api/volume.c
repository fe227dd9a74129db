/* The functions of include/teu/volume.h. */
#include <teu/volume.h>

#include "engine/engine.h"
#include "engine/volumes.h"
#include "store/volumes.h"

static int check(const teu_engine *engine, const char *name, teu_error **err)
{
	int r = engine_check(engine, err);

	if (r == 0 && (!name || !*name))
		return err_set(err, TEU_E_INVALID, "no name of a volume given");
	return r;
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

int teu_volume_create(teu_engine *engine, const char *name, teu_error **err)
{
	int r = check(engine, name, err);

	return r < 0 ? r : volumes_create(&engine->store, name, false, err);
}

int teu_volume_inspect(teu_engine *engine, const char *name, char **ret_json, teu_error **err)
{
	json *document = NULL;
	int r = check(engine, name, err);

	if (r == 0)
		r = volumes_read(&engine->store, name, &document, err);
	return r < 0 ? r : print(document, ret_json, err);
}

int teu_volume_list_json(teu_engine *engine, char **ret_json, teu_error **err)
{
	json *document = NULL;
	int r = engine_check(engine, err);

	if (r == 0)
		r = volumes_document(engine, &document, err);
	return r < 0 ? r : print(document, ret_json, err);
}

int teu_volume_remove(teu_engine *engine, const char *name, teu_error **err)
{
	int r = check(engine, name, err);

	return r < 0 ? r : volumes_remove(&engine->store, name, err);
}
