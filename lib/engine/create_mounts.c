/*
 * create_mounts: Binds, Mounts, Tmpfs and Volumes become the record's "Mounts": Docker's list, each entry with the
 * options of its runtime-spec mount beside ("Options"), and two marks that inspect leaves out: "Hidden" (a --tmpfs,
 * which Docker does not list) and "Create" (a missing host folder, made when the container is). Source: Docker Engine
 * API, "Mount" and "HostConfig.Binds".
 */
#include "engine/create_parts.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "store/name.h"
#include "store/volumes.h"

/* One mount while its pieces come together. */
struct draft {
	const char *where;	 /* place in the request */
	const char *type;	 /* "bind", "volume", "tmpfs" */
	const char *source;	 /* host path, or name of the volume; NULL: anonymous, or tmpfs */
	const char *destination; /* as asked for */
	const char *mode;	 /* Docker's "Mode" */
	const char *propagation; /* NULL: rprivate */
	bool read_only, no_copy, not_recursive, hidden;
	bool create;		    /* make the host folder if it is missing */
	const char *const *options; /* further ones, NULL-terminated; NULL: none */
};

static json *mounts_of(const struct create *c)
{
	return json_get_mutable(c->record, "Mounts");
}

static bool is_mounted(const struct create *c, const char *destination)
{
	json_foreach (mount, mounts_of(c))
		if (strcmp(json_get_text(mount, "Destination", ""), destination) == 0)
			return true;
	return false;
}

static json *bind_options(const struct draft *d)
{
	json *options = json_array();
	bool ok = json_append_string(options, d->not_recursive ? "bind" : "rbind") &&
		  json_append_string(options, d->propagation ? d->propagation : "rprivate") &&
		  (!d->read_only || json_append_string(options, "ro")) &&
		  (strcmp(d->type, "volume") != 0 || d->no_copy || json_append_string(options, "copyup"));

	if (ok)
		return options;
	json_free(options);
	return NULL;
}

/* Docker's defaults for tmpfs, each of which its opposite in @options takes away. */
static json *tmpfs_options(const struct draft *d)
{
	static const char *const defaults[] = { "noexec", "nosuid", "nodev" };
	json *options = json_array();
	bool ok = true;

	for (size_t i = 0; ok && i < ARRAY_SIZE(defaults); i++) {
		bool taken_back = false;

		for (const char *const *o = d->options; o && *o; o++)
			taken_back |= strcmp(*o, defaults[i] + 2) == 0 || strcmp(*o, defaults[i]) == 0;
		if (!taken_back)
			ok = json_append_string(options, defaults[i]);
	}
	for (const char *const *o = d->options; ok && o && *o; o++)
		ok = json_append_string(options, *o);
	if (ok && d->read_only)
		ok = json_append_string(options, "ro");
	if (ok)
		return options;
	json_free(options);
	return NULL;
}

static int add_source(struct create *c, const struct draft *d, json *mount, teu_error **err)
{
	char fresh[CONTAINER_ID_LEN + 1];
	_cleanup_free_ char *path = NULL;
	const char *name = d->source;
	int r;

	if (strcmp(d->type, "tmpfs") == 0)
		return json_add_string(mount, "Source", "") ? 0 : err_oom(err);
	if (strcmp(d->type, "bind") == 0)
		return json_add_string(mount, "Source", d->source) &&
				       (!d->create || json_add_bool(mount, "Create", true))
			       ? 0
			       : err_oom(err);
	if (!name) {
		r = containers_new_id(fresh, err);
		if (r < 0)
			return r;
		name = fresh;
		if (!json_append_string(json_get_mutable(c->record, "AnonymousVolumes"), name))
			return err_oom(err);
	}
	path = volumes_path(&c->engine->store, name);
	if (!path || !json_add_string(mount, "Name", name) || !json_add_string(mount, "Source", path) ||
	    !json_add_string(mount, "Driver", "local"))
		return err_oom(err);
	return 0;
}

