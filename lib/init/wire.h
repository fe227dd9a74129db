/*
 * wire: messages between the library and a monitor, over SOCK_SEQPACKET: one packet is one message, a header and then
 * its bytes. The pair that a launch makes and each connection to monitor.sock speak the same.
 */
#ifndef TEU_INIT_WIRE_H
#define TEU_INIT_WIRE_H

#include <stdint.h>

enum wire_type {
	/* to the monitor */
	WIRE_HELLO = 1, /* n1 WIRE_WANT_… */
	WIRE_BIRTH,	/* the first of a launch: n1, n2 struct plan_birth, n3 WIRE_WANT_… */
	WIRE_PLAN,	/* the second: the plan is in FD_PLAN */
	WIRE_STDIN,	/* bytes for the standard input */
	WIRE_STDIN_END,
	WIRE_RESIZE, /* n1 rows, n2 columns */
	WIRE_GO,     /* what WIRE_PLACE, WIRE_HOOKS or WIRE_MAPS asked for is done */
	/* from the monitor */
	WIRE_STARTED = 32, /* n1 pid of the first process */
	WIRE_FAILED,	   /* n1 errno, n2 index of the step, n3 enum wire_phase */
	WIRE_STDOUT,	   /* bytes */
	WIRE_STDERR,
	WIRE_EXIT,  /* n1 status 0..255, n2 1: killed by the memory limit */
	WIRE_HOOKS, /* n1 pid of the first process, which waits at OP_HOST_HOOKS */
	WIRE_MAPS,  /* n1 pid of the first process, whose id maps the caller writes */
	WIRE_PLACE, /* n1 pid of the first process, which waits to be put into its cgroup: PLAN_PLACED */
};

enum wire_phase {
	WIRE_BEFORE = 0,
	WIRE_CLONE,
	WIRE_BORN,
	WIRE_FIRST,
	WIRE_MONITOR,
	WIRE_KILLED,
	WIRE_PLANNED, /* nothing is done: the plan can't be read, or is none that can be run (EBADMSG) */
};

enum { WIRE_WANT_STDIN = 1, WIRE_WANT_STDOUT = 2, WIRE_WANT_STDERR = 4 };

/* Most bytes of one message behind its header. */
enum { WIRE_MAX = 16384 };

struct wire_header {
	uint32_t type;
	int32_t n1, n2, n3;
};

/* Not on the wire, but in the fifo that a container is started by: what failed after that. */
struct start_failure {
	uint32_t op;   /* enum plan_op */
	int32_t error; /* errno */
	uint64_t seconds;
	char field[128], subject[512]; /* place in the config and program; "": none. Cut where they are longer */
};

#endif
