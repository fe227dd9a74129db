/*
 * apparmor: the profile that a container gets where the kernel has AppArmor and nobody asked for another.
 * Source: apparmor(7), apparmor.d(5), apparmor_parser(8).
 */
#ifndef TEU_KERNEL_APPARMOR_H
#define TEU_KERNEL_APPARMOR_H

#include <stdbool.h>

#include "base/err.h"

/* The number grows with the text of the profile, so that a machine with an older one loaded gets the newer. */
#define APPARMOR_DEFAULT "teu-default-1"

/* Can profiles be loaded here: AppArmor is on, its files are mounted, and there is a parser to compile them? */
bool apparmor_usable(void);

/* Loads the default profile unless the kernel has it. Blocks for some 20 ms the first time after a boot. */
int apparmor_load_default(teu_error **err);

#endif
