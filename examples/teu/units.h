/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* units: numbers, sizes, signals and times, from text and to text, as Docker's users write and read them. */
#ifndef TEU_CLI_UNITS_H
#define TEU_CLI_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

bool units_parse_int(const char *text, int64_t *ret);
/* "64m", "1.5g", "10kb", "1GiB": powers of 1024. */
bool units_parse_bytes(const char *text, int64_t *ret);
/* "1.5" -> 1500000000. */
bool units_parse_cpus(const char *text, int64_t *ret);
/* "TERM", "SIGTERM", "15", "RTMIN+3" -> a signal's number; 0: none of that name. */
int units_parse_signal(const char *text);
/* A moment: RFC 3339 ("2024-01-02T15:04:05.5Z", or the front of it), seconds since 1970, or a span before now
 * ("1h30m"). */
bool units_parse_time(const char *text, int64_t *ret_ns);

enum { UNITS_SIZE = 40 };

/* "1.23MB": powers of 1000. Returns @buffer. */
const char *units_size(char buffer[UNITS_SIZE], double bytes);
/* "1.2MiB": powers of 1024. */
const char *units_size_binary(char buffer[UNITS_SIZE], double bytes);
/* "About an hour", "5 minutes". */
const char *units_span(char buffer[UNITS_SIZE], int64_t seconds);
/* "2024-01-02 15:04:05 +0000 UTC", in UTC. */
const char *units_time(char buffer[UNITS_SIZE], int64_t seconds);
/* "2024-01-02T15:04:05.000000001Z". */
const char *units_stamp(char buffer[UNITS_SIZE], int64_t ns);
int64_t units_now_ns(void);

#endif
