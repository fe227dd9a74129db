/*
 * mutate_json: changes a document at one place, and leaves it a document: a value becomes another, is gone, stands
 * twice, or has another key. Bytes alone rarely come that far. For targets that are linked with it.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "format/json.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t cap) __attribute__((weak));

enum change_kind { OTHER, GONE, TWICE, RENAMED, CHANGE_KINDS };

struct change {
	enum change_kind kind;
	size_t left;	   /* values until it is its turn */
	const json *value; /* of OTHER */
	const char *key;   /* of RENAMED */
};

static const char *const values[] = { "null",
				      "true",
				      "[]",
				      "{}",
				      "\"\"",
				      "0",
				      "-1",
				      "1",
				      "65536",
				      "2147483648",
				      "4294967295",
				      "4294967296",
				      "9007199254740993",
				      "-9223372036854775808",
				      "9223372036854775807",
				      "18446744073709551615",
				      "1e300",
				      "0.5",
				      "\"/\"",
				      "\"a\"",
				      "\"../../x\"",
				      "\"/proc\"",
				      "\"/proc/self/fd/3\"",
				      "\"/dev\"",
				      "\"a\\nb=\\\"c\\\\\"",
				      "[\"rbind\",\"ro\",\"rshared\",\"idmap\"]",
				      "[\"mode=1\",\"size=2\",\"ro\"]",
				      "\"bind\"",
				      "\"tmpfs\"",
				      "\"cgroup\"",
				      "\"proc\"",
				      "\"SCMP_ACT_NOTIFY\"",
				      "\"SCMP_ACT_ALLOW\"",
				      "{\"type\":\"user\"}",
				      "{\"type\":\"mount\",\"path\":\"/n\"}",
				      "{\"type\":\"cgroup\"}",
				      "{\"type\":\"network\",\"path\":\"/n\"}",
				      "[{\"containerID\":0,\"hostID\":0,\"size\":4294967294}]",
				      "[\"CAP_SYS_ADMIN\",\"CAP_KILL\"]",
				      "[{\"path\":\"/h\",\"args\":[],\"env\":[\"\",\"A=b\"],\"timeout\":1}]" };

static size_t count(const json *v)
{
	size_t n = 1;

	json_foreach (child, v)
		n += count(child);
	return n;
}

/* The @n-th value, as they stand in the text. */
static const json *nth(const json *v, size_t *n)
{
	if ((*n)-- == 0)
		return v;
	json_foreach (child, v) {
		const json *found = nth(child, n);

		if (found)
			return found;
	}
	return NULL;
}

static json *rebuild(const json *v, struct change *c);

static void put(json *to, const char *key, json *value)
{
	if (key)
		json_add(to, key, value);
	else
		json_append(to, value);
}

static void put_child(json *to, const json *child, struct change *c)
{
	bool here = c->left == 0;
	json *value = rebuild(child, c);

	if (here && c->kind == GONE) {
		json_free(value);
		return;
	}
	if (here && c->kind == TWICE && !json_key(child))
		put(to, NULL, json_copy(value));
	put(to, here && c->kind == RENAMED && json_key(child) ? c->key : json_key(child), value);
}

static json *rebuild(const json *v, struct change *c)
{
	json *to;

	if (c->left-- == 0 && c->kind == OTHER)
		return json_copy(c->value);
	if (!json_is_object(v) && !json_is_array(v))
		return json_copy(v);
	to = json_is_object(v) ? json_object() : json_array();
	json_foreach (child, v)
		put_child(to, child, c);
	return to;
}

static char *change_once(const json *whole, unsigned seed)
{
	const char *text = values[(seed >> 4) % ARRAY_SIZE(values)];
	size_t n = count(whole), other = (seed >> 8) % n;
	const json *from = nth(whole, &other);
	_cleanup_json_ json *value = NULL, *changed = NULL;
	struct change c = { .kind = seed % CHANGE_KINDS, .left = (seed >> 12) % n };

	if (seed & 4 && c.kind == OTHER)
		value = json_copy(from);
	else if (json_parse(text, strlen(text), &value, NULL) < 0)
		return NULL;
	c.value = value;
	c.key = json_key(from) ? json_key(from) : "type";
	changed = rebuild(whole, &c);
	return changed ? json_print(changed) : NULL;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t cap, unsigned seed)
{
	_cleanup_json_ json *whole = NULL;
	_cleanup_free_ char *text = NULL;

	seed *= 2654435761u;
	if (LLVMFuzzerMutate && seed >> 30 == 0)
		return LLVMFuzzerMutate(bytes, len, cap);
	if (json_parse((const char *)bytes, len, &whole, NULL) == 0)
		text = change_once(whole, seed);
	if (!text || strlen(text) > cap)
		return LLVMFuzzerMutate ? LLVMFuzzerMutate(bytes, len, cap) : len;
	memcpy(bytes, text, strlen(text));
	return strlen(text);
}
