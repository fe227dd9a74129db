/*
 * systemd: transient units of a service manager: the system's, or that of the user. The only user of libsystemd.
 * Source: org.freedesktop.systemd1(5), "Manager Object"; systemd.io/CONTROL_GROUP_INTERFACE "Delegation";
 * systemd.resource-control(5).
 */
#ifndef TEU_KERNEL_SYSTEMD_H
#define TEU_KERNEL_SYSTEMD_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/strv.h"

/* A connection to a manager. One thread at a time. */
struct systemd;

/* Was this release built with the headers of libsystemd? */
bool systemd_is_known(void);

/* @user: the manager of the caller's user. TEU_E_UNSUPPORTED: there is none, or no library; which, and what to do. */
int systemd_open(bool user, struct systemd **ret, teu_error **err);
void systemd_close(struct systemd *s);
DEFINE_CLEANUP(struct systemd *, systemd_close)

/* The cgroup that all units of the manager are below: "" is the root. Borrowed. */
const char *systemd_root(const struct systemd *s);

/*
 * Starts a transient unit and waits until it is there. @properties: "Name=value" each, the value as format/gvariant.h
 * reads it; what the manager is too old for is left out. TEU_E_CONFLICT: there is such a unit; TEU_E_INVALID: a value;
 * TEU_E_PERMISSION; TEU_E_TIMEOUT.
 */
int systemd_start(struct systemd *s, const char *unit, const struct strv *properties, teu_error **err);
/* Changes properties of a unit until the next boot. TEU_E_NOT_FOUND. */
int systemd_set(struct systemd *s, const char *unit, const struct strv *properties, teu_error **err);
/* Stops it, waits for that, and forgets how it ended; one that is not there is fine. */
int systemd_stop(struct systemd *s, const char *unit, teu_error **err);
/* Forgets a unit that has failed. */
void systemd_reset(struct systemd *s, const char *unit);

#endif
