/* handover: descriptors to keep, the terminal, the pid. */
#include "runtime/handover.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/sockets.h"

enum { FIRST_KEPT = 3 };

static int open_console(struct handover *h, bool terminal, teu_error **err)
{
	bool given = h->console_socket || h->given_console >= 0;

	if (terminal && !given)
		return err_set(err, TEU_E_INVALID,
			       "process.terminal: a terminal needs a console socket to be handed over by");
	if (!terminal && given)
		return err_set(err, TEU_E_INVALID, "a console socket is given, but process.terminal is not true");
	if (!terminal)
		return 0;
	if (h->given_console < 0)
		return socket_connect(h->console_socket, &h->console, err);
	h->console = fcntl(h->given_console, F_DUPFD_CLOEXEC, 3);
	return h->console < 0 ? err_errno(err, errno, "console socket %d", h->given_console) : 0;
}

static int check_kept(struct handover *h, teu_error **err)
{
	int n = h->preserve_fds;

	if (n < 0 || n > HANDOVER_MAX_KEPT)
		return err_set(err, TEU_E_INVALID, "expected 0 to %d descriptors to preserve", HANDOVER_MAX_KEPT);
	for (int fd = FIRST_KEPT; fd < FIRST_KEPT + n; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			return err_set(err, TEU_E_INVALID, "descriptor %d of the %d to preserve is not open", fd, n);
		h->kept[h->n_kept++] = fd;
	}
	return 0;
}

int handover_open(struct handover *h, bool terminal, teu_error **err)
{
	int r = open_console(h, terminal, err);

	return r < 0 ? r : check_kept(h, err);
}

static int write_pid_file(const char *path, int32_t pid, teu_error **err)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return fd_replace_file(AT_FDCWD, path, text, strlen(text), 0644, FD_NO_SYNC, err);
}

int handover_pid(const struct handover *h, int32_t pid, teu_error **err)
{
	int r = h->pidfd_socket ? socket_send_pidfd(h->pidfd_socket, pid, err) : 0;

	return r == 0 && h->pid_file ? write_pid_file(h->pid_file, pid, err) : r;
}

void handover_done(struct handover *h)
{
	cleanup_close(&h->console);
	h->console = -EBADF;
}
