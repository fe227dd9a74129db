/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * options: flags from a table, as Docker reads them: short clusters (-itd), values joined (-eA=1, --name=x) or apart,
 * repeated flags, flags between operands unless the command says stop.
 */
#ifndef TEU_CLI_OPTIONS_H
#define TEU_CLI_OPTIONS_H

#include "cli.h"

/* The values of a flag that may be repeated; borrowed from argv. */
struct list {
	const char **items; /* NULL: none; else ended by NULL */
	size_t n;
};

struct number {
	int64_t value;
	bool set;
};

enum option_kind {
	OPT_BOOL,  /* bool: -d, --detach, --detach=false */
	OPT_NOT,   /* bool, true when the flag says false: --sig-proxy=false */
	OPT_TEXT,  /* const char * */
	OPT_LIST,  /* struct list */
	OPT_INT,   /* struct number: a whole number, may be negative */
	OPT_BYTES, /* struct number: 64m */
	OPT_SWAP,  /* struct number: 64m, or -1 */
	OPT_CPUS,  /* struct number: 1.5 becomes 1500000000 */
};

struct option {
	const char *name; /* NULL ends a table */
	char letter;	  /* 0: none */
	enum option_kind kind;
	size_t offset; /* of the value in the command's struct */
	const char *help;
	const char *
		json; /* where the value goes in Docker's create document, "HostConfig.Memory"; NULL: code sees to it */
};

enum options_result { OPTIONS_OK, OPTIONS_HELP, OPTIONS_WRONG /* told on stderr */ };

/*
 * Parses argv[0..argc) into @dest (of command->options_size bytes, zeroed) and moves the operands to the front of argv,
 * ended by NULL.
 */
enum options_result options_parse(const struct command *command, const char *path, void *dest, int argc, char **argv,
				  int *ret_operands);

/* Writes the flags with their help to stdout. */
void options_help(const struct option *const *tables);
void options_done(const struct command *command, void *dest);

#endif
