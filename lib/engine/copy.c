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

/*
 * Passes on what is surely not the begin of the keys. True: they came whole. Bytes held back go out when they turn out
 * to be something else.
 */
static int pass_input(teu_attach *a, struct keys *k, const char *bytes, size_t n, bool *ret_detach, teu_error **err)
{
	size_t want = k->want ? strlen(k->want) : 0, out = 0;
	char text[2 * WIRE_MAX];

	*ret_detach = false;
	for (size_t i = 0; i < n; i++) {
		if (want && bytes[i] == k->want[k->matched]) {
			if (++k->matched == want) {
				*ret_detach = true;
				break;
			}
			continue;
		}
		memcpy(text + out, k->want ? k->want : "", k->matched);
		out += k->matched;
		k->matched = 0;
		if (want && bytes[i] == k->want[0])
			k->matched = 1;
		else
			text[out++] = bytes[i];
	}
	return out ? attach_write(a, text, out, err) : 0;
}

static int copy_input(teu_attach *a, struct keys *k, int *fd, bool *ret_detach, teu_error **err)
{
	char bytes[WIRE_MAX / 2];
	ssize_t n = read(*fd, bytes, sizeof(bytes));

	*ret_detach = false;
	if (n > 0)
		return pass_input(a, k, bytes, (size_t)n, ret_detach, err);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	/* The end, or a terminal that went away. */
	*fd = -1;
	a->stdin_closed = true;
	return attach_send(a, WIRE_STDIN_END, 0, 0, err);
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

int attach_copy(teu_attach *a, const teu_copy_options *opts, int *ret_detached, teu_error **err)
{
	struct keys keys = { .want = opts->detach_keys && *opts->detach_keys ? opts->detach_keys : NULL };
	int in = a->stdin_closed ? -1 : opts->stdin_fd;
	bool end = false, detach = false;
	int r = 0;

	while (r == 0 && !end && !detach) {
		struct pollfd p[3] = { { a->wire, POLLIN, 0 }, { in, POLLIN, 0 }, { opts->wake_fd, POLLIN, 0 } };

		/* What is in the packet already does not show on the socket. */
		if (a->at < a->len) {
			r = copy_output(a, opts, &end, err);
			continue;
		}
		if (poll(p, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_errno(err, errno, "poll");
		}
		if (p[2].revents) {
			*ret_detached = 2;
			return 0;
		}
		if (p[1].revents)
			r = copy_input(a, &keys, &in, &detach, err);
		if (r == 0 && !detach && p[0].revents)
			r = copy_output(a, opts, &end, err);
	}
	if (r == 0)
		*ret_detached = detach ? 1 : 0;
	return r;
}
