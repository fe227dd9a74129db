/* status: a container's state in words, as ps shows it. */
#ifndef TEU_ENGINE_STATUS_H
#define TEU_ENGINE_STATUS_H

#include <stdint.h>

#include "store/state.h"

/* "running": Docker's word for a state. */
const char *status_word(enum teu_container_state state);

enum { STATUS_MAX = 96 };

/* "Up 3 minutes", "Exited (0) 2 hours ago", "Created". */
void status_text(const struct container_state *state, int64_t now_ns, char text[STATUS_MAX]);

/* "About an hour", "3 minutes". */
void status_duration(int64_t ns, char *text, size_t size);

#endif
