/* The functions of include/teu/network.h. */
#include <teu/network.h>

#include "engine/networks.h"

int teu_network_list_json(teu_engine *engine, char **ret_json, teu_error **err)
{
	int r = engine_check(engine, err);

	return r < 0 ? r : networks_list(engine, ret_json, err);
}

int teu_network_down(teu_engine *engine, teu_error **err)
{
	int r = engine_check(engine, err);

	return r < 0 ? r : networks_down(engine, err);
}
