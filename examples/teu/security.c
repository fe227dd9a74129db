/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* security: --security-opt, --cap-add, --cap-drop, --device, --device-cgroup-rule. Source: docs.docker.com, "docker
 * run". */
#include "body.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_PROFILE = 4 << 20 };

/* A whole file as text, for free(); NULL with errno. */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t len;

	if (!file)
		return NULL;
	text = cli_alloc(MAX_PROFILE + 1);
	len = fread(text, 1, MAX_PROFILE, file);
	if (ferror(file) || !feof(file)) {
		errno = ferror(file) ? errno : EFBIG;
		free(text);
		text = NULL;
	} else {
		text[len] = '\0';
	}
	fclose(file);
	return text;
}

/* The engine gets the profile itself: it may not see our files. */
static bool profile(struct body *b, const char *path)
{
	_cleanup_free_ char *text = read_file(path), *option = NULL;
	_cleanup_doc_ cJSON *doc = NULL;

	if (!text)
		return body_fail(b, "opening seccomp profile (%s) failed: %s", path, strerror(errno));
	doc = doc_parse(text);
	if (!doc)
		return body_fail(b, "seccomp profile (%s) is not JSON", path);
	cJSON_Minify(text);
	option = cli_format("seccomp=%s", text);
	doc_add_text(doc_array_at(b->host, "SecurityOpt"), option);
	return true;
}

static bool security_option(struct body *b, const char *text)
{
	size_t name = strcspn(text, "=");
	const char *value = text[name] ? text + name + 1 : NULL;

	/* "seccomp:unconfined": the old spelling. */
	if (!value && strchr(text, ':')) {
		name = strcspn(text, ":");
		value = text + name + 1;
	}
	if (!value && strcmp(text, "no-new-privileges") != 0)
		return body_fail(b, "invalid --security-opt: \"%s\"", text);
	if (value && name == 11 && strncmp(text, "systempaths", name) == 0 && strcmp(value, "unconfined") == 0) {
		doc_array_at(b->host, "MaskedPaths");
		doc_array_at(b->host, "ReadonlyPaths");
		return true;
	}
	if (value && name == 7 && strncmp(text, "seccomp", name) == 0 && strcmp(value, "unconfined") != 0 &&
	    strcmp(value, "builtin") != 0)
		return profile(b, value);
	doc_add_text(doc_array_at(b->host, "SecurityOpt"), text);
	return true;
}

static bool is_access(const char *text)
{
	return *text && strspn(text, "rwm") == strlen(text) && strlen(text) <= 3;
}

/* "PATH[:PATH_INSIDE][:rwm]" */
static bool device(struct body *b, const char *spec)
{
	_cleanup_free_ char *outside = cli_copy(spec, strlen(spec));
	char *inside = strchr(outside, ':'), *access = NULL;
	cJSON *entry;

	if (inside) {
		*inside++ = '\0';
		access = strchr(inside, ':');
		if (access)
			*access++ = '\0';
		else if (is_access(inside)) {
			access = inside;
			inside = outside;
		}
	}
	if (*outside != '/' || (inside && *inside != '/') || (access && !is_access(access)))
		return body_fail(b, "invalid argument \"%s\" for --device: expected /PATH[:/PATH][:rwm]", spec);
	entry = doc_object();
	doc_set_text(entry, "PathOnHost", outside);
	doc_set_text(entry, "PathInContainer", inside ? inside : outside);
	doc_set_text(entry, "CgroupPermissions", access ? access : "rwm");
	doc_add(doc_array_at(b->host, "Devices"), entry);
	return true;
}

/* One of the numbers of a rule: digits or a star. */
static size_t rule_number(const char *text)
{
	return *text == '*' ? 1 : strspn(text, "0123456789");
}

/* "c 10:200 rwm" */
static bool rule_fits(const char *text)
{
	size_t len;

	if (!strchr("acb", text[0]) || !text[0] || text[1] != ' ')
		return false;
	text += 2;
	len = rule_number(text);
	if (!len || text[len] != ':')
		return false;
	text += len + 1;
	len = rule_number(text);
	return len && text[len] == ' ' && is_access(text + len + 1);
}

/* "net_admin" -> "CAP_NET_ADMIN": one spelling in what inspect shows. */
static void capabilities(struct body *b, const char *key, const struct list *names)
{
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->items[i] + (strncasecmp(names->items[i], "CAP_", 4) == 0 ? 4 : 0);
		_cleanup_free_ char *full = cli_format("%s%s", strcasecmp(name, "ALL") == 0 ? "" : "CAP_", name);

		for (char *c = full; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		doc_add_text(doc_array_at(b->host, key), full);
	}
}

bool body_security(struct body *b)
{
	const struct create_options *o = b->options;

	capabilities(b, "CapAdd", &o->cap_add);
	capabilities(b, "CapDrop", &o->cap_drop);
	for (size_t i = 0; i < o->security.n; i++)
		if (!security_option(b, o->security.items[i]))
			return false;
	for (size_t i = 0; i < o->devices.n; i++)
		if (!device(b, o->devices.items[i]))
			return false;
	for (size_t i = 0; i < o->device_rules.n; i++) {
		if (!rule_fits(o->device_rules.items[i]))
			return body_fail(b,
					 "invalid argument \"%s\" for --device-cgroup-rule: expected \"c 10:200 rwm\"",
					 o->device_rules.items[i]);
		doc_add_text(doc_array_at(b->host, "DeviceCgroupRules"), o->device_rules.items[i]);
	}
	return true;
}
