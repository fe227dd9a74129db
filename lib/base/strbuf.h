/* strbuf: growing text. It remembers the first failed allocation, so one check of `oom` serves a whole loop. */
#ifndef TEU_BASE_STRBUF_H
#define TEU_BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf {
	char *text; /* owned, always terminated once something was added; NULL before */
	size_t len, cap;
	bool oom;
};

#define STRBUF_INIT                                                                                                    \
	(struct strbuf)                                                                                                \
	{                                                                                                              \
		0                                                                                                      \
	}

void strbuf_add(struct strbuf *b, const void *bytes, size_t len);
void strbuf_adds(struct strbuf *b, const char *text);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for @more bytes behind the text and returns where they go, or NULL; the caller adds them to len. */
char *strbuf_reserve(struct strbuf *b, size_t more);

/* The text ("" if empty) becomes the caller's; NULL when memory ran out. @b is empty then. */
char *strbuf_take(struct strbuf *b);
void strbuf_reset(struct strbuf *b); /* empty, keeps its memory */
void strbuf_done(struct strbuf *b);

#endif
