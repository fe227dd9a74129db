/* platform: "os/arch[/variant]" in Go's words. Source: image-spec image-index.md, "platform", and its table of
 * variants. */
#ifndef TEU_OCI_PLATFORM_H
#define TEU_OCI_PLATFORM_H

#include "base/err.h"

enum { PLATFORM_WORD = 32, PLATFORM_TEXT = 100 };

struct platform {
	char os[PLATFORM_WORD];
	char arch[PLATFORM_WORD];
	char variant[PLATFORM_WORD]; /* "" where the architecture has one only; arm always has one */
};

/* What this machine runs. */
struct platform platform_host(void);

/* "linux/arm/v7", "arm64" (os: linux), "linux/x86_64"; NULL: this host's. TEU_E_INVALID. */
int platform_parse(const char *text, struct platform *ret, teu_error **err);
/* From a document's fields, any of them NULL; brings other spellings to ours. */
struct platform platform_of(const char *os, const char *arch, const char *variant);
void platform_format(const struct platform *platform, char text[PLATFORM_TEXT]);

/*
 * How well @have serves where @want is asked for: 0 is the very same, larger is a lesser variant that runs there too
 * (arm v7 runs v6 and v5), -1 does not run.
 */
int platform_rank(const struct platform *want, const struct platform *have);

#endif
