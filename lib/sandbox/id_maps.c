/* id_maps: a spec's ranges of user and group ids, and who writes them. Source: runtime-spec config-linux.md "User
 * namespace mappings"; user_namespaces(7). */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

#include "sandbox/compile.h"

/* user_namespaces(7): what one write may carry. */
enum { MAX_ID_MAP = 4095 };

static int add_id_range(const json *m, const char *where, struct strbuf *text, teu_error **err)
{
	static const char *const keys[] = { "containerID", "hostID", "size" };
	int64_t n[3] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int r = json_read_int(m, where, keys[i], &n[i], err);

		if (r < 0)
			return r;
		if (n[i] < 0 || n[i] >= UINT32_MAX)
			return json_field_error(err, where, keys[i], "ids go from 0 to 4294967294");
	}
	if (n[2] == 0)
		return json_field_error(err, where, "size", "expected at least 1");
	strbuf_addf(text, "%" PRId64 " %" PRId64 " %" PRId64 "\n", n[0], n[1], n[2]);
	return 0;
}

int compile_id_ranges(const json *list, const char *place, struct strbuf *text, teu_error **err)
{
	char where[64];
	size_t i = 0;

	if (json_count(list) > COMPILE_MAX_ID_RANGES)
		return json_field_error(err, place, "", "more than %d ranges", COMPILE_MAX_ID_RANGES);
	json_foreach (m, list) {
		int r;

		snprintf(where, sizeof(where), "%s[%zu]", place, i++);
		r = add_id_range(m, where, text, err);
		if (r < 0)
			return r;
	}
	if (text->len > MAX_ID_MAP)
		return json_field_error(err, place, "", "is longer than the kernel takes");
	return text->oom ? err_oom(err) : 0;
}

bool compile_maps_itself(const json *spec, const char *key, uint32_t id, enum idmap_rights rights)
{
	const json *list = json_get(json_get(spec, "linux"), key), *only = json_first(list);

	return rights != IDMAP_USER || (json_count(list) == 1 && json_get_number(only, "size", 0) == 1 &&
					json_get_number(only, "hostID", -1) == id);
}

static void add_id_file(struct plan *p, const char *file, const char *text)
{
	plan_off name = plan_text_add(p, file), value = plan_text_add(p, text);
	struct plan_step *s = plan_step(p, PLAN_BORN, OP_WRITE_ID_MAP, NULL);

	s->t1 = name;
	s->t2 = value;
}

static int add_id_map(const json *spec, const char *key, const char *file, struct plan *p, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	const json *list = NULL;
	char place[32];
	int r = json_read_array(json_get(spec, "linux"), "linux", key, &list, err);

	snprintf(place, sizeof(place), "linux.%s", key);
	if (r == 0)
		r = compile_id_ranges(list, place, &text, err);
	if (r < 0 || !text.len)
		return r;
	add_id_file(p, file, text.text);
	return 0;
}

/* A user namespace without ids would have no root to build the container. */
int compile_id_maps(const struct launch *l, uint64_t flags, struct plan *p, teu_error **err)
{
	const struct {
		const char *key, *file;
		uint32_t own;
		bool groups;
	} maps[] = { { "uidMappings", "uid_map", geteuid(), false }, { "gidMappings", "gid_map", getegid(), true } };
	bool asks = false;
	int r = 0;

	for (size_t i = 0; r == 0 && flags & CLONE_NEWUSER && i < ARRAY_SIZE(maps); i++) {
		bool itself = compile_maps_itself(l->spec, maps[i].key, maps[i].own, l->rights);

		if (!json_count(json_get(json_get(l->spec, "linux"), maps[i].key)))
			return json_field_error(err, "linux", maps[i].key, "is missing for the user namespace");
		/* Who leaves groups could reach what is forbidden to their members. */
		if (itself && maps[i].groups && l->rights == IDMAP_USER)
			add_id_file(p, "setgroups", "deny");
		r = itself ? add_id_map(l->spec, maps[i].key, maps[i].file, p, err) : 0;
		asks |= !itself;
	}
	if (r == 0 && asks)
		plan_step(p, PLAN_BORN, OP_CALLER_MAPS, NULL);
	return r;
}
