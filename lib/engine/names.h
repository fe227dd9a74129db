/* names: made-up names for containers that got none: a kind of ship and a port. */
#ifndef TEU_ENGINE_NAMES_H
#define TEU_ENGINE_NAMES_H

#include "base/err.h"

/* For the caller to free. @attempt: counts from 0; later ones get a number behind, so that they end. */
int names_make_up(unsigned attempt, char **ret, teu_error **err);

#endif
