/* gvariant: reads typed values from text. What type a value has is said before it, or by its form, or by the place that
 * it stands in: the other items of an array have that of the first. */
#include "format/gvariant.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/strbuf.h"

struct reader {
	const char *text, *at;
	teu_error **err;
};

/* @type: one complete type that the value has to have, "" for any. */
static int read_value(struct reader *r, const char *type, int depth, struct gvariant *ret);

static int wrong(struct reader *r, const char *expected)
{
	return err_set(r->err, TEU_E_INVALID, "\"%.200s\": expected %s at offset %zu", r->text, expected,
		       (size_t)(r->at - r->text));
}

static void skip_blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t\r\n");
}

static bool take(struct reader *r, char c)
{
	skip_blanks(r);
	if (*r->at != c)
		return false;
	r->at++;
	return true;
}

/* Length of the complete type that @type begins with, 0: it is none. */
static size_t type_length(const char *type, int depth)
{
	size_t len = 1, part;

	if (!*type || depth > GVARIANT_MAX_DEPTH)
		return 0;
	if (strchr("bynqiuxtdsogv", *type))
		return 1;
	if (*type == 'a') {
		part = type_length(type + 1, depth + 1);
		return part ? 1 + part : 0;
	}
	if (*type != '(')
		return 0;
	while (type[len] != ')') {
		part = type_length(type + len, depth + 1);
		if (!part)
			return 0;
		len += part;
	}
	return len + 1;
}

static bool set_type(struct gvariant *v, const char *type, size_t len)
{
	if (len >= sizeof(v->type))
		return false;
	memcpy(v->type, type, len);
	v->type[len] = '\0';
	return true;
}

static const struct keyword {
	const char *word;
	char type[2];
} keywords[] = {
	{ "boolean", "b" }, { "byte", "y" },   { "int16", "n" },      { "uint16", "q" },
	{ "int32", "i" },   { "uint32", "u" }, { "int64", "x" },      { "uint64", "t" },
	{ "double", "d" },  { "string", "s" }, { "objectpath", "o" }, { "signature", "g" },
};

static const struct {
	char type;
	int64_t min;
	uint64_t max;
} ranges[] = {
	{ 'y', 0, UINT8_MAX },	{ 'n', INT16_MIN, INT16_MAX }, { 'q', 0, UINT16_MAX }, { 'i', INT32_MIN, INT32_MAX },
	{ 'u', 0, UINT32_MAX }, { 'x', INT64_MIN, INT64_MAX }, { 't', 0, UINT64_MAX },
};

static bool in_range(char type, bool minus, uint64_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (ranges[i].type == type)
			return minus ? n <= -(uint64_t)ranges[i].min : n <= ranges[i].max;
	return false;
}

static void store(struct gvariant *v, uint64_t n)
{
	switch (*v->type) {
	case 'y':
		v->basic.byte = (uint8_t)n;
		break;
	case 'n':
		v->basic.int16 = (int16_t)n;
		break;
	case 'q':
		v->basic.uint16 = (uint16_t)n;
		break;
	case 'i':
		v->basic.int32 = (int32_t)n;
		break;
	case 'u':
		v->basic.uint32 = (uint32_t)n;
		break;
	case 'x':
		v->basic.int64 = (int64_t)n;
		break;
	default:
		v->basic.uint64 = n;
	}
}

static int read_real(struct reader *r, struct gvariant *ret)
{
	char *end;

	ret->basic.real = strtod(r->at, &end);
	if (end == r->at)
		return wrong(r, "a number");
	r->at = end;
	strcpy(ret->type, "d");
	return 0;
}

static int read_number(struct reader *r, const char *type, struct gvariant *ret)
{
	size_t len = strspn(r->at, "+-.0123456789abcdefABCDEFxX");
	bool hex = strncmp(r->at + (*r->at == '-' || *r->at == '+'), "0x", 2) == 0, minus = *r->at == '-';
	const char *digits;
	char *end;
	uint64_t n;

	if (*type == 'd' || (!*type && !hex && memchr(r->at, '.', len)) || (!*type && !hex && memchr(r->at, 'e', len)))
		return read_real(r, ret);
	if (*type && !strchr("ynqiuxt", *type))
		return wrong(r, "another type than a number");
	errno = 0;
	digits = r->at + (minus || *r->at == '+');
	n = strtoull(digits, &end, 0);
	/* A second sign would be taken. */
	if (end != r->at + len || *digits < '0' || *digits > '9')
		return wrong(r, "a number");
	set_type(ret, *type ? type : "i", 1);
	if (errno == ERANGE || !in_range(*ret->type, minus, n))
		return wrong(r, "a number within the range of its type");
	store(ret, minus ? -n : n);
	r->at = end;
	return 0;
}

