/* resolv: the three files a container sees instead of the image's. */
#include "network/resolv.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static const char blanks[] = " \t\r";

static bool is_address(int family, const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(family, text, address) == 1;
}

/* "name:ip", "name=ip", "name:[ip6]" */
static int add_host(const char *entry, const char *gateway, struct strbuf *ret, teu_error **err)
{
	size_t name_len = strcspn(entry, ":= \t\n");
	const char *address = entry + name_len;
	char plain[INET6_ADDRSTRLEN];
	size_t len;

	if (name_len == 0 || (*address != ':' && *address != '='))
		return err_set(err, TEU_E_INVALID, "bad format for add-host: \"%s\": expected NAME:ADDRESS", entry);
	address++;
	if (strcmp(address, "host-gateway") == 0)
		address = gateway ? gateway : "127.0.0.1";
	len = strlen(address);
	if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	snprintf(plain, sizeof(plain), "%.*s", (int)len, address);
	if (len >= sizeof(plain) || (!is_address(AF_INET, plain) && !is_address(AF_INET6, plain)))
		return err_set(err, TEU_E_INVALID, "invalid IP address in add-host: \"%s\"", address);
	strbuf_addf(ret, "%s\t%.*s\n", plain, (int)name_len, entry);
	return 0;
}

static int add_hosts(const struct strv *extra, const char *gateway, struct strbuf *ret, teu_error **err)
{
	int r;

	strv_foreach (entry, extra) {
		r = add_host(*entry, gateway, ret, err);
		if (r < 0)
			return r;
	}
	return ret->oom ? err_oom(err) : 0;
}

int resolv_hosts(const char *hostname, const char *domainname, const char *address, const char *gateway,
		 const struct strv *extra, struct strbuf *ret, teu_error **err)
{
	int r;

	strbuf_adds(ret, "127.0.0.1\tlocalhost\n"
			 "::1\tlocalhost ip6-localhost ip6-loopback\n"
			 "fe00::\tip6-localnet\n"
			 "ff00::\tip6-mcastprefix\n"
			 "ff02::1\tip6-allnodes\n"
			 "ff02::2\tip6-allrouters\n");
	r = add_hosts(extra, gateway, ret, err);
	if (r < 0)
		return r;
	if (address && *hostname) {
		strbuf_addf(ret, "%s\t", address);
		if (domainname && *domainname)
			strbuf_addf(ret, "%s.%s ", hostname, domainname);
		strbuf_addf(ret, "%s\n", hostname);
	}
	return ret->oom ? err_oom(err) : 0;
}

int resolv_hosts_of_host(const char *host_text, const struct strv *extra, struct strbuf *ret, teu_error **err)
{
	size_t len = strlen(host_text);

	strbuf_add(ret, host_text, len);
	if (len && host_text[len - 1] != '\n')
		strbuf_adds(ret, "\n");
	return add_hosts(extra, NULL, ret, err);
}

/* What the host's file says. Of several "search" or "domain" lines the last one counts. */
struct conf {
	struct strv servers, search, options;
};

static void conf_done(struct conf *conf)
{
	strv_done(&conf->servers);
	strv_done(&conf->search);
	strv_done(&conf->options);
}

static void add_words(struct strv *list, char *words)
{
	char *rest = NULL;

	for (char *word = strtok_r(words, blanks, &rest); word; word = strtok_r(NULL, blanks, &rest))
		strv_add(list, word);
}

static void read_line(char *line, struct conf *conf)
{
	size_t len = strcspn(line, blanks);
	char *rest = line + len + (line[len] != '\0');

	line[len] = '\0';
	if (strcmp(line, "nameserver") == 0) {
		rest += strspn(rest, blanks);
		rest[strcspn(rest, blanks)] = '\0';
		if (*rest)
			strv_add(&conf->servers, rest);
	} else if (strcmp(line, "search") == 0 || strcmp(line, "domain") == 0) {
		strv_done(&conf->search);
		add_words(&conf->search, rest);
	} else if (strcmp(line, "options") == 0) {
		add_words(&conf->options, rest);
	}
}

static int read_conf(const char *text, struct conf *conf, teu_error **err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = NULL;

	if (!copy)
		return err_oom(err);
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		read_line(line + strspn(line, blanks), conf);
	return conf->servers.oom || conf->search.oom || conf->options.oom ? err_oom(err) : 0;
}

static bool is_loopback(const char *server)
{
	return strncmp(server, "127.", 4) == 0 || strcmp(server, "::1") == 0;
}

bool resolv_is_stub(const char *host_text)
{
	_cleanup_(conf_done) struct conf conf = { .servers = STRV_INIT };
	bool stub = false;

	if (read_conf(host_text, &conf, NULL) < 0)
		return false;
	strv_foreach (server, &conf.servers) {
		if (!is_loopback(*server))
			return false;
		stub |= strcmp(*server, "127.0.0.53") == 0;
	}
	return stub;
}

static size_t add_servers_of_host(const struct strv *servers, bool host_network, struct strbuf *ret)
{
	size_t n = 0;

	strv_foreach (server, servers) {
		if (!host_network && (is_loopback(*server) || !is_address(AF_INET, *server)))
			continue;
		strbuf_addf(ret, "nameserver %s\n", *server);
		n++;
	}
	return n;
}

static int add_servers(const struct strv *given, const struct strv *of_host, bool host_network, struct strbuf *ret,
		       teu_error **err)
{
	strv_foreach (server, given) {
		if (!is_address(AF_INET, *server) && !is_address(AF_INET6, *server))
			return err_set(err, TEU_E_INVALID, "%s is not an ip address: --dns takes no names", *server);
		strbuf_addf(ret, "nameserver %s\n", *server);
	}
	if (given->n == 0 && add_servers_of_host(of_host, host_network, ret) == 0 && !host_network)
		strbuf_adds(ret, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
	return 0;
}

static void add_list(const char *word, const struct strv *given, const struct strv *of_host, struct strbuf *ret)
{
	const struct strv *list = given->n ? given : of_host;

	if (list->n == 0 || (list == given && given->n == 1 && strcmp(given->items[0], ".") == 0))
		return;
	strbuf_adds(ret, word);
	strv_foreach (item, list)
		strbuf_addf(ret, " %s", *item);
	strbuf_adds(ret, "\n");
}

int resolv_conf(const char *host_text, bool host_network, const struct strv *servers, const struct strv *search,
		const struct strv *options, struct strbuf *ret, teu_error **err)
{
	_cleanup_(conf_done) struct conf conf = { .servers = STRV_INIT };
	int r;

	if (host_network && servers->n == 0 && search->n == 0 && options->n == 0) {
		strbuf_adds(ret, host_text);
		return ret->oom ? err_oom(err) : 0;
	}
	r = read_conf(host_text, &conf, err);
	if (r == 0)
		r = add_servers(servers, &conf.servers, host_network, ret, err);
	if (r < 0)
		return r;
	add_list("search", search, &conf.search, ret);
	add_list("options", options, &conf.options, ret);
	return ret->oom ? err_oom(err) : 0;
}
