/* err: makes the errors that the public error.h hands out. Each setter returns the code, so that one line reports and
 * returns. */
#ifndef TEU_BASE_ERR_H
#define TEU_BASE_ERR_H

#include <errno.h>
#include <teu/error.h>

/* Sets *@err (when @err is not NULL and *@err is) to @code with a printf-like text. Returns @code. */
int err_set(teu_error **err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set(), for a failed system call: the text gets ": strerror" appended, the code follows from @eno. */
int err_errno(teu_error **err, int eno, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "subject: " before the text of the error that *@err holds. Returns @r as it came. */
int err_wrap(teu_error **err, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Hands the error that *@why holds, if any, over to @err, where there is none yet. Returns @r. */
int err_pass(teu_error **err, int r, teu_error **why);

/* Out of memory: a static object, so it can't fail. Returns TEU_E_NO_MEMORY. */
int err_oom(teu_error **err);

/* Adds the detail @name to the error that *@err holds; quietly does nothing when there is none or no memory. */
void err_detail(teu_error **err, const char *name, const char *value);

/* Which code an errno stands for. */
int err_code_of(int eno);

#endif
