/*
 * credentials: who we are to a registry, from Docker's config.json ("auths", "credHelpers", "credsStore").
 * Source: docker login, "Credential stores" and "Credential helpers".
 */
#ifndef TEU_REGISTRY_CREDENTIALS_H
#define TEU_REGISTRY_CREDENTIALS_H

#include "base/cancel.h"
#include "base/cleanup.h"

struct credentials {
	char *username, *password; /* owned; NULL: anonymous */
	char *identity_token;	   /* an OAuth refresh token in place of both; owned; NULL: none */
};

/*
 * Those for the registry @host ("docker.io", "localhost:5000") from @file; NULL: $DOCKER_CONFIG/config.json or
 * ~/.docker/config.json, which may be missing. None there is no error: anonymous.
 * TEU_E_NOT_FOUND, @file is missing; TEU_E_CORRUPT or TEU_E_INVALID, it is malformed; those of helper_get().
 */
int credentials_find(const char *file, const char *host, const teu_cancel *cancel, struct credentials *ret,
		     teu_error **err);
void credentials_done(struct credentials *cred);

#endif
