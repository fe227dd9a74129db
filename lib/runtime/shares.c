#include "runtime/shares.h"

int shares_make(const json *spec, const char *id, struct resctrl *ret, teu_error **err)
{
	const json *rdt = json_find(spec, "linux.intelRdt");
	_cleanup_free_ char *root = NULL;
	int r = rdt ? resctrl_find(&root, err) : 0;

	return r < 0 || !rdt ? r : resctrl_make(root, rdt, id, ret, err);
}

bool shares_note(json *doc, const struct resctrl *group)
{
	json *note = group->dir ? json_add_object(doc, "resctrl") : NULL;

	if (!group->dir)
		return true;
	return json_add_string(note, "dir", group->dir) && json_add(note, "tasks", json_strings(group->tasks.items)) &&
	       json_add(note, "made", json_strings(group->made.items));
}

int shares_tasks(const json *doc, struct strv *ret, teu_error **err)
{
	return json_read_strings(json_get(doc, "resctrl"), "resctrl", "tasks", ret, err);
}

int shares_set(const json *doc, const json *rdt, teu_error **err)
{
	const char *dir = json_get_text(json_get(doc, "resctrl"), "dir", NULL);

	if (!dir)
		return err_set(err, TEU_E_UNSUPPORTED, "Intel RDT: the container was created without linux.intelRdt");
	return resctrl_set(dir, rdt, err);
}

void shares_remove(const json *doc)
{
	_cleanup_(strv_done) struct strv made = STRV_INIT;

	if (json_read_strings(json_get(doc, "resctrl"), "resctrl", "made", &made, NULL) == 0)
		resctrl_remove(&made);
}
