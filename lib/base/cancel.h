/* cancel: the token that stops a long call: an eventfd, so that poll() can wait for it. */
#ifndef TEU_BASE_CANCEL_H
#define TEU_BASE_CANCEL_H

#include <stdbool.h>

#include <teu/engine.h>

/* Polls readable once @cancel was fired; -1 for NULL, which poll() passes over. */
int cancel_fd(const teu_cancel *cancel);
bool cancel_fired(const teu_cancel *cancel);

/* 0, or TEU_E_CANCELLED with an error that says so. */
int cancel_check(const teu_cancel *cancel, teu_error **err);

#endif
