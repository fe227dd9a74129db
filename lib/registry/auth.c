/* auth: challenges and tokens. */
#include "registry/auth.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/strbuf.h"
#include "format/base64.h"
#include "format/json.h"

/* RFC 9110, 5.6.2 */
static const char token_chars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* Reads a token or a quoted text at @at; moves @at behind it. NULL: there is none, or no memory. */
static char *read_value(const char **at)
{
	struct strbuf b = STRBUF_INIT;
	const char *c = *at;
	size_t len;

	if (*c != '"') {
		len = strspn(c, token_chars);
		*at = c + len;
		return len ? strndup(c, len) : NULL;
	}
	for (c++; *c && *c != '"'; c++) {
		if (*c == '\\' && c[1])
			c++;
		strbuf_add(&b, c, 1);
	}
	*at = *c ? c + 1 : c;
	return strbuf_take(&b);
}

static void take_parameter(struct auth_challenge *c, const char *name, char *value)
{
	char **to = strcasecmp(name, "realm") == 0     ? &c->realm
		    : strcasecmp(name, "service") == 0 ? &c->service
		    : strcasecmp(name, "scope") == 0   ? &c->scope
						       : NULL;

	/* The first counts: a second one is an attack or a mistake. */
	if (to && !*to)
		*to = value;
	else
		free(value);
}

static enum auth_scheme scheme_of(const char *name)
{
	return strcasecmp(name, "bearer") == 0 ? AUTH_BEARER : strcasecmp(name, "basic") == 0 ? AUTH_BASIC : AUTH_NONE;
}

/* Keeps @challenge in @best if it is the stronger one. */
static void keep_stronger(struct auth_challenge *best, struct auth_challenge *challenge)
{
	if (challenge->scheme == AUTH_BEARER && !challenge->realm)
		challenge->scheme = AUTH_NONE;
	if (challenge->scheme > best->scheme) {
		auth_challenge_done(best);
		*best = *challenge;
		*challenge = (struct auth_challenge){ 0 };
	}
	auth_challenge_done(challenge);
}

/*
 * One header: a list of challenges whose parameters are a list as well. A word with "=" behind it is a parameter of the
 * scheme before it, any other begins a new challenge.
 */
static void parse_header(const char *at, struct auth_challenge *best)
{
	struct auth_challenge now = { 0 };

	while (*(at += strspn(at, " \t,"))) {
		_cleanup_free_ char *word = read_value(&at);
		const char *behind = skip_blanks(at);

		if (!word)
			break;
		if (*behind == '=') {
			at = skip_blanks(behind + 1);
			take_parameter(&now, word, read_value(&at));
			/* What is left of a token68 or of a malformed value. */
			at += strcspn(at, " \t,");
		} else {
			keep_stronger(best, &now);
			now.scheme = scheme_of(word);
			at += strcspn(at, " \t,");
		}
	}
	keep_stronger(best, &now);
}

int auth_parse(const struct strv *headers, struct auth_challenge *ret, teu_error **err)
{
	struct auth_challenge best = { 0 };

	if (headers->oom)
		return err_oom(err);
	strv_foreach (header, headers)
		if (strlen(*header) <= AUTH_MAX_CHALLENGE)
			parse_header(*header, &best);
	*ret = best;
	return 0;
}

void auth_challenge_done(struct auth_challenge *challenge)
{
	free(challenge->realm);
	free(challenge->service);
	free(challenge->scope);
	*challenge = (struct auth_challenge){ 0 };
}

char *auth_basic(const char *username, const char *password)
{
	_cleanup_free_ char *pair = NULL, *code = NULL;
	char *value;

	if (asprintf(&pair, "%s:%s", username, password) < 0)
		return NULL;
	code = base64_encode(pair, strlen(pair));
	explicit_bzero(pair, strlen(pair));
	return code && asprintf(&value, "Basic %s", code) >= 0 ? value : NULL;
}

