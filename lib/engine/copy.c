/* copy: teu_attach_copy(): between an attachment and the caller's descriptors, until the process ends or the detach
 * keys come. */
#include "engine/copy.h"

#include <poll.h>
#include <string.h>

#include "base/fd.h"

/* Matches the detach keys in what is typed, over several reads. */
struct keys {
	const char *want;
	size_t matched;
};

/* What the caller typed and the monitor has not taken yet. While there is some, no more is read. */
struct held {
	char bytes[WIRE_MAX];
	size_t at, n;
	bool end; /* of the caller's input; told when all before it is sent */
};

/* A piece may grow by what was held back as the begin of the keys. */
enum { MAX_KEYS = 256, PIECE = WIRE_MAX - MAX_KEYS };

/*
 * Holds what is surely not the begin of the keys. True: they came whole. Bytes held back go out when they turn out to
 * be something else.
 */
static bool hold_input(struct held *h, struct keys *k, const char *bytes, size_t n)
{
	size_t want = k->want ? strlen(k->want) : 0;

	h->at = h->n = 0;
	for (size_t i = 0; i < n; i++) {
		if (want && bytes[i] == k->want[k->matched]) {
			if (++k->matched == want)
				return true;
			continue;
		}
		memcpy(h->bytes + h->n, want ? k->want : "", k->matched);
		h->n += k->matched;
		k->matched = 0;
		if (want && bytes[i] == k->want[0])
			k->matched = 1;
		else
			h->bytes[h->n++] = bytes[i];
	}
	return false;
}

static bool read_input(struct held *h, struct keys *k, int *fd)
{
	char bytes[PIECE];
	ssize_t n = read(*fd, bytes, sizeof(bytes));

	if (n > 0)
		return hold_input(h, k, bytes, (size_t)n);
	if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		/* The end, or a terminal that went away. */
		*fd = -1;
		h->end = true;
	}
	return false;
}

/* Never blocks: a process that writes more than it reads would wait for us to read, as we for it. */
static int send_held(teu_attach *a, struct held *h, teu_error **err)
{
	int r = 0;

	if (h->at < h->n) {
		r = attach_try_write(a, h->bytes + h->at, h->n - h->at, err);
		h->at += r > 0 ? (size_t)r : 0;
	}
	if (r >= 0 && h->at == h->n && h->end)
		h->end = !attach_try_end(a);
	return r < 0 ? r : 0;
}

static int copy_output(teu_attach *a, const teu_copy_options *opts, bool *ret_end, teu_error **err)
{
	char bytes[WIRE_MAX];
	int32_t stream;
	size_t n;
	int fd, r = attach_read(a, &stream, bytes, sizeof(bytes), &n, err);

	if (r < 0)
		return r;
	*ret_end = n == 0;
	fd = stream == TEU_STDERR ? opts->stderr_fd : opts->stdout_fd;
	if (n && fd >= 0) {
		r = fd_write_all(fd, bytes, n);
		if (r < 0 && r != -EPIPE)
			return err_errno(err, -r, "write the output of the container");
	}
	return 0;
}

enum { GO_ON, ENDED, WOKEN, DETACHED };

/* Waits, then carries what there is either way. */
static int turn(teu_attach *a, const teu_copy_options *opts, struct held *h, struct keys *k, int *in, int *ret_how,
		teu_error **err)
{
	bool holds = h->at < h->n || h->end, end = false;
	struct pollfd p[3] = { { a->wire, (short)(POLLIN | (holds ? POLLOUT : 0)), 0 },
			       { holds ? -1 : *in, POLLIN, 0 },
			       { opts->wake_fd, POLLIN, 0 } };
	int r = 0;

	if (poll(p, 3, -1) < 0)
		return errno == EINTR ? 0 : err_errno(err, errno, "poll");
	if (p[2].revents) {
		*ret_how = WOKEN;
		return 0;
	}
	if (p[1].revents && read_input(h, k, in))
		*ret_how = DETACHED;
	if (p[1].revents || p[0].revents & POLLOUT)
		r = send_held(a, h, err);
	if (r == 0 && *ret_how == GO_ON && p[0].revents & ~POLLOUT)
		r = copy_output(a, opts, &end, err);
	if (end)
		*ret_how = ENDED;
	return r;
}

int attach_copy(teu_attach *a, const teu_copy_options *opts, int *ret_detached, teu_error **err)
{
	static const int answers[] = { [ENDED] = 0, [WOKEN] = 2, [DETACHED] = 1 };
	struct keys keys = { .want = opts->detach_keys && *opts->detach_keys ? opts->detach_keys : NULL };
	struct held held = { 0 };
	int in = a->stdin_closed ? -1 : opts->stdin_fd, how = GO_ON, r = 0;

	if (keys.want && strlen(keys.want) > MAX_KEYS)
		return err_set(err, TEU_E_INVALID, "more than %d detach keys", MAX_KEYS);
	while (r == 0 && how == GO_ON) {
		bool end = false;

		/* What is in the packet already does not show on the socket. */
		if (a->at == a->len) {
			r = turn(a, opts, &held, &keys, &in, &how, err);
			continue;
		}
		r = copy_output(a, opts, &end, err);
		if (end)
			how = ENDED;
	}
	if (r == 0)
		*ret_detached = answers[how];
	return r;
}
