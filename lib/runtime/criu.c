/* criu: the program that saves and restores processes. Source: criu(8); criu/rpc.proto of its headers. */
#include "runtime/criu.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "format/protobuf.h"
#include "init/wire.h"
#include "runtime/kill.h"
#include "sandbox/compile.h"
#include "sandbox/spawn.h"

extern char **environ;

enum { MAX_MESSAGE = 64 << 10, MAX_LOG = 256 << 10, END_MS = 10000 };

/* criu_req */
enum { REQUEST_TYPE = 1, REQUEST_OPTIONS = 2, REQUEST_NOTIFY_SUCCESS = 3, REQUEST_KEEP_OPEN = 4, REQUEST_FEATURES = 5 };
/* criu_resp, of which the notification has a script and a pid, and what was restored a pid */
enum {
	ANSWER_TYPE = 1,
	ANSWER_SUCCESS = 2,
	ANSWER_RESTORED = 4,
	ANSWER_NOTIFY = 5,
	ANSWER_FEATURES = 8,
	ANSWER_MESSAGE = 9
};
enum { RESTORED_PID = 1, NOTIFY_SCRIPT = 1, NOTIFY_PID = 2 };

struct answer {
	uint64_t type, success;
	char script[64], message[512];
	int32_t pid;
	uint64_t features[3];
	int fd; /* that came along, owned; -EBADF: none */
};

int criu_find(char **ret, teu_error **err)
{
	const char *path = getenv("PATH");

	for (const char *at = path ? path : "/usr/sbin:/usr/bin:/sbin:/bin"; *at; at += strspn(at, ":")) {
		int len = (int)strcspn(at, ":");

		if (asprintf(ret, "%.*s/criu", len, at) < 0)
			return err_oom(err);
		if (*at == '/' && access(*ret, X_OK) == 0)
			return 0;
		free(*ret);
		at += len;
	}
	*ret = NULL;
	return err_set(err, TEU_E_UNSUPPORTED,
		       "the program criu is not in PATH: checkpoint and restore need it (install the package criu)");
}

static int compile(const struct criu_start *how, struct plan *plan, teu_error **err)
{
	_cleanup_(strv_done) struct strv argv = STRV_INIT, env = STRV_INIT;
	_cleanup_free_ char *program = NULL;
	struct bare bare = {
		.argv = &argv,
		.env = &env,
		.namespaces = how->rootfs ? CLONE_NEWNS : 0,
		.bound = how->rootfs,
		.n_keep = 1 + (unsigned)how->n_fds,
		.siblings = how->stays,
	};
	int r = criu_find(&program, err);

	if (r < 0)
		return r;
	strv_add(&argv, program);
	strv_add(&argv, "swrk");
	strv_add(&argv, "3");
	for (char **item = environ; item && *item; item++)
		strv_add(&env, *item);
	return argv.oom || env.oom ? err_oom(err) : compile_bare(&bare, plan, err);
}

int criu_start(const struct criu_start *how, struct criu *ret, teu_error **err)
{
	_cleanup_(plan_done) struct plan plan = { 0 };
	_cleanup_close_ int other = -EBADF;
	int more[1 + CRIU_MAX_FDS], pair[2], r = compile(how, &plan, err);
	struct spawn_fds fds = {
		.alive = -EBADF,
		.join = -EBADF,
		.cgroup = -EBADF,
		.console = -EBADF,
		.stdio = { how->stdio[0], how->stdio[1], how->stdio[2] },
		.more = more,
		.n_more = 1 + how->n_fds,
	};

	if (r < 0)
		return r;
	/* It finds our folders by the credentials of who made the pair. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(err, errno, "socketpair");
	ret->socket = pair[0];
	more[0] = other = pair[1];
	memcpy(more + 1, how->fds, how->n_fds * sizeof(*more));
	r = spawn_launch(&plan, &fds, 0, &ret->wire, &ret->pid, err);
	/* It waits for a request: the number is its own. */
	ret->pidfd = r == 0 ? pidfd_open(ret->pid, 0) : -EBADF;
	return r;
}

static int send_request(const struct criu *c, const struct strbuf *request, teu_error **err)
{
	if (request->oom)
		return err_oom(err);
	if (send(c->socket, request->text, request->len, MSG_NOSIGNAL) < 0)
		return err_errno(err, errno, "speak to criu");
	return 0;
}

/* Passed on as soon as it is known to be no more than a message of its own. */
static void take_text(const struct protobuf_field *f, char *to, size_t cap)
{
	snprintf(to, cap, "%.*s", (int)f->len, f->bytes ? f->bytes : "");
}

