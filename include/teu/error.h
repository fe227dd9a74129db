/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* error: what a failed call hands out. */
#ifndef TEU_ERROR_H
#define TEU_ERROR_H

#include <stddef.h>
#include <stdint.h>

#ifndef TEU_API
#define TEU_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The codes say what a caller can do about it. Their numbers never change. Since: 0.1.
 */
enum teu_error_code {
	TEU_OK = 0,
	TEU_E_INVALID = -1,	  /* an argument, option or document is malformed: correct it */
	TEU_E_NOT_FOUND = -2,	  /* no such image, container, file, tag: name another */
	TEU_E_CONFLICT = -3,	  /* the name is taken, or the object is in use or in the wrong state */
	TEU_E_AUTH = -4,	  /* the registry wants other credentials */
	TEU_E_NETWORK = -5,	  /* a peer can't be reached or broke off: try again */
	TEU_E_TIMEOUT = -6,	  /* the time given was over first */
	TEU_E_CORRUPT = -7,	  /* bytes differ from their digest, or a record can't be read */
	TEU_E_CANCELLED = -8,	  /* a cancel token or a callback stopped the call */
	TEU_E_UNSUPPORTED = -9,	  /* this kernel, machine or release can't do that */
	TEU_E_PERMISSION = -10,	  /* the caller lacks the right */
	TEU_E_NO_SPACE = -11,	  /* disk, quota or an address range is full */
	TEU_E_NO_MEMORY = -12,	  /* an allocation failed */
	TEU_E_LIMIT = -13,	  /* outside input is larger than a stated limit */
	TEU_E_SYSTEM = -14,	  /* a system call failed otherwise: see teu_error_errno() */
	TEU_E_LAUNCH = -15,	  /* a step of a launch failed: see detail "step" */
	TEU_E_NOT_EXECUTABLE = -16, /* the command was found but can't be executed (Docker's exit code 126) */
	TEU_E_NO_COMMAND = -17,	  /* the command was not found in the container (Docker's exit code 127) */
	TEU_E_FORKED = -18,	  /* the handle was made before this process was forked: open another */
};

/* An error: a code, one line of text, an errno and named details. It belongs to the caller. */
typedef struct teu_error teu_error;

/** The code, one of enum teu_error_code; TEU_OK for NULL. Never fails. Since: 0.1. */
TEU_API int teu_error_code(const teu_error *err);

/** One line without a full stop or line break, from the outermost subject to the cause; "" for NULL. Since: 0.1. */
TEU_API const char *teu_error_message(const teu_error *err);

/** The errno of the system call that failed, 0 where there was none. Since: 0.1. */
TEU_API int teu_error_errno(const teu_error *err);

/**
 * A named detail, NULL if this error does not have it: "http.status" (decimal), "step" (name of the launch step),
 * "command" (the one that can't be executed), "field" (place in the document, "linux.resources.memory.limit"). Since: 0.1.
 */
TEU_API const char *teu_error_detail(const teu_error *err, const char *name);

/** The name of a code, "TEU_E_NOT_FOUND"; "unknown" for a number that is none. Since: 0.1. */
TEU_API const char *teu_error_name(int code);

/** Takes another reference. NULL is passed through. Since: 0.1. */
TEU_API teu_error *teu_error_ref(teu_error *err);

/** Gives a reference back. NULL is fine. Since: 0.1. */
TEU_API void teu_error_unref(teu_error *err);

/** Frees a text that a char **ret_ argument received. NULL is fine. Since: 0.1. */
TEU_API void teu_free(void *text);

#ifdef __cplusplus
}
#endif

#endif
