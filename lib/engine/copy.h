/* copy: teu_attach_copy() without the checks of api/. */
#ifndef TEU_ENGINE_COPY_H
#define TEU_ENGINE_COPY_H

#include "engine/attach.h"

int attach_copy(teu_attach *a, const teu_copy_options *opts, int *ret_detached, teu_error **err);

#endif
