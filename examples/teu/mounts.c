/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mounts: -v, --mount and --tmpfs. Source: docs.docker.com, "docker run", --volume, --mount, --tmpfs. */
#include "body.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "units.h"

/* -v "./data:/data": Docker resolves what begins with a point against the current folder. */
static char *absolute(const char *spec)
{
	size_t len = strcspn(spec, ":");
	_cleanup_free_ char *source = cli_copy(spec, len), *cwd = NULL, *real = NULL;

	if (*spec != '.' && *spec != '~')
		return cli_copy(spec, strlen(spec));
	if (*spec == '~' && (spec[1] == '/' || len == 1) && getenv("HOME"))
		return cli_format("%s%s%s", getenv("HOME"), source + 1, spec + len);
	real = realpath(source, NULL);
	if (real)
		return cli_format("%s%s", real, spec + len);
	cwd = getcwd(NULL, 0);
	if (cwd && strncmp(source, "./", 2) == 0)
		memmove(source, source + 2, strlen(source + 2) + 1);
	return cwd ? cli_format("%s/%s%s", cwd, source, spec + len) : cli_copy(spec, strlen(spec));
}

static bool volume(struct body *b, const char *spec)
{
	_cleanup_free_ char *bind = NULL;
	int colons = 0;

	for (const char *c = spec; *c; c++)
		colons += *c == ':';
	if (!*spec || *spec == ':' || strstr(spec, "::") || spec[strlen(spec) - 1] == ':' || colons > 2)
		return body_fail(b, "invalid argument \"%s\" for --volume: expected [SOURCE:]PATH[:OPTIONS]", spec);
	if (colons == 0) {
		doc_object_at(doc_object_at(b->config, "Volumes"), spec);
		return true;
	}
	bind = absolute(spec);
	doc_add_text(doc_array_at(b->host, "Binds"), bind);
	return true;
}

static bool tmpfs(struct body *b, const char *spec)
{
	size_t len = strcspn(spec, ":");
	_cleanup_free_ char *path = cli_copy(spec, len);

	if (*path != '/')
		return body_fail(b, "invalid argument \"%s\" for --tmpfs: the path must be absolute", spec);
	cJSON_DeleteItemFromObjectCaseSensitive(doc_object_at(b->host, "Tmpfs"), path);
	doc_set_text(doc_object_at(b->host, "Tmpfs"), path, spec[len] ? spec + len + 1 : "");
	return true;
}

/* --mount's fields: what the key means, where the value goes. */
enum value_kind { V_TEXT, V_BOOL, V_BYTES, V_MODE, V_PAIR };

static const struct field {
	const char *name, *group, *key;
	enum value_kind kind;
} fields[] = {
	{ "type", NULL, "Type", V_TEXT },
	{ "source", NULL, "Source", V_TEXT },
	{ "src", NULL, "Source", V_TEXT },
	{ "target", NULL, "Target", V_TEXT },
	{ "destination", NULL, "Target", V_TEXT },
	{ "dst", NULL, "Target", V_TEXT },
	{ "readonly", NULL, "ReadOnly", V_BOOL },
	{ "ro", NULL, "ReadOnly", V_BOOL },
	{ "consistency", NULL, "Consistency", V_TEXT },
	{ "bind-propagation", "BindOptions", "Propagation", V_TEXT },
	{ "bind-nonrecursive", "BindOptions", "NonRecursive", V_BOOL },
	{ "bind-create-mountpoint", "BindOptions", "CreateMountpoint", V_BOOL },
	{ "volume-nocopy", "VolumeOptions", "NoCopy", V_BOOL },
	{ "volume-subpath", "VolumeOptions", "Subpath", V_TEXT },
	{ "volume-label", "VolumeOptions", "Labels", V_PAIR },
	{ "tmpfs-size", "TmpfsOptions", "SizeBytes", V_BYTES },
	{ "tmpfs-mode", "TmpfsOptions", "Mode", V_MODE },
};