/* A code point of @digits hexadecimal digits as UTF-8. */
static int read_code(struct reader *r, int digits, struct strbuf *to)
{
	uint32_t code = 0;

	for (int i = 0; i < digits; i++, r->at++) {
		static const char hex[] = "0123456789abcdef";
		const char *digit = *r->at ? strchr(hex, *r->at | 0x20) : NULL;

		if (!digit)
			return wrong(r, "a hexadecimal digit");
		code = code << 4 | (uint32_t)(digit - hex);
	}
	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return wrong(r, "a character's number before this");
	if (code < 0x80)
		strbuf_addf(to, "%c", (char)code);
	else if (code < 0x800)
		strbuf_addf(to, "%c%c", (char)(0xc0 | code >> 6), (char)(0x80 | (code & 63)));
	else if (code < 0x10000)
		strbuf_addf(to, "%c%c%c", (char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 63)),
			    (char)(0x80 | (code & 63)));
	else
		strbuf_addf(to, "%c%c%c%c", (char)(0xf0 | code >> 18), (char)(0x80 | (code >> 12 & 63)),
			    (char)(0x80 | (code >> 6 & 63)), (char)(0x80 | (code & 63)));
	return 0;
}

static int read_escape(struct reader *r, struct strbuf *to)
{
	static const char letters[] = "abfnrtv", meaning[] = "\a\b\f\n\r\t\v";
	char c = *r->at;
	const char *letter = c ? strchr(letters, c) : NULL;

	if (!c)
		return wrong(r, "the end of the string");
	r->at++;
	if (c == 'u' || c == 'U')
		return read_code(r, c == 'u' ? 4 : 8, to);
	if (letter)
		strbuf_add(to, meaning + (letter - letters), 1);
	else if (c != '\n')
		strbuf_add(to, &c, 1);
	return 0;
}

static int read_string(struct reader *r, const char *type, struct gvariant *ret)
{
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	char quote = *r->at;

	if (*type && !strchr("sog", *type))
		return wrong(r, "another type than a string");
	for (r->at++; *r->at != quote;) {
		int e = 0;

		if (!*r->at)
			return wrong(r, "the end of the string");
		if (*r->at == '\\') {
			r->at++;
			e = read_escape(r, &text);
		} else {
			strbuf_add(&text, r->at++, 1);
		}
		if (e < 0)
			return e;
	}
	r->at++;
	set_type(ret, *type ? type : "s", 1);
	ret->text = strbuf_take(&text);
	return ret->text ? 0 : err_oom(r->err);
}

static int read_item(struct reader *r, const char *type, int depth, struct gvariant *ret)
{
	struct gvariant *grown = reallocarray(ret->items, ret->n + 1, sizeof(*grown));

	if (!grown)
		return err_oom(r->err);
	ret->items = grown;
	grown[ret->n] = (struct gvariant){ 0 };
	return read_value(r, type, depth + 1, &grown[ret->n++]);
}

static int read_array(struct reader *r, const char *type, int depth, struct gvariant *ret)
{
	char element[GVARIANT_MAX_TYPE];

	if (*type && *type != 'a')
		return wrong(r, "another type than an array");
	strcpy(element, *type ? type + 1 : "");
	for (r->at++; !take(r, ']');) {
		int e;

		if (ret->n && !take(r, ','))
			return wrong(r, "\",\" or \"]\"");
		e = read_item(r, element, depth, ret);
		if (e < 0)
			return e;
		strcpy(element, ret->items[0].type);
	}
	if (!*element)
		return wrong(r, "the type of an empty array before it, as in \"@as []\",");
	if (strlen(element) + 2 > sizeof(ret->type))
		return wrong(r, "a simpler type");
	ret->type[0] = 'a';
	strcpy(ret->type + 1, element);
	return 0;
}

static int read_tuple(struct reader *r, const char *type, int depth, struct gvariant *ret)
{
	const char *member = *type == '(' ? type + 1 : "";
	char whole[GVARIANT_MAX_TYPE] = "(";
	size_t len = 1;

	if (*type && *type != '(')
		return wrong(r, "another type than a tuple");
	for (r->at++; !take(r, ')');) {
		char part[GVARIANT_MAX_TYPE] = "";
		size_t n = type_length(member, 0);
		int e;

		if (ret->n && !take(r, ','))
			return wrong(r, "\",\" or \")\"");
		if (ret->n && take(r, ')')) /* "(1,)" */
			break;
		if (*type && n == 0)
			return wrong(r, "the end of the tuple");
		memcpy(part, member, n);
		e = read_item(r, part, depth, ret);
		if (e < 0)
			return e;
		member += n;
		n = strlen(ret->items[ret->n - 1].type);
		if (len + n + 2 > sizeof(whole))
			return wrong(r, "a simpler type");
		memcpy(whole + len, ret->items[ret->n - 1].type, n);
		len += n;
	}
	if (ret->n == 0 || (*type && *member != ')'))
		return wrong(r, "more members of the tuple");
	whole[len] = ')';
	return set_type(ret, whole, len + 1) ? 0 : wrong(r, "a simpler type");
}

