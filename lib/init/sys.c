/* sys: system calls and the few functions of a C library that the helper needs. */
#include "init/sys.h"

#include <linux/time.h>

size_t str_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool str_eq(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

bool str_starts(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return false;
	return true;
}

uint64_t str_number(const char *s, const char **end)
{
	uint64_t n = 0;

	while (*s >= '0' && *s <= '9')
		n = n * 10 + (uint64_t)(*s++ - '0');
	if (end)
		*end = s;
	return n;
}

bool str_add(char *out, size_t cap, const char *more)
{
	size_t at = str_len(out);

	while (*more && at + 1 < cap)
		out[at++] = *more++;
	out[at] = '\0';
	return *more == '\0';
}

bool str_add_number(char *out, size_t cap, int64_t n)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;
	uint64_t u = n < 0 ? -(uint64_t)n : (uint64_t)n;

	digits[at] = '\0';
	do
		digits[--at] = (char)('0' + u % 10);
	while (u /= 10);
	if (n < 0)
		digits[--at] = '-';
	return str_add(out, cap, digits + at);
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if (t <= f)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	unsigned char *t = to;

	while (n--)
		*t++ = (unsigned char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *sys_alloc(size_t n)
{
	long p = SYS(mmap, 0, n, 3 /* PROT_READ | PROT_WRITE */, 0x22 /* MAP_PRIVATE | MAP_ANONYMOUS */, -1, 0);

	return p < 0 && p > -4096 ? NULL : (void *)p;
}

int sys_open(int dir, const char *path, int flags, int mode)
{
	return (int)SYS(openat, dir, path, flags | O_CLOEXEC, mode);
}

int sys_open_in(int root, const char *path, int flags, int mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? (uint64_t)mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	long fd = -EAGAIN;

	/* EAGAIN: a rename elsewhere raced with a ".." in the walk; the kernel asks to try again. */
	for (int tries = 0; tries < 64 && (fd == -EAGAIN || fd == -EINTR); tries++)
		fd = SYS(openat2, root, path, &how, sizeof(how));
	return (int)fd;
}

long sys_write_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n) {
		long done = SYS(write, fd, at, n);

		if (done == -EINTR)
			continue;
		TRY(done);
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

long sys_put(int dir, const char *path, const char *value)
{
	int fd = sys_open(dir, path, O_WRONLY, 0);
	long r;

	TRY(fd);
	r = SYS(write, fd, value, str_len(value));
	SYS(close, fd);
	return r < 0 ? r : 0;
}

long sys_get(int dir, const char *path, char *text, size_t cap)
{
	int fd = sys_open(dir, path, O_RDONLY, 0);
	size_t n = 0;
	long r;

	text[0] = '\0';
	TRY(fd);
	do {
		r = SYS(read, fd, text + n, cap - 1 - n);
		if (r > 0)
			n += (size_t)r;
	} while (r > 0 || r == -EINTR);
	text[n] = '\0';
	SYS(close, fd);
	return r < 0 ? r : (long)n;
}

long sys_replace(const char *path, const char *text, int mode)
{
	char temporary[SYS_PATH_MAX] = "";
	long r;
	int fd;

	if (!str_add(temporary, sizeof(temporary), path) || !str_add(temporary, sizeof(temporary), ".new"))
		return -ENAMETOOLONG;
	fd = sys_open(AT_FDCWD, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
	TRY(fd);
	r = sys_write_all(fd, text, str_len(text));
	SYS(close, fd);
	if (r == 0)
		r = SYS(renameat2, AT_FDCWD, temporary, AT_FDCWD, path, 0);
	if (r < 0)
		SYS(unlinkat, AT_FDCWD, temporary, 0);
	return r;
}

int64_t sys_now_ns(void)
{
	struct __kernel_timespec t = { 0 };

	SYS(clock_gettime, 0 /* CLOCK_REALTIME */, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

long sys_poll(struct pollfd *p, int n, int ms)
{
	struct __kernel_timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long long)(ms % 1000) * 1000000 };

	return SYS(ppoll, p, n, ms < 0 ? NULL : &t, 0, 0);
}
