/* sockets: what is handed over to others by unix sockets. Source: unix(7), SCM_RIGHTS. */
#include "runtime/sockets.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"

/* Names longer than an address holds are reached through a descriptor of their own. */
static int address_of(const char *path, int file, struct sockaddr_un *a)
{
	int n;

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = strlen(path) < sizeof(a->sun_path) ? snprintf(a->sun_path, sizeof(a->sun_path), "%s", path)
					       : snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d", file);
	return n > 0 ? 0 : -EINVAL;
}

int socket_connect(const char *path, int *ret_fd, teu_error **err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), file = open(path, O_PATH | O_CLOEXEC);
	struct sockaddr_un a;

	if (fd < 0)
		return err_errno(err, errno, "socket");
	if (file < 0)
		return err_errno(err, errno, "open the socket %s", path);
	address_of(path, file, &a);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_errno(err, errno, "connect to the socket %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int socket_send_fd(int socket, const char *text, int fd, teu_error **err)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { .iov_base = (char *)(uintptr_t)text, .iov_len = strlen(text) };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	return sendmsg(socket, &m, MSG_NOSIGNAL) < 0 ? err_errno(err, errno, "send a descriptor") : 0;
}

int socket_send_pidfd(const char *path, int32_t pid, teu_error **err)
{
	_cleanup_close_ int fd = -EBADF, pidfd = pidfd_open(pid, 0);
	char text[16];
	int r;

	if (pidfd < 0)
		return err_errno(err, errno, "pidfd_open %d", pid);
	r = socket_connect(path, &fd, err);
	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "%d", pid);
	r = socket_send_fd(fd, text, pidfd, err);
	return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}
