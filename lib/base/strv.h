/* strv: a growing vector of owned strings, NULL-terminated, as argv and environ are. */
#ifndef TEU_BASE_STRV_H
#define TEU_BASE_STRV_H

#include <stdbool.h>
#include <stddef.h>

struct strv {
	char **items; /* owned; items[n] is NULL once something was added */
	size_t n, cap;
	bool oom; /* an add failed */
};

#define STRV_INIT                                                                                                      \
	(struct strv)                                                                                                  \
	{                                                                                                              \
		0                                                                                                      \
	}

#define strv_foreach(item, v) for (char **item = (v)->items; item && *item; item++)

void strv_add(struct strv *v, const char *text);
void strv_addf(struct strv *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool strv_has(const struct strv *v, const char *text);

/* Sets "KEY=value" as an environment does: an entry with the same KEY is replaced. @pair without '=' removes KEY. */
void strv_setenv(struct strv *v, const char *pair);

/* The value of @key in "KEY=value" entries, NULL if none. Borrowed. */
const char *strv_getenv(const struct strv *v, const char *key);
void strv_done(struct strv *v);

#endif
