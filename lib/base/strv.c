/* strv: a growing vector of owned strings. */
#include "base/strv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take(struct strv *v, char *text)
{
	if (text && v->n + 2 > v->cap) {
		size_t cap = v->cap ? v->cap * 2 : 8;
		char **grown = reallocarray(v->items, cap, sizeof(*grown));

		if (grown) {
			v->items = grown;
			v->cap = cap;
		} else {
			free(text);
			text = NULL;
		}
	}
	if (!text) {
		v->oom = true;
		return;
	}
	v->items[v->n++] = text;
	v->items[v->n] = NULL;
}

void strv_add(struct strv *v, const char *text)
{
	take(v, strdup(text));
}

void strv_addf(struct strv *v, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	take(v, text);
}

bool strv_has(const struct strv *v, const char *text)
{
	strv_foreach (item, v)
		if (strcmp(*item, text) == 0)
			return true;
	return false;
}

static size_t find_key(const struct strv *v, const char *key, size_t len)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		if (strncmp(v->items[i], key, len) == 0 && v->items[i][len] == '=')
			break;
	return i;
}

void strv_setenv(struct strv *v, const char *pair)
{
	size_t len = strcspn(pair, "="), at = find_key(v, pair, len);
	char *copy;

	if (pair[len] == '\0') {
		if (at < v->n) {
			free(v->items[at]);
			memmove(v->items + at, v->items + at + 1, (v->n - at) * sizeof(*v->items));
			v->n--;
		}
		return;
	}
	if (at == v->n) {
		strv_add(v, pair);
		return;
	}
	copy = strdup(pair);
	if (!copy) {
		v->oom = true;
		return;
	}
	free(v->items[at]);
	v->items[at] = copy;
}

const char *strv_getenv(const struct strv *v, const char *key)
{
	size_t len = strlen(key), at = find_key(v, key, len);

	return at < v->n ? v->items[at] + len + 1 : NULL;
}

void strv_done(struct strv *v)
{
	strv_foreach (item, v)
		free(*item);
	free(v->items);
	*v = STRV_INIT;
}
