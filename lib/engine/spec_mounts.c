/*
 * spec_mounts: the mounts every container has, the three files that the network writes, and those asked for.
 * Source: runtime-spec config.md, "Mounts", config-linux.md, "Default Filesystems".
 */
#include "engine/spec_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"

struct default_mount {
	const char *destination, *type, *source;
	const char *options[8];
};

static const struct default_mount defaults[] = {
	{ "/proc", "proc", "proc", { "nosuid", "noexec", "nodev" } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777" } },
};

/* A mount of the user's in its place, or above it, takes its place. */
static bool is_overridden(const struct spec *s, const char *destination)
{
	json_foreach (mount, json_get(s->record, "Mounts")) {
		const char *theirs = json_get_text(mount, "Destination", "");

		if (strcmp(theirs, destination) == 0 ||
		    (strcmp(theirs, "/dev") == 0 && path_is_below(destination, "/dev")))
			return true;
	}
	return false;
}

static json *add_mount(json *list, const char *destination, const char *type, const char *source)
{
	json *mount = json_append_object(list);

	if (!json_add_string(mount, "destination", destination) || !json_add_string(mount, "type", type) ||
	    !json_add_string(mount, "source", source))
		return NULL;
	return json_add_array(mount, "options");
}

/* Whose kernel file systems are writable? A privileged container's. */
static bool stays(const struct spec *s, const struct default_mount *mount, const char *option)
{
	return strcmp(option, "ro") != 0 || strncmp(mount->destination, "/sys", 4) != 0 || !s->privileged;
}

static int add_default(struct spec *s, json *list, const struct default_mount *mount, teu_error **err)
{
	json *options = add_mount(list, mount->destination, mount->type, mount->source);

	for (size_t i = 0; i < ARRAY_SIZE(mount->options) && mount->options[i]; i++)
		if (stays(s, mount, mount->options[i]) && !json_append_string(options, mount->options[i]))
			return err_oom(err);
	if (strcmp(mount->destination, "/dev/shm") == 0) {
		char size[32];

		snprintf(size, sizeof(size), "size=%lld", (long long)json_get_number(s->host, "ShmSize", 64 << 20));
		if (!json_append_string(options, size))
			return err_oom(err);
	}
	return options ? 0 : err_oom(err);
}

/* --ipc host: the host's shared memory; none: no shared memory. */
static int add_shm(struct spec *s, json *list, const struct default_mount *mount, teu_error **err)
{
	static const char *const options[] = { "rbind", "rprivate", "nosuid", "noexec", "nodev" };
	const char *mode = json_get_text(s->host, "IpcMode", "");
	json *to;

	if (strcmp(mode, "none") == 0)
		return 0;
	if (strcmp(mode, "host") != 0)
		return add_default(s, list, mount, err);
	to = add_mount(list, mount->destination, "bind", "/dev/shm");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (!json_append_string(to, options[i]))
			return err_oom(err);
	return 0;
}

static int add_defaults(struct spec *s, json *list, teu_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		const struct default_mount *mount = &defaults[i];
		int r;

		if (is_overridden(s, mount->destination))
			continue;
		if (strcmp(mount->destination, "/dev/shm") == 0)
			r = add_shm(s, list, mount, err);
		else
			r = add_default(s, list, mount, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Fewer parts first, so that no mount covers an earlier one; a stable order otherwise. */
struct ordered {
	const json *mount;
	size_t depth, position;
};

static int by_depth(const void *a, const void *b)
{
	const struct ordered *one = a, *other = b;

	if (one->depth != other->depth)
		return one->depth < other->depth ? -1 : 1;
	return one->position < other->position ? -1 : 1;
}

static size_t depth_of(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

static int add_asked(json *list, const json *mount, teu_error **err)
{
	const char *type = json_get_text(mount, "Type", "");
	bool tmpfs = strcmp(type, "tmpfs") == 0;
	json *options = add_mount(list, json_get_text(mount, "Destination", ""), tmpfs ? "tmpfs" : "bind",
				  tmpfs ? "tmpfs" : json_get_text(mount, "Source", ""));

	json_foreach (option, json_get(mount, "Options"))
		if (!json_append_string(options, json_text(option, "")))
			return err_oom(err);
	return options ? 0 : err_oom(err);
}

/* Their text is written at start, when the address is known. */
static int add_network_files(struct spec *s, json *mounts, teu_error **err)
{
	static const char *const files[] = { "resolv.conf", "hostname", "hosts" };
	bool read_only = json_get_truth(s->host, "ReadonlyRootfs", false);

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *source = NULL;
		char destination[32];
		json *mount, *options;

		snprintf(destination, sizeof(destination), "/etc/%s", files[i]);
		if (is_overridden(s, destination))
			continue;
		if (asprintf(&source, "%s/containers/%s/%s", s->engine->store.root, s->id, files[i]) < 0)
			return err_oom(err);
		mount = json_append_object(mounts);
		options = json_array();
		if (!json_append_string(options, "rbind") || !json_append_string(options, "rprivate") ||
		    (read_only && !json_append_string(options, "ro"))) {
			json_free(options);
			return err_oom(err);
		}
		if (!json_add(mount, "Options", options) || !json_add_string(mount, "Destination", destination) ||
		    !json_add_string(mount, "Source", source))
			return err_oom(err);
	}
	return 0;
}

static int add_all_asked(struct spec *s, json *list, teu_error **err)
{
	const json *asked = json_get(s->record, "Mounts");
	_cleanup_free_ struct ordered *order = NULL;
	_cleanup_json_ json *files = json_array();
	size_t n = 0;
	int r = files ? add_network_files(s, files, err) : err_oom(err);

	if (r < 0)
		return r;
	order = calloc(json_count(asked) + json_count(files) + 1, sizeof(*order));
	if (!order)
		return err_oom(err);
	json_foreach (mount, files) {
		order[n] = (struct ordered){ mount, depth_of(json_get_text(mount, "Destination", "")), n };
		n++;
	}
	json_foreach (mount, asked) {
		order[n] = (struct ordered){ mount, depth_of(json_get_text(mount, "Destination", "")), n };
		n++;
	}
	qsort(order, n, sizeof(*order), by_depth);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_asked(list, order[i].mount, err);
	return r;
}

/* A bind that passes mounts on needs a root that does. */
static int add_propagation(struct spec *s, teu_error **err)
{
	const char *propagation = "rprivate";

	json_foreach (mount, json_get(s->record, "Mounts")) {
		const char *theirs = json_get_text(mount, "Propagation", "");

		if (strstr(theirs, "shared"))
			propagation = "rshared";
		else if (strstr(theirs, "slave") && strcmp(propagation, "rshared") != 0)
			propagation = "rslave";
	}
	if (strcmp(propagation, "rprivate") == 0)
		return 0;
	return json_add_string(s->platform, "rootfsPropagation", propagation) ? 0 : err_oom(err);
}

int spec_mounts(struct spec *s, teu_error **err)
{
	json *list = json_add_array(s->spec, "mounts");
	int r = list ? add_defaults(s, list, err) : err_oom(err);

	if (r == 0)
		r = add_all_asked(s, list, err);
	return r < 0 ? r : add_propagation(s, err);
}
