/* check: walks a document along the table of check_schema.c. */
#include "sandbox/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/check_impl.h"

enum { MAX_ERRORS = 64, PLACE_MAX = 512 };

/* Names and values come from the document: what is in them must not look like a line of its own. */
static void one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void note(struct strv *lines, const char *place, const char *fmt, va_list args)
{
	_cleanup_free_ char *text = NULL;

	if (lines->n >= MAX_ERRORS)
		return;
	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		lines->oom = true;
		return;
	}
	strv_addf(lines, "%s%s%s", place, *place ? ": " : "", text);
	if (!lines->oom)
		one_line(lines->items[lines->n - 1]);
}

void check_error(struct check *c, const char *place, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note(&c->errors, place, fmt, args);
	va_end(args);
}

void check_missing(struct check *c, const char *place, const char *key)
{
	char whole[PLACE_MAX];

	snprintf(whole, sizeof(whole), "%s%s%s", place, *place ? "." : "", key);
	check_error(c, whole, "is missing");
}

void check_warning(struct check *c, const char *place, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note(&c->warnings, place, fmt, args);
	va_end(args);
}

static void walk(const json *v, const struct shape *s, char *place, struct check *c);

/* Walks @v with @dot and @name behind @place, which is as before afterwards. A document has a thousand values. */
static void walk_below(const json *v, const struct shape *s, char *place, struct check *c, const char *dot,
		       const char *name)
{
	size_t len = strlen(place), more = strlen(dot), rest = PLACE_MAX - 1 - len;
	char *end = place + len;

	if (more <= rest) {
		end = mempcpy(end, dot, more);
		end = mempcpy(end, name, strnlen(name, rest - more));
	}
	*end = '\0';
	walk(v, s, place, c);
	place[len] = '\0';
}

/* Nothing can be wrong with it, wherever it stands. */
static bool is_any_string(const json *v, const struct shape *s)
{
	return s->kind == SHAPE_STRING && !s->fits && !s->words && json_is_string(v);
}

static void walk_string(const json *v, const struct shape *s, const char *place, struct check *c)
{
	const char *text = json_text(v, "");

	if (s->fits && !s->fits(text))
		check_error(c, place, "expected %s, found \"%s\"", s->expected, text);
	if (!s->words)
		return;
	for (const char *const *word = s->words; *word; word++)
		if (strcmp(*word, text) == 0)
			return;
	check_error(c, place, "unknown value \"%s\"", text);
}

static void walk_integer(const json *v, const struct shape *s, const char *place, struct check *c)
{
	int64_t n = json_number(v, 0);
	uint64_t u;

	if (json_unsigned(v, &u) ? u <= s->max && (s->min < 0 || u >= (uint64_t)s->min) : n < 0 && n >= s->min)
		return;
	if (n == 0 && !json_unsigned(v, &u))
		check_error(c, place, "expected an integer, found a number with a fraction");
	else
		check_error(c, place, "expected an integer from %" PRId64 " to %" PRIu64, s->min, s->max);
}

static bool key_known(const struct shape *s, const char *key, const struct shape **ret)
{
	for (const struct shape_field *f = s->fields; f && f->key; f++)
		if (strcmp(f->key, key) == 0) {
			*ret = f->shape;
			return true;
		}
	*ret = s->item;
	return s->item;
}

/* The specification's name for what is @key but for its case; NULL: none. */
static const char *right_key(const struct shape *s, const char *key)
{
	for (const struct shape_field *f = s->fields; f && f->key; f++)
		if (strcasecmp(f->key, key) == 0)
			return f->key;
	return NULL;
}

/* Fields that nobody knows are passed over, as the specification asks. */
static void walk_object(const json *v, const struct shape *s, char *place, struct check *c)
{
	const struct shape *shape;

	for (const struct shape_field *f = s->fields; f && f->key; f++)
		if (f->required && !json_get(v, f->key))
			check_missing(c, place, f->key);
	json_foreach (child, v)
		/* null stands for absent. */
		if (!key_known(s, json_key(child), &shape))
			c->respelled |= right_key(s, json_key(child)) != NULL;
		else if (json_get(v, json_key(child)))
			walk_below(child, shape, place, c, *place ? "." : "", json_key(child));
}

static void walk_array(const json *v, const struct shape *s, char *place, struct check *c)
{
	size_t i = 0;

	if (s->filled && !json_count(v))
		check_error(c, place, "expected one at least");
	json_foreach (child, v) {
		char name[24];

		if (!is_any_string(child, s->item)) {
			snprintf(name, sizeof(name), "[%zu]", i);
			walk_below(child, s->item, place, c, "", name);
		}
		i++;
	}
}

