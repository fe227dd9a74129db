/* strbuf: growing text. */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *strbuf_reserve(struct strbuf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 64;
	char *grown;

	if (b->oom || more > SIZE_MAX / 2 - b->len - 1) {
		b->oom = true;
		return NULL;
	}
	while (cap < b->len + more + 1)
		cap *= 2;
	if (cap != b->cap) {
		grown = realloc(b->text, cap);
		if (!grown) {
			b->oom = true;
			return NULL;
		}
		b->text = grown;
		b->cap = cap;
	}
	return b->text + b->len;
}

void strbuf_add(struct strbuf *b, const void *bytes, size_t len)
{
	char *to = strbuf_reserve(b, len);

	if (!to)
		return;
	if (len)
		memcpy(to, bytes, len);
	b->len += len;
	b->text[b->len] = '\0';
}

void strbuf_adds(struct strbuf *b, const char *text)
{
	strbuf_add(b, text, strlen(text));
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list args;
	char *to;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	to = n < 0 ? NULL : strbuf_reserve(b, (size_t)n);
	if (!to) {
		b->oom = true;
		return;
	}
	va_start(args, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, args);
	va_end(args);
	b->len += (size_t)n;
}

char *strbuf_take(struct strbuf *b)
{
	char *text;

	strbuf_add(b, "", 0);
	if (b->oom) {
		strbuf_done(b);
		return NULL;
	}
	text = b->text;
	*b = STRBUF_INIT;
	return text;
}

void strbuf_reset(struct strbuf *b)
{
	b->len = 0;
	if (b->text)
		b->text[0] = '\0';
}

void strbuf_done(struct strbuf *b)
{
	free(b->text);
	*b = STRBUF_INIT;
}
