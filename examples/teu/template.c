/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* template: a small text/template, interpreted from its text: templates are one line, rows a few hundred. */
#include "template.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "values.h"

enum { MAX_DEPTH = 32 };

struct run {
	const char *at; /* what comes next in the template */
	const char *text;
	FILE *out;
	const cJSON *root;
	cJSON *made; /* values made on the way, kept until the end */
	char *error;
	bool skip; /* in a branch not taken: syntax is checked, nothing is looked up or written */
	int depth;
};

/* What a block ended with. */
enum stop { STOP_FAILED, STOP_TEXT, STOP_END, STOP_ELSE };

static bool fail(struct run *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct run *t, const char *fmt, ...)
{
	int len = snprintf(t->error, TEMPLATE_ERROR_SIZE, "template, character %d: ", (int)(t->at - t->text) + 1);
	va_list args;

	va_start(args, fmt);
	vsnprintf(t->error + len, TEMPLATE_ERROR_SIZE - (size_t)len, fmt, args);
	va_end(args);
	return false;
}

/* Expressions. */

static bool pipeline(struct run *t, const cJSON *dot, const cJSON **ret);

static void blanks(struct run *t)
{
	while (isspace((unsigned char)*t->at))
		t->at++;
}

static size_t word(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return len;
}

/* ".A.B" behind a value. */
static bool fields(struct run *t, const cJSON *v, const cJSON **ret)
{
	while (*t->at == '.') {
		size_t len = word(t->at + 1);
		const cJSON *child;
		char *name;

		if (len == 0)
			break;
		name = cli_copy(t->at + 1, len);
		child = cJSON_GetObjectItemCaseSensitive(v, name);
		if (!child && !t->skip) {
			fail(t, "there is no field .%s here", name);
			free(name);
			return false;
		}
		free(name);
		v = child;
		t->at += 1 + len;
	}
	*ret = v;
	return true;
}

static bool quoted(struct run *t, const cJSON **ret)
{
	char quote = *t->at, *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		cli_oom();
	for (t->at++; *t->at && *t->at != quote; t->at++) {
		if (*t->at == '\\' && quote == '"' && t->at[1]) {
			t->at++;
			fputc(*t->at == 'n' ? '\n' : *t->at == 't' ? '\t' : *t->at, out);
		} else {
			fputc(*t->at, out);
		}
	}
	if (fclose(out) != 0)
		cli_oom();
	*ret = value_keep_text(t->made, text);
	if (!*t->at)
		return fail(t, "a quoted text does not end");
	t->at++;
	return true;
}

static bool number(struct run *t, const cJSON **ret)
{
	char *end;

	*ret = value_keep(t->made, cJSON_CreateNumber(strtod(t->at, &end)));
	t->at = end;
	return true;
}

static bool literal(struct run *t, const char *name, size_t len, const cJSON **ret)
{
	if (len == 4 && memcmp(name, "true", 4) == 0)
		*ret = value_keep(t->made, cJSON_CreateTrue());
	else if (len == 5 && memcmp(name, "false", 5) == 0)
		*ret = value_keep(t->made, cJSON_CreateFalse());
	else if (len == 3 && memcmp(name, "nil", 3) == 0)
		*ret = NULL;
	else
		return fail(t, "function \"%.*s\" is not known", (int)len, name);
	t->at += len;
	return true;
}

static bool operand(struct run *t, const cJSON *dot, const cJSON **ret)
{
	const char *start = t->at;

	if (*start == '"' || *start == '`')
		return quoted(t, ret);
	if (*start == '.') {
		if (word(start + 1) == 0) {
			t->at++;
			*ret = dot;
			return true;
		}
		return fields(t, dot, ret);
	}
	if (*start == '$') {
		if (word(start + 1))
			return fail(t, "variables are not supported");
		t->at++;
		return fields(t, t->root, ret);
	}
	if (*start == '(') {
		t->at++;
		if (++t->depth > MAX_DEPTH)
			return fail(t, "nested too deeply");
		if (!pipeline(t, dot, ret))
			return false;
		t->depth--;
		if (*t->at != ')')
			return fail(t, "expected )");
		t->at++;
		return fields(t, *ret, ret);
	}
	if (isdigit((unsigned char)*start) || (*start == '-' && isdigit((unsigned char)start[1])))
		return number(t, ret);
	if (word(start))
		return literal(t, start, word(start), ret);
	return fail(t, *start ? "unexpected \"%.1s\"" : "the action does not end%.0s", start);
}

static bool at_end(const struct run *t)
{
	return !*t->at || *t->at == '|' || *t->at == ')' || strncmp(t->at, "}}", 2) == 0 ||
	       strncmp(t->at, "-}}", 3) == 0;
}

/* One command of a pipeline; @piped is its last argument when @has_piped. */
static bool command(struct run *t, const cJSON *dot, const cJSON *piped, bool has_piped, const cJSON **ret)
{
	const cJSON *args[VALUE_MAX_ARGS] = { 0 };
	int f, n = 0;

	blanks(t);
	f = word(t->at) ? value_function(t->at, word(t->at)) : -1;
	if (f < 0) {
		if (has_piped)
			return fail(t, "a function must stand behind |");
		if (!operand(t, dot, ret))
			return false;
		blanks(t);
		return at_end(t) || fail(t, "expected }} or |");
	}
	t->at += word(t->at);
	for (blanks(t); !at_end(t); blanks(t)) {
		if (n == VALUE_MAX_ARGS - 1)
			return fail(t, "too many arguments for %s", value_functions[f].name);
		if (!operand(t, dot, &args[n++]))
			return false;
	}
	if (has_piped)
		args[n++] = piped;
	if (n < value_functions[f].min || n > value_functions[f].max)
		return fail(t, "wrong number of arguments for %s", value_functions[f].name);
	*ret = t->skip ? NULL : value_call(t->made, f, args, n);
	return true;
}