static int read_inner(const struct protobuf_field *outer, struct answer *a)
{
	struct protobuf_reader r = { outer->bytes, outer->bytes + outer->len };
	struct protobuf_field f;
	int n;

	if (!outer->bytes)
		return TEU_E_CORRUPT;
	while ((n = protobuf_next(&r, &f)) > 0) {
		if (outer->number == ANSWER_NOTIFY && f.number == NOTIFY_SCRIPT)
			take_text(&f, a->script, sizeof(a->script));
		else if (outer->number == ANSWER_NOTIFY && f.number == NOTIFY_PID)
			a->pid = (int32_t)f.value;
		else if (outer->number == ANSWER_RESTORED && f.number == RESTORED_PID)
			a->pid = (int32_t)f.value;
		else if (outer->number == ANSWER_FEATURES && f.number < 3)
			a->features[f.number] = f.value;
	}
	return n;
}

static int read_answer(const char *bytes, size_t len, struct answer *a)
{
	struct protobuf_reader r = { bytes, bytes + len };
	struct protobuf_field f;
	int n;

	while ((n = protobuf_next(&r, &f)) > 0) {
		if (f.number == ANSWER_TYPE)
			a->type = f.value;
		else if (f.number == ANSWER_SUCCESS)
			a->success = f.value;
		else if (f.number == ANSWER_MESSAGE)
			take_text(&f, a->message, sizeof(a->message));
		else if (f.number == ANSWER_NOTIFY || f.number == ANSWER_RESTORED || f.number == ANSWER_FEATURES)
			n = read_inner(&f, a);
		if (n < 0)
			return n;
	}
	return n;
}

static void take_descriptor(struct msghdr *m, struct answer *a)
{
	struct cmsghdr *h = CMSG_FIRSTHDR(m);

	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&a->fd, CMSG_DATA(h), sizeof(int));
}

static int receive(const struct criu *c, struct answer *a, teu_error **err)
{
	_cleanup_free_ char *bytes = malloc(MAX_MESSAGE);
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec io = { .iov_base = bytes, .iov_len = MAX_MESSAGE };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};
	ssize_t n;

	*a = (struct answer){ .fd = -EBADF };
	if (!bytes)
		return err_oom(err);
	do
		n = recvmsg(c->socket, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != ECONNRESET)
		return err_errno(err, errno, "receive");
	if (n <= 0)
		return err_set(err, TEU_E_SYSTEM, "it ended without an answer");
	take_descriptor(&m, a);
	if (m.msg_flags & MSG_TRUNC || read_answer(bytes, (size_t)n, a) < 0)
		return err_set(err, TEU_E_CORRUPT, "it said what is no message of its protocol");
	return 0;
}

int criu_require(struct criu *c, unsigned feature, const char *name, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf request = STRBUF_INIT, features = STRBUF_INIT;
	struct answer a;
	int r;

	protobuf_bool(&features, feature, true);
	protobuf_int(&request, REQUEST_TYPE, CRIU_FEATURES);
	protobuf_bool(&request, REQUEST_KEEP_OPEN, true);
	protobuf_message(&request, REQUEST_FEATURES, &features);
	r = send_request(c, &request, err);
	if (r == 0)
		r = receive(c, &a, err);
	if (r < 0)
		return err_wrap(err, r, "criu feature check");
	cleanup_close(&a.fd);
	if (!a.success)
		return err_set(err, TEU_E_UNSUPPORTED, "criu feature check failed: run 'criu check' to see why");
	return a.features[feature]
		       ? 0
		       : err_set(err, TEU_E_UNSUPPORTED,
				 "criu is missing features: this kernel, or this release of criu, has no %s", name);
}

static int answer_notification(const struct criu *c, struct answer *a, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf reply = STRBUF_INIT;
	_cleanup_error_ teu_error *lost = NULL;
	int r = c->notify ? c->notify(c->data, a->script, a->pid, a->fd, err) : 0, sent;

	protobuf_int(&reply, REQUEST_TYPE, CRIU_NOTIFY);
	protobuf_bool(&reply, REQUEST_NOTIFY_SUCCESS, r == 0);
	sent = send_request(c, &reply, r < 0 ? &lost : err);
	return r < 0 ? r : sent;
}

/* "(00.012) Error (criu/mount.c:12): mnt: no such mount" -> "mnt: no such mount"; NULL: it tells of no error, or of one
 * only as a consequence. */
static const char *cause_in(char *line)
{
	static const char *const consequences[] = { "FAILED", ") failed with ", "exited, status=", "killed by signal" };
	char *at = strstr(line, "Error ("), *text = at ? strstr(at, "): ") : NULL;

	if (!text)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(consequences); i++)
		if (strstr(text, consequences[i]))
			return NULL;
	return text + 3;
}

