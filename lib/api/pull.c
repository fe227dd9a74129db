/* The pulling functions of include/teu/image.h. */
#include <teu/image.h>

#include "api/options.h"
#include "engine/pull.h"

void(teu_pull_options_init)(teu_pull_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

int teu_image_pull(teu_engine *engine, const char *reference, const teu_pull_options *opts, teu_image **ret_image,
		   teu_error **err)
{
	teu_pull_options own;
	int r = engine_check(engine, err);

	r = r ?: options_take(&own, opts, "teu_pull_options", err);
	if (r < 0)
		return r;
	if (!reference || !ret_image)
		return err_set(err, TEU_E_INVALID, "pull: a reference and a place for the image are wanted");
	return pull(engine, reference, &own, ret_image, err);
}
