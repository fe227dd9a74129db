/*
 * logs: reads what a monitor wrote: a JSON line a record (init/log.c). Following waits on inotify for more and on the
 * monitor's socket for the end; nothing is polled by time.
 */
#include "engine/logs.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/strbuf.h"
#include "engine/attach.h"
#include "sandbox/spawn.h"

enum { BLOCK = 64 << 10, MAX_LINE = 1 << 20 };

struct reader {
	int fd;
	struct strbuf rest; /* the begin of a line whose end is not written yet */
	struct strbuf text; /* of the last record */
	const teu_logs_options *opts;
	teu_log_record_cb cb;
	void *data;
	bool past_until;
};

static void reader_done(struct reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	strbuf_done(&r->rest);
	strbuf_done(&r->text);
}

/* A code point of the basic plane as UTF-8. */
static void add_sign(struct strbuf *text, unsigned code)
{
	const unsigned char last = (unsigned char)(0x80 | (code & 0x3f));
	const unsigned char three[] = { (unsigned char)(0xe0 | code >> 12), (unsigned char)(0x80 | (code >> 6 & 0x3f)),
					last };
	const unsigned char two[] = { (unsigned char)(0xc0 | (code >> 6 & 0x1f)), last };
	const unsigned char one = (unsigned char)code;

	if (code < 0x80)
		strbuf_add(text, &one, 1);
	else if (code < 0x800)
		strbuf_add(text, two, sizeof(two));
	else
		strbuf_add(text, three, sizeof(three));
}

/* What stands behind a backslash; returns what follows it, NULL: nothing that JSON knows. */
static const char *unescape_one(const char *at, struct strbuf *text)
{
	static const char from[] = "nrtbf\"\\/", to[] = "\n\r\t\b\f\"\\/";
	const char *known = *at ? strchr(from, *at) : NULL;
	char digits[5] = "";

	if (known) {
		strbuf_add(text, &to[known - from], 1);
		return at + 1;
	}
	if (*at != 'u' || strspn(at + 1, "0123456789abcdefABCDEF") < 4)
		return NULL;
	memcpy(digits, at + 1, 4);
	add_sign(text, (unsigned)strtoul(digits, NULL, 16));
	return at + 5;
}

/* The string that begins at @at, with the NUL bytes that a C string could not hold; returns its closing quote, NULL: it
 * has none. @at is terminated. */
static const char *unescape(const char *at, struct strbuf *text)
{
	strbuf_reset(text);
	while (at && *at && *at != '"') {
		size_t plain = strcspn(at, "\"\\");

		strbuf_add(text, at, plain);
		at += plain;
		if (*at == '\\')
			at = unescape_one(at + 1, text);
	}
	return at && *at ? at : NULL;
}

/* The text goes into r->text, the other fields become *ret. */
static bool parse_record(struct reader *r, const char *line, json **ret)
{
	static const char begin[] = "{\"log\":\"";
	_cleanup_(strbuf_done) struct strbuf others = STRBUF_INIT;
	_cleanup_error_ teu_error *ignored = NULL;
	const char *end = strncmp(line, begin, strlen(begin)) == 0 ? unescape(line + strlen(begin), &r->text) : NULL;

	if (!end || end[1] != ',')
		return false;
	strbuf_addf(&others, "{%s", end + 2);
	return !others.oom && !r->text.oom && json_parse(others.text, others.len, ret, &ignored) == 0;
}

/* One line. A record that can't be read (a disk that was full) is passed over. */
static int deliver(struct reader *r, const char *line, teu_error **err)
{
	_cleanup_json_ json *v = NULL;
	teu_log_record record = { 0 };

	if (!parse_record(r, line, &v))
		return 0;
	record.text = r->text.text ? r->text.text : "";
	record.len = r->text.len;
	record.stream = strcmp(json_get_text(v, "stream", ""), "stderr") == 0 ? TEU_STDERR : TEU_STDOUT;
	clock_parse(json_get_text(v, "time", ""), &record.time_ns);
	if (r->opts->since_ns && record.time_ns < r->opts->since_ns)
		return 0;
	if (r->opts->until_ns && record.time_ns > r->opts->until_ns) {
		r->past_until = true;
		return 0;
	}
	return r->cb(&record, r->data) ? err_set(err, TEU_E_CANCELLED, "stopped by the caller") : 0;
}

