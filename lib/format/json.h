/*
 * json: documents in memory; the only user of cJSON. Reading is strict: typed getters name the place in their errors,
 * keys compare case-sensitively, integers keep all their digits, depth and size are capped. Unknown fields are passed
 * over.
 */
#ifndef TEU_FORMAT_JSON_H
#define TEU_FORMAT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/strv.h"

typedef struct cJSON json;

enum { JSON_MAX_SIZE = 4 << 20, JSON_MAX_DEPTH = 64 };

/* Parses @len bytes, nothing but blanks may follow. TEU_E_CORRUPT with the offset; TEU_E_LIMIT; no memory. */
int json_parse(const char *text, size_t len, json **ret, teu_error **err);
/* The same of what a caller gives: no JSON is TEU_E_INVALID then, and so is a zero byte in a string. @shown begins its
 * message; NULL: nothing does. */
int json_parse_given(const char *text, size_t len, const char *shown, json **ret, teu_error **err);
char *json_print(const json *value);	    /* one line; NULL: no memory */
char *json_print_pretty(const json *value); /* with tabs; NULL: no memory */
json *json_copy(const json *value);	    /* NULL: no memory */
void json_free(json *value);
DEFINE_CLEANUP(json *, json_free)
#define _cleanup_json_ _cleanup_(json_freep)

/* Makers; NULL: no memory. */
json *json_object(void);
json *json_array(void);
json *json_string(const char *text);
json *json_int(int64_t n);
json *json_bool(bool b);
json *json_null(void);
/* An array of the strings of a NULL-terminated vector (NULL: empty). */
json *json_strings(char *const *items);

/*
 * Adders take @value even when they fail, so that calls nest: json_add(o, "a", json_string("b")). They pass failure on:
 * false when
 * @object or @value is NULL or memory is out. A key that is there is replaced.
 */
bool json_add(json *object, const char *key, json *value);
bool json_append(json *array, json *value);
bool json_add_string(json *object, const char *key, const char *text); /* NULL text: null */
bool json_add_int(json *object, const char *key, int64_t n);
bool json_add_bool(json *object, const char *key, bool b);
/* Adds an empty object (array) under @key and returns it, borrowed; NULL: no memory. */
json *json_add_object(json *object, const char *key);
json *json_add_array(json *object, const char *key);
json *json_append_object(json *array);
bool json_append_string(json *array, const char *text);
void json_remove(json *object, const char *key);
json *json_take(json *object, const char *key); /* removes it, for the caller to have; NULL: it has none */

/* Walking. All take NULL and wrong types, and answer NULL, 0 or false then; JSON null counts as absent. */
const json *json_get(const json *object, const char *key);
json *json_get_mutable(json *object, const char *key);
/* "HostConfig.PortBindings": json_get() along a path of keys. */
const json *json_find(const json *object, const char *dotted);
size_t json_count(const json *array_or_object);
const json *json_first(const json *array_or_object);
const json *json_next(const json *child);
const char *json_key(const json *child); /* its key in the object, NULL in an array */
bool json_is_string(const json *v);
bool json_is_object(const json *v);
bool json_is_array(const json *v);
bool json_is_number(const json *v);
bool json_is_bool(const json *v);
const char *json_type_name(const json *v); /* "an object", for errors */
#define json_foreach(child, parent) for (const json *child = json_first(parent); child; child = json_next(child))
/* Of an object alone, for who asks for keys: a document from outside may have anything else in its place. */
#define json_foreach_member(child, parent)                                                                             \
	for (const json *child = json_is_object(parent) ? json_first(parent) : NULL; child; child = json_next(child))

/* Values with a fallback for what is absent or of another type; for documents that we wrote ourselves. */
const char *json_text(const json *v, const char *fallback);
int64_t json_number(const json *v, int64_t fallback);
bool json_truth(const json *v, bool fallback);
bool json_unsigned(const json *v, uint64_t *ret); /* exact; false: no integer from 0 to UINT64_MAX */
const char *json_get_text(const json *object, const char *key, const char *fallback);
int64_t json_get_number(const json *object, const char *key, int64_t fallback);
bool json_get_truth(const json *object, const char *key, bool fallback);

/*
 * Typed getters for documents from outside. @where is the place of @object ("" at the top, "linux.resources"); absent
 * leaves *ret as it was and is no error, a wrong type is TEU_E_INVALID: "linux.resources.pids.limit: expected an
 * integer, found a string", with that place as detail "field".
 */
int json_read_string(const json *object, const char *where, const char *key, const char **ret, teu_error **err);
int json_read_int(const json *object, const char *where, const char *key, int64_t *ret, teu_error **err);
int json_read_uint(const json *object, const char *where, const char *key, uint64_t *ret, teu_error **err);
int json_read_bool(const json *object, const char *where, const char *key, bool *ret, teu_error **err);
int json_read_object(const json *object, const char *where, const char *key, const json **ret, teu_error **err);
int json_read_array(const json *object, const char *where, const char *key, const json **ret, teu_error **err);
/* An array of strings, appended to @ret. */
int json_read_strings(const json *object, const char *where, const char *key, struct strv *ret, teu_error **err);

/* TEU_E_INVALID with "place: text" and detail "field". @where may be "". */
int json_field_error(teu_error **err, const char *where, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
