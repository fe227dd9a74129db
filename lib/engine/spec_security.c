/*
 * spec_security: capabilities, system call filter, labels, masked paths.
 * Source: capabilities(7); runtime-spec config-linux.md, "Masked Paths"; Docker Engine API, "SecurityOpt".
 */
#include "engine/spec_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "kernel/apparmor.h"
#include "kernel/caps.h"
#include "kernel/seccomp.h"

/* What the kernel shows in /proc and /sys beyond the container's namespaces. */
static const char *const masked[] = {
	"/proc/asound",
	"/proc/acpi",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/sys/firmware",
	"/sys/devices/virtual/powercap",
	NULL,
};

static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

/* Adds up "CapAdd" or "CapDrop"; *@ret_all when it says ALL. */
static int read_caps(const struct spec *s, const char *key, uint64_t *ret, bool *ret_all, teu_error **err)
{
	json_foreach (cap, json_get(s->host, key)) {
		const char *name = json_text(cap, "");
		int number;

		if (strcasecmp(name, "ALL") == 0 || strcasecmp(name, "CAP_ALL") == 0) {
			*ret_all = true;
			continue;
		}
		number = caps_number(name);
		if (number < 0)
			return json_field_error(err, "HostConfig", key, "unknown capability: \"%s\"", name);
		*ret |= UINT64_C(1) << number;
	}
	return 0;
}

static int choose_caps(struct spec *s, teu_error **err)
{
	uint64_t add = 0, drop = 0;
	bool add_all = false, drop_all = false;
	int r = read_caps(s, "CapAdd", &add, &add_all, err);

	if (r == 0)
		r = read_caps(s, "CapDrop", &drop, &drop_all, err);
	if (r < 0)
		return r;
	/* All means those there are to give: whoever asks for one that we lack by its name is told so at launch. */
	if (s->privileged)
		s->caps = caps_own();
	else if (drop_all)
		s->caps = add_all ? caps_own() : add;
	else
		s->caps = ((add_all ? caps_own() : caps_default()) & ~drop) | add;
	return 0;
}

static int add_caps(struct spec *s, teu_error **err)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };
	json *caps = json_add_object(s->process, "capabilities");

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		json *set = json_add_array(caps, sets[i]);

		for (int n = 0; n < 64; n++)
			if (s->caps & UINT64_C(1) << n && caps_name(n) && !json_append_string(set, caps_name(n)))
				return err_oom(err);
		if (!set)
			return err_oom(err);
	}
	return 0;
}

/* A profile as its JSON text: the client reads the file. */
static int add_filter(struct spec *s, const char *value, teu_error **err)
{
	_cleanup_json_ json *profile = NULL, *compiled = NULL;
	_cleanup_error_ teu_error *cause = NULL;
	int r;

	if (*value != '{')
		return json_field_error(err, "HostConfig", "SecurityOpt",
					"seccomp: expected \"unconfined\" or the text of a profile, found \"%.64s\"",
					value);
	r = json_parse(value, strlen(value), &profile, &cause);
	if (r == 0)
		r = seccomp_from_docker(profile, s->caps, &compiled, &cause);
	if (r < 0)
		return json_field_error(err, "HostConfig", "SecurityOpt", "seccomp profile: %s",
					teu_error_message(cause));
	return json_add(s->platform, "seccomp", TAKE_PTR(compiled)) ? 0 : err_oom(err);
}

/* Keeps the parts of an SELinux label that the options change: user, role, type, level. */
struct label {
	const char *parts[4];
	bool set;
};

static int read_label(const char *value, struct label *label, teu_error **err)
{
	static const char *const keys[] = { "user:", "role:", "type:", "level:" };

	if (strcmp(value, "disable") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strncmp(value, keys[i], strlen(keys[i])) == 0 && value[strlen(keys[i])]) {
			label->parts[i] = value + strlen(keys[i]);
			label->set = true;
			return 0;
		}
	return json_field_error(err, "HostConfig", "SecurityOpt", "invalid label \"%s\"", value);
}