static int answer_basic(const struct credentials *cred, char **ret_value, teu_error **err)
{
	if (!cred->username)
		return err_set(err, TEU_E_AUTH, "a user name and a password are wanted: log in to it");
	*ret_value = auth_basic(cred->username, cred->password);
	return *ret_value ? 0 : err_oom(err);
}

/* A token goes into a header: nothing in it may end that header. */
static bool is_token(const char *text)
{
	const char *c = text;

	while (*c > ' ' && *c < 0x7f)
		c++;
	return *text && !*c;
}

static int read_token(struct http *http, char **ret_value, teu_error **err)
{
	_cleanup_json_ json *answer = NULL;
	_cleanup_free_ char *text = NULL;
	const char *token;
	size_t len;
	int r;

	r = http_read_all(http, AUTH_MAX_ANSWER, &text, &len, err);
	if (r < 0)
		return r;
	/* The parser's own words might quote the token. */
	r = json_parse(text, len, &answer, NULL);
	token = json_get_text(answer, "token", NULL) ?: json_get_text(answer, "access_token", NULL);
	if (r < 0 || !token || !is_token(token))
		return err_set(err, TEU_E_CORRUPT, "its answer holds no token");
	return asprintf(ret_value, "Bearer %s", token) < 0 ? err_oom(err) : 0;
}

/* The OAuth2 way takes a form, the older one a query. */
static int ask_realm(struct http *http, const struct auth_challenge *challenge, const struct credentials *cred,
		     const char *scope, struct http_answer *ret, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf url = STRBUF_INIT, form = STRBUF_INIT;
	_cleanup_free_ char *basic = NULL;
	struct http_request request = { 0 };

	strbuf_adds(&url, challenge->realm);
	if (cred->identity_token) {
		url_add_form(&form, "grant_type", "refresh_token");
		url_add_form(&form, "service", challenge->service ?: "");
		url_add_form(&form, "client_id", "teu");
		url_add_form(&form, "scope", scope);
		url_add_form(&form, "refresh_token", cred->identity_token);
		request.form = form.text;
	} else {
		if (challenge->service)
			url_add_query(&url, "service", challenge->service);
		url_add_query(&url, "scope", scope);
		if (cred->username) {
			url_add_query(&url, "account", cred->username);
			basic = auth_basic(cred->username, cred->password);
		}
		request.authorization = basic;
	}
	if (url.oom || form.oom || (cred->username && !cred->identity_token && !basic))
		return err_oom(err);
	request.url = url.text;
	return http_open(http, &request, ret, err);
}

static int answer_bearer(struct http *http, const struct auth_challenge *challenge, const struct credentials *cred,
			 bool secure, const char *scope, char **ret_value, teu_error **err)
{
	_cleanup_(http_answer_done) struct http_answer answer = { 0 };
	_cleanup_(url_done) struct url realm = { 0 };
	int r;

	r = url_parse(challenge->realm, &realm, err);
	if (r < 0)
		return r;
	if (secure && !realm.https)
		return err_set(err, TEU_E_AUTH, "it speaks plain HTTP, its registry does not: refused");
	r = ask_realm(http, challenge, cred, challenge->scope ?: scope, &answer, err);
	if (r < 0)
		return r;
	if (answer.status == 401 || answer.status == 403)
		return err_set(err, TEU_E_AUTH,
			       cred->username || cred->identity_token ? "the user name or password is wrong"
								      : "it gives no token without a login");
	if (answer.status != 200)
		return err_set(err, TEU_E_NETWORK, "it answers with status %d", answer.status);
	return read_token(http, ret_value, err);
}

int auth_answer(struct http *http, const struct auth_challenge *challenge, const struct credentials *cred, bool secure,
		const char *scope, char **ret_value, teu_error **err)
{
	int r;

	switch (challenge->scheme) {
	case AUTH_BASIC:
		return answer_basic(cred, ret_value, err);
	case AUTH_BEARER:
		r = answer_bearer(http, challenge, cred, secure, scope, ret_value, err);
		return err_wrap(err, r, "token service %.200s", challenge->realm);
	default:
		return err_set(err, TEU_E_AUTH, "it asks for a way of logging in that is not known here");
	}
}
