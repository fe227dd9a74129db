/*
 * netns: a small network for the tests: this process is the host, in namespaces of its own, and forked processes stand
 * for containers and for machines outside. Nothing is left when they end.
 */
#ifndef TESTS_NETNS_H
#define TESTS_NETNS_H

#include <stdint.h>
#include <sys/types.h>

#include "network/endpoint.h"

/* Leaves the namespaces of the machine. Exits with 77, the reason printed, where that isn't allowed. */
void netns_enter(void);

/* A process in a network namespace of its own, which ends with this one. It answers each TCP connection and UDP
 * datagram to port 80 with the address it came from. */
struct peer {
	pid_t pid;
	int control;
};

struct peer peer_start(void);
/* Sends @batch from inside the peer's namespace. Returns its errno. */
int peer_send(const struct peer *peer, const struct nl_batch *batch);
void peer_stop(struct peer *peer);

/* Plugs a peer in as a container is by a launch. */
void peer_plug(const struct peer *peer, const struct endpoint *ep);

/* A machine outside: host address 198.51.100.1 on link "up0", the peer has 198.51.100.2 and a default route. */
struct peer peer_outside(void);

/* What a client in the namespace of @peer (NULL: the host) is told by the server at @ip:@port, "" if it does not get
 * through. */
const char *fetch(const struct peer *from, uint8_t protocol, const char *ip, uint16_t port);
/* As above; asks again, some times, where @expected is an answer and there is none: a busy machine takes its time. */
const char *fetch_expected(const struct peer *from, uint8_t protocol, const char *ip, uint16_t port,
			   const char *expected);

#endif
