/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* logs: a callback in Go is a number to C, which cgo exports a function for; this stands between the two. */
#include <stdint.h>
#include <teu/teu.h>

#include "_cgo_export.h"

int teu_go_logs(teu_container *container, const teu_logs_options *opts, uintptr_t handle, teu_error **err);

static int on_record(const teu_log_record *record, void *data)
{
	return teuGoLogRecord((teu_log_record *)record, (uintptr_t)data);
}

int teu_go_logs(teu_container *container, const teu_logs_options *opts, uintptr_t handle, teu_error **err)
{
	return teu_container_logs(container, opts, on_record, (void *)handle, err);
}
