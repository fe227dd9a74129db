/* fuzz_json: any bytes as a document. What is read prints, and reads again as the same; its getters answer or say what
 * is wrong. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "format/json.h"
#include "sound.h"

const size_t fuzz_rounds = 20000;

static void must_be_said(int r, const teu_error *err)
{
	must(r == teu_error_code(err) && (r == 0 || *teu_error_message(err)));
}

static void read_number(const json *o, const char *key)
{
	_cleanup_error_ teu_error *err = NULL, *other = NULL;
	uint64_t u = 0, exact;
	int64_t n = 0;
	int r = json_read_int(o, "here", key, &n, &err);

	must_be_said(r, err);
	must(r < 0 || !json_get(o, key) || json_is_number(json_get(o, key)));
	r = json_read_uint(o, "here", key, &u, &other);
	must_be_said(r, other);
	if (r == 0 && json_get(o, key))
		must(json_unsigned(json_get(o, key), &exact) && exact == u && (n == INT64_MAX || (uint64_t)n == u));
}

static void read_others(const json *o, const char *key)
{
	_cleanup_(strv_done) struct strv list = STRV_INIT;
	teu_error *errors[5] = { 0 };
	const json *value = NULL;
	const char *text = NULL;
	bool truth = false;
	const int codes[] = { json_read_string(o, "", key, &text, &errors[0]),
			      json_read_bool(o, "", key, &truth, &errors[1]),
			      json_read_object(o, "", key, &value, &errors[2]),
			      json_read_array(o, "", key, &value, &errors[3]),
			      json_read_strings(o, "", key, &list, &errors[4]) };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		must_be_said(codes[i], errors[i]);
		teu_error_unref(errors[i]);
	}
}

static void walk(const json *v)
{
	size_t n = 0;

	json_foreach (child, v) {
		if (json_is_object(v)) {
			read_number(v, json_key(child));
			read_others(v, json_key(child));
			json_find(v, json_key(child));
		}
		walk(child);
		n++;
	}
	must(n == json_count(v));
}

static void must_print(const json *v)
{
	_cleanup_free_ char *once = json_print(v), *twice = NULL, *pretty = json_print_pretty(v);
	_cleanup_json_ json *again = NULL, *copy = json_copy(v), *third = NULL;

	must(once && pretty && copy);
	must(json_parse(once, strlen(once), &again, NULL) == 0);
	must(json_parse(pretty, strlen(pretty), &third, NULL) == 0);
	twice = json_print(again);
	must(twice && strcmp(once, twice) == 0);
	free(twice);
	twice = json_print(third);
	must(twice && strcmp(once, twice) == 0);
	free(twice);
	twice = json_print(copy);
	must(twice && strcmp(once, twice) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	/* Without a byte behind it. */
	_cleanup_free_ char *text = malloc(len ? len : 1);
	_cleanup_json_ json *value = NULL, *given = NULL;
	_cleanup_error_ teu_error *err = NULL, *other = NULL;
	int r;

	must(text != NULL);
	memcpy(text, bytes, len);
	r = json_parse_given(text, len, "shown", &given, &other);
	must_be_said(r, other);
	r = json_parse(text, len, &value, &err);
	must_be_said(r, err);
	must(!given || value);
	if (!value)
		return 0;
	walk(value);
	must_print(value);
	return 0;
}

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	static const char *const seeds[] = {
		"{\"a\":[1,-2,3.5,1e300,18446744073709551615,-9223372036854775808,12345678901234567890123]}",
		"{\"c\":true,\"d\":null,\"e\":\"\\u00e9\\ud83d\\ude00\\n\"}",
		"[[[[[[]]]]],{},\"\",0,-0,9007199254740993,0.1]",
		" {\"limit\":9007199254740992,\"names\":[\"a\",\"b\"],\"\":false}\n",
	};

	if (n >= ARRAY_SIZE(seeds))
		return NULL;
	*ret_len = strlen(seeds[n]);
	return (uint8_t *)strdup(seeds[n]);
}
