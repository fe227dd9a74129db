/* merge: the process of an exec out of the container's own and what is asked for. */
#ifndef TEU_RUNTIME_MERGE_H
#define TEU_RUNTIME_MERGE_H

#include "format/json.h"

/*
 * @base with the fields of @over: its "env", "capabilities" and "user.additionalGids" are added to what is there, its
 * "user" field by field, all else stands in its place. The terminal is @over's alone. NULL: no memory.
 */
json *merge_process(const json *base, const json *over);

#endif
