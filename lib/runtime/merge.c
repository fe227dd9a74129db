/* merge: the process of an exec out of the container's own and what is asked for, as `runc exec` does. */
#include "runtime/merge.h"

#include <string.h>

static bool add_texts(json *to, const char *key, const json *more)
{
	json *list = json_get_mutable(to, key);

	if (!list)
		return json_add(to, key, json_copy(more));
	json_foreach (v, more)
		if (!json_append(list, json_copy(v)))
			return false;
	return true;
}

/* What stands twice counts once, the later: the environment of a process has each name once. */
static bool merge_env(json *process, const json *more)
{
	_cleanup_(strv_done) struct strv env = STRV_INIT;

	json_foreach (v, json_get(process, "env"))
		strv_setenv(&env, json_text(v, "="));
	json_foreach (v, more)
		strv_setenv(&env, json_text(v, "="));
	return !env.oom && json_add(process, "env", json_strings(env.items));
}

static bool merge_caps(json *process, const json *more)
{
	json *caps = json_get_mutable(process, "capabilities");

	if (!caps)
		return json_add(process, "capabilities", json_copy(more));
	json_foreach_member (set, more)
		if (!add_texts(caps, json_key(set), set))
			return false;
	/* As runc: who has inheritable ones means them to be ambient, and takes the new ones along. */
	if (json_count(json_get(caps, "inheritable")) && json_get(more, "effective"))
		return add_texts(caps, "ambient", json_get(more, "effective"));
	return true;
}

static bool merge_user(json *process, const json *more)
{
	json *user = json_get_mutable(process, "user");

	if (!user)
		return json_add(process, "user", json_copy(more));
	json_foreach_member (v, more) {
		bool adds = strcmp(json_key(v), "additionalGids") == 0;

		if (!(adds ? add_texts(user, "additionalGids", v) : json_add(user, json_key(v), json_copy(v))))
			return false;
	}
	return true;
}

json *merge_process(const json *base, const json *over)
{
	static const struct {
		const char *key;
		bool (*merge)(json *process, const json *more);
	} merged[] = { { "env", merge_env }, { "capabilities", merge_caps }, { "user", merge_user } };
	_cleanup_json_ json *process = base ? json_copy(base) : json_object();

	json_remove(process, "terminal");
	json_remove(process, "consoleSize");
	json_foreach_member (v, over) {
		bool (*merge)(json *, const json *) = NULL;

		for (size_t i = 0; i < ARRAY_SIZE(merged); i++)
			if (strcmp(merged[i].key, json_key(v)) == 0)
				merge = merged[i].merge;
		if (!(merge ? merge(process, v) : json_add(process, json_key(v), json_copy(v))))
			return NULL;
	}
	return TAKE_PTR(process);
}
