/*
 * err: the error object. A code, a line of text, an errno, a few named details; counted, never changed once handed out.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DETAILS = 4 };

struct teu_error {
	atomic_int refs;
	int code;
	int eno;
	char *message; /* owned */
	struct {
		char *name, *value; /* owned */
	} details[MAX_DETAILS];
};

static struct teu_error out_of_memory = {
	.refs = 1,
	.code = TEU_E_NO_MEMORY,
	.eno = ENOMEM,
	.message = (char *)"out of memory",
};

static const char *const names[] = {
	[-TEU_OK] = "TEU_OK",
	[-TEU_E_INVALID] = "TEU_E_INVALID",
	[-TEU_E_NOT_FOUND] = "TEU_E_NOT_FOUND",
	[-TEU_E_CONFLICT] = "TEU_E_CONFLICT",
	[-TEU_E_AUTH] = "TEU_E_AUTH",
	[-TEU_E_NETWORK] = "TEU_E_NETWORK",
	[-TEU_E_TIMEOUT] = "TEU_E_TIMEOUT",
	[-TEU_E_CORRUPT] = "TEU_E_CORRUPT",
	[-TEU_E_CANCELLED] = "TEU_E_CANCELLED",
	[-TEU_E_UNSUPPORTED] = "TEU_E_UNSUPPORTED",
	[-TEU_E_PERMISSION] = "TEU_E_PERMISSION",
	[-TEU_E_NO_SPACE] = "TEU_E_NO_SPACE",
	[-TEU_E_NO_MEMORY] = "TEU_E_NO_MEMORY",
	[-TEU_E_LIMIT] = "TEU_E_LIMIT",
	[-TEU_E_SYSTEM] = "TEU_E_SYSTEM",
	[-TEU_E_LAUNCH] = "TEU_E_LAUNCH",
	[-TEU_E_NOT_EXECUTABLE] = "TEU_E_NOT_EXECUTABLE",
	[-TEU_E_NO_COMMAND] = "TEU_E_NO_COMMAND",
	[-TEU_E_FORKED] = "TEU_E_FORKED",
};

static const struct {
	int eno, code;
} codes[] = {
	{ ENOENT, TEU_E_NOT_FOUND },  { EEXIST, TEU_E_CONFLICT },      { EBUSY, TEU_E_CONFLICT },
	{ EACCES, TEU_E_PERMISSION }, { EPERM, TEU_E_PERMISSION },     { EROFS, TEU_E_PERMISSION },
	{ ENOSPC, TEU_E_NO_SPACE },   { EDQUOT, TEU_E_NO_SPACE },      { ENOMEM, TEU_E_NO_MEMORY },
	{ ETIMEDOUT, TEU_E_TIMEOUT }, { ENOSYS, TEU_E_UNSUPPORTED },   { EOPNOTSUPP, TEU_E_UNSUPPORTED },
	{ EINVAL, TEU_E_INVALID },    { ECONNREFUSED, TEU_E_NETWORK }, { ECANCELED, TEU_E_CANCELLED },
};

int err_code_of(int eno)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].eno == eno)
			return codes[i].code;
	return TEU_E_SYSTEM;
}

/* Messages are one line: text from outside must not break it. */
static void flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

static int make(teu_error **err, int code, int eno, char *message)
{
	teu_error *e;

	if (!err || *err) {
		free(message);
		return code;
	}
	e = message ? calloc(1, sizeof(*e)) : NULL;
	if (!e) {
		free(message);
		*err = teu_error_ref(&out_of_memory);
		return code;
	}
	flatten(message);
	e->refs = 1;
	e->code = code;
	e->eno = eno;
	e->message = message;
	*err = e;
	return code;
}

int err_set(teu_error **err, int code, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return make(err, code, 0, text);
}

int err_errno(teu_error **err, int eno, const char *fmt, ...)
{
	char *subject = NULL, *text = NULL;
	va_list args;

	if (!err)
		return err_code_of(eno);
	va_start(args, fmt);
	if (vasprintf(&subject, fmt, args) < 0)
		subject = NULL;
	va_end(args);
	if (!subject ||
	    asprintf(&text, "%s: %s", subject, strerrordesc_np(eno) ? strerrordesc_np(eno) : "unknown error") < 0)
		text = NULL;
	free(subject);
	return make(err, err_code_of(eno), eno, text);
}

int err_wrap(teu_error **err, int r, const char *fmt, ...)
{
	char *subject = NULL, *text = NULL;
	va_list args;
	teu_error *e = err ? *err : NULL;

	if (!e || e == &out_of_memory)
		return r;
	va_start(args, fmt);
	if (vasprintf(&subject, fmt, args) < 0)
		subject = NULL;
	va_end(args);
	if (subject && asprintf(&text, "%s: %s", subject, e->message) >= 0) {
		flatten(text);
		free(e->message);
		e->message = text;
	}
	free(subject);
	return r;
}

int err_pass(teu_error **err, int r, teu_error **why)
{
	if (err && !*err) {
		*err = *why;
		*why = NULL;
	}
	return r;
}

int err_oom(teu_error **err)
{
	if (err && !*err)
		*err = teu_error_ref(&out_of_memory);
	return TEU_E_NO_MEMORY;
}

void err_detail(teu_error **err, const char *name, const char *value)
{
	teu_error *e = err ? *err : NULL;

	if (!e || e == &out_of_memory)
		return;
	for (size_t i = 0; i < MAX_DETAILS; i++) {
		if (e->details[i].name)
			continue;
		e->details[i].name = strdup(name);
		e->details[i].value = strdup(value);
		return;
	}
}

int teu_error_code(const teu_error *err)
{
	return err ? err->code : TEU_OK;
}

const char *teu_error_message(const teu_error *err)
{
	return err ? err->message : "";
}

int teu_error_errno(const teu_error *err)
{
	return err ? err->eno : 0;
}

const char *teu_error_detail(const teu_error *err, const char *name)
{
	for (size_t i = 0; err && i < MAX_DETAILS; i++)
		if (err->details[i].name && strcmp(err->details[i].name, name) == 0)
			return err->details[i].value;
	return NULL;
}

const char *teu_error_name(int code)
{
	if (code > 0 || (size_t) - (long)code >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[-code];
}

teu_error *teu_error_ref(teu_error *err)
{
	if (err)
		atomic_fetch_add(&err->refs, 1);
	return err;
}

void teu_error_unref(teu_error *err)
{
	if (!err || atomic_fetch_sub(&err->refs, 1) != 1)
		return;
	for (size_t i = 0; i < MAX_DETAILS; i++) {
		free(err->details[i].name);
		free(err->details[i].value);
	}
	free(err->message);
	free(err);
}

void teu_free(void *text)
{
	free(text);
}
