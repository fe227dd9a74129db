/*
 * gvariant: typed values as text: true, 5, uint64 5, 'text', ['a', 'b'], ('a', byte 1), @as [], <'any'>. It is the form
 * that annotations org.systemd.property.* have. Source: GLib reference, "GVariant Text Format"; types are those of the
 * D-Bus specification, "Type System". Dictionaries and maybe types are left out: no property of a unit is one.
 */
#ifndef TEU_FORMAT_GVARIANT_H
#define TEU_FORMAT_GVARIANT_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { GVARIANT_MAX_DEPTH = 16, GVARIANT_MAX_TYPE = 64, GVARIANT_MAX_TEXT = 64 << 10 };

struct gvariant {
	char type[GVARIANT_MAX_TYPE]; /* the complete type: "t", "as", "(st)" */
	union {
		int boolean;	 /* b */
		uint8_t byte;	 /* y */
		int16_t int16;	 /* n */
		uint16_t uint16; /* q */
		int32_t int32;	 /* i */
		uint32_t uint32; /* u */
		int64_t int64;	 /* x */
		uint64_t uint64; /* t */
		double real;	 /* d */
	} basic;
	char *text;		/* of s, o and g; owned */
	struct gvariant *items; /* of a, ( and v; owned */
	size_t n;
};

/* TEU_E_INVALID, what is wrong and where; nothing but blanks may follow the value. */
int gvariant_parse(const char *text, struct gvariant *ret, teu_error **err);
void gvariant_done(struct gvariant *v);

#endif