static int read_variant(struct reader *r, const char *type, int depth, struct gvariant *ret)
{
	int e;

	if (*type && *type != 'v')
		return wrong(r, "another type than a variant");
	r->at++;
	e = read_item(r, "", depth, ret);
	if (e < 0)
		return e;
	strcpy(ret->type, "v");
	return take(r, '>') ? 0 : wrong(r, "\">\"");
}

/* b'/dev/null': its bytes and a zero. */
static int read_bytes(struct reader *r, struct gvariant *ret)
{
	_cleanup_(gvariant_done) struct gvariant text = { 0 };
	int e;

	r->at++;
	e = read_string(r, "", &text);
	if (e < 0)
		return e;
	ret->n = strlen(text.text) + 1;
	ret->items = calloc(ret->n, sizeof(*ret->items));
	if (!ret->items) {
		ret->n = 0;
		return err_oom(r->err);
	}
	for (size_t i = 0; i < ret->n; i++) {
		strcpy(ret->items[i].type, "y");
		ret->items[i].basic.byte = (uint8_t)text.text[i];
	}
	strcpy(ret->type, "ay");
	return 0;
}

/* true, false, and the words that tell the type of what follows. */
static int read_word(struct reader *r, const char *type, int depth, struct gvariant *ret)
{
	size_t len = strspn(r->at, "abcdefghijklmnopqrstuvwxyz0123456789");
	bool truth = len == 4 && memcmp(r->at, "true", 4) == 0;

	if (truth || (len == 5 && memcmp(r->at, "false", 5) == 0)) {
		if (*type && *type != 'b')
			return wrong(r, "another type than a boolean");
		r->at += len;
		strcpy(ret->type, "b");
		ret->basic.boolean = truth;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		if (strlen(keywords[i].word) != len || memcmp(r->at, keywords[i].word, len) != 0)
			continue;
		if (*type && *type != *keywords[i].type)
			return wrong(r, "the type of the items before");
		r->at += len;
		return read_value(r, keywords[i].type, depth + 1, ret);
	}
	return wrong(r, "a value");
}

/* "@as []" */
static int read_annotated(struct reader *r, const char *type, int depth, struct gvariant *ret)
{
	char own[GVARIANT_MAX_TYPE];
	size_t len;

	r->at++;
	len = type_length(r->at, 0);
	if (len == 0 || len >= sizeof(own))
		return wrong(r, "a type");
	memcpy(own, r->at, len);
	own[len] = '\0';
	if (*type && strcmp(type, own) != 0)
		return wrong(r, "the type of the items before");
	r->at += len;
	return read_value(r, own, depth + 1, ret);
}

static int read_value(struct reader *r, const char *type, int depth, struct gvariant *ret)
{
	if (depth > GVARIANT_MAX_DEPTH)
		return wrong(r, "less depth");
	skip_blanks(r);
	switch (*r->at) {
	case '\'':
	case '"':
		return read_string(r, type, ret);
	case '[':
		return read_array(r, type, depth, ret);
	case '(':
		return read_tuple(r, type, depth, ret);
	case '<':
		return read_variant(r, type, depth, ret);
	case '@':
		return read_annotated(r, type, depth, ret);
	case 'b':
		if (r->at[1] == '\'' || r->at[1] == '"')
			return *type && strcmp(type, "ay") != 0 ? wrong(r, "another type than bytes")
								: read_bytes(r, ret);
		return read_word(r, type, depth, ret);
	case '0' ... '9':
	case '-':
	case '+':
	case '.':
		return read_number(r, type, ret);
	default:
		return read_word(r, type, depth, ret);
	}
}

int gvariant_parse(const char *text, struct gvariant *ret, teu_error **err)
{
	struct reader r = { .text = text, .at = text, .err = err };
	int e;

	*ret = (struct gvariant){ 0 };
	if (strlen(text) > GVARIANT_MAX_TEXT)
		return err_set(err, TEU_E_INVALID, "a value is longer than %d bytes", GVARIANT_MAX_TEXT);
	e = read_value(&r, "", 0, ret);
	if (e == 0) {
		skip_blanks(&r);
		if (*r.at)
			e = wrong(&r, "nothing more");
	}
	if (e < 0)
		gvariant_done(ret);
	return e;
}

void gvariant_done(struct gvariant *v)
{
	for (size_t i = 0; i < v->n; i++)
		gvariant_done(&v->items[i]);
	free(v->items);
	free(v->text);
	*v = (struct gvariant){ 0 };
}
