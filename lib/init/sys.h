/*
 * sys: system calls and the few functions of a C library that the helper needs; it has none. Every call returns its
 * result or -errno.
 */
#ifndef TEU_INIT_SYS_H
#define TEU_INIT_SYS_H

#include <asm/unistd.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(TEU_SIMULATED)
/* tests/fuzz/kernel.c: the helper's steps as a part of a test. */
long sys_call(long nr, long a, long b, long c, long d, long e, long f);
#elif defined(__x86_64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#else
#error "teu's helper speaks x86-64 and aarch64"
#endif

#define SYS_ARGS_(nr, a, b, c, d, e, f, ...)                                                                           \
	sys_call(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define SYS(name, ...) SYS_ARGS_(__NR_##name, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* errno values and flags come from the kernel's own headers, which a program without a C library may include. */
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/stat.h>

#ifndef O_PATH
#define O_PATH 010000000
#endif
#ifndef O_TMPFILE
#define O_TMPFILE 020200000
#endif

enum { SYS_PATH_MAX = 4096 };

size_t str_len(const char *s);
bool str_eq(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);
/* Decimal text to a number; stops at the first other sign. */
uint64_t str_number(const char *s, const char **end);
/* Appends to @out (of @cap bytes), always terminated; false when it did not fit. */
bool str_add(char *out, size_t cap, const char *more);
bool str_add_number(char *out, size_t cap, int64_t n);

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* Fresh zeroed memory from the kernel; NULL: none. */
void *sys_alloc(size_t n);

int sys_open(int dir, const char *path, int flags, int mode);
/* Opens @path as if @root were "/": no link, "..", or race leads out of it. @resolve: further RESOLVE_… flags. */
int sys_open_in(int root, const char *path, int flags, int mode, uint64_t resolve);
long sys_write_all(int fd, const void *bytes, size_t n);
/* Writes one value into the file @path. */
long sys_put(int dir, const char *path, const char *value);
/* Reads at most @cap - 1 bytes of a small file, terminated. */
long sys_get(int dir, const char *path, char *text, size_t cap);
/* Makes file @path hold @text by way of a temporary name beside it. */
long sys_replace(const char *path, const char *text, int mode);
int64_t sys_now_ns(void);

/* pass.c: a message over a unix socket, with a descriptor if @fd is one. *ret_fd: the one that came, or -1. */
long pass_send(int sock, const void *bytes, size_t n, int fd);
long pass_receive(int sock, void *bytes, size_t n, int *ret_fd);

struct pollfd;
/* poll(2); @ms -1: no end. */
long sys_poll(struct pollfd *p, int n, int ms);

#define TRY(call)                                                                                                      \
	do {                                                                                                           \
		long try_ = (call);                                                                                    \
		if (try_ < 0)                                                                                          \
			return try_;                                                                                   \
	} while (0)

#endif
