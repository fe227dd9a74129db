/* sockets: what is handed over to others by unix sockets. */
#ifndef TEU_RUNTIME_SOCKETS_H
#define TEU_RUNTIME_SOCKETS_H

#include "base/err.h"

int socket_connect(const char *path, int *ret_fd, teu_error **err);
/* Sends @fd, with @text beside it. */
int socket_send_fd(int socket, const char *text, int fd, teu_error **err);
/* Sends a pidfd of @pid, with its number as the text. */
int socket_send_pidfd(const char *path, int32_t pid, teu_error **err);

#endif
