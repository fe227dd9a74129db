/* volumes: all of them in one document. Source: Docker Engine API v1.43, VolumeList. */
#include "engine/volumes.h"

#include "base/strv.h"
#include "store/volumes.h"

int volumes_document(teu_engine *engine, json **ret, teu_error **err)
{
	_cleanup_(strv_done) struct strv names = STRV_INIT;
	_cleanup_json_ json *document = json_object();
	json *list = json_add_array(document, "Volumes");
	int r = volumes_list(&engine->store, &names, err);

	if (r < 0)
		return r;
	if (!list || !json_add_array(document, "Warnings"))
		return err_oom(err);
	strv_foreach (name, &names) {
		json *one = NULL;

		/* Removed since the folder was read: no longer there. */
		r = volumes_read(&engine->store, *name, &one, NULL);
		if (r == TEU_E_NO_MEMORY || (r == 0 && !json_append(list, one)))
			return err_oom(err);
	}
	*ret = TAKE_PTR(document);
	return 0;
}
