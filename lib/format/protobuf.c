/* protobuf: messages in the wire format of Protocol Buffers. Source: protobuf.dev, "Encoding". */
#include "format/protobuf.h"

#include <string.h>
#include <teu/error.h>

enum wire_kind { KIND_VARINT = 0, KIND_64 = 1, KIND_BYTES = 2, KIND_32 = 5 };

static void add_varint(struct strbuf *b, uint64_t n)
{
	do {
		unsigned char byte = n & 0x7f;

		n >>= 7;
		byte |= n ? 0x80 : 0;
		strbuf_add(b, &byte, 1);
	} while (n);
}

static void add_key(struct strbuf *b, unsigned field, enum wire_kind kind)
{
	add_varint(b, (uint64_t)field << 3 | kind);
}

void protobuf_int(struct strbuf *b, unsigned field, int64_t value)
{
	add_key(b, field, KIND_VARINT);
	add_varint(b, (uint64_t)value);
}

void protobuf_bool(struct strbuf *b, unsigned field, bool value)
{
	if (value)
		protobuf_int(b, field, 1);
}

static void add_bytes(struct strbuf *b, unsigned field, const void *bytes, size_t len)
{
	add_key(b, field, KIND_BYTES);
	add_varint(b, len);
	strbuf_add(b, bytes, len);
}

void protobuf_text(struct strbuf *b, unsigned field, const char *text)
{
	if (text)
		add_bytes(b, field, text, strlen(text));
}

void protobuf_message(struct strbuf *b, unsigned field, const struct strbuf *message)
{
	b->oom |= message->oom;
	add_bytes(b, field, message->text ? message->text : "", message->len);
}

static bool read_varint(struct protobuf_reader *r, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		unsigned char byte = (unsigned char)*r->at++;

		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool take_bytes(struct protobuf_reader *r, uint64_t len, struct protobuf_field *f)
{
	if (len > (uint64_t)(r->end - r->at))
		return false;
	f->bytes = r->at;
	f->len = (size_t)len;
	r->at += len;
	return true;
}

static bool take_value(struct protobuf_reader *r, enum wire_kind kind, struct protobuf_field *f)
{
	uint64_t len;

	switch (kind) {
	case KIND_VARINT:
		return read_varint(r, &f->value);
	case KIND_BYTES:
		return read_varint(r, &len) && take_bytes(r, len, f);
	case KIND_64:
		return take_bytes(r, 8, f);
	case KIND_32:
		return take_bytes(r, 4, f);
	}
	return false;
}

int protobuf_next(struct protobuf_reader *r, struct protobuf_field *ret)
{
	uint64_t key;

	*ret = (struct protobuf_field){ 0 };
	if (r->at >= r->end)
		return 0;
	if (!read_varint(r, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX || !take_value(r, key & 7, ret))
		return TEU_E_CORRUPT;
	ret->number = (unsigned)(key >> 3);
	return 1;
}
