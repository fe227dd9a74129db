/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oci: what the commands of teu-oci share: the runtime, how errors are told, and the table of commands. */
#ifndef TEU_OCI_H
#define TEU_OCI_H

#include "../teu/cli.h"
#include "../teu/options.h"

/* The flags before the command. */
struct oci_globals {
	const char *root, *log, *log_format, *rootless, *cgroup_manager, *criu;
	bool debug, systemd_cgroup, version, help;
};

extern struct oci_globals oci_globals;

/* The runtime that the flags name; NULL: it can't be opened, which has been told. */
teu_runtime *oci_runtime(void);

/* report.c: opens --log; false: it can't be, which has been told. */
bool report_open(const char *log, const char *format, bool debug);
/* One record at @level: into --log, else to stderr. */
void report_record(int level, const char *message);
/* What a command failed for: into --log only. */
void report_log(const char *message);
/* The same, and to people on stderr. */
void report_error(const char *message);
void report_library(int level, const char *message, void *data);

/* What LISTEN_FDS says, 0 without it. */
int oci_listen_fds(void);
/* How many descriptors from 3 on are passed on for --preserve-fds=@n and LISTEN_FDS; ends the program when one of them
 * is not the caller's. */
int oci_preserve_fds(int64_t n);
/* The text of a file, "-": of stdin; NULL: errno says why. */
char *oci_read_file(const char *path);

/* create.c: makes the container @id; @console_fd: where its terminal goes, -1: it has none. */
typedef int (*oci_begin)(teu_runtime *rt, const char *id, void *options, int console_fd, int32_t *pid, int *wait,
			 teu_error **err);
/* Begins it, and waits for its end, which deletes it unless @keep; its status. */
int oci_foreground(const struct call *call, bool terminal, bool keep, oci_begin begin, void *options);
/* Does the config ask for a terminal? One that can't be read is for the library to complain about. */
bool oci_wants_terminal(const char *bundle, const char *config);
extern const struct command command_create, command_run;
/* checkpoint.c */
extern const struct command command_checkpoint, command_restore;
/* lifecycle.c */
extern const struct command command_start, command_kill, command_delete, command_pause, command_resume;
/* list.c */
extern const struct command command_state, command_list;
/* document.c */
extern const struct command command_spec, command_features, command_check;
/* exec.c, ps.c, events.c, update.c */
extern const struct command command_exec, command_ps, command_events, command_update, command_mounts;

#endif
