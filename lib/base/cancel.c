/* cancel: the token that stops a long call. */
#include "base/cancel.h"

#include <stdatomic.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"

struct teu_cancel {
	atomic_int refs;
	atomic_bool fired;
	int fd; /* eventfd, never read: once fired it stays readable */
};

int teu_cancel_new(teu_cancel **ret_cancel, teu_error **err)
{
	teu_cancel *cancel = calloc(1, sizeof(*cancel));

	if (!cancel)
		return err_oom(err);
	cancel->refs = 1;
	cancel->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cancel->fd < 0) {
		free(cancel);
		return err_errno(err, errno, "eventfd");
	}
	*ret_cancel = cancel;
	return 0;
}

teu_cancel *teu_cancel_ref(teu_cancel *cancel)
{
	if (cancel)
		atomic_fetch_add(&cancel->refs, 1);
	return cancel;
}

void teu_cancel_unref(teu_cancel *cancel)
{
	if (!cancel || atomic_fetch_sub(&cancel->refs, 1) != 1)
		return;
	close(cancel->fd);
	free(cancel);
}

void teu_cancel_fire(teu_cancel *cancel)
{
	int kept = errno;
	uint64_t one = 1;

	if (!cancel)
		return;
	atomic_store(&cancel->fired, true);
	/* It can't fail but on a counter at its end, which is readable already. */
	if (write(cancel->fd, &one, sizeof(one)) < 0)
		errno = kept;
}

int cancel_fd(const teu_cancel *cancel)
{
	return cancel ? cancel->fd : -1;
}

bool cancel_fired(const teu_cancel *cancel)
{
	return cancel && atomic_load(&cancel->fired);
}

int cancel_check(const teu_cancel *cancel, teu_error **err)
{
	return cancel_fired(cancel) ? err_set(err, TEU_E_CANCELLED, "cancelled") : 0;
}
