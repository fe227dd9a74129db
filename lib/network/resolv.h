/* resolv: the three files a container sees instead of the image's: /etc/hosts, /etc/resolv.conf, /etc/hostname. Text
 * only. Source: hosts(5), resolv.conf(5), and Docker's ways where they leave a choice. */
#ifndef TEU_NETWORK_RESOLV_H
#define TEU_NETWORK_RESOLV_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/strv.h"

/*
 * @domainname, @address NULL: none. @extra: "name:ip" of --add-host; "host-gateway" stands for @gateway, or for
 * 127.0.0.1 where there is none because the container is on the host's own network.
 * TEU_E_INVALID: an entry of @extra is none.
 */
int resolv_hosts(const char *hostname, const char *domainname, const char *address, const char *gateway,
		 const struct strv *extra, struct strbuf *ret, teu_error **err);

/* The same for a container on the host's own network: the host's file, @host_text, and @extra. */
int resolv_hosts_of_host(const char *host_text, const struct strv *extra, struct strbuf *ret, teu_error **err);

/*
 * From the host's /etc/resolv.conf without servers that a container on an IPv4 bridge can't reach (loopback, IPv6), or
 * from --dns, --dns-search ("." for none) and --dns-option where given; 8.8.8.8 and 8.8.4.4 when no server is left.
 * @host_network: keep those of the host. TEU_E_INVALID: one of @servers is no address.
 */
int resolv_conf(const char *host_text, bool host_network, const struct strv *servers, const struct strv *search,
		const struct strv *options, struct strbuf *ret, teu_error **err);

/*
 * Does the host's resolv.conf name the stub of systemd-resolved alone, which only the host can reach? Then what
 * /run/systemd/resolve/resolv.conf says is better for resolv_conf(). Source: systemd-resolved.service(8).
 */
bool resolv_is_stub(const char *host_text);

#endif
