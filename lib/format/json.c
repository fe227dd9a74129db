/* json: documents in memory; the only user of cJSON. */
#include "format/json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* Largest integer whose neighbours a double still tells apart. */
static const double EXACT = 9007199254740992.0;

enum { ROUND_DIGITS = 16, MAX_DIGITS = 20 }; /* a double may round from so many on; a uint64_t has at most so many */

/* What a text is like, seen before cJSON does: that recurses, rounds and ends strings at a zero byte. */
struct look {
	int depth;	  /* how deep it is nested */
	bool long_number; /* one has ROUND_DIGITS digits or more in a row */
	bool zero;	  /* a zero byte in a string */
};

/* Goes over a string from behind its quote on; returns where its end is. It may have none. */
static const char *look_over_string(const char *at, const char *end, struct look *l)
{
	for (; at < end && *at != '"'; at++) {
		if (*at == '\\') {
			l->zero |= end - at >= 6 && memcmp(at, "\\u0000", 6) == 0;
			at += at + 1 < end;
		} else if (*at == '\0') {
			l->zero = true;
		}
	}
	return at;
}

static struct look look_over(const char *text, size_t len)
{
	const char *end = text + len;
	struct look l = { 0 };
	int depth = 0, digits = 0;

	for (const char *at = text; at < end; at++) {
		if (*at >= '0' && *at <= '9') {
			l.long_number |= ++digits >= ROUND_DIGITS;
			continue;
		}
		digits = 0;
		if (*at == '"')
			at = look_over_string(at + 1, end, &l);
		else if (*at == '{' || *at == '[')
			l.depth = ++depth > l.depth ? depth : l.depth;
		else if (*at == '}' || *at == ']')
			depth--;
	}
	return l;
}

/* What json_int() and json_parse() keep as digits. */
static bool is_digits(const json *v)
{
	return cJSON_IsRaw(v);
}

static bool is_number_sign(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* The next number of a text that is known to be JSON: *ret_len is 0 behind the last. */
static const char *next_number(const char *at, const char *end, size_t *ret_len)
{
	*ret_len = 0;
	for (bool quoted = false; at < end; at++) {
		if (quoted && *at == '\\')
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && (*at == '-' || (*at >= '0' && *at <= '9')))
			break;
	}
	if (at >= end)
		return end;
	while (at + *ret_len < end && is_number_sign(at[*ret_len]))
		++*ret_len;
	return at;
}

