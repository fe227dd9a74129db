/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cli: what a command of the reference CLI is, and how it reports.
 *
 * A command is a row of a table: its flags, how many operands it takes, the function that runs it. main.c parses the
 * flags, checks the operands and opens the engine, so that the function only does its one thing. Everything below
 * stands on <teu/teu.h>.
 */
#ifndef TEU_CLI_H
#define TEU_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <teu/teu.h>

struct option;
struct call;

/* Docker's exit codes. */
enum {
	EXIT_FAILED = 1,	   /* a command other than run failed */
	EXIT_USAGE = 125,	   /* a flag is wrong, or `run` failed before the command of the container ran */
	EXIT_NOT_EXECUTABLE = 126, /* the command of the container can't be executed */
	EXIT_NO_COMMAND = 127,	   /* … or is not there */
	EXIT_SIGNAL = 128,	   /* + n: signal n ended it */
};

struct command {
	const char *operands; /* "CONTAINER [CONTAINER...]" */
	const char *summary;
	int (*run)(const struct call *call); /* returns the exit status */

	int min, max;			     /* operands; max -1: any number */
	const struct option *const *options; /* tables of flags, NULL-terminated; NULL: none */
	size_t options_size;		     /* size of the struct that they fill */
	bool stop;			     /* flags end at the first operand, the rest is a command line */
	bool no_engine;			     /* runs without an engine */
	int failure;			     /* exit status of errors; 0: EXIT_FAILED */

	const struct entry *children; /* of a group ("container"), which has nothing of the above but its summary */
};

/* A command under a name; it may have several (ps, container ls). An entry without a name ends a table. */
struct entry {
	const char *name;
	const struct command *command;
};

/* One invocation of a command. */
struct call {
	const char *path; /* the command as typed: "container ls" */
	const struct command *command;
	const void *options; /* the command's struct, filled from the flags */
	char **args;	     /* operands, NULL-terminated */
	int n_args;
	teu_engine *engine; /* NULL: a command that runs without one */
};

/* "teu: text" on stderr, or wherever the program tells. */
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same for an error of the library; returns the command's exit status for errors. */
int cli_error(const struct call *call, const teu_error *err);
/* The same for a mistake of ours to report; returns the command's exit status for errors. */
int cli_fail(const struct call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "teu: text (see 'teu run --help')". Returns @status. */
int cli_usage(const char *path, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Asks on the terminal; an answer that is not yes is no. */
bool cli_agreed(const char *question);
/* Memory has run out: says so and ends the program. */
_Noreturn void cli_oom(void);

/* The exit status of @call's command for errors; NULL: of none. */
int cli_failure(const struct call *call);

/* The program that is linked: what program.c, where main is, asks of it. */
extern const struct cli_program {
	const char *name;
	int failed;	      /* exit status when a flag is wrong or memory is out */
	struct command flags; /* of those before the command: tables, size, stop */
	void *globals;	      /* what they fill */
	void (*tell)(const char *text);
	int (*help)(void);
	int (*command_help)(const struct command *command, const char *path);
	int (*wrong_count)(const struct command *command,
			   const char *path); /* of operands: tells, and the exit status */
	int (*run)(int argc, char **argv);    /* from the command's name on */
	int (*call)(struct call *call, void *data);
} cli_program;

/* NULL: there is no such entry. */
const struct command *cli_find(const struct entry *entries, const char *name);
/* Reads the flags of @command, and has the program call it with @data, or help with it. */
int cli_call(const struct command *command, const char *path, int argc, char **argv, void *data);

/* Allocation that doesn't fail: a command line tool has nothing better to do then than to end. */
void *cli_alloc(size_t size); /* zeroed */
char *cli_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *cli_copy(const char *text, size_t len);

/* Release by scope. */
#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_teu_free(char **p)
{
	teu_free(*p);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_error(teu_error **err)
{
	teu_error_unref(*err);
}

static inline void cleanup_container(teu_container **c)
{
	teu_container_unref(*c);
}

static inline void cleanup_image(teu_image **image)
{
	teu_image_unref(*image);
}

static inline void cleanup_attach(teu_attach **attach)
{
	teu_attach_unref(*attach);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_teu_free_ _cleanup_(cleanup_teu_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_error_ _cleanup_(cleanup_error)
#define _cleanup_container_ _cleanup_(cleanup_container)
#define _cleanup_image_ _cleanup_(cleanup_image)
#define _cleanup_attach_ _cleanup_(cleanup_attach)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
