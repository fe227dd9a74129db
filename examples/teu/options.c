/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* options: flags from a table. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "units.h"

struct parser {
	const struct command *command;
	const char *path;
	char *dest;
	char **argv;
	int argc, next; /* argv[next] is looked at after this one */
};

static const struct option *by_name(const struct command *command, const char *name, size_t len)
{
	for (const struct option *const *t = command->options; t && *t; t++)
		for (const struct option *o = *t; o->name; o++)
			if (strncmp(o->name, name, len) == 0 && o->name[len] == '\0')
				return o;
	return NULL;
}

static const struct option *by_letter(const struct command *command, char letter)
{
	for (const struct option *const *t = command->options; t && *t; t++)
		for (const struct option *o = *t; o->name; o++)
			if (o->letter == letter)
				return o;
	return NULL;
}

static bool takes_value(const struct option *o)
{
	return o->kind != OPT_BOOL && o->kind != OPT_NOT;
}

static bool parse_bool(const char *text, bool *ret)
{
	static const char *const yes[] = { "true", "1", "t", "T", "TRUE", "True" };
	static const char *const no[] = { "false", "0", "f", "F", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*ret = strcmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

static void list_add(struct list *list, const char *text)
{
	/* Grows by doubling at the powers of two, so that it needs no field for its capacity. */
	if ((list->n & (list->n - 1)) == 0) {
		list->items = reallocarray(list->items, (list->n ? list->n * 2 : 1) + 1, sizeof(*list->items));
		if (!list->items)
			cli_oom();
	}
	list->items[list->n++] = text;
	list->items[list->n] = NULL;
}

static bool parse_number(const struct option *o, const char *text, struct number *ret)
{
	ret->set = true;
	switch (o->kind) {
	case OPT_SWAP:
		if (strcmp(text, "-1") == 0) {
			ret->value = -1;
			return true;
		}
		return units_parse_bytes(text, &ret->value);
	case OPT_BYTES:
		return units_parse_bytes(text, &ret->value);
	case OPT_CPUS:
		return units_parse_cpus(text, &ret->value);
	default:
		return units_parse_int(text, &ret->value);
	}
}

static const char *wanted(enum option_kind kind)
{
	switch (kind) {
	case OPT_INT:
		return "a whole number";
	case OPT_BYTES:
		return "a size like 64m";
	case OPT_SWAP:
		return "a size like 64m, or -1";
	case OPT_CPUS:
		return "a number like 1.5 with at most nine decimals";
	default:
		return "true or false";
	}
}

static bool store(struct parser *p, const struct option *o, const char *text)
{
	void *dest = p->dest + o->offset;
	bool ok = true;

	switch (o->kind) {
	case OPT_BOOL:
	case OPT_NOT:
		ok = parse_bool(text, dest);
		if (ok && o->kind == OPT_NOT)
			*(bool *)dest = !*(bool *)dest;
		break;
	case OPT_TEXT:
		*(const char **)dest = text;
		break;
	case OPT_LIST:
		list_add(dest, text);
		break;
	default:
		ok = parse_number(o, text, dest);
	}
	if (!ok)
		cli_usage(p->path, 0, "invalid argument \"%s\" for --%s: expected %s", text, o->name, wanted(o->kind));
	return ok;
}

/* The argument that is the value of a flag, or NULL after telling that there is none. */
static const char *next_value(struct parser *p, const char *flag)
{
	if (p->next < p->argc)
		return p->argv[p->next++];
	cli_usage(p->path, 0, "flag needs an argument: %s", flag);
	return NULL;
}

static enum options_result parse_long(struct parser *p, const char *arg)
{
	const char *name = arg + 2, *equals = strchr(name, '='), *value;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *o = by_name(p->command, name, len);

	if (!o && len == 4 && memcmp(name, "help", 4) == 0)
		return OPTIONS_HELP;
	if (!o) {
		cli_usage(p->path, 0, "unknown flag: --%.*s", (int)len, name);
		return OPTIONS_WRONG;
	}
	value = equals ? equals + 1 : takes_value(o) ? next_value(p, arg) : "true";
	return value && store(p, o, value) ? OPTIONS_OK : OPTIONS_WRONG;
}

static enum options_result parse_cluster(struct parser *p, const char *arg)
{
	for (const char *c = arg + 1; *c; c++) {
		const struct option *o = by_letter(p->command, *c);
		char flag[] = { '-', *c, '\0' };
		const char *value;

		if (!o && *c == 'h')
			return OPTIONS_HELP;
		if (!o) {
			cli_usage(p->path, 0, "unknown shorthand flag: '%c' in %s", *c, arg);
			return OPTIONS_WRONG;
		}
		if (!takes_value(o) && c[1] != '=') {
			if (!store(p, o, "true"))
				return OPTIONS_WRONG;
			continue;
		}
		/* The rest of the cluster is the value: -eA=1, -e=A=1. */
		value = c[1] == '=' ? c + 2 : c[1] ? c + 1 : next_value(p, flag);
		return value && store(p, o, value) ? OPTIONS_OK : OPTIONS_WRONG;
	}
	return OPTIONS_OK;
}

enum options_result options_parse(const struct command *command, const char *path, void *dest, int argc, char **argv,
				  int *ret_operands)
{
	struct parser p = { .command = command, .path = path, .dest = dest, .argv = argv, .argc = argc };
	int n = 0;

	while (p.next < argc) {
		char *arg = argv[p.next++];
		enum options_result r;

		if (arg[0] != '-' || arg[1] == '\0') {
			argv[n++] = arg;
			if (command->stop)
				break;
			continue;
		}
		if (strcmp(arg, "--") == 0)
			break;
		r = arg[1] == '-' ? parse_long(&p, arg) : parse_cluster(&p, arg);
		if (r != OPTIONS_OK)
			return r;
	}
	while (p.next < argc)
		argv[n++] = argv[p.next++];
	argv[n] = NULL;
	*ret_operands = n;
	return OPTIONS_OK;
}

static const char *placeholder(const struct option *o)
{
	switch (o->kind) {
	case OPT_BOOL:
	case OPT_NOT:
		return "";
	case OPT_LIST:
		return " list";
	case OPT_BYTES:
	case OPT_SWAP:
		return " bytes";
	case OPT_INT:
		return " int";
	case OPT_CPUS:
		return " decimal";
	default:
		return " string";
	}
}

void options_help(const struct option *const *tables)
{
	for (; tables && *tables; tables++) {
		for (const struct option *o = *tables; o->name; o++) {
			char letter[] = { o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->letter ? ',' : ' ',
					  '\0' };
			int width = printf("  %s --%s%s", letter, o->name, placeholder(o));

			printf("%*s%s\n", width < 36 ? 36 - width : 2, "", o->help);
		}
	}
}

void options_done(const struct command *command, void *dest)
{
	if (!dest)
		return;
	for (const struct option *const *t = command->options; t && *t; t++)
		for (const struct option *o = *t; o->name; o++)
			if (o->kind == OPT_LIST) {
				struct list *list = (struct list *)((char *)dest + o->offset);

				/* Two flags may share a list (--network and --net). */
				free(list->items);
				*list = (struct list){ 0 };
			}
	free(dest);
}
