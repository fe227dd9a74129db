/* fuzz_protobuf: any bytes as a message of criu's. Fields are inside of it and in their order; what is written of a
 * field reads as it. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/protobuf.h"
#include "sound.h"

const size_t fuzz_rounds = 20000;

enum { MAX_DEPTH = 8 };

static void must_read_again(const struct protobuf_field *f)
{
	_cleanup_(strbuf_done) struct strbuf written = STRBUF_INIT, part = STRBUF_INIT;
	struct protobuf_reader r;
	struct protobuf_field again;

	if (f->bytes) {
		strbuf_add(&part, f->bytes, f->len);
		protobuf_message(&written, f->number, &part);
	} else {
		protobuf_int(&written, f->number, (int64_t)f->value);
	}
	must(!written.oom);
	r = (struct protobuf_reader){ written.text, written.text + written.len };
	must(protobuf_next(&r, &again) == 1 && r.at == r.end);
	must(again.number == f->number && again.value == f->value && again.len == f->len && !again.bytes == !f->bytes);
	must(!f->bytes || memcmp(again.bytes, f->bytes, f->len) == 0);
}

static void read_message(const char *bytes, size_t len, int depth)
{
	struct protobuf_reader r = { bytes, bytes + len };
	struct protobuf_field f;
	const char *before = r.at;

	while (protobuf_next(&r, &f) == 1) {
		must(r.at > before && r.at <= r.end && f.number > 0);
		must(!f.bytes || (f.bytes > before && f.bytes + f.len == r.at));
		before = r.at;
		must_read_again(&f);
		if (f.bytes && depth < MAX_DEPTH)
			read_message(f.bytes, f.len, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	/* Without a byte behind it. */
	_cleanup_free_ char *copy = malloc(len ? len : 1);

	must(copy != NULL);
	memcpy(copy, bytes, len);
	read_message(copy, len, 0);
	return 0;
}

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	_cleanup_(strbuf_done) struct strbuf inner = STRBUF_INIT;
	struct strbuf message = STRBUF_INIT;

	if (n > 1)
		return NULL;
	protobuf_int(&inner, 1, 1 << n);
	protobuf_text(&inner, 2, "/run/criu");
	protobuf_bool(&inner, 3, true);
	protobuf_int(&message, 1, -1);
	protobuf_message(&message, 4000, &inner);
	protobuf_text(&message, 5, "");
	*ret_len = message.len;
	return (uint8_t *)strbuf_take(&message);
}
