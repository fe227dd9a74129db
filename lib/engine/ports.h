/* ports: published ports of a record ("HostConfig.PortBindings") as the network wants them. */
#ifndef TEU_ENGINE_PORTS_H
#define TEU_ENGINE_PORTS_H

#include <stddef.h>
#include <stdint.h>

#include "format/json.h"
#include "network/endpoint.h"

/* "80/tcp", "53/udp", "80". False: malformed, or not TCP or UDP. */
bool ports_parse_key(const char *text, uint16_t *ret_port, uint8_t *ret_protocol);

/* "tcp", "udp". */
const char *ports_protocol(uint8_t protocol);

/*
 * Every binding of @host_config; a host port 0 means any free one. The sockets are -EBADF. *@ret is for free(), NULL
 * when there are none. TEU_E_INVALID with detail "field".
 */
int ports_of(const json *host_config, struct port_mapping **ret, size_t *ret_n, teu_error **err);

/*
 * Docker's "Ports" object, {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": null}: what is published,
 * and what is @exposed (may be NULL) only. NULL: no memory.
 */
json *ports_to_json(const struct port_mapping *ports, size_t n, const json *exposed);

/* Docker's "Ports" list of ps: [{"IP", "PrivatePort", "PublicPort", "Type"}]. NULL: no memory. */
json *ports_to_list(const struct port_mapping *ports, size_t n, const json *exposed);

#endif
