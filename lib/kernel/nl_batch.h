/*
 * nl_batch: netlink messages that are ready to be sent by a process that knows nothing of them: it opens a raw netlink
 * socket, sends all bytes with one call, and reads until every message with NLM_F_ACK is answered; one answer with an
 * error fails the batch. nl_batch_send() does the same for processes that have this library.
 */
#ifndef TEU_KERNEL_NL_BATCH_H
#define TEU_KERNEL_NL_BATCH_H

#include "base/err.h"
#include "base/strv.h"
#include "kernel/netlink.h"

/* Netlink messages one behind the other, each with NLM_F_ACK where an answer is due. */
struct nl_batch {
	int protocol; /* NETLINK_ROUTE, NETLINK_NETFILTER */
	void *bytes;  /* owned */
	size_t n_bytes;
	size_t pid_at; /* offset of a 32-bit place for the pid of the container's first process; SIZE_MAX: none */
};

/* What @w holds becomes the batch's. TEU_E_NO_MEMORY. */
int nl_batch_take(struct nl_batch *ret, int protocol, struct nl_writer *w, teu_error **err);

/* The error names the message that failed: "link add veth01234567 …: File exists". An empty batch succeeds. */
int nl_batch_send(const struct nl_batch *batch, teu_error **err);
void nl_batch_done(struct nl_batch *batch);

/* What each message says, a line each, for people. */
void nl_batch_describe(const struct nl_batch *batch, struct strv *lines);

#endif
