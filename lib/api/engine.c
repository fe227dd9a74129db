/* The functions of include/teu/engine.h. */
#include <teu/engine.h>

#include "api/options.h"
#include "engine/engine.h"
#include "engine/sweep.h"

void(teu_engine_options_init)(teu_engine_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

int teu_engine_open(const teu_engine_options *opts, teu_engine **ret_engine, teu_error **err)
{
	teu_engine_options own;
	int r = options_take(&own, opts, "teu_engine_options", err);

	if (r < 0)
		return r;
	return engine_open(&own, ret_engine, err);
}

const char *teu_engine_state_root(const teu_engine *engine)
{
	return engine->store.root;
}

const char *teu_engine_run_root(const teu_engine *engine)
{
	return engine->store.run_root;
}

int teu_engine_sweep(teu_engine *engine, teu_error **err)
{
	int r = engine_check(engine, err);

	return r < 0 ? r : engine_sweep(engine, err);
}

int teu_engine_check(teu_engine *engine, char **ret_report, teu_error **err)
{
	int r = engine_check(engine, err);

	return r < 0 ? r : engine_check_store(engine, ret_report, err);
}

const char *teu_version(void)
{
	return PACKAGE_VERSION;
}
