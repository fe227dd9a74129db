/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table: lines of cells, each column as wide as its widest cell. */
#ifndef TEU_CLI_TABLE_H
#define TEU_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct table {
	char **lines; /* cells parted by tabs */
	size_t n;
};

/* Takes @line, which came from malloc(). */
void table_add(struct table *table, char *line);
void table_print(const struct table *table, FILE *out);
void table_done(struct table *table);

#endif
