/* clock: now, deadlines and RFC 3339 text. */
#ifndef TEU_BASE_CLOCK_H
#define TEU_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_now_ns(void);	  /* UTC, since 1970 */
int64_t clock_monotonic_ms(void); /* for deadlines */

/* Milliseconds left until the monotonic @deadline_ms, at least 0; -1 (as poll() takes it) when @deadline_ms is 0: none.
 */
int clock_left_ms(int64_t deadline_ms);

enum { CLOCK_TEXT_MAX = 40 };
/* "2026-01-02T03:04:05.000000006Z"; @ns 0 gives Docker's "0001-01-01T00:00:00Z". */
void clock_format(int64_t ns, char text[CLOCK_TEXT_MAX]);
/* RFC 3339 with any fraction and zone. */
bool clock_parse(const char *text, int64_t *ret_ns);

#endif