/* The text need not have an end of its own. */
static bool all_digits(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* A text's numbers and its tree's come in the same order: an integer that a double may have rounded gets its digits
 * back. False: no memory. */
static bool keep_digits(json *v, const char **at, const char *end)
{
	for (; v; v = v->next) {
		const char *number, *digits;
		size_t len;

		if (v->child && !keep_digits(v->child, at, end))
			return false;
		if (!cJSON_IsNumber(v))
			continue;
		number = next_number(*at, end, &len);
		*at = number + len;
		digits = number + (*number == '-');
		len -= (size_t)(*number == '-');
		if (len < ROUND_DIGITS || len > MAX_DIGITS || *digits == '0' || !all_digits(digits, len))
			continue;
		v->valuestring = strndup(number, (size_t)(digits - number) + len);
		if (!v->valuestring)
			return false;
		v->type = cJSON_Raw;
	}
	return true;
}

static int parse(const char *text, size_t len, const struct look *l, json **ret, teu_error **err)
{
	const char *end = NULL;
	const char *at = text;
	json *value;

	if (l->depth > JSON_MAX_DEPTH)
		return err_set(err, TEU_E_LIMIT, "JSON is nested deeper than %d", JSON_MAX_DEPTH);
	value = cJSON_ParseWithLengthOpts(text, len, &end, false);
	if (!value)
		return err_set(err, TEU_E_CORRUPT, "not JSON at byte %td", end ? end - text : 0);
	while (end < text + len && (*end == ' ' || *end == '\t' || *end == '\n' || *end == '\r' || *end == '\0'))
		end++;
	if (end != text + len) {
		cJSON_Delete(value);
		return err_set(err, TEU_E_CORRUPT, "not JSON at byte %td: more text after the document", end - text);
	}
	if (l->long_number && !keep_digits(value, &at, text + len)) {
		cJSON_Delete(value);
		return err_oom(err);
	}
	*ret = value;
	return 0;
}

static int look_and_parse(const char *text, size_t len, struct look *l, json **ret, teu_error **err)
{
	if (len > JSON_MAX_SIZE)
		return err_set(err, TEU_E_LIMIT, "JSON is larger than %d bytes", JSON_MAX_SIZE);
	*l = look_over(text, len);
	return parse(text, len, l, ret, err);
}

int json_parse(const char *text, size_t len, json **ret, teu_error **err)
{
	struct look l;

	return look_and_parse(text, len, &l, ret, err);
}

int json_parse_given(const char *text, size_t len, const char *shown, json **ret, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	struct look l = { 0 };
	int r = look_and_parse(text, len, &l, ret, &why);

	/* It would end there for us, and not for who has looked at the document before. */
	if (r == 0 && l.zero) {
		json_free(TAKE_PTR(*ret));
		return err_set(err, TEU_E_INVALID, "%s%sa string has a zero byte in it, which ends it for the kernel",
			       shown ? shown : "", shown ? ": " : "");
	}
	if (r == TEU_E_CORRUPT)
		return err_set(err, TEU_E_INVALID, "%s%s%s", shown ? shown : "", shown ? ": " : "",
			       teu_error_message(why));
	if (r < 0 && err)
		*err = TAKE_PTR(why);
	return r;
}

char *json_print(const json *value)
{
	return cJSON_PrintUnformatted(value);
}

char *json_print_pretty(const json *value)
{
	return cJSON_Print(value);
}

json *json_copy(const json *value)
{
	return cJSON_Duplicate(value, true);
}

void json_free(json *value)
{
	cJSON_Delete(value);
}

json *json_object(void)
{
	return cJSON_CreateObject();
}

json *json_array(void)
{
	return cJSON_CreateArray();
}

json *json_string(const char *text)
{
	return cJSON_CreateString(text);
}

/* Beyond 2^53 a double would round: such numbers are kept as their digits. */
json *json_int(int64_t n)
{
	char digits[24];

	if ((double)n <= EXACT && (double)n >= -EXACT)
		return cJSON_CreateNumber((double)n);
	snprintf(digits, sizeof(digits), "%" PRId64, n);
	return cJSON_CreateRaw(digits);
}

json *json_bool(bool b)
{
	return cJSON_CreateBool(b);
}

json *json_null(void)
{
	return cJSON_CreateNull();
}

json *json_strings(char *const *items)
{
	json *array = json_array();

	for (; array && items && *items; items++)
		if (!json_append_string(array, *items)) {
			json_free(array);
			return NULL;
		}
	return array;
}

bool json_add(json *object, const char *key, json *value)
{
	if (object && value) {
		cJSON_DeleteItemFromObjectCaseSensitive(object, key);
		if (cJSON_AddItemToObject(object, key, value))
			return true;
	}
	cJSON_Delete(value);
	return false;
}

bool json_append(json *array, json *value)
{
	if (array && value && cJSON_AddItemToArray(array, value))
		return true;
	cJSON_Delete(value);
	return false;
}

bool json_add_string(json *object, const char *key, const char *text)
{
	return json_add(object, key, text ? json_string(text) : json_null());
}

bool json_add_int(json *object, const char *key, int64_t n)
{
	return json_add(object, key, json_int(n));
}

bool json_add_bool(json *object, const char *key, bool b)
{
	return json_add(object, key, json_bool(b));
}

json *json_add_object(json *object, const char *key)
{
	json *value = json_object();

	return json_add(object, key, value) ? value : NULL;
}

json *json_add_array(json *object, const char *key)
{
	json *value = json_array();

	return json_add(object, key, value) ? value : NULL;
}

json *json_append_object(json *array)
{
	json *value = json_object();

	return json_append(array, value) ? value : NULL;
}

bool json_append_string(json *array, const char *text)
{
	return json_append(array, json_string(text));
}

void json_remove(json *object, const char *key)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
}

json *json_take(json *object, const char *key)
{
	return cJSON_DetachItemFromObjectCaseSensitive(object, key);
}

json *json_get_mutable(json *object, const char *key)
{
	json *value = cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;

	return cJSON_IsNull(value) ? NULL : value;
}

const json *json_get(const json *object, const char *key)
{
	return json_get_mutable((json *)object, key);
}

const json *json_find(const json *object, const char *dotted)
{
	char key[128];

	while (object && *dotted) {
		size_t len = strcspn(dotted, ".");

		if (len >= sizeof(key))
			return NULL;
		memcpy(key, dotted, len);
		key[len] = '\0';
		object = json_get(object, key);
		dotted += len + (dotted[len] == '.');
	}
	return object;
}

size_t json_count(const json *v)
{
	return cJSON_IsArray(v) || cJSON_IsObject(v) ? (size_t)cJSON_GetArraySize(v) : 0;
}

const json *json_first(const json *v)
{
	return cJSON_IsArray(v) || cJSON_IsObject(v) ? v->child : NULL;
}

const json *json_next(const json *child)
{
	return child->next;
}

const char *json_key(const json *child)
{
	return child->string;
}

bool json_is_string(const json *v)
{
	return cJSON_IsString(v);
}

bool json_is_object(const json *v)
{
	return cJSON_IsObject(v);
}

bool json_is_array(const json *v)
{
	return cJSON_IsArray(v);
}

bool json_is_number(const json *v)
{
	return cJSON_IsNumber(v) || is_digits(v);
}

bool json_is_bool(const json *v)
{
	return cJSON_IsBool(v);
}

static bool is_integer(const json *v)
{
	if (is_digits(v))
		return true;
	return cJSON_IsNumber(v) && v->valuedouble == floor(v->valuedouble) && fabs(v->valuedouble) <= EXACT;
}

const char *json_text(const json *v, const char *fallback)
{
	return cJSON_IsString(v) ? v->valuestring : fallback;
}

