/* lock: whole-file locks between processes and threads. */
#include "base/lock.h"

#include <fcntl.h>
#include <poll.h>

#include "base/cleanup.h"

enum { BEAT_MS = 50 };

static int take(int dir_fd, const char *name, enum lock_mode mode, int command, int *ret_fd, teu_error **err)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct flock whole = { .l_type = mode == LOCK_SHARED ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0)
		return err_errno(err, errno, "open lock %s", name);
	while (fcntl(fd, command, &whole) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == EACCES)
			return err_set(err, TEU_E_CONFLICT, "%s is locked by another process", name);
		return err_errno(err, errno, "lock %s", name);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int lock_take(int dir_fd, const char *name, enum lock_mode mode, int *ret_fd, teu_error **err)
{
	return take(dir_fd, name, mode, F_OFD_SETLKW, ret_fd, err);
}

/*
 * A blocking fcntl() could be woken by a signal only, and the kernel tells nobody when a lock is free: so the wait is
 * for the token, with a look at the lock at each beat.
 */
int lock_take_unless(int dir_fd, const char *name, enum lock_mode mode, const teu_cancel *cancel, int *ret_fd,
		     teu_error **err)
{
	struct pollfd stop = { .fd = cancel_fd(cancel), .events = POLLIN };

	if (!cancel)
		return lock_take(dir_fd, name, mode, ret_fd, err);
	for (;;) {
		_cleanup_error_ teu_error *why = NULL;
		int r = lock_try(dir_fd, name, mode, ret_fd, &why);

		if (r != TEU_E_CONFLICT) {
			if (r < 0 && err && !*err)
				*err = TAKE_PTR(why);
			return r;
		}
		poll(&stop, 1, BEAT_MS);
		r = cancel_check(cancel, err);
		if (r < 0)
			return r;
	}
}

int lock_try(int dir_fd, const char *name, enum lock_mode mode, int *ret_fd, teu_error **err)
{
	return take(dir_fd, name, mode, F_OFD_SETLK, ret_fd, err);
}

int lock_look(int dir_fd, const char *name, teu_error **err)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC);
	struct flock probe = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EISDIR
			       ? 0
			       : err_errno(err, errno, "open lock %s", name);
	if (fcntl(fd, F_OFD_GETLK, &probe) < 0)
		return err_errno(err, errno, "look at lock %s", name);
	return probe.l_type != F_UNLCK;
}

bool lock_is_held(int dir_fd, const char *name)
{
	return lock_look(dir_fd, name, NULL) != 0;
}