static bool pipeline(struct run *t, const cJSON *dot, const cJSON **ret)
{
	if (!command(t, dot, NULL, false, ret))
		return false;
	while (*t->at == '|') {
		t->at++;
		if (!command(t, dot, *ret, true, ret))
			return false;
	}
	return true;
}

/* Blocks. */

static enum stop block(struct run *t, const cJSON *dot);

static bool close_action(struct run *t)
{
	bool trim;

	blanks(t);
	trim = *t->at == '-';
	if (strncmp(t->at + trim, "}}", 2) != 0)
		return fail(t, "expected }}");
	t->at += 2 + trim;
	if (trim)
		blanks(t);
	return true;
}

/* Writes the text up to the next action and steps behind its "{{"; false: there is none left. */
static bool plain_text(struct run *t)
{
	const char *open = strstr(t->at, "{{"), *end = open ? open : t->at + strlen(t->at);
	bool trim = open && open[2] == '-' && isspace((unsigned char)open[3]);
	const char *stop = end;

	while (trim && stop > t->at && isspace((unsigned char)stop[-1]))
		stop--;
	if (!t->skip)
		fwrite(t->at, 1, (size_t)(stop - t->at), t->out);
	t->at = open ? open + 2 + trim : end;
	return open != NULL;
}

/* One run over a branch, from where the template is now. */
static enum stop branch(struct run *t, const cJSON *dot, bool taken)
{
	bool skip = t->skip;
	enum stop stop;

	t->skip = skip || !taken;
	stop = block(t, dot);
	t->skip = skip;
	if (stop == STOP_TEXT) {
		fail(t, "{{end}} is missing");
		return STOP_FAILED;
	}
	return stop;
}

/* Each element of @list through the same piece of the template. */
static enum stop range(struct run *t, const cJSON *list)
{
	const char *start = t->at;
	const cJSON *item = list ? list->child : NULL;
	enum stop stop;

	do {
		t->at = start;
		stop = branch(t, item, item != NULL);
		item = item ? item->next : NULL;
	} while (item && stop != STOP_FAILED);
	return stop;
}

/* if, with and range, from behind the keyword to behind their {{end}}. */
static bool control(struct run *t, const cJSON *dot, char kind)
{
	const cJSON *v = NULL;
	enum stop stop;
	bool taken;

	if (++t->depth > MAX_DEPTH)
		return fail(t, "nested too deeply");
	if (!pipeline(t, dot, &v) || !close_action(t))
		return false;
	taken = value_truth(v);
	if (kind == 'r')
		stop = range(t, t->skip ? NULL : v);
	else
		stop = branch(t, kind == 'w' ? v : dot, taken);
	if (stop == STOP_ELSE) {
		stop = branch(t, dot, !taken);
		if (stop == STOP_ELSE)
			return fail(t, "a second {{else}}");
	}
	t->depth--;
	return stop == STOP_END;
}

static bool keyword(struct run *t, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(t->at, name, len) != 0 || word(t->at) != len)
		return false;
	t->at += len;
	return true;
}

static bool comment(struct run *t)
{
	const char *end = strstr(t->at + 2, "*/");

	if (!end)
		return fail(t, "a comment does not end");
	t->at = end + 2;
	return close_action(t);
}

/* What stands between {{ and }}, as a value that is written out. */
static bool action(struct run *t, const cJSON *dot)
{
	const cJSON *v = NULL;

	if (!pipeline(t, dot, &v) || !close_action(t))
		return false;
	if (!t->skip)
		value_print(t->out, v);
	return true;
}

static enum stop block(struct run *t, const cJSON *dot)
{
	while (plain_text(t)) {
		bool ok;

		blanks(t);
		if (keyword(t, "end"))
			return close_action(t) ? STOP_END : STOP_FAILED;
		if (keyword(t, "else"))
			return close_action(t) ? STOP_ELSE : STOP_FAILED;
		if (keyword(t, "if"))
			ok = control(t, dot, 'i');
		else if (keyword(t, "with"))
			ok = control(t, dot, 'w');
		else if (keyword(t, "range"))
			ok = control(t, dot, 'r');
		else if (strncmp(t->at, "/*", 2) == 0)
			ok = comment(t);
		else
			ok = action(t, dot);
		if (!ok)
			return STOP_FAILED;
	}
	return STOP_TEXT;
}

bool template_run(const char *text, const cJSON *doc, FILE *out, char error[TEMPLATE_ERROR_SIZE])
{
	struct run t = {
		.at = text, .text = text, .out = out, .root = doc, .error = error, .skip = !doc, .made = doc_array()
	};
	enum stop stop = block(&t, doc);

	if (stop == STOP_END || stop == STOP_ELSE)
		fail(&t, "{{end}} or {{else}} without a beginning");
	cJSON_Delete(t.made);
	return stop == STOP_TEXT;
}
