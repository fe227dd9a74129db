/* signals: their names. */
#include "engine/signals.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"

static int real_time(const char *name)
{
	uint32_t n = 0;

	if (strncasecmp(name, "RTMIN", 5) == 0 && (name[5] == '\0' || (name[5] == '+' && parse_u32(name + 6, &n))))
		return n <= (uint32_t)(SIGRTMAX - SIGRTMIN) ? SIGRTMIN + (int)n : -1;
	if (strncasecmp(name, "RTMAX", 5) == 0 && (name[5] == '\0' || (name[5] == '-' && parse_u32(name + 6, &n))))
		return n <= (uint32_t)(SIGRTMAX - SIGRTMIN) ? SIGRTMAX - (int)n : -1;
	return -1;
}

int signal_number(const char *name)
{
	uint32_t n;

	if (parse_u32(name, &n))
		return n > 0 && n <= 64 ? (int)n : -1;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (int i = 1; i < 32; i++) {
		const char *known = sigabbrev_np(i);

		if (known && strcasecmp(known, name) == 0)
			return i;
	}
	return real_time(name);
}
