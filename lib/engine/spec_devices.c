/*
 * spec_devices: device nodes that are asked for, and the rules of the device cgroup.
 * Source: runtime-spec config-linux.md, "Devices", "Allowed Device list".
 */
#include "engine/spec_parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/parse.h"

#define HOST "HostConfig"

enum { MAX_DEVICES = 4096, MAX_DEPTH = 8, ANY = -1 };

static int add_rule(json *rules, bool allow, const char *type, int64_t major, int64_t minor, const char *access,
		    teu_error **err)
{
	json *rule = json_append_object(rules);

	if (!json_add_bool(rule, "allow", allow) || (type && !json_add_string(rule, "type", type)) ||
	    (major != ANY && !json_add_int(rule, "major", major)) ||
	    (minor != ANY && !json_add_int(rule, "minor", minor)) || !json_add_string(rule, "access", access))
		return err_oom(err);
	return 0;
}

/* Nothing but what cannot hurt: any node may be made, these may be used. */
static int add_default_rules(json *rules, teu_error **err)
{
	static const struct {
		int64_t major, minor;
	} usable[] = {
		{ 1, 3 },    /* null */
		{ 1, 5 },    /* zero */
		{ 1, 7 },    /* full */
		{ 1, 8 },    /* random */
		{ 1, 9 },    /* urandom */
		{ 5, 0 },    /* tty */
		{ 5, 1 },    /* console */
		{ 5, 2 },    /* ptmx */
		{ 136, ANY } /* pts */
	};
	int r = add_rule(rules, false, NULL, ANY, ANY, "rwm", err);

	if (r == 0)
		r = add_rule(rules, true, "c", ANY, ANY, "m", err);
	if (r == 0)
		r = add_rule(rules, true, "b", ANY, ANY, "m", err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(usable); i++)
		r = add_rule(rules, true, "c", usable[i].major, usable[i].minor, "rwm", err);
	return r;
}

struct device_lists {
	json *devices; /* borrowed; NULL until the first */
	json *rules;
	const char *access;
	bool skip_provided; /* leave out what the runtime makes anyway */
};

static bool is_listed(const json *devices, const char *path)
{
	json_foreach (device, devices)
		if (strcmp(json_get_text(device, "path", ""), path) == 0)
			return true;
	return false;
}

static int add_node(struct spec *s, struct device_lists *lists, const char *path, const struct stat *st,
		    teu_error **err)
{
	const char *type = S_ISBLK(st->st_mode) ? "b" : "c";
	json *one;

	if (!lists->devices)
		lists->devices = json_add_array(s->platform, "devices");
	if (!lists->skip_provided && is_listed(lists->devices, path))
		return 0;
	if (json_count(lists->devices) >= MAX_DEVICES)
		return json_field_error(err, HOST, "Devices", "more than %d devices", MAX_DEVICES);
	one = json_append_object(lists->devices);
	if (!json_add_string(one, "path", path) || !json_add_string(one, "type", type) ||
	    !json_add_int(one, "major", major(st->st_rdev)) || !json_add_int(one, "minor", minor(st->st_rdev)) ||
	    !json_add_int(one, "fileMode", st->st_mode & 07777) || !json_add_int(one, "uid", st->st_uid) ||
	    !json_add_int(one, "gid", st->st_gid))
		return err_oom(err);
	if (!lists->rules)
		return 0;
	return add_rule(lists->rules, true, type, major(st->st_rdev), minor(st->st_rdev), lists->access, err);
}

