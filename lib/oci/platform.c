/* platform: "os/arch[/variant]" in Go's words. */
#include "oci/platform.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

/* Other spellings: uname's, Debian's. */
static const struct {
	const char *from, *arch, *variant;
} spellings[] = {
	{ "x86_64", "amd64", "" },  { "x86-64", "amd64", "" },
	{ "aarch64", "arm64", "" }, { "i386", "386", "" },
	{ "i486", "386", "" },	    { "i586", "386", "" },
	{ "i686", "386", "" },	    { "armhf", "arm", "v7" },
	{ "armel", "arm", "v6" },   { "armv7l", "arm", "v7" },
	{ "armv6l", "arm", "v6" },  { "armv5tel", "arm", "v5" },
	{ "armv8l", "arm", "v8" },  { "loongarch64", "loong64", "" },
};

static void copy_lower(char word[PLATFORM_WORD], const char *text)
{
	size_t i;

	for (i = 0; text && text[i] && i < PLATFORM_WORD - 1; i++)
		word[i] = (char)tolower((unsigned char)text[i]);
	word[i] = '\0';
}

struct platform platform_of(const char *os, const char *arch, const char *variant)
{
	struct platform p;

	copy_lower(p.os, os && *os ? os : "linux");
	copy_lower(p.arch, arch);
	copy_lower(p.variant, variant);
	if (strcmp(p.os, "macos") == 0)
		strcpy(p.os, "darwin");
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		if (strcmp(p.arch, spellings[i].from) == 0) {
			strcpy(p.arch, spellings[i].arch);
			if (!p.variant[0])
				strcpy(p.variant, spellings[i].variant);
			break;
		}
	if (isdigit((unsigned char)p.variant[0]) && !p.variant[1]) {
		p.variant[1] = p.variant[0];
		p.variant[0] = 'v';
		p.variant[2] = '\0';
	}
	/* v8 is the only arm64 that plain "arm64" could mean, v1 the only amd64; "arm" without a word has long been v7.
	 */
	if (strcmp(p.arch, "arm64") == 0 && strcmp(p.variant, "v8") == 0)
		p.variant[0] = '\0';
	if (strcmp(p.arch, "amd64") == 0 && strcmp(p.variant, "v1") == 0)
		p.variant[0] = '\0';
	if (strcmp(p.arch, "arm") == 0 && !p.variant[0])
		strcpy(p.variant, "v7");
	return p;
}

struct platform platform_host(void)
{
	struct utsname name;

	if (uname(&name) < 0)
		return platform_of("linux", "amd64", NULL);
	return platform_of("linux", name.machine, NULL);
}

static bool word_is_valid(const char *word, size_t len)
{
	if (len == 0 || len >= PLATFORM_WORD)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)word[i]) && !strchr("_.-", word[i]))
			return false;
	return true;
}

static bool is_os(const char *word)
{
	return strcasecmp(word, "linux") == 0 || strcasecmp(word, "windows") == 0 || strcasecmp(word, "freebsd") == 0 ||
	       strcasecmp(word, "darwin") == 0;
}

int platform_parse(const char *text, struct platform *ret, teu_error **err)
{
	char words[3][PLATFORM_WORD] = { "" };
	const char *at = text;
	size_t n = 0;

	if (!text) {
		*ret = platform_host();
		return 0;
	}
	do {
		size_t len = strcspn(at, "/");

		if (n == 3 || !word_is_valid(at, len))
			return err_set(err, TEU_E_INVALID, "platform \"%s\" is not of the form os/arch[/variant]",
				       text);
		memcpy(words[n++], at, len);
		at += len;
	} while (*at++ == '/');
	if (n > 1)
		*ret = platform_of(words[0], words[1], words[2]);
	else if (is_os(words[0]))
		*ret = platform_of(words[0], platform_host().arch, platform_host().variant);
	else
		*ret = platform_of(NULL, words[0], NULL);
	return 0;
}

void platform_format(const struct platform *p, char text[PLATFORM_TEXT])
{
	snprintf(text, PLATFORM_TEXT, "%s/%s%s%s", p->os, p->arch, p->variant[0] ? "/" : "", p->variant);
}

/* "v7" -> 7; plain is the lowest of its architecture: arm64 v8, amd64 v1. */
static int level(const struct platform *p)
{
	if (p->variant[0] == 'v' && isdigit((unsigned char)p->variant[1]) && !p->variant[2])
		return p->variant[1] - '0';
	if (p->variant[0])
		return -1;
	return strcmp(p->arch, "arm64") == 0 ? 8 : 1;
}

int platform_rank(const struct platform *want, const struct platform *have)
{
	int wanted = level(want), there = level(have);

	if (strcmp(want->os, have->os) != 0 || strcmp(want->arch, have->arch) != 0)
		return -1;
	if (strcmp(want->variant, have->variant) == 0)
		return 0;
	if (wanted < 0 || there < 0 || there > wanted)
		return -1;
	return wanted - there;
}
