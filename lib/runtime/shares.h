/*
 * shares: the group of linux.intelRdt that a container is in: made with it, noted in its record as "resctrl", and gone
 * with it.
 */
#ifndef TEU_RUNTIME_SHARES_H
#define TEU_RUNTIME_SHARES_H

#include "kernel/resctrl.h"

/* Makes what @spec asks for; @ret stays empty where it asks for nothing. TEU_E_UNSUPPORTED: there is no resctrl. */
int shares_make(const json *spec, const char *id, struct resctrl *ret, teu_error **err);
/* Notes @group in the record @doc; false: no memory. */
bool shares_note(json *doc, const struct resctrl *group);
/* The files of the group in the record @doc that a process enters it by. */
int shares_tasks(const json *doc, struct strv *ret, teu_error **err);
/* Other shares for the container of the record @doc: @rdt has l3CacheSchema and memBwSchema. */
int shares_set(const json *doc, const json *rdt, teu_error **err);
void shares_remove(const json *doc);

#endif
