/* reference: the names of images by Docker's rules. */
#include "oci/reference.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "oci/digest.h"

static const char DEFAULT_HOST[] = "docker.io";
static const char OLD_DEFAULT_HOST[] = "index.docker.io";
static const char OFFICIAL[] = "library/";

enum { MAX_PATH = 255, MAX_TAG = 128, MAX_TEXT = 1024 };

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* Between two alphanumeric runs stands one of ".", "_", "__" or any number of "-". Returns its length, 0: none. */
static size_t separator(const char *at)
{
	if (*at == '.')
		return 1;
	if (*at == '_')
		return at[1] == '_' ? 2 : 1;
	return strspn(at, "-");
}

static bool path_is_valid(const char *path)
{
	for (;;) {
		size_t gap;

		if (!is_lower_alnum(*path))
			return false;
		while (is_lower_alnum(*path))
			path++;
		if (*path == '\0')
			return true;
		gap = *path == '/' ? 1 : separator(path);
		if (gap == 0)
			return false;
		path += gap;
	}
}

static bool port_is_valid(const char *port)
{
	size_t len = strspn(port, "0123456789");

	return len > 0 && len <= 5 && port[len] == '\0' && atoi(port) <= 65535;
}

/* Labels of letters, digits and inner dashes, joined by dots; or an IPv6 address in brackets; then a port may follow.
 */
static bool host_is_valid(const char *host)
{
	if (*host == '[') {
		size_t len = strspn(host + 1, "0123456789abcdefABCDEF:");

		host += 1 + len;
		return len > 1 && *host == ']' && (host[1] == '\0' || (host[1] == ':' && port_is_valid(host + 2)));
	}
	for (;;) {
		if (!is_alnum(*host))
			return false;
		while (is_alnum(*host) || *host == '-')
			host++;
		if (host[-1] == '-')
			return false;
		if (*host == '\0')
			return true;
		if (*host == ':')
			return port_is_valid(host + 1);
		if (*host++ != '.')
			return false;
	}
}

static bool tag_is_valid(const char *tag)
{
	size_t len = 0;

	if (!is_alnum(*tag) && *tag != '_')
		return false;
	while (is_alnum(tag[len]) || tag[len] == '_' || tag[len] == '.' || tag[len] == '-')
		len++;
	return tag[len] == '\0' && len <= MAX_TAG;
}

static bool has_upper(const char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			return true;
	return false;
}

/* Is what stands before the first slash a host? It is when it can't be a path element, or says "localhost". */
static bool is_host(const char *first)
{
	return strpbrk(first, ".:") || strcmp(first, "localhost") == 0 || has_upper(first);
}

/* The parts of one text, cut in place. */
struct parts {
	char *host, *path, *tag, *digest; /* NULL: not there */
};

static struct parts cut(char *text)
{
	struct parts p = { .path = text };
	char *at = strchr(text, '@'), *slash, *colon;

	if (at) {
		*at = '\0';
		p.digest = at + 1;
	}
	slash = strchr(text, '/');
	if (slash) {
		*slash = '\0';
		if (is_host(text)) {
			p.host = text;
			p.path = slash + 1;
		} else {
			*slash = '/';
		}
	}
	colon = strchr(p.path, ':');
	if (colon) {
		*colon = '\0';
		p.tag = colon + 1;
	}
	return p;
}

static int check(const char *text, const struct parts *p, teu_error **err)
{
	/* Docker keeps whole ids and names apart by refusing such names. */
	if (!p->host && !p->tag && !p->digest && strlen(p->path) == DIGEST_HEX_LEN && digest_is_hex(p->path))
		return err_set(err, TEU_E_INVALID,
			       "invalid repository name (%s), cannot specify 64-byte hexadecimal strings", text);
	if (p->host && !host_is_valid(p->host))
		return err_set(err, TEU_E_INVALID, "invalid reference format: \"%s\": \"%s\" is not a host name", text,
			       p->host);
	if (has_upper(p->path))
		return err_set(err, TEU_E_INVALID, "invalid reference format: repository name (%s%s) must be lowercase",
			       !p->host && !strchr(p->path, '/') ? OFFICIAL : "", p->path);
	if (!path_is_valid(p->path))
		return err_set(err, TEU_E_INVALID, "invalid reference format: \"%s\": \"%s\" is not a repository name",
			       text, p->path);
	if (p->tag && !tag_is_valid(p->tag))
		return err_set(err, TEU_E_INVALID, "invalid reference format: \"%s\": \"%s\" is not a tag", text,
			       p->tag);
	if (p->digest && !digest_is_valid(p->digest))
		return err_set(err, TEU_E_INVALID, "invalid reference format: \"%s\": \"%s\" is not a digest", text,
			       p->digest);
	return 0;
}