/* Everything up to the end of the file as it is now. */
static int read_all(struct reader *r, teu_error **err)
{
	char block[BLOCK];
	ssize_t n;

	while ((n = read(r->fd, block, sizeof(block))) > 0) {
		char *at = block, *end = block + n, *line_end;

		while ((line_end = memchr(at, '\n', (size_t)(end - at)))) {
			int status;

			strbuf_add(&r->rest, at, (size_t)(line_end - at));
			if (r->rest.oom)
				return err_oom(err);
			status = deliver(r, r->rest.text ? r->rest.text : "", err);
			if (status < 0 || r->past_until)
				return status;
			strbuf_reset(&r->rest);
			at = line_end + 1;
			status = cancel_check(r->opts->cancel, err);
			if (status < 0)
				return status;
		}
		if (r->rest.len > MAX_LINE)
			strbuf_reset(&r->rest);
		strbuf_add(&r->rest, at, (size_t)(end - at));
	}
	return n < 0 ? err_errno(err, errno, "read the log") : 0;
}

/* Puts the reader where the last @lines begin: blocks are looked at from the end. */
static int seek_tail(struct reader *r, int64_t lines, teu_error **err)
{
	char block[BLOCK];
	off_t at = lseek(r->fd, 0, SEEK_END), end = at;

	if (lines < 0)
		return 0;
	while (at > 0) {
		size_t part = at < BLOCK ? (size_t)at : BLOCK;
		ssize_t n;

		at -= (off_t)part;
		n = pread(r->fd, block, part, at);
		if (n < 0)
			return err_errno(err, errno, "read the log");
		for (ssize_t i = n - 1; i >= 0; i--)
			if (block[i] == '\n' && at + i + 1 < end && --lines == 0) {
				lseek(r->fd, at + i + 1, SEEK_SET);
				return 0;
			}
	}
	lseek(r->fd, 0, SEEK_SET);
	return 0;
}

/* True when the wire's other end has told of the end, or is gone. */
static bool ended(int wire)
{
	struct wire_header m;
	ssize_t n = wire_receive(wire, &m, sizeof(m), MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN) || (n >= (ssize_t)sizeof(m) && m.type == WIRE_EXIT);
}

static int follow(struct reader *r, int wire, int watch, teu_error **err)
{
	char events[4096];
	bool end = false;

	while (!end && !r->past_until) {
		struct pollfd p[3] = { { watch, POLLIN, 0 },
				       { wire, POLLIN, 0 },
				       { cancel_fd(r->opts->cancel), POLLIN, 0 } };
		int status = read_all(r, err);

		if (status < 0)
			return status;
		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return err_errno(err, errno, "poll");
		if (p[2].revents)
			return cancel_check(r->opts->cancel, err);
		if (p[0].revents && read(watch, events, sizeof(events)) < 0 && errno != EINTR)
			return err_errno(err, errno, "read inotify");
		if (p[1].revents)
			end = ended(wire);
	}
	return read_all(r, err);
}

static int open_log(teu_container *c, bool make, int *ret_fd, char path[200], teu_error **err)
{
	snprintf(path, 200, "containers/%s/%s-json.log", c->id, c->id);
	*ret_fd = openat(c->engine->store.root_fd, path, O_RDONLY | O_CLOEXEC | (make ? O_CREAT : 0), 0640);
	if (*ret_fd < 0 && errno != ENOENT)
		return err_errno(err, errno, "open the log of container %s", c->name);
	return 0;
}

int container_logs(teu_container *c, const teu_logs_options *opts, teu_log_record_cb cb, void *data, teu_error **err)
{
	_cleanup_(reader_done) struct reader r = { .fd = -EBADF, .opts = opts, .cb = cb, .data = data };
	_cleanup_close_ int wire = -EBADF, watch = -EBADF;
	_cleanup_error_ teu_error *not_running = NULL;
	_cleanup_free_ char *whole = NULL;
	char path[200];
	bool live = opts->follow && attach_connect(c, 0, &wire, &not_running) == 0;
	int status;

	if (strcmp(json_get_text(json_find(c->record, "HostConfig.LogConfig"), "Type", ""), "none") == 0)
		return err_set(err, TEU_E_UNSUPPORTED, "container %s keeps no log: its log driver is none", c->name);
	status = open_log(c, live, &r.fd, path, err);
	if (status < 0 || r.fd < 0)
		return status;
	if (live) {
		watch = inotify_init1(IN_CLOEXEC);
		if (asprintf(&whole, "%s/%s", c->engine->store.root, path) < 0)
			return err_oom(err);
		if (watch < 0 || inotify_add_watch(watch, whole, IN_MODIFY) < 0)
			return err_errno(err, errno, "watch the log of container %s", c->name);
	}
	if (opts->tail) {
		status = seek_tail(&r, opts->tail, err);
		if (status < 0)
			return status;
	}
	return live ? follow(&r, wire, watch, err) : read_all(&r, err);
}
