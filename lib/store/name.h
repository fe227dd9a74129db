/* name: what people may call a container or a volume: [a-zA-Z0-9][a-zA-Z0-9_.-]+, so it is also a safe file name. */
#ifndef TEU_STORE_NAME_H
#define TEU_STORE_NAME_H

#include <stdbool.h>
#include <string.h>

enum { NAME_MAX_LEN = 255 };

static inline bool name_ok(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t len = strlen(name);

	return len >= 2 && len <= NAME_MAX_LEN && strchr(first, name[0]) && strspn(name, rest) == len;
}

#endif
