/* sweep: puts right what crashed processes left, and checks what is kept. */
#ifndef TEU_ENGINE_SWEEP_H
#define TEU_ENGINE_SWEEP_H

#include "engine/engine.h"

/* teu_engine_sweep() */
int engine_sweep(teu_engine *engine, teu_error **err);
/* teu_engine_check() */
int engine_check_store(teu_engine *engine, char **ret_report, teu_error **err);

#endif
