/*
 * fault CASE KIND N STATE_ROOT RUN_ROOT TAR CGROUP_PARENT: one operation of the library in which the N-th call of a
 * kind fails.
 *
 * CASE: create, start, import, remove, list. KIND: memory (the allocator gives nothing), calls (a system call fails
 * with ENOSPC, EMFILE or EIO). The calls of lib/ come here by the linker's --wrap. Prints "whole COUNT" when there was
 * no N-th, else "hit NAME, CODE: MESSAGE" with code 0 for what is done without. Status 0, or 3 for an error without a
 * message.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <teu/teu.h>

enum kind { NONE, MEMORY, CALLS };

static enum kind armed;
static _Atomic long seen;
static long wanted;
static const char *hit;

static bool fails(enum kind kind, const char *name, int error)
{
	if (kind != armed || atomic_fetch_add(&seen, 1) + 1 != wanted)
		return false;
	hit = name;
	errno = error;
	return true;
}

/* WRAP(kind, errno, what a failure returns, type, name, parameters, arguments) */
#define WRAP(kind, error, failure, type, name, parameters, arguments)                                                  \
	type __real_##name parameters;                                                                                 \
	type __wrap_##name parameters;                                                                                 \
	type __wrap_##name parameters                                                                                  \
	{                                                                                                              \
		return fails(kind, #name, error) ? (failure) : __real_##name arguments;                                \
	}

WRAP(MEMORY, ENOMEM, NULL, void *, malloc, (size_t n), (n))
WRAP(MEMORY, ENOMEM, NULL, void *, calloc, (size_t n, size_t size), (n, size))
WRAP(MEMORY, ENOMEM, NULL, void *, realloc, (void *p, size_t n), (p, n))
WRAP(MEMORY, ENOMEM, NULL, void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size))
WRAP(MEMORY, ENOMEM, NULL, char *, strdup, (const char *s), (s))
WRAP(MEMORY, ENOMEM, NULL, char *, strndup, (const char *s, size_t n), (s, n))
WRAP(MEMORY, ENOMEM, -1, int, vasprintf, (char **s, const char *format, va_list args), (s, format, args))
WRAP(CALLS, EMFILE, -1, int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(CALLS, EMFILE, -1, int, memfd_create, (const char *name, unsigned flags), (name, flags))
WRAP(CALLS, ENOSPC, -1, int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
WRAP(CALLS, EIO, -1, int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
WRAP(CALLS, ENOSPC, -1, int, symlinkat, (const char *to, int dir, const char *path), (to, dir, path))
WRAP(CALLS, ENOSPC, -1, int, linkat, (int d1, const char *p1, int d2, const char *p2, int flags),
     (d1, p1, d2, p2, flags))
WRAP(CALLS, EIO, -1, int, renameat, (int d1, const char *p1, int d2, const char *p2), (d1, p1, d2, p2))
WRAP(CALLS, ENOSPC, -1, ssize_t, write, (int fd, const void *bytes, size_t n), (fd, bytes, n))
WRAP(CALLS, EIO, -1, int, fsync, (int fd), (fd))
WRAP(CALLS, EIO, -1, int, fdatasync, (int fd), (fd))
WRAP(CALLS, EIO, -1, int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(CALLS, ENOBUFS, -1, ssize_t, send, (int fd, const void *bytes, size_t n, int flags), (fd, bytes, n, flags))
WRAP(CALLS, ENOBUFS, -1, ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
WRAP(CALLS, ENOSPC, -1, int, ftruncate, (int fd, off_t size), (fd, size))

int __wrap_asprintf(char **s, const char *format, ...) __attribute__((format(printf, 2, 3)));

int __wrap_asprintf(char **s, const char *format, ...)
{
	va_list args;
	int n;

	if (fails(MEMORY, "asprintf", ENOMEM))
		return -1;
	va_start(args, format);
	n = __real_vasprintf(s, format, args);
	va_end(args);
	return n;
}

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (fails(CALLS, "openat", EMFILE))
		return -1;
	if (flags & (O_CREAT | __O_TMPFILE)) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return __real_openat(dir, path, flags, mode);
}

static char config[512];
static const char *tar;
static teu_container *container;

static int run_create(teu_engine *engine, teu_error **err)
{
	teu_container *made = NULL;
	int r = teu_container_create(engine, config, NULL, &made, err);

	teu_container_unref(made);
	return r;
}

static int run_start(teu_engine *engine, teu_error **err)
{
	(void)engine;
	return teu_container_start(container, NULL, NULL, err);
}

static int run_remove(teu_engine *engine, teu_error **err)
{
	teu_remove_options options;

	(void)engine;
	teu_remove_options_init(&options);
	options.volumes = 1;
	return teu_container_remove(container, &options, err);
}

static int run_import(teu_engine *engine, teu_error **err)
{
	int fd = open(tar, O_RDONLY | O_CLOEXEC), r;
	teu_image *image = NULL;

	r = teu_image_import(engine, fd, "imported", NULL, &image, err);
	close(fd);
	teu_image_unref(image);
	return r;
}

static int run_list(teu_engine *engine, teu_error **err)
{
	teu_container_list *list = NULL;
	char *text = NULL;
	int r = teu_container_list_all(engine, 1, &list, err);

	if (r == 0)
		r = teu_container_list_json(list, &text, err);
	teu_free(text);
	teu_container_list_unref(list);
	return r;
}

static const struct {
	const char *name;
	bool wants_container;
	int (*run)(teu_engine *engine, teu_error **err);
} cases[] = { { "create", false, run_create },
	      { "start", true, run_start },
	      { "remove", true, run_remove },
	      { "import", false, run_import },
	      { "list", true, run_list } };

static int run_case(const char *name, enum kind kind, teu_engine *engine)
{
	teu_error *err = NULL;
	int r = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, name) != 0)
			continue;
		if (cases[i].wants_container && teu_container_create(engine, config, NULL, &container, &err) < 0)
			return 2;
		armed = kind;
		r = cases[i].run(engine, &err);
		armed = NONE;
		teu_container_unref(container);
	}
	if (!hit)
		printf("whole %ld\n", (long)seen);
	else
		printf("hit %s, %d: %s\n", hit, r, r < 0 && err ? teu_error_message(err) : "");
	if ((r < 0) != (err != NULL) || (err && !*teu_error_message(err)) || (r < 0 && !hit))
		r = 3;
	teu_error_unref(err);
	return r == 3 ? 3 : 0;
}

int main(int argc, char **argv)
{
	teu_engine_options options;
	teu_engine *engine = NULL;
	teu_error *err = NULL;
	int r;

	if (argc != 8) {
		fprintf(stderr, "usage: fault CASE memory|calls N STATE_ROOT RUN_ROOT TAR CGROUP_PARENT\n");
		return 2;
	}
	wanted = atol(argv[3]);
	tar = argv[6];
	snprintf(config, sizeof(config),
		 "{\"Image\":\"bb\",\"Cmd\":[\"true\"],\"Volumes\":{\"/data\":{}},\"ExposedPorts\":{\"80/tcp\":{}},"
		 "\"HostConfig\":{\"CgroupParent\":\"%s\",\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"127.0.0.1\","
		 "\"HostPort\":\"18080\"}]}}}",
		 argv[7]);
	teu_engine_options_init(&options);
	options.state_root = argv[4];
	options.run_root = argv[5];
	if (teu_engine_open(&options, &engine, &err) < 0) {
		fprintf(stderr, "fault: %s\n", teu_error_message(err));
		return 2;
	}
	r = run_case(argv[1], strcmp(argv[2], "memory") == 0 ? MEMORY : CALLS, engine);
	teu_engine_unref(engine);
	return r;
}
