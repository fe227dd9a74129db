/* resolv: the three files a container sees instead of the image's: /etc/hosts, /etc/resolv.conf, /etc/hostname. Text
 * only. */
#ifndef TEU_NETWORK_RESOLV_H
#define TEU_NETWORK_RESOLV_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/strv.h"

/* @address NULL: no network. @extra: "name:ip" of --add-host ("host-gateway" stands for @gateway). */
int resolv_hosts(const char *hostname, const char *domainname, const char *address, const char *gateway,
		 const struct strv *extra, struct strbuf *ret, teu_error **err);
/*
 * From the host's /etc/resolv.conf without loopback servers (a container on a bridge can't reach them), or from --dns,
 * --dns-search and --dns-option where given. @host_network: keep it as it is.
 */
int resolv_conf(const char *host_text, bool host_network, const struct strv *servers, const struct strv *search,
		const struct strv *options, struct strbuf *ret, teu_error **err);

#endif