int64_t json_number(const json *v, int64_t fallback)
{
	int64_t n;

	if (is_digits(v) && parse_i64(v->valuestring, &n))
		return n;
	/* More than it holds is clamped rather than lost. */
	if (is_digits(v))
		return *v->valuestring == '-' ? INT64_MIN : INT64_MAX;
	if (cJSON_IsNumber(v) && v->valuedouble >= 9223372036854775807.0)
		return INT64_MAX;
	return is_integer(v) ? (int64_t)v->valuedouble : fallback;
}

bool json_unsigned(const json *v, uint64_t *ret)
{
	uint64_t n;

	if (is_digits(v) ? !parse_u64(v->valuestring, &n) : !is_integer(v) || v->valuedouble < 0)
		return false;
	*ret = is_digits(v) ? n : (uint64_t)v->valuedouble;
	return true;
}

bool json_truth(const json *v, bool fallback)
{
	return cJSON_IsBool(v) ? cJSON_IsTrue(v) : fallback;
}

const char *json_get_text(const json *object, const char *key, const char *fallback)
{
	return json_text(json_get(object, key), fallback);
}

int64_t json_get_number(const json *object, const char *key, int64_t fallback)
{
	return json_number(json_get(object, key), fallback);
}

bool json_get_truth(const json *object, const char *key, bool fallback)
{
	return json_truth(json_get(object, key), fallback);
}

const char *json_type_name(const json *v)
{
	return cJSON_IsString(v)   ? "a string"
	       : is_digits(v)	   ? "an integer"
	       : cJSON_IsNumber(v) ? (is_integer(v) ? "an integer" : "a number that is no exact integer")
	       : cJSON_IsBool(v)   ? "a boolean"
	       : cJSON_IsArray(v)  ? "an array"
	       : cJSON_IsObject(v) ? "an object"
				   : "null";
}

int json_field_error(teu_error **err, const char *where, const char *key, const char *fmt, ...)
{
	_cleanup_free_ char *place = NULL, *text = NULL;
	va_list args;
	int r;

	va_start(args, fmt);
	r = vasprintf(&text, fmt, args);
	va_end(args);
	if (r < 0 || asprintf(&place, "%s%s%s", where, *where && *key && *key != '[' ? "." : "", key) < 0)
		return err_oom(err);
	err_set(err, TEU_E_INVALID, "%s: %s", place, text);
	err_detail(err, "field", place);
	return TEU_E_INVALID;
}

static int wrong_type(teu_error **err, const char *where, const char *key, const char *expected, const json *found)
{
	return json_field_error(err, where, key, "expected %s, found %s", expected, json_type_name(found));
}

int json_read_string(const json *object, const char *where, const char *key, const char **ret, teu_error **err)
{
	const json *v = json_get(object, key);

	if (v && !cJSON_IsString(v))
		return wrong_type(err, where, key, "a string", v);
	if (v)
		*ret = v->valuestring;
	return 0;
}

int json_read_int(const json *object, const char *where, const char *key, int64_t *ret, teu_error **err)
{
	const json *v = json_get(object, key);

	if (v && !is_integer(v) && !(cJSON_IsNumber(v) && json_number(v, 0) == INT64_MAX))
		return wrong_type(err, where, key, "an integer", v);
	if (v)
		*ret = json_number(v, 0);
	return 0;
}

int json_read_uint(const json *object, const char *where, const char *key, uint64_t *ret, teu_error **err)
{
	const json *v = json_get(object, key);

	if (v && !json_is_number(v))
		return wrong_type(err, where, key, "an integer", v);
	if (v && !json_unsigned(v, ret))
		return json_field_error(err, where, key, "expected an integer from 0 to 18446744073709551615");
	return 0;
}

int json_read_bool(const json *object, const char *where, const char *key, bool *ret, teu_error **err)
{
	const json *v = json_get(object, key);

	if (v && !cJSON_IsBool(v))
		return wrong_type(err, where, key, "a boolean", v);
	if (v)
		*ret = cJSON_IsTrue(v);
	return 0;
}

int json_read_object(const json *object, const char *where, const char *key, const json **ret, teu_error **err)
{
	const json *v = json_get(object, key);

	if (v && !cJSON_IsObject(v))
		return wrong_type(err, where, key, "an object", v);
	if (v)
		*ret = v;
	return 0;
}

int json_read_array(const json *object, const char *where, const char *key, const json **ret, teu_error **err)
{
	const json *v = json_get(object, key);

	if (v && !cJSON_IsArray(v))
		return wrong_type(err, where, key, "an array", v);
	if (v)
		*ret = v;
	return 0;
}

int json_read_strings(const json *object, const char *where, const char *key, struct strv *ret, teu_error **err)
{
	const json *array = NULL;
	char place[160];
	size_t i = 0;
	int r = json_read_array(object, where, key, &array, err);

	if (r < 0)
		return r;
	json_foreach (v, array) {
		if (!cJSON_IsString(v)) {
			snprintf(place, sizeof(place), "%s[%zu]", key, i);
			return wrong_type(err, where, place, "a string", v);
		}
		strv_add(ret, v->valuestring);
		i++;
	}
	return ret->oom ? err_oom(err) : 0;
}
