/* sha256: streaming digests by libcrypto, which picks the processor's own SHA instructions. */
#include "format/sha256.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "base/library.h"

static struct {
	EVP_MD_CTX *(*ctx_new)(void);
	void (*ctx_free)(EVP_MD_CTX *);
	const EVP_MD *(*sha256)(void);
	int (*init)(EVP_MD_CTX *, const EVP_MD *, ENGINE *);
	int (*update)(EVP_MD_CTX *, const void *, size_t);
	int (*final)(EVP_MD_CTX *, unsigned char *, unsigned int *);
} crypto;

static const struct library_symbol symbols[] = {
	{ "EVP_MD_CTX_new", &crypto.ctx_new },	{ "EVP_MD_CTX_free", &crypto.ctx_free },
	{ "EVP_sha256", &crypto.sha256 },	{ "EVP_DigestInit_ex", &crypto.init },
	{ "EVP_DigestUpdate", &crypto.update }, { "EVP_DigestFinal_ex", &crypto.final },
};

static struct library libcrypto = {
	.soname = "libcrypto.so.3",
	.package = "libssl3",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

struct sha256 {
	EVP_MD_CTX *ctx;
	bool failed; /* an addition was lost: the digest must match nothing */
};

int sha256_new(struct sha256 **ret, teu_error **err)
{
	_cleanup_(sha256_freep) struct sha256 *h = NULL;
	int r = library_open(&libcrypto, err);

	if (r < 0)
		return r;
	h = calloc(1, sizeof(*h));
	if (!h)
		return err_oom(err);
	h->ctx = crypto.ctx_new();
	if (!h->ctx)
		return err_oom(err);
	if (crypto.init(h->ctx, crypto.sha256(), NULL) != 1)
		return err_set(err, TEU_E_UNSUPPORTED, "libcrypto offers no SHA-256: check its configuration");
	*ret = TAKE_PTR(h);
	return 0;
}

void sha256_add(struct sha256 *h, const void *bytes, size_t len)
{
	if (crypto.update(h->ctx, bytes, len) != 1)
		h->failed = true;
}

void sha256_text(struct sha256 *h, char text[SHA256_TEXT_MAX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	char *at = stpcpy(text, "sha256:");

	if (crypto.final(h->ctx, sum, &len) != 1 || h->failed)
		len = 0;
	for (unsigned int i = 0; i < len; i++) {
		*at++ = digits[sum[i] >> 4];
		*at++ = digits[sum[i] & 15];
	}
	*at = '\0';
}

void sha256_free(struct sha256 *h)
{
	if (!h)
		return;
	if (h->ctx)
		crypto.ctx_free(h->ctx);
	free(h);
}

int sha256_of(const void *bytes, size_t len, char text[SHA256_TEXT_MAX], teu_error **err)
{
	_cleanup_(sha256_freep) struct sha256 *h = NULL;
	int r = sha256_new(&h, err);

	if (r < 0)
		return r;
	sha256_add(h, bytes, len);
	sha256_text(h, text);
	return 0;
}
