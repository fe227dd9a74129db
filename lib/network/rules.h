/*
 * rules: the packet rules of a bridge: one nftables table, the same for one container and for a thousand. Published
 * ports are elements of two maps.
 *
 *   map ports          protocol . port           : address . port     published on every address of the host
 *   map ports-ip       address . protocol . port : address . port     published on one
 *   chain guard        prerouting, raw:     from the bridge to 127.0.0.0/8: drop
 *   chain prerouting   dstnat:              to an address of the host: jump published
 *   chain output       dstnat:              the same, for what the host itself sends
 *   chain published                         dnat to what ports-ip, then ports, says
 *   chain postrouting  srcnat:              from the range to elsewhere: masquerade
 *                                           from 127.0.0.0/8 to the bridge: masquerade (nobody could answer)
 *                                           from the range, by a published port back to the bridge: masquerade
 *   chain forward      filter:              to the bridge, and neither from it nor answered nor published: drop
 *
 * The guard is there because published ports on 127.0.0.1 need route_localnet on the bridge, which would open the
 * host's loopback services to containers (CVE-2020-8558).
 */
#ifndef TEU_NETWORK_RULES_H
#define TEU_NETWORK_RULES_H

#include "kernel/nl_batch.h"
#include "kernel/nft.h"
#include "network/bridge.h"

extern const struct nft_map rules_ports, rules_ports_ip;

/* Makes the table; @replace: takes the old one out first, in the same transaction. */
int rules_make(const struct bridge *bridge, bool replace, teu_error **err);
/* One that isn't there is fine. */
int rules_remove(const char *table, teu_error **err);

#endif
