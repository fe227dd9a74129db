/* monitor: the one process that a container keeps. */
#ifndef TEU_INIT_MONITOR_H
#define TEU_INIT_MONITOR_H

#include "init/plan.h"
#include "init/sys.h"
#include "init/wire.h"

/* What the monitor holds of the process it watches. */
struct child {
	int pid;
	int pidfd;
	int in;	    /* where its standard input is written; -1: closed or none */
	int out[2]; /* where its output is read: stdout and stderr, or the pty and -1 */
	int64_t started_ns;
	bool ready;	  /* it has said that it waits to be started */
	bool has_console; /* its pty has been taken */
};

/* How it ended. */
struct outcome {
	int status; /* 0..255 */
	bool oom;
};

/* spawn.c: starts it and returns the plan; reports a failure over the wire and ends the monitor. */
const struct plan_header *spawn_child(const struct plan_birth *birth, struct child *c);
/* The caller, who was to hear that it has been launched, is gone: takes it back and ends the monitor. */
void spawn_undo(const struct plan_header *plan, struct child *c);
/* @file in /proc/<pid> of the first process. */
int first_open(int pid, const char *file, int flags);
/* Runs a list of monitor steps; @pid and @sync: the first process and the link to it, where there is one. On failure
 * *ret_step is the index. */
long run_steps(const struct plan_header *plan, const struct plan_steps *steps, int pid, int sync, uint32_t *ret_step);

/* listener.c: OP_LISTENER, and what it is for: the descriptor of the filter that process @pid has loaded. */
long listener_connect(const struct plan_header *plan, const struct plan_step *s);
long listener_give(const struct plan_header *plan, int pid, int fd);

/* source.c: sends process @pid the tree that OP_FETCH_SOURCE @s names. */
long source_give(const struct plan_header *plan, const struct plan_step *s, int pid, int sync);

/* time.c: OP_TIME for the children of the calling process. */
long make_time_namespace(const struct plan_header *plan, const struct plan_step *s);

/* schedule.c: OP_AFFINITY of the calling process. */
long set_affinity(const struct plan_header *plan, const struct plan_step *s);

/* mapped.c: OP_OVERLAY_MAPPED; the mount goes over @sync to the first process. */
long overlay_mapped(const struct plan_header *plan, const struct plan_step *s, int pid, int sync);
/* Takes back what the others made: every step is tried, as some of it may never have been made. */
void run_last_steps(const struct plan_header *plan, int pid);

/* loop.c: listens at @path for who attaches, waits, stops. */
void loop_listen(const char *path);
/* Carries streams until it has ended; leaves *ret. @want: of the caller that launched. */
void loop_run(const struct plan_header *plan, struct child *c, uint32_t want, struct outcome *ret);
/* Tells every client, then waits until the first one (the caller that launched) has left, if @wait. */
void loop_tell_exit(const struct outcome *outcome, bool wait);
/* Closes every client and the socket. */
void loop_close(void);

/* record.c: the files that others read. */
void record_started(const struct plan_header *plan, const struct child *c);
/* @again: its policy brings it back, so it is told to be restarting in the same moment as it is told to have ended. */
void record_exit(const struct plan_header *plan, const struct child *c, const struct outcome *outcome, bool again);
bool oom_seen(const struct plan_header *plan);

/* remove.c: deletes the files of a container that the library has retired. */
void remove_files(const struct plan_header *plan);

/* The next message of the launching caller; false: it is another, or the caller is gone. */
bool wire_await(enum wire_type type, struct wire_header *ret);
/* Sends one message; false when the other side can't take it. */
bool wire_send(int fd, uint32_t type, int32_t n1, int32_t n2, int32_t n3, const void *bytes, size_t n, bool wait);

#endif