static void walk(const json *v, const struct shape *s, char *place, struct check *c)
{
	static const struct {
		const char *name;
		bool (*is)(const json *);
	} kinds[] = {
		[SHAPE_STRING] = { "a string", json_is_string },    [SHAPE_BOOL] = { "a boolean", json_is_bool },
		[SHAPE_INTEGER] = { "an integer", json_is_number }, [SHAPE_OBJECT] = { "an object", json_is_object },
		[SHAPE_ARRAY] = { "an array", json_is_array },
	};

	if (!kinds[s->kind].is(v)) {
		check_error(c, place, "expected %s, found %s", kinds[s->kind].name, json_type_name(v));
		return;
	}
	switch (s->kind) {
	case SHAPE_STRING:
		walk_string(v, s, place, c);
		break;
	case SHAPE_INTEGER:
		walk_integer(v, s, place, c);
		break;
	case SHAPE_OBJECT:
		walk_object(v, s, place, c);
		break;
	case SHAPE_ARRAY:
		walk_array(v, s, place, c);
		break;
	case SHAPE_BOOL:
		break;
	}
}

void check_config(const json *config, enum check_for what, struct check *ret)
{
	char place[PLACE_MAX] = "";

	walk(config, &shape_config, place, ret);
	if (what == CHECK_LAUNCH && json_is_object(config))
		check_config_rules(config, ret);
}

void check_process(const json *process, struct check *ret)
{
	char place[PLACE_MAX] = "process";

	walk(process, &shape_process, place, ret);
	if (json_is_object(process))
		check_process_rules(process, place, ret);
}

static const json *find_other_case(const json *v, const char *key)
{
	json_foreach (child, v)
		if (strcasecmp(json_key(child), key) == 0 && strcmp(json_key(child), key) != 0)
			return child;
	return NULL;
}

static bool rename_field(json *v, const char *right)
{
	const json *wrong = json_get(v, right) ? NULL : find_other_case(v, right);
	_cleanup_free_ char *key = wrong ? strdup(json_key(wrong)) : NULL;

	if (!wrong)
		return true;
	if (!key || !json_add(v, right, json_copy(wrong)))
		return false;
	json_remove(v, key);
	return true;
}

/* The tree is the caller's to change; json_foreach shows it as const to who only looks. */
static bool respell(json *v, const struct shape *s)
{
	bool object = s->kind == SHAPE_OBJECT && json_is_object(v), ok = true;
	const struct shape *shape = s->item;

	for (const struct shape_field *f = s->fields; ok && object && f && f->key; f++)
		ok = rename_field(v, f->key);
	if (!object && !json_is_array(v))
		return ok;
	json_foreach (child, v)
		if (ok && (!object || key_known(s, json_key(child), &shape)) && shape)
			ok = respell((json *)child, shape);
	return ok;
}

int check_respell_config(json *config, teu_error **err)
{
	return respell(config, &shape_config) ? 0 : err_oom(err);
}

int check_respell_process(json *process, teu_error **err)
{
	return respell(process, &shape_process) ? 0 : err_oom(err);
}

static void check_bundle(const json *document, struct check *ret)
{
	check_config(document, CHECK_LAUNCH, ret);
}

bool check_document(const char *what, const json *document, struct check *ret)
{
	static const struct {
		const char *what;
		void (*check)(const json *, struct check *); /* NULL: the form is all */
		const struct shape *shape;
	} documents[] = {
		{ "bundle", check_bundle, NULL },      { "config", NULL, &shape_config },
		{ "process", check_process, NULL },    { "state", NULL, &shape_state },
		{ "features", NULL, &shape_features },
	};
	char place[PLACE_MAX] = "";

	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		if (strcmp(documents[i].what, what) != 0)
			continue;
		if (documents[i].check)
			documents[i].check(document, ret);
		else
			walk(document, documents[i].shape, place, ret);
		return true;
	}
	return false;
}

void check_done(struct check *c)
{
	strv_done(&c->errors);
	strv_done(&c->warnings);
}

int check_result(const struct check *c, teu_error **err)
{
	_cleanup_free_ char *all = NULL, *field = NULL;
	size_t len = 1;
	char *end;

	if (c->errors.oom || c->warnings.oom)
		return err_oom(err);
	if (!c->errors.n)
		return 0;
	strv_foreach (line, &c->errors)
		len += strlen(*line) + 2;
	all = malloc(len);
	field = strndup(c->errors.items[0], strcspn(c->errors.items[0], ":"));
	if (!all || !field)
		return err_oom(err);
	end = all;
	strv_foreach (line, &c->errors)
		end = stpcpy(stpcpy(end, line == c->errors.items ? "" : "; "), *line);
	err_set(err, TEU_E_INVALID, "%s", all);
	err_detail(err, "field", field);
	return TEU_E_INVALID;
}