static int add_mount(struct create *c, const struct draft *d, teu_error **err)
{
	_cleanup_free_ char *destination = NULL;
	json *mount;
	bool ok;

	if (!d->destination || *d->destination != '/')
		return json_field_error(err, d->where, "",
					"invalid mount path \"%s\": expected an absolute path in the container",
					d->destination ? d->destination : "");
	destination = path_clean(d->destination);
	if (!destination)
		return err_oom(err);
	if (strcmp(destination, "/") == 0)
		return json_field_error(err, d->where, "", "the destination can't be \"/\"");
	if (is_mounted(c, destination))
		return json_field_error(err, d->where, "", "duplicate mount point: %s", destination);

	mount = json_append_object(mounts_of(c));
	ok = json_add_string(mount, "Type", d->type) && json_add_string(mount, "Destination", destination) &&
	     json_add_string(mount, "Mode", d->mode ? d->mode : "") && json_add_bool(mount, "RW", !d->read_only) &&
	     json_add_string(mount, "Propagation",
			     strcmp(d->type, "bind") ? ""
			     : d->propagation	     ? d->propagation
						     : "rprivate") &&
	     json_add(mount, "Options", strcmp(d->type, "tmpfs") ? bind_options(d) : tmpfs_options(d)) &&
	     (!d->hidden || json_add_bool(mount, "Hidden", true));
	if (!ok)
		return err_oom(err);
	return add_source(c, d, mount, err);
}

static int check_volume_name(const struct draft *d, teu_error **err)
{
	if (d->source && !name_ok(d->source))
		return json_field_error(
			err, d->where, "",
			"\"%s\" is neither an absolute path nor a volume name ([a-zA-Z0-9][a-zA-Z0-9_.-]+)", d->source);
	return 0;
}

/* The word itself, of static life; NULL: it is none. mount(8), "shared subtrees". */
static const char *find_propagation(const char *word)
{
	static const char *const words[] = { "shared", "rshared", "slave", "rslave", "private", "rprivate" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i]) == 0)
			return words[i];
	return NULL;
}