/* The end of the log, for free(); NULL: there is none. */
static char *read_tail(int dir_fd, const char *log)
{
	_cleanup_close_ int fd = openat(dir_fd, log, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	char *text;
	ssize_t n;

	if (size < 0 || lseek(fd, size > MAX_LOG ? size - MAX_LOG : 0, SEEK_SET) < 0)
		return NULL;
	text = malloc(MAX_LOG + 1);
	n = text ? fd_read_full(fd, text, MAX_LOG) : -1;
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

/* One line: criu's own last words, and where the others stand. */
static int explain(const struct criu *c, const char *said, teu_error **err)
{
	_cleanup_free_ char *text = read_tail(c->log_dir, c->log);
	char link[64], dir[4096], *rest = text;
	const char *cause = NULL;
	ssize_t n;

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
		const char *found = cause_in(line);

		cause = found ? found : cause;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", c->log_dir);
	n = readlink(link, dir, sizeof(dir) - 1);
	dir[n < 0 ? 0 : n] = '\0';
	return err_set(err, TEU_E_LAUNCH, "%s: criu: %s%s%s%s%s", c->what, cause ? cause : said,
		       text ? ": its log is " : "", text ? dir : "", text ? "/" : "", text ? c->log : "");
}

/* After a notification that failed it takes back what it did, and says that it failed. */
static int await_end(struct criu *c, enum criu_kind kind, struct answer *a, teu_error **err)
{
	_cleanup_error_ teu_error *ignored = NULL, *heard = NULL;
	int r = 0;

	for (;;) {
		if (receive(c, a, &heard) < 0)
			return r < 0 ? r : explain(c, teu_error_message(heard), err);
		if (a->type == CRIU_NOTIFY && a->success) {
			int answered = answer_notification(c, a, r < 0 ? &ignored : err);

			cleanup_close(&a->fd);
			r = r < 0 ? r : answered;
			continue;
		}
		cleanup_close(&a->fd);
		if (r < 0)
			return r;
		if (!a->success)
			return explain(c, *a->message ? a->message : "it failed without a word", err);
		if (a->type != (uint64_t)kind)
			return err_set(err, TEU_E_CORRUPT, "criu answered what it was not asked");
		return 0;
	}
}

int criu_call(struct criu *c, enum criu_kind kind, const struct strbuf *options, int32_t *ret_pid, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf request = STRBUF_INIT;
	struct answer a;
	int r;

	protobuf_int(&request, REQUEST_TYPE, kind);
	protobuf_message(&request, REQUEST_OPTIONS, options);
	r = send_request(c, &request, err);
	if (r == 0)
		r = await_end(c, kind, &a, err);
	if (r == 0 && ret_pid)
		*ret_pid = a.pid;
	return r;
}

/* The helper closes its end when criu has ended. */
static bool has_ended(int wire, int64_t deadline)
{
	struct pollfd p = { .fd = wire, .events = POLLIN };
	struct wire_header m;

	for (;;) {
		int n = poll(&p, 1, clock_left_ms(deadline));

		if (n == 0)
			return false;
		if (n > 0 && wire_receive(wire, &m, sizeof(m), 0) <= 0)
			return true;
	}
}

void criu_done(struct criu *c, int *ret_wire)
{
	cleanup_close(&c->socket);
	if (ret_wire)
		*ret_wire = TAKE_FD(c->wire);
	if (c->wire >= 0 && !has_ended(c->wire, clock_monotonic_ms() + END_MS)) {
		pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
		has_ended(c->wire, clock_monotonic_ms() + END_MS);
	}
	cleanup_close(&c->wire);
	cleanup_close(&c->pidfd);
	*c = CRIU_INIT;
}

void criu_add_pair(struct strbuf *options, enum criu_option option, const char *first, const char *second)
{
	_cleanup_(strbuf_done) struct strbuf pair = STRBUF_INIT;

	protobuf_text(&pair, 1, first);
	protobuf_text(&pair, 2, second);
	protobuf_message(options, option, &pair);
}

void criu_add_inherited(struct strbuf *options, const char *key, int fd)
{
	_cleanup_(strbuf_done) struct strbuf pair = STRBUF_INIT;

	protobuf_text(&pair, 1, key);
	protobuf_int(&pair, 2, fd);
	protobuf_message(options, CRIU_INHERIT_FD, &pair);
}

int criu_add_cgroup_mode(struct strbuf *options, const char *mode, teu_error **err)
{
	static const struct {
		const char *name;
		int number;
	} modes[] = { { "", 6 }, { "ignore", 0 }, { "soft", 3 }, { "full", 4 }, { "strict", 5 } };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (strcmp(mode ? mode : "", modes[i].name) == 0) {
			protobuf_bool(options, CRIU_MANAGE_CGROUPS, true); /* of older releases, without a mode */
			protobuf_int(options, CRIU_MANAGE_CGROUPS_MODE, modes[i].number);
			return 0;
		}
	return err_set(err, TEU_E_INVALID,
		       "invalid manage-cgroups-mode value \"%s\": expected soft, full, strict or ignore", mode);
}
