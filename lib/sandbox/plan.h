/* plan: writes the flat buffer of init/plan.h, seals it into a memfd, and says in words what is in it. */
#ifndef TEU_SANDBOX_PLAN_H
#define TEU_SANDBOX_PLAN_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "base/strv.h"
#include "format/json.h"
#include "init/plan.h"

/* Offsets have 32 bits; a spec has 4 MiB at most. */
enum { PLAN_MAX = 64 << 20 };

/* Which of the four runs of steps. */
enum plan_list { PLAN_BEFORE, PLAN_BORN, PLAN_FIRST, PLAN_AFTER, PLAN_LISTS };

struct plan {
	struct strbuf bytes;		     /* header and texts */
	struct plan_step *steps[PLAN_LISTS]; /* owned, moved behind the texts by plan_finish() */
	size_t n_steps[PLAN_LISTS], cap_steps[PLAN_LISTS];
	bool oom;
};

/* Begins an empty plan. */
void plan_init(struct plan *p);
void plan_done(struct plan *p);

/* The header, until more is added (the buffer moves). */
struct plan_header *plan_header(struct plan *p);

/* Adds a step of @op and returns it, valid until the next one; a scrap that nobody reads when memory is out. */
struct plan_step *plan_step(struct plan *p, enum plan_list list, enum plan_op op, const char *field);

/* Texts and bytes; their offset. NULL: 0. */
plan_off plan_text_add(struct plan *p, const char *text);
plan_off plan_bytes_add(struct plan *p, const void *bytes, size_t n);
/* Texts one behind the other and an empty one as the end. */
plan_off plan_list_add(struct plan *p, const struct strv *items);

/* Puts the steps behind the texts; nothing may be added after it. */
int plan_finish(struct plan *p, teu_error **err);
/* Writes a finished plan into the memfd @fd (MFD_ALLOW_SEALING) and seals that. */
int plan_seal(const struct plan *p, int fd, teu_error **err);

/* A finished plan as JSON for people: [{"by", "step", …}]. NULL: no memory. */
json *plan_to_json(const struct plan *p);

/* What a launch reported, in words: sets *err and returns its code. */
int plan_failure(const struct plan *p, int phase, unsigned step, int eno, teu_error **err);

#endif
