/* check_impl: what the files behind check.h share: the form of a document as a table, and how an error is noted. */
#ifndef TEU_SANDBOX_CHECK_IMPL_H
#define TEU_SANDBOX_CHECK_IMPL_H

#include "sandbox/check.h"

enum shape_kind { SHAPE_STRING, SHAPE_BOOL, SHAPE_INTEGER, SHAPE_OBJECT, SHAPE_ARRAY };

struct shape;

struct shape_field {
	const char *key;
	const struct shape *shape;
	bool required;
};

/* What may stand in one place. */
struct shape {
	enum shape_kind kind;
	int64_t min;		    /* of an integer */
	uint64_t max;		    /* of an integer */
	const char *const *words;   /* a string's only values, up to a NULL; NULL: any */
	bool (*fits)(const char *); /* whether a string has the form that @expected names; NULL: any */
	const char *expected;
	const struct shape_field *fields; /* of an object, up to a NULL key */
	const struct shape *item;	  /* of an array; of an object: of each value, whatever its key */
	bool filled;			  /* an array with one item at least */
};

extern const struct shape shape_config, shape_process, shape_state, shape_features;

/* Notes that @place is wrong. */
void check_error(struct check *c, const char *place, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void check_missing(struct check *c, const char *place, const char *key);
void check_warning(struct check *c, const char *place, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* check_rules.c: what one field asks of another; of well-formed places only. */
void check_process_rules(const json *process, const char *place, struct check *c);
void check_config_rules(const json *config, struct check *c);

#endif
