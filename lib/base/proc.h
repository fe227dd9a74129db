/* proc: other processes, by number and the time they began. Source: proc(5), "/proc/pid/stat". */
#ifndef TEU_BASE_PROC_H
#define TEU_BASE_PROC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum { PROC_PARENT = 4, PROC_TTY = 7, PROC_USER_TICKS = 14, PROC_SYSTEM_TICKS = 15, PROC_START = 22 };

/*
 * The stat line of @pid; *@ret_fields points at the third field, its state, as the name before may hold anything.
 * TEU_E_NOT_FOUND: there is no such process. Every other error, here and below: that could not be found out (no more
 * descriptors, no memory), and nobody may take it for ended.
 */
int proc_read(pid_t pid, char *text, size_t cap, char **ret_fields, teu_error **err);
uint64_t proc_field(const char *fields, int number);

/* When @pid began. TEU_E_NOT_FOUND. */
int proc_start_time(pid_t pid, uint64_t *ret, teu_error **err);
/* 1: it runs, and began at @start; 0: it has ended, as a zombie has. */
int proc_runs(pid_t pid, uint64_t start, teu_error **err);

/* A pidfd of @pid if it began at @start. TEU_E_NOT_FOUND: that process is gone. */
int proc_open(pid_t pid, uint64_t start, int *ret_pidfd, teu_error **err);

#endif
