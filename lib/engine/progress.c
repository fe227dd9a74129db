/* progress: the caller's progress callback during one unpacking. */
#include "engine/progress.h"

int progress_begin(struct progress *progress, teu_progress_cb report, void *data, const teu_cancel *cancel,
		   teu_error **err)
{
	*progress = (struct progress){ .report = report, .data = data, .cancel = cancel };
	return report && !cancel ? teu_cancel_new(&progress->own, err) : 0;
}

void progress_subject(struct progress *progress, const char *id, const char *action, uint64_t total)
{
	progress->now = (teu_progress){ .id = id, .action = action, .total = total };
	progress_report(progress, 0);
}

void progress_report(struct progress *progress, uint64_t done)
{
	progress->now.done = done;
	if (!progress->report || progress->stopped || progress->report(&progress->now, progress->data) == 0)
		return;
	progress->stopped = true;
	if (progress->own)
		teu_cancel_fire(progress->own);
}

int progress_check(struct progress *progress, int r, teu_error **err)
{
	if (r < 0)
		return r;
	if (progress->stopped)
		return err_set(err, TEU_E_CANCELLED, "stopped by the progress callback");
	return cancel_check(progress->cancel, err);
}

static void report_unpacked(uint64_t compressed_bytes, void *data)
{
	progress_report(data, compressed_bytes);
}

struct unpack_options progress_unpack_options(struct progress *progress, uint64_t max_size)
{
	return (struct unpack_options){
		.max_size = max_size,
		.cancel = progress->cancel ? progress->cancel : progress->own,
		.progress = progress->report ? report_unpacked : NULL,
		.progress_data = progress,
	};
}

void progress_done(struct progress *progress)
{
	teu_cancel_unref(progress->own);
	*progress = PROGRESS_INIT;
}
