/* pass: messages with descriptors over a unix socket. Source: unix(7), SCM_RIGHTS. */
#include "init/sys.h"

struct io {
	const void *base;
	size_t len;
};

struct control { /* struct cmsghdr and one descriptor */
	uint64_t len;
	int level, type;
	int fd, pad;
};

struct message { /* struct msghdr */
	void *name;
	int name_len;
	struct io *io;
	size_t n_io;
	struct control *control;
	size_t control_len;
	int flags;
};

enum { SOL_SOCKET_ = 1, SCM_RIGHTS_ = 1, MSG_CLOEXEC = 0x40000000, CONTROL_LEN = 16 + sizeof(int) };

long pass_send(int sock, const void *bytes, size_t n, int fd)
{
	struct control control = { .len = CONTROL_LEN, .level = SOL_SOCKET_, .type = SCM_RIGHTS_, .fd = fd };
	struct io io = { bytes, n };
	struct message m = { .io = &io, .n_io = 1, .control = &control, .control_len = sizeof(control) };

	if (fd < 0)
		m.control_len = 0;
	return SYS(sendmsg, sock, &m, 0);
}

long pass_receive(int sock, void *bytes, size_t n, int *ret_fd)
{
	struct control control = { .fd = -1 };
	struct io io = { bytes, n };
	struct message m = { .io = &io, .n_io = 1, .control = &control, .control_len = sizeof(control) };
	long r;

	do
		r = SYS(recvmsg, sock, &m, MSG_CLOEXEC);
	while (r == -EINTR);
	*ret_fd = r > 0 && m.control_len >= CONTROL_LEN ? control.fd : -1;
	return r;
}
