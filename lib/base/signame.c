/* signame: signals by name. Source: signal(7). */
#include "base/signame.h"

#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"

/* The kernel's first and last real-time signals as container users count them (glibc keeps the first two for itself).
 */
enum { RTMIN = 34, RTMAX = 64 };

static int parse_realtime(const char *name)
{
	uint32_t n = 0;

	if (strncasecmp(name, "RTMIN", 5) == 0) {
		if (name[5] && (name[5] != '+' || !parse_u32(name + 6, &n) || n > RTMAX - RTMIN))
			return -1;
		return RTMIN + (int)n;
	}
	if (name[5] && (name[5] != '-' || !parse_u32(name + 6, &n) || n > RTMAX - RTMIN))
		return -1;
	return RTMAX - (int)n;
}

int signame_parse(const char *text)
{
	uint32_t n;

	if (parse_u32(text, &n))
		return n >= 1 && n <= RTMAX ? (int)n : -1;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	if (strncasecmp(text, "RTMIN", 5) == 0 || strncasecmp(text, "RTMAX", 5) == 0)
		return parse_realtime(text);
	for (int i = 1; i < 32; i++)
		if (sigabbrev_np(i) && strcasecmp(sigabbrev_np(i), text) == 0)
			return i;
	if (strcasecmp(text, "CLD") == 0)
		return SIGCHLD;
	return strcasecmp(text, "IOT") == 0 ? SIGABRT : -1;
}
