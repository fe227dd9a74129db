/* start_files: the three files a container sees instead of the image's. They lie in its folder and are bound into
 * place. */
#include "engine/start_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "network/resolv.h"

enum { MAX_RESOLV = 64 << 10, MAX_HOSTS = 1 << 20 };

/* Kept in place: a running container's mount must go on showing this very file. */
static int put(teu_container *container, const char *name, const struct strbuf *text, teu_error **err)
{
	char path[128];
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (text->oom)
		return err_oom(err);
	snprintf(path, sizeof(path), "containers/%s/%s", container->id, name);
	fd = openat(container->engine->store.root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	if (fd < 0)
		return err_errno(err, errno, "open %s", path);
	r = fd_write_all(fd, text->text ? text->text : "", text->len);
	return r < 0 ? err_errno(err, -r, "write %s", path) : 0;
}

static int read_list(const json *host, const char *key, struct strv *ret, teu_error **err)
{
	return json_read_strings(host, "HostConfig", key, ret, err);
}

/* Better than none: what the resolver on the host's loopback asks itself. */
static void use_upstream(char **text)
{
	char *upstream;

	if (fd_read_file(AT_FDCWD, "/run/systemd/resolve/resolv.conf", MAX_RESOLV, &upstream, NULL, NULL) < 0)
		return;
	free(*text);
	*text = upstream;
}

static int write_resolv(teu_container *container, const json *host, const char *network, teu_error **err)
{
	_cleanup_(strv_done) struct strv servers = STRV_INIT, search = STRV_INIT, options = STRV_INIT;
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *of_host = NULL;
	_cleanup_error_ teu_error *ignored = NULL;
	int r = read_list(host, "Dns", &servers, err);

	if (r == 0)
		r = read_list(host, "DnsSearch", &search, err);
	if (r == 0)
		r = read_list(host, "DnsOptions", &options, err);
	if (r < 0)
		return r;
	fd_read_file(AT_FDCWD, "/etc/resolv.conf", MAX_RESOLV, &of_host, NULL, &ignored);
	if (of_host && strcmp(network, "host") != 0 && resolv_is_stub(of_host))
		use_upstream(&of_host);
	r = resolv_conf(of_host ? of_host : "", strcmp(network, "host") == 0, &servers, &search, &options, &text, err);
	return r < 0 ? r : put(container, "resolv.conf", &text, err);
}

static int write_hosts(teu_container *container, const json *spec, const json *host, const char *network,
		       const struct endpoint *ep, teu_error **err)
{
	_cleanup_(strv_done) struct strv extra = STRV_INIT;
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *of_host = NULL;
	int r = read_list(host, "ExtraHosts", &extra, err);

	if (strcmp(network, "host") == 0)
		fd_read_file(AT_FDCWD, "/etc/hosts", MAX_HOSTS, &of_host, NULL, NULL);
	if (r == 0 && of_host)
		r = resolv_hosts_of_host(of_host, &extra, &text, err);
	else if (r == 0)
		r = resolv_hosts(json_get_text(json_get(container->record, "Config"), "Hostname", ""),
				 json_get_text(spec, "domainname", NULL), ep ? ep->address : NULL,
				 ep ? ep->gateway : NULL, &extra, &text, err);
	return r < 0 ? r : put(container, "hosts", &text, err);
}

/* Who shares a network shares its names, too: copies of the other container's files. */
static int copy_files(teu_container *container, const char *other, teu_error **err)
{
	static const char *const names[] = { "hostname", "hosts", "resolv.conf" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
		_cleanup_free_ char *bytes = NULL;
		char path[128];
		int r;

		snprintf(path, sizeof(path), "containers/%s/%s", other, names[i]);
		r = fd_read_file(container->engine->store.root_fd, path, MAX_HOSTS, &bytes, NULL, err);
		if (r < 0)
			return r;
		strbuf_addf(&text, "%s", bytes);
		r = put(container, names[i], &text, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int start_write_files(teu_container *container, const json *spec, const char *network, const struct endpoint *ep,
		      teu_error **err)
{
	const json *host = json_get(container->record, "HostConfig");
	_cleanup_(strbuf_done) struct strbuf name = STRBUF_INIT;
	int r;

	if (strncmp(network, "container:", strlen("container:")) == 0)
		return copy_files(container, network + strlen("container:"), err);
	strbuf_addf(&name, "%s\n", json_get_text(json_get(container->record, "Config"), "Hostname", ""));
	r = put(container, "hostname", &name, err);
	if (r == 0)
		r = write_hosts(container, spec, host, network, ep, err);
	return r < 0 ? r : write_resolv(container, host, network, err);
}
