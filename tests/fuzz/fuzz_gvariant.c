/* fuzz_gvariant: any text as a value of an annotation. What is read has the type that it says, in all of its parts. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "format/gvariant.h"
#include "sound.h"

const size_t fuzz_rounds = 20000;

static void must_have_its_type(const struct gvariant *v);

static void must_be_array(const struct gvariant *v)
{
	for (size_t i = 0; i < v->n; i++) {
		must(strcmp(v->items[i].type, v->type + 1) == 0);
		must_have_its_type(&v->items[i]);
	}
}

/* One behind the other its members make up its type. */
static void must_be_tuple(const struct gvariant *v)
{
	const char *at = v->type + 1;

	must(v->n > 0);
	for (size_t i = 0; i < v->n; i++) {
		size_t len = strlen(v->items[i].type);

		must(strncmp(at, v->items[i].type, len) == 0);
		at += len;
		must_have_its_type(&v->items[i]);
	}
	must(strcmp(at, ")") == 0);
}

static void must_have_its_type(const struct gvariant *v)
{
	switch (*v->type) {
	case 'a':
		must_be_array(v);
		break;
	case '(':
		must_be_tuple(v);
		break;
	case 'v':
		must(v->n == 1 && !v->type[1]);
		must_have_its_type(&v->items[0]);
		break;
	case 's':
	case 'o':
	case 'g':
		must(v->text && !v->n && !v->type[1]);
		break;
	default:
		must(*v->type && strchr("bynqiuxtd", *v->type) && !v->type[1] && !v->n && !v->text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_free_ char *text = strndup((const char *)bytes, len);
	_cleanup_(gvariant_done) struct gvariant v = { 0 };
	_cleanup_error_ teu_error *err = NULL;
	int r;

	must(text != NULL);
	r = gvariant_parse(text, &v, &err);
	must(r == teu_error_code(err) && r != TEU_E_NO_MEMORY);
	if (r == 0)
		must_have_its_type(&v);
	else
		must(*teu_error_message(err) && !v.items && !v.text);
	return 0;
}

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	static const char *const seeds[] = {
		"true",
		"uint64 18446744073709551615",
		"int16 -0x10",
		"-1.5e3",
		"''",
		"'a\\n\\u00e9\\U0001f600\\''",
		"@a(st) [('/dev/sda', 5), (\"b\", 6)]",
		"[('a', 'rw', [byte 1, 2]), ('b', 'm', b'xy')]",
		"('a', uint64 3,)",
		"<[<'a'>, <@as []>, <objectpath '/a'>]>",
	};

	if (n >= ARRAY_SIZE(seeds))
		return NULL;
	*ret_len = strlen(seeds[n]);
	return (uint8_t *)strdup(seeds[n]);
}
