/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teu: a container engine as a C library. This header includes all of the public API, one header a domain.
 *
 * Rules that hold everywhere:
 *
 * - Functions return 0 or a negative TEU_E_… code (error.h). The last argument receives an error object that says more; it may
 *   be NULL. Success touches the ret_… arguments only, failure only *err.
 * - A ret_ object is the caller's to give to its …_unref. The const char * of a getter lives as long as its object. A char **ret_
 *   goes to teu_free(). Inputs are copied before the call returns, unless a field says "borrowed".
 * - Options structs begin with their size, set by …_options_init(), a macro that gives the function of its name the size of the caller's
 *   struct (TEU_NO_MACROS: without it), so programs built with an older release go on working. Zero always means the default, and NULL options are the defaults.
 * - An engine serves any thread; every other mutable handle serves one thread at a time.
 * - Times are UTC nanoseconds, sizes are bytes, both in 64 bits. Text is UTF-8.
 * - The library starts processes of its own but never forks the caller's: no signal handler, no change to cwd, umask,
 *   environment or locale, nothing printed, no child reaped that it did not make.
 */
#ifndef TEU_TEU_H
#define TEU_TEU_H

#include <teu/error.h>
#include <teu/engine.h>
#include <teu/image.h>
#include <teu/container.h>
#include <teu/exec.h>
#include <teu/network.h>
#include <teu/volume.h>
#include <teu/cgroup.h>
#include <teu/namespace.h>
#include <teu/runtime.h>
#include <teu/system.h>

#endif
