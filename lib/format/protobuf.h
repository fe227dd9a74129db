/*
 * protobuf: messages in the wire format of Protocol Buffers, written and read field by field. CRIU speaks it; its
 * messages are few and flat, so field numbers stand where they are used and nothing is generated. Source:
 * protobuf.dev, "Encoding".
 */
#ifndef TEU_FORMAT_PROTOBUF_H
#define TEU_FORMAT_PROTOBUF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

/* Appends one field. Negative numbers take ten bytes, as an int32 does. */
void protobuf_int(struct strbuf *b, unsigned field, int64_t value);
void protobuf_bool(struct strbuf *b, unsigned field, bool value);	/* only when it is true */
void protobuf_text(struct strbuf *b, unsigned field, const char *text); /* NULL: nothing */
void protobuf_message(struct strbuf *b, unsigned field, const struct strbuf *message);

struct protobuf_reader {
	const char *at, *end;
};

struct protobuf_field {
	unsigned number;
	uint64_t value;	   /* of a number */
	const char *bytes; /* of a text or message, borrowed; NULL: it is a number */
	size_t len;
};

/* The next field: 1; 0, there is none; TEU_E_CORRUPT. */
int protobuf_next(struct protobuf_reader *r, struct protobuf_field *ret);

#endif
