/* credentials: Docker's config.json. */
#include "registry/credentials.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/fd.h"
#include "format/base64.h"
#include "format/json.h"
#include "registry/helper.h"

enum { MAX_FILE = 1 << 20 };

/* Under which Docker keeps its own registry. */
static const char docker_key[] = "https://index.docker.io/v1/";

/* Does @key of the file mean @host? Old entries are URLs: "https://host/v1/". */
static bool key_is_for(const char *key, const char *host)
{
	static const char *const docker_hosts[] = { "docker.io", "index.docker.io", "registry-1.docker.io" };
	size_t len;

	if (strncasecmp(key, "https://", 8) == 0)
		key += 8;
	else if (strncasecmp(key, "http://", 7) == 0)
		key += 7;
	len = strcspn(key, "/");
	if (strlen(host) == len && strncasecmp(key, host, len) == 0)
		return true;
	for (size_t i = 0; strcmp(host, "docker.io") == 0 && i < ARRAY_SIZE(docker_hosts); i++)
		if (strlen(docker_hosts[i]) == len && strncasecmp(key, docker_hosts[i], len) == 0)
			return true;
	return false;
}

/* The member of @object that is for @host, by its exact name first. */
static const json *find_for_host(const json *object, const char *host)
{
	const json *exact = json_get(object, strcmp(host, "docker.io") == 0 ? docker_key : host);

	if (exact)
		return exact;
	json_foreach_member (child, object)
		if (key_is_for(json_key(child), host))
			return child;
	return NULL;
}

static int take(struct credentials *cred, const char *username, const char *password, teu_error **err)
{
	/* Docker's mark for "the secret is an identity token". */
	if (strcmp(username, "<token>") == 0) {
		cred->identity_token = strdup(password);
		return cred->identity_token ? 0 : err_oom(err);
	}
	cred->username = strdup(username);
	cred->password = strdup(password);
	return cred->username && cred->password ? 0 : err_oom(err);
}

/* "auth": base64 of "user:password". */
static int take_auth(struct credentials *cred, const char *auth, teu_error **err)
{
	_cleanup_free_ char *pair = NULL;
	size_t len;
	char *colon;

	pair = base64_decode(auth, &len);
	colon = pair ? strchr(pair, ':') : NULL;
	if (!colon || strlen(pair) != len)
		return err_set(err, TEU_E_INVALID, "\"auth\" is no base64 of user:password");
	*colon = '\0';
	return take(cred, pair, colon + 1, err);
}

static int from_entry(const json *entry, struct credentials *cred, teu_error **err)
{
	const char *auth = NULL, *username = NULL, *password = "", *identity = NULL;
	int r;

	if (!json_is_object(entry))
		return err_set(err, TEU_E_INVALID, "expected an object");
	r = json_read_string(entry, "", "auth", &auth, err) ?: json_read_string(entry, "", "username", &username, err);
	r = r ?: json_read_string(entry, "", "password", &password, err);
	r = r ?: json_read_string(entry, "", "identitytoken", &identity, err);
	if (r < 0)
		return r;
	if (identity && *identity) {
		cred->identity_token = strdup(identity);
		return cred->identity_token ? 0 : err_oom(err);
	}
	if (auth && *auth)
		return take_auth(cred, auth, err);
	return username && *username ? take(cred, username, password, err) : 0;
}

static int from_helper(const char *name, const char *host, const teu_cancel *cancel, struct credentials *cred,
		       teu_error **err)
{
	_cleanup_json_ json *answer = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_error_ teu_error *why = NULL;
	const char *username, *secret;
	int r;

	r = helper_get(name, strcmp(host, "docker.io") == 0 ? docker_key : host, cancel, &text, &why);
	if (r == TEU_E_NOT_FOUND)
		return 0;
	if (r < 0) {
		if (err && !*err)
			*err = TAKE_PTR(why);
		return r;
	}
	/* The parser's own words might quote the secret. */
	r = json_parse(text, strlen(text), &answer, NULL);
	username = json_get_text(answer, "Username", NULL);
	secret = json_get_text(answer, "Secret", NULL);
	if (r < 0 || !username || !secret)
		return err_set(err, TEU_E_AUTH, "docker-credential-%s: a malformed answer", name);
	return take(cred, username, secret, err);
}

static char *default_file(void)
{
	const char *dir = secure_getenv("DOCKER_CONFIG"), *home = secure_getenv("HOME");
	char *file = NULL;

	if (dir && *dir)
		return asprintf(&file, "%s/config.json", dir) < 0 ? NULL : file;
	return asprintf(&file, "%s/.docker/config.json", home && *home ? home : "/root") < 0 ? NULL : file;
}

static int find_in(const json *config, const char *host, const teu_cancel *cancel, struct credentials *cred,
		   teu_error **err)
{
	const char *helper = json_text(find_for_host(json_get(config, "credHelpers"), host), NULL);
	const json *entry = find_for_host(json_get(config, "auths"), host);
	int r = 0;

	if (!helper)
		helper = json_get_text(config, "credsStore", NULL);
	if (helper && *helper)
		r = from_helper(helper, host, cancel, cred, err);
	if (r == 0 && entry && !cred->username && !cred->identity_token)
		r = err_wrap(err, from_entry(entry, cred, err), "auths.%s", host);
	return r;
}

int credentials_find(const char *file, const char *host, const teu_cancel *cancel, struct credentials *ret,
		     teu_error **err)
{
	_cleanup_(credentials_done) struct credentials cred = { 0 };
	_cleanup_free_ char *text = NULL, *own = file ? NULL : default_file();
	const char *name = file ?: own;
	_cleanup_json_ json *config = NULL;
	size_t len;
	int r;

	if (!name)
		return err_oom(err);
	*ret = (struct credentials){ 0 };
	if (!file && access(name, F_OK) < 0)
		return 0;
	r = fd_read_file(AT_FDCWD, name, MAX_FILE, &text, &len, err);
	if (r < 0)
		return err_wrap(err, r, "credentials");
	r = json_parse(text, len, &config, err) ?: find_in(config, host, cancel, &cred, err);
	if (r < 0)
		return err_wrap(err, r, "credentials file %s", name);
	*ret = cred;
	cred = (struct credentials){ 0 };
	return 0;
}

/* Freed memory keeps no password. */
static void forget(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void credentials_done(struct credentials *cred)
{
	free(cred->username);
	forget(cred->password);
	forget(cred->identity_token);
	*cred = (struct credentials){ 0 };
}