static bool truth(const char *text, bool *ret)
{
	*ret = !text || strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
	return *ret || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

static bool set_mode(cJSON *object, const char *key, const char *value)
{
	char *end;
	unsigned long mode;

	errno = 0;
	mode = strtoul(value, &end, 8);
	if (errno || *end || *value < '0' || *value > '7' || mode > 07777)
		return false;
	doc_set_number(object, key, (int64_t)mode);
	return true;
}

static bool set_field(cJSON *object, const struct field *field, const char *value)
{
	int64_t bytes;
	bool b;

	if (field->kind != V_PAIR) /* given twice: the last one counts */
		cJSON_DeleteItemFromObjectCaseSensitive(object, field->key);
	switch (field->kind) {
	case V_BOOL:
		if (!truth(value, &b))
			return false;
		if (b)
			doc_set_bool(object, field->key, true);
		return true;
	case V_BYTES:
		if (!value || !units_parse_bytes(value, &bytes))
			return false;
		doc_set_number(object, field->key, bytes);
		return true;
	case V_MODE:
		return value && set_mode(object, field->key, value);
	case V_PAIR: {
		const char *equals = value ? strchr(value, '=') : NULL;
		_cleanup_free_ char *name = cli_copy(value ? value : "", equals ? (size_t)(equals - value) : 0);

		if (!*name)
			return false;
		doc_set_text(doc_object_at(object, field->key), name, equals + 1);
		return true;
	}
	default:
		if (!value || !*value)
			return false;
		doc_set_text(object, field->key, value);
		return true;
	}
}

static const struct field *field_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcasecmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

/* The options of a kind of mount don't fit another one. */
static bool groups_fit(struct body *b, const char *spec, const cJSON *mount)
{
	static const char *const groups[][2] = {
		{ "bind", "BindOptions" },
		{ "volume", "VolumeOptions" },
		{ "tmpfs", "TmpfsOptions" },
	};
	const char *type = doc_text(mount, "Type");
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		known = known || strcmp(type, groups[i][0]) == 0;
		if (strcmp(type, groups[i][0]) != 0 && doc_get(mount, groups[i][1]))
			return body_fail(b, "invalid argument \"%s\" for --mount: %s-* options don't fit type %s", spec,
					 groups[i][0], type);
	}
	return known || body_fail(b, "invalid argument \"%s\" for --mount: type must be bind, volume or tmpfs", spec);
}

static bool check_mount(struct body *b, const char *spec, const cJSON *mount)
{
	const char *type = doc_text(mount, "Type"), *source = doc_text(mount, "Source");

	if (!groups_fit(b, spec, mount))
		return false;
	if (!*doc_text(mount, "Target"))
		return body_fail(b, "invalid argument \"%s\" for --mount: target is required", spec);
	if (strcmp(type, "bind") == 0 && !*source)
		return body_fail(b, "invalid argument \"%s\" for --mount: source is required for a bind mount", spec);
	if (strcmp(type, "tmpfs") == 0 && *source)
		return body_fail(b, "invalid argument \"%s\" for --mount: a tmpfs has no source", spec);
	return true;
}

static bool add_field(struct body *b, const char *spec, cJSON *mount, char *text)
{
	char *value = strchr(text, '=');
	const struct field *field;

	if (value)
		*value++ = '\0';
	field = field_named(text);
	if (!field)
		return body_fail(b, "invalid argument \"%s\" for --mount: unknown field '%s'", spec, text);
	if (!value && field->kind != V_BOOL)
		return body_fail(b, "invalid argument \"%s\" for --mount: field '%s' must be a key=value pair", spec,
				 text);
	if (!set_field(field->group ? doc_object_at(mount, field->group) : mount, field, value))
		return body_fail(b, "invalid argument \"%s\" for --mount: invalid value for %s: %s", spec, text, value);
	return true;
}

static bool mount(struct body *b, const char *spec)
{
	cJSON *mount = doc_object();
	const char *rest = spec;
	bool ok = true;

	doc_add(doc_array_at(b->host, "Mounts"), mount);
	while (ok && rest) {
		_cleanup_free_ char *text = body_next_field(&rest);

		ok = add_field(b, spec, mount, text);
	}
	if (!ok)
		return false;
	if (!doc_get(mount, "Type"))
		doc_set_text(mount, "Type", "volume");
	if (strcmp(doc_text(mount, "Type"), "bind") == 0 && *doc_text(mount, "Source") == '.') {
		_cleanup_free_ char *source = absolute(doc_text(mount, "Source"));

		cJSON_DeleteItemFromObjectCaseSensitive(mount, "Source");
		doc_set_text(mount, "Source", source);
	}
	return check_mount(b, spec, mount);
}

static bool each(struct body *b, const struct list *list, bool (*add)(struct body *, const char *))
{
	for (size_t i = 0; i < list->n; i++)
		if (!add(b, list->items[i]))
			return false;
	return true;
}

bool body_mounts(struct body *b)
{
	const struct create_options *o = b->options;

	return each(b, &o->volumes, volume) && each(b, &o->tmpfs, tmpfs) && each(b, &o->mounts, mount);
}
