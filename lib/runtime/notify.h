/* notify: a service manager's notification socket, passed on to a container. Source: sd_notify(3). */
#ifndef TEU_RUNTIME_NOTIFY_H
#define TEU_RUNTIME_NOTIFY_H

#include "runtime/record.h"

/* Makes a folder for the socket beside the record, and adds its mount and NOTIFY_SOCKET to @spec. */
int notify_prepare(const teu_runtime *runtime, const struct record *record, json *spec, teu_error **err);
/* Opens the socket in it. */
int notify_listen(const struct record *record, int *ret_fd, teu_error **err);
/*
 * Waits until the container says READY=1, or has ended, and tells the manager at @to. Nothing else is passed on: a
 * container must not stop or take over the service. @main: its process is the service's main one from now on.
 */
int notify_pass_on(int fd, const struct record *record, const char *to, bool main, teu_error **err);

#endif
