/* reports: what the threads of one call tell its caller. */
#include "engine/reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

int reports_init(struct reports *p, teu_error **err)
{
	*p = (struct reports){ .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	if (p->fd < 0)
		return err_errno(err, errno, "eventfd");
	pthread_mutex_init(&p->lock, NULL);
	return 0;
}

void reports_done(struct reports *p)
{
	if (p->fd < 0)
		return;
	close(p->fd);
	pthread_mutex_destroy(&p->lock);
	free(p->items);
	*p = (struct reports){ .fd = -EBADF };
}

static void wake(struct reports *p)
{
	uint64_t one = 1;

	/* It fails only where the counter is at its end: readable anyway. */
	if (write(p->fd, &one, sizeof(one)) < 0)
		return;
}

int reports_add(struct reports *p, const char *id, size_t *ret, teu_error **err)
{
	struct report *grown;
	int r = 0;

	pthread_mutex_lock(&p->lock);
	grown = reallocarray(p->items, p->n_items + 1, sizeof(*grown));
	if (grown) {
		p->items = grown;
		p->items[p->n_items] = (struct report){ .action = "" };
		snprintf(p->items[p->n_items].id, REPORT_ID_MAX, "%s", id);
		*ret = p->n_items++;
	} else {
		r = err_oom(err);
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}

void reports_post(struct reports *p, size_t item, const char *action, uint64_t done, uint64_t total)
{
	int64_t now = clock_monotonic_ms();
	struct report *it;

	pthread_mutex_lock(&p->lock);
	it = &p->items[item];
	if (strcmp(it->action, action) != 0 || now - it->told_ms >= REPORT_TICK_MS) {
		it->told_ms = now;
		wake(p);
	}
	it->action = action;
	it->done = done;
	it->total = total;
	it->changed = true;
	pthread_mutex_unlock(&p->lock);
}

void reports_end(struct reports *p)
{
	pthread_mutex_lock(&p->lock);
	p->ended = true;
	wake(p);
	pthread_mutex_unlock(&p->lock);
}

/* A copy of item @i if it changed. */
static bool take_change(struct reports *p, size_t i, struct report *ret)
{
	bool changed;

	pthread_mutex_lock(&p->lock);
	changed = i < p->n_items && p->items[i].changed;
	if (changed) {
		p->items[i].changed = false;
		*ret = p->items[i];
	}
	pthread_mutex_unlock(&p->lock);
	return changed;
}

int reports_deliver(struct reports *p, teu_progress_cb cb, void *data, bool *ret_ended)
{
	struct report item;
	uint64_t count;
	size_t n;

	if (read(p->fd, &count, sizeof(count)) < 0)
		count = 0;
	pthread_mutex_lock(&p->lock);
	*ret_ended = p->ended;
	n = p->n_items;
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; cb && i < n; i++) {
		teu_progress told;
		int r;

		if (!take_change(p, i, &item))
			continue;
		told = (teu_progress){ .id = item.id, .action = item.action, .done = item.done, .total = item.total };
		r = cb(&told, data);
		if (r)
			return r;
	}
	return 0;
}