/* The words behind the second colon: "ro,z,rshared,nocopy". */
static int read_bind_mode(const char *mode, char *words, struct draft *d, teu_error **err)
{
	static const char *const passed_over[] = { "rw", "z", "Z", "cached", "delegated", "consistent" };
	char *rest = NULL;

	for (char *word = strtok_r(words, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		const char *propagation = find_propagation(word);
		bool known = propagation;

		if (propagation)
			d->propagation = propagation;
		for (size_t i = 0; i < ARRAY_SIZE(passed_over); i++)
			known |= strcmp(word, passed_over[i]) == 0;
		if (strcmp(word, "ro") == 0)
			known = d->read_only = true;
		else if (strcmp(word, "nocopy") == 0)
			known = d->no_copy = true;
		if (!known)
			return json_field_error(err, d->where, "", "invalid mode \"%s\": \"%s\" is not known", mode,
						word);
	}
	return 0;
}

/* "source:destination[:mode]", "name:destination[:mode]" or "destination". */
static int add_bind(struct create *c, const char *text, const char *where, teu_error **err)
{
	_cleanup_free_ char *copy = strdup(text), *words = NULL, *source = NULL;
	struct draft d = { .where = where, .type = "bind" };
	char *second, *third;
	struct stat st;
	int r;

	if (!copy)
		return err_oom(err);
	second = strchr(copy, ':');
	if (second)
		*second++ = '\0';
	third = second ? strchr(second, ':') : NULL;
	if (third)
		*third++ = '\0';
	if (!*copy || (second && !*second) || (third && strchr(third, ':')))
		return json_field_error(err, where, "",
					"invalid volume specification \"%s\": expected SOURCE:DESTINATION[:MODE]",
					text);
	d.source = second ? copy : NULL;
	d.destination = second ? second : copy;
	if (third) {
		words = strdup(third);
		if (!words)
			return err_oom(err);
		d.mode = third;
		r = read_bind_mode(third, words, &d, err);
		if (r < 0)
			return r;
	}
	if (!d.source || *d.source != '/') {
		d.type = "volume";
		r = check_volume_name(&d, err);
		return r < 0 ? r : add_mount(c, &d, err);
	}
	source = path_clean(d.source);
	if (!source)
		return err_oom(err);
	d.source = source;
	d.create = stat(source, &st) < 0 && errno == ENOENT;
	return add_mount(c, &d, err);
}

static int read_bind_options(const json *mount, struct draft *d, teu_error **err)
{
	const json *options = json_get(mount, "BindOptions");
	bool make = false;
	struct stat st;
	int r;

	r = json_read_string(options, d->where, "Propagation", &d->propagation, err);
	if (r == 0)
		r = json_read_bool(options, d->where, "NonRecursive", &d->not_recursive, err);
	if (r == 0)
		r = json_read_bool(options, d->where, "CreateMountpoint", &make, err);
	if (r < 0)
		return r;
	if (d->propagation && !*d->propagation)
		d->propagation = NULL;
	if (d->propagation && !find_propagation(d->propagation))
		return json_field_error(err, d->where, "BindOptions.Propagation", "\"%s\" is not known",
					d->propagation);
	if (!d->source || *d->source != '/')
		return json_field_error(err, d->where, "Source", "\"%s\" is not an absolute path",
					d->source ? d->source : "");
	d->create = stat(d->source, &st) < 0 && errno == ENOENT;
	if (d->create && !make)
		return json_field_error(err, d->where, "Source", "bind source path does not exist: %s", d->source);
	return 0;
}

static int read_volume_options(const json *mount, struct draft *d, teu_error **err)
{
	const json *options = json_get(mount, "VolumeOptions");
	const char *driver = json_text(json_find(options, "DriverConfig.Name"), "");
	int r = json_read_bool(options, d->where, "NoCopy", &d->no_copy, err);

	if (r < 0)
		return r;
	if (*driver && strcmp(driver, "local") != 0)
		return json_field_error(err, d->where, "VolumeOptions.DriverConfig.Name", "no volume driver \"%s\"",
					driver);
	if (json_count(json_find(options, "DriverConfig.Options")) || *json_get_text(options, "Subpath", ""))
		return json_field_error(err, d->where, "VolumeOptions",
					"driver options and subpaths are not supported");
	if (d->source && !*d->source)
		d->source = NULL;
	return check_volume_name(d, err);
}

static int add_tmpfs_mount(struct create *c, const json *mount, struct draft *d, teu_error **err)
{
	const json *options = json_get(mount, "TmpfsOptions");
	_cleanup_(strv_done) struct strv words = STRV_INIT;
	int64_t size = 0, mode = 0;
	int r = json_read_int(options, d->where, "SizeBytes", &size, err);

	if (r == 0)
		r = json_read_int(options, d->where, "Mode", &mode, err);
	if (r < 0)
		return r;
	if (d->source && *d->source)
		return json_field_error(err, d->where, "Source", "a tmpfs has no source");
	if (size < 0 || mode < 0 || mode > 07777)
		return json_field_error(err, d->where, "TmpfsOptions", "size or mode is out of range");
	if (size)
		strv_addf(&words, "size=%lld", (long long)size);
	if (mode)
		strv_addf(&words, "mode=%o", (unsigned)mode);
	if (words.oom)
		return err_oom(err);
	d->options = (const char *const *)words.items;
	return add_mount(c, d, err);
}

/* One of HostConfig.Mounts. */
static int add_typed(struct create *c, const json *mount, const char *where, teu_error **err)
{
	struct draft d = { .where = where, .type = "" };
	int r = json_read_string(mount, where, "Type", &d.type, err);

	if (r == 0)
		r = json_read_string(mount, where, "Source", &d.source, err);
	if (r == 0)
		r = json_read_string(mount, where, "Target", &d.destination, err);
	if (r == 0)
		r = json_read_bool(mount, where, "ReadOnly", &d.read_only, err);
	if (r < 0)
		return r;
	if (!d.destination || !*d.destination)
		return json_field_error(err, where, "Target", "must not be empty");
	if (strcmp(d.type, "tmpfs") == 0)
		return add_tmpfs_mount(c, mount, &d, err);
	if (strcmp(d.type, "bind") == 0)
		r = read_bind_options(mount, &d, err);
	else if (strcmp(d.type, "volume") == 0)
		r = read_volume_options(mount, &d, err);
	else
		return json_field_error(err, where, "Type",
					"mount type \"%s\" is not known: there are bind, volume and tmpfs", d.type);
	return r < 0 ? r : add_mount(c, &d, err);
}

static bool tmpfs_word_known(const char *word)
{
	static const char *const flags[] = { "ro",	 "rw",	       "exec",	      "noexec",	      "suid",
					     "nosuid",	 "dev",	       "nodev",	      "sync",	      "async",
					     "dirsync",	 "atime",      "noatime",     "diratime",     "nodiratime",
					     "relatime", "norelatime", "strictatime", "nostrictatime" };
	static const char *const valued[] = { "size=", "mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks=", "huge=" };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (strcmp(word, flags[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(valued); i++)
		if (strncmp(word, valued[i], strlen(valued[i])) == 0 && word[strlen(valued[i])])
			return true;
	return false;
}

/* --tmpfs /run:rw,size=64m */
static int add_tmpfs(struct create *c, const json *entry, teu_error **err)
{
	struct draft d = { .where = "HostConfig.Tmpfs", .type = "tmpfs", .hidden = true };
	_cleanup_free_ char *copy = strdup(json_text(entry, ""));
	_cleanup_(strv_done) struct strv words = STRV_INIT;
	char *rest = NULL;

	if (!copy)
		return err_oom(err);
	d.destination = json_key(entry);
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (!tmpfs_word_known(word))
			return json_field_error(err, d.where, json_key(entry), "invalid tmpfs option \"%s\"", word);
		strv_add(&words, word);
	}
	if (words.oom)
		return err_oom(err);
	d.options = (const char *const *)words.items;
	return add_mount(c, &d, err);
}

/* What the image or -v /path wants kept apart from the container, where nothing is mounted yet. */
static int add_anonymous(struct create *c, const char *destination, teu_error **err)
{
	_cleanup_free_ char *clean = *destination == '/' ? path_clean(destination) : NULL;
	struct draft d = { .where = "Volumes", .type = "volume", .destination = destination };

	if (clean && is_mounted(c, clean))
		return 0;
	return add_mount(c, &d, err);
}

int create_mounts(struct create *c, teu_error **err)
{
	char where[48];
	size_t i = 0;
	int r = 0;

	if (!json_add_array(c->record, "Mounts") || !json_add_array(c->record, "AnonymousVolumes"))
		return err_oom(err);
	json_foreach (mount, json_get(c->host, "Mounts")) {
		snprintf(where, sizeof(where), "HostConfig.Mounts[%zu]", i++);
		r = add_typed(c, mount, where, err);
		if (r < 0)
			return r;
	}
	i = 0;
	json_foreach (bind, json_get(c->host, "Binds")) {
		snprintf(where, sizeof(where), "HostConfig.Binds[%zu]", i++);
		r = add_bind(c, json_text(bind, ""), where, err);
		if (r < 0)
			return r;
	}
	json_foreach_member (tmpfs, json_get(c->host, "Tmpfs")) {
		r = add_tmpfs(c, tmpfs, err);
		if (r < 0)
			return r;
	}
	json_foreach_member (volume, json_get(c->config, "Volumes")) {
		r = add_anonymous(c, json_key(volume), err);
		if (r < 0)
			return r;
	}
	return 0;
}
