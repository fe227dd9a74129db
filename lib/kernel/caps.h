/*
 * caps: names and sets of capabilities; the only user of libcap, which is opened on first use. The names stand in a table of
 * our own, so that no library has to be loaded to start a container.
 */
#ifndef TEU_KERNEL_CAPS_H
#define TEU_KERNEL_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* "CAP_NET_ADMIN", "NET_ADMIN", "net_admin" -> its number; -1: no such capability. */
int caps_number(const char *name);
/* "CAP_NET_ADMIN"; NULL past the last. */
const char *caps_name(int number);
/* Every capability that this kernel has, as a mask; asked once. */
uint64_t caps_all(void);
/* Those of them that this process may hand on: its permitted ones. */
uint64_t caps_own(void);
/* Docker's 14 defaults. */
uint64_t caps_default(void);

#endif
