/*
 * reports: what the threads of one call tell its caller. Threads post states, the calling thread delivers the latest
 * of each: a slow callback misses states in between, and no queue grows.
 */
#ifndef TEU_ENGINE_REPORTS_H
#define TEU_ENGINE_REPORTS_H

#include <pthread.h>
#include <stdbool.h>

#include <teu/engine.h>

enum { REPORT_ID_MAX = 64, REPORT_TICK_MS = 100 };

struct report {
	char id[REPORT_ID_MAX];
	const char *action; /* static text */
	uint64_t done, total;
	int64_t told_ms; /* when the caller was last woken for it */
	bool changed;	 /* since the caller last heard of it */
};

struct reports {
	pthread_mutex_t lock;
	int fd; /* eventfd: readable when there is something to deliver */
	struct report *items;
	size_t n_items;
	bool ended;
};

int reports_init(struct reports *p, teu_error **err);
void reports_done(struct reports *p);

/* Another thing to tell of; @id is copied, cut to fit. *@ret: its number. Before its first post nothing is delivered.
 */
int reports_add(struct reports *p, const char *id, size_t *ret, teu_error **err);

/* From any thread. Bytes alone wake the caller every REPORT_TICK_MS at most, another @action (static text) always. */
void reports_post(struct reports *p, size_t item, const char *action, uint64_t done, uint64_t total);

/* From any thread: nothing more comes. */
void reports_end(struct reports *p);

/*
 * On the calling thread, when fd is readable: calls @cb (NULL: none) for what changed, under no lock. *@ret_ended:
 * after reports_end(). Returns what made @cb stop: 0, or its non-zero answer.
 */
int reports_deliver(struct reports *p, teu_progress_cb cb, void *data, bool *ret_ended);

#endif