/* On a machine without SELinux labels say nothing, as with Docker. */
static int add_label(struct spec *s, const struct label *label, teu_error **err)
{
	char text[256];

	if (!label->set || access("/sys/fs/selinux/enforce", F_OK) < 0)
		return 0;
	snprintf(text, sizeof(text), "%s:%s:%s:%s", label->parts[0] ? label->parts[0] : "system_u",
		 label->parts[1] ? label->parts[1] : "system_r", label->parts[2] ? label->parts[2] : "container_t",
		 label->parts[3] ? label->parts[3] : "s0");
	return json_add_string(s->process, "selinuxLabel", text) ? 0 : err_oom(err);
}

struct options {
	const char *seccomp, *apparmor; /* NULL: the default */
	struct label label;
	bool no_new_privileges, system_paths;
};

static int read_switch(const char *option, const char *value, bool *ret, teu_error **err)
{
	if (*value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return json_field_error(err, "HostConfig", "SecurityOpt", "%s: expected true or false", option);
	*ret = strcmp(value, "false") != 0;
	return 0;
}

static int read_option(const char *option, struct options *ret, teu_error **err)
{
	size_t len = strcspn(option, "=:");
	const char *value = option[len] ? option + len + 1 : "";

	if (len == 17 && strncmp(option, "no-new-privileges", len) == 0)
		return read_switch("no-new-privileges", value, &ret->no_new_privileges, err);
	if (*value && len == 7 && strncmp(option, "seccomp", len) == 0) {
		ret->seccomp = strcmp(value, "builtin") ? value : NULL;
		return 0;
	}
	if (*value && len == 5 && strncmp(option, "label", len) == 0)
		return read_label(value, &ret->label, err);
	if (strcmp(option, "systempaths=unconfined") == 0) {
		ret->system_paths = true;
		return 0;
	}
	if (*value && len == 8 && strncmp(option, "apparmor", len) == 0) {
		ret->apparmor = value;
		return 0;
	}
	return json_field_error(err, "HostConfig", "SecurityOpt", "invalid security option \"%.64s\"", option);
}

/* "unconfined" is the state of whom no profile was given. */
static int add_profile(struct spec *s, const char *asked, teu_error **err)
{
	if (!asked)
		asked = !s->privileged && apparmor_usable() ? APPARMOR_DEFAULT : "unconfined";
	if (strcmp(asked, "unconfined") == 0)
		return 0;
	return json_add_string(s->process, "apparmorProfile", asked) ? 0 : err_oom(err);
}

static int add_options(struct spec *s, struct options *options, teu_error **err)
{
	json_foreach (option, json_get(s->host, "SecurityOpt")) {
		int r = read_option(json_text(option, ""), options, err);

		if (r < 0)
			return r;
	}
	if (!json_add_bool(s->process, "noNewPrivileges", options->no_new_privileges))
		return err_oom(err);
	if (options->seccomp && strcmp(options->seccomp, "unconfined") != 0)
		return add_filter(s, options->seccomp, err);
	if (!options->seccomp && !s->privileged && !json_add_string(s->annotations, "teu.seccomp", "default"))
		return err_oom(err);
	return 0;
}

static int add_paths(struct spec *s, const char *asked, const char *key, const char *const *defaults, bool none,
		     teu_error **err)
{
	const json *given = json_get(s->host, asked);
	json *list;

	if (none)
		return 0;
	list = given ? json_copy(given) : json_strings((char *const *)defaults);
	return json_add(s->platform, key, list) ? 0 : err_oom(err);
}

int spec_security(struct spec *s, teu_error **err)
{
	struct options options = { 0 };
	bool open;
	int r = choose_caps(s, err);

	if (r == 0)
		r = add_caps(s, err);
	if (r == 0)
		r = add_options(s, &options, err);
	if (r == 0)
		r = add_profile(s, options.apparmor, err);
	if (r == 0)
		r = add_label(s, &options.label, err);
	open = s->privileged || options.system_paths;
	if (r == 0)
		r = add_paths(s, "MaskedPaths", "maskedPaths", masked, open, err);
	if (r == 0)
		r = add_paths(s, "ReadonlyPaths", "readonlyPaths", read_only, open, err);
	return r;
}