/* Docker Hub's own images live below library/, and its old name still stands in old scripts. */
static int fill(const struct parts *p, struct reference *ref, teu_error **err)
{
	bool hub = !p->host || strcmp(p->host, DEFAULT_HOST) == 0 || strcmp(p->host, OLD_DEFAULT_HOST) == 0;

	ref->host = strdup(hub ? DEFAULT_HOST : p->host);
	if (asprintf(&ref->path, "%s%s", hub && !strchr(p->path, '/') ? OFFICIAL : "", p->path) < 0)
		ref->path = NULL;
	if (p->tag || !p->digest)
		ref->tag = strdup(p->tag ? p->tag : "latest");
	if (p->digest)
		ref->digest = strdup(p->digest);
	if (!ref->host || !ref->path || (!ref->tag && !ref->digest) || (p->digest && !ref->digest))
		return err_oom(err);
	if (strlen(ref->path) > MAX_PATH)
		return err_set(err, TEU_E_INVALID,
			       "invalid reference format: repository name must not be more than %d characters",
			       MAX_PATH);
	return 0;
}

int reference_parse(const char *text, struct reference *ret, teu_error **err)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	_cleanup_free_ char *copy = NULL;
	struct parts p;
	int r;

	if (!*text)
		return err_set(err, TEU_E_INVALID, "invalid reference format: the name is empty");
	if (strlen(text) > MAX_TEXT)
		return err_set(err, TEU_E_INVALID, "invalid reference format: longer than %d characters", MAX_TEXT);
	copy = strdup(text);
	if (!copy)
		return err_oom(err);
	p = cut(copy);
	r = check(text, &p, err);
	if (r < 0)
		return r;
	r = fill(&p, &ref, err);
	if (r < 0)
		return r;
	*ret = ref;
	ref = (struct reference){ 0 };
	return 0;
}

void reference_done(struct reference *ref)
{
	free(ref->host);
	free(ref->path);
	free(ref->tag);
	free(ref->digest);
	*ref = (struct reference){ 0 };
}

char *reference_format(const struct reference *ref)
{
	char *text;

	if (asprintf(&text, "%s/%s%c%s", ref->host, ref->path, ref->digest ? '@' : ':',
		     ref->digest ? ref->digest : ref->tag) < 0)
		return NULL;
	return text;
}

char *reference_repository(const struct reference *ref)
{
	char *text;

	return asprintf(&text, "%s/%s", ref->host, ref->path) < 0 ? NULL : text;
}

/* "docker.io/a.b/c" must keep its host: "a.b/c" would lose it to a.b. */
static bool starts_with_host(const char *path)
{
	size_t len = strcspn(path, "/");

	return path[len] && (memchr(path, '.', len) || (len == 9 && strncmp(path, "localhost", len) == 0));
}

const char *reference_shorten(const char *normalized)
{
	size_t host = sizeof(DEFAULT_HOST) - 1, official = sizeof(OFFICIAL) - 1;
	const char *path;

	if (strncmp(normalized, DEFAULT_HOST, host) != 0 || normalized[host] != '/')
		return normalized;
	path = normalized + host + 1;
	if (starts_with_host(path))
		return normalized;
	/* library/a/b keeps its library/: "a/b" would mean something else. */
	if (strncmp(path, OFFICIAL, official) == 0 && !strchr(path + official, '/'))
		return path + official;
	return path;
}

char *reference_familiar(const struct reference *ref)
{
	_cleanup_free_ char *text = reference_format(ref);

	return text ? strdup(reference_shorten(text)) : NULL;
}

int reference_normalize(const char *text, char **ret, teu_error **err)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	char *normalized;
	int r = reference_parse(text, &ref, err);

	if (r < 0)
		return r;
	normalized = reference_format(&ref);
	if (!normalized)
		return err_oom(err);
	*ret = normalized;
	return 0;
}
