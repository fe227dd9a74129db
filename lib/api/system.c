/* system: everything in teu/system.h. */
#include <string.h>
#include <sys/utsname.h>
#include <teu/system.h>
#include <teu/container.h>

#include "engine/engine.h"
#include "format/json.h"
#include "kernel/cgroup.h"

static int count_objects(teu_engine *engine, json *info, teu_error **err)
{
	teu_container_list *containers = NULL;
	teu_image_list *images = NULL;
	int r = teu_container_list_all(engine, 1, &containers, err);

	if (r == 0)
		r = teu_image_list_all(engine, &images, err);
	if (r == 0 && (!json_add_int(info, "Containers", (int64_t)teu_container_list_count(containers)) ||
		       !json_add_int(info, "Images", (int64_t)teu_image_list_count(images))))
		r = err_oom(err);
	teu_container_list_unref(containers);
	teu_image_list_unref(images);
	return r;
}

int teu_system_info(teu_engine *engine, char **ret_json, teu_error **err)
{
	static char *const security[] = { "name=seccomp,profile=builtin", "name=cgroupns", NULL };
	_cleanup_json_ json *info = json_object();
	struct utsname name;
	int r = engine_check(engine, err);

	if (r < 0)
		return r;
	uname(&name);
	if (!json_add_string(info, "Version", teu_version()) || !json_add_string(info, "KernelVersion", name.release) ||
	    !json_add_string(info, "Architecture", name.machine) ||
	    !json_add_string(info, "CgroupVersion", cgroup_is_v2() ? "2" : "1") ||
	    !json_add_string(info, "CgroupDriver", "cgroupfs") || !json_add_string(info, "StorageDriver", "overlay") ||
	    !json_add(info, "SecurityOptions", json_strings(security)) ||
	    !json_add_string(info, "StateRoot", engine->store.root) ||
	    !json_add_string(info, "RunRoot", engine->store.run_root))
		return err_oom(err);
	r = count_objects(engine, info, err);
	if (r < 0)
		return r;
	*ret_json = json_print(info);
	return *ret_json ? 0 : err_oom(err);
}
