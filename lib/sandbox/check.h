/*
 * check: whether a document is a runtime-spec config that a container can be made of. All that is wrong with it is told
 * at once, a line each that begins with the place: "linux.resources.memory.limit: expected an integer, found a string".
 * Nothing of the machine is asked. Source: runtime-spec config.md, config-linux.md and schema/.
 */
#ifndef TEU_SANDBOX_CHECK_H
#define TEU_SANDBOX_CHECK_H

#include "format/json.h"

struct check {
	struct strv errors;   /* what makes it unusable */
	struct strv warnings; /* what will be passed over */
	bool respelled;	      /* a field differs from the specification's in its case only, as "pagesize" */
};

enum check_for {
	CHECK_DOCUMENT, /* it has the form of a config, for whatever platform */
	CHECK_LAUNCH,	/* a container can be launched from it: nothing is missing, and the fields go together */
};

/* Looks at @config and adds what it finds to @ret. */
void check_config(const json *config, enum check_for what, struct check *ret);
/* The same of a "process" alone, as exec takes it. */
void check_process(const json *process, struct check *ret);
void check_done(struct check *c);
/*
 * runc reads the names of fields in any case, and engines are tried with runc: what @respelled tells of gets the
 * specification's name here, unless that stands beside it. TEU_E_NO_MEMORY.
 */
int check_respell_config(json *config, teu_error **err);
int check_respell_process(json *process, teu_error **err);

/*
 * Looks at @document, which is to be @what: "bundle" (a config as CHECK_LAUNCH has it), "config" (as CHECK_DOCUMENT),
 * "process", "state" or "features". false: there is no such @what.
 */
bool check_document(const char *what, const json *document, struct check *ret);

/* TEU_E_INVALID with every error of @c behind each other and the first one's place as detail "field"; 0: there is none.
 */
int check_result(const struct check *c, teu_error **err);

#endif