static bool is_provided(const char *name)
{
	static const char *const names[] = { "pts",  "shm",  "fd",  "mqueue", "console", "null",
					     "zero", "full", "tty", "random", "urandom", "ptmx" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return *name == '.';
}

/* All nodes below a folder of /dev, links not followed. */
static int add_folder(struct spec *s, struct device_lists *lists, int dir_fd, const char *host, const char *inside,
		      int depth, teu_error **err)
{
	int fd = openat(dir_fd, host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return fd < 0 && depth ? 0 : json_field_error(err, HOST, "Devices", "%s: can't be read", host);
	}
	while (r == 0 && (entry = readdir(dir))) {
		_cleanup_free_ char *path = NULL;
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    (lists->skip_provided && !depth && is_provided(entry->d_name)) ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (asprintf(&path, "%s/%s", inside, entry->d_name) < 0)
			return err_oom(err);
		if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
			r = add_folder(s, lists, fd, entry->d_name, path, depth + 1, err);
		else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			r = add_node(s, lists, path, &st, err);
	}
	return r;
}

static bool access_ok(const char *access)
{
	return strlen(access) <= 3 && strspn(access, "rwm") == strlen(access);
}

static int add_device(struct spec *s, json *rules, const json *device, const char *where, teu_error **err)
{
	struct device_lists lists = { .devices = json_get_mutable(s->platform, "devices"), .rules = rules };
	const char *host = "", *inside = "", *access = "";
	struct stat st;
	int r = json_read_string(device, where, "PathOnHost", &host, err);

	if (r == 0)
		r = json_read_string(device, where, "PathInContainer", &inside, err);
	if (r == 0)
		r = json_read_string(device, where, "CgroupPermissions", &access, err);
	if (r < 0)
		return r;
	if (*host != '/')
		return json_field_error(err, where, "PathOnHost", "\"%s\" is not an absolute path", host);
	if (!*inside)
		inside = host;
	if (*inside != '/')
		return json_field_error(err, where, "PathInContainer", "\"%s\" is not an absolute path", inside);
	if (!access_ok(access))
		return json_field_error(err, where, "CgroupPermissions",
					"invalid device mode \"%s\": expected letters of rwm", access);
	lists.access = *access ? access : "rwm";
	if (stat(host, &st) < 0)
		return json_field_error(err, where, "PathOnHost", "%s: %s", host, strerrordesc_np(errno));
	if (S_ISDIR(st.st_mode))
		return add_folder(s, &lists, AT_FDCWD, host, inside, 0, err);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return json_field_error(err, where, "PathOnHost", "%s is not a device node", host);
	return add_node(s, &lists, inside, &st, err);
}

static bool parse_number(const char *text, int64_t *ret)
{
	uint32_t n;

	if (strcmp(text, "*") == 0) {
		*ret = ANY;
		return true;
	}
	if (!parse_u32(text, &n))
		return false;
	*ret = n;
	return true;
}

/* "c 10:200 rwm" */
static int add_asked_rule(json *rules, const char *text, teu_error **err)
{
	char type[2], major_text[11], minor_text[11], access[4], rest;
	int64_t major_number, minor_number;

	if (sscanf(text, "%1[acb] %10[0-9*]:%10[0-9*] %3[rwm]%c", type, major_text, minor_text, access, &rest) != 4 ||
	    !parse_number(major_text, &major_number) || !parse_number(minor_text, &minor_number))
		return json_field_error(err, HOST, "DeviceCgroupRules",
					"invalid device cgroup rule \"%s\": expected like c 10:200 rwm", text);
	return add_rule(rules, true, *type == 'a' ? NULL : type, major_number, minor_number, access, err);
}

static int add_asked(struct spec *s, json *rules, teu_error **err)
{
	size_t i = 0;
	int r = 0;

	json_foreach (device, json_get(s->host, "Devices")) {
		char where[48];

		snprintf(where, sizeof(where), HOST ".Devices[%zu]", i++);
		/* A privileged container may use every device: no rule says so again. */
		r = add_device(s, s->privileged ? NULL : rules, device, where, err);
		if (r < 0)
			return r;
	}
	json_foreach (rule, json_get(s->host, "DeviceCgroupRules")) {
		r = add_asked_rule(rules, json_text(rule, ""), err);
		if (r < 0)
			return r;
	}
	return 0;
}

int spec_devices(struct spec *s, teu_error **err)
{
	struct device_lists all = { .skip_provided = true };
	json *rules = json_add_array(json_get_mutable(s->platform, "resources"), "devices");
	int r;

	if (!rules)
		return err_oom(err);
	if (!s->privileged) {
		r = add_default_rules(rules, err);
	} else {
		r = add_rule(rules, true, NULL, ANY, ANY, "rwm", err);
		if (r == 0)
			r = add_folder(s, &all, AT_FDCWD, "/dev", "/dev", 0, err);
	}
	return r < 0 ? r : add_asked(s, rules, err);
}
