/*
 * auth: from a registry's 401 to an Authorization header.
 * Sources: RFC 9110, 11.6.1 (WWW-Authenticate); distribution's "Token Authentication Specification" and "OAuth2 Token
 * Authentication"; RFC 7617 (Basic).
 */
#ifndef TEU_REGISTRY_AUTH_H
#define TEU_REGISTRY_AUTH_H

#include "base/strv.h"
#include "registry/credentials.h"
#include "registry/http.h"

enum auth_scheme { AUTH_NONE = 0, AUTH_BASIC = 1, AUTH_BEARER = 2 };

enum { AUTH_MAX_CHALLENGE = 16 << 10, AUTH_MAX_ANSWER = 1 << 20 };

/* What a server asks for; texts are owned, NULL where it said nothing. */
struct auth_challenge {
	enum auth_scheme scheme;
	char *realm, *service, *scope;
};

/*
 * The strongest challenge we know among @headers (values of WWW-Authenticate, each may hold several): Bearer with a
 * realm, then Basic, else AUTH_NONE. Malformed parts are passed over. Fails for lack of memory only.
 */
int auth_parse(const struct strv *headers, struct auth_challenge *ret, teu_error **err);
void auth_challenge_done(struct auth_challenge *challenge);

/*
 * Answers @challenge: Basic from @cred, or a token that @http fetches from the realm. @secure: the registry speaks
 * https, so the realm must too. @scope: what to ask for when the challenge names none. @ret_value: "Bearer …", for the
 * caller to free. TEU_E_AUTH: no credentials, or they were refused; those of http_open(); TEU_E_CORRUPT: a malformed
 * answer.
 */
int auth_answer(struct http *http, const struct auth_challenge *challenge, const struct credentials *cred, bool secure,
		const char *scope, char **ret_value, teu_error **err);

/* "Basic …" of a user name and a password; NULL: no memory. */
char *auth_basic(const char *username, const char *password);

#endif
