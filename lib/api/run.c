/* run: the part of container.h and exec.h that runs containers. */
#include <string.h>
#include <teu/exec.h>

#include "api/options.h"
#include "engine/attach.h"
#include "engine/copy.h"
#include "engine/create.h"
#include "engine/exec.h"
#include "engine/logs.h"
#include "engine/process.h"
#include "engine/spec.h"
#include "engine/start.h"
#include "engine/stop.h"

static int check_container(const teu_container *container, teu_error **err)
{
	if (!container)
		return err_set(err, TEU_E_INVALID, "no container given");
	return engine_check(container->engine, err);
}

static int check_attach(const teu_attach *attach, teu_error **err)
{
	return attach ? 0 : err_set(err, TEU_E_INVALID, "no attachment given");
}

/* A document for the caller, which takes over nothing but its text. */
static int print(json *value, char **ret_json, teu_error **err)
{
	*ret_json = json_print(value);
	json_free(value);
	return *ret_json ? 0 : err_oom(err);
}

void(teu_attach_options_init)(teu_attach_options *opts, size_t size)
{
	static const teu_attach_options defaults = { .stdin_stream = 1, .stdout_stream = 1, .stderr_stream = 1 };

	options_fill(opts, size, &defaults, sizeof(defaults));
}

void(teu_start_options_init)(teu_start_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

void(teu_wait_options_init)(teu_wait_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

void(teu_logs_options_init)(teu_logs_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

void(teu_copy_options_init)(teu_copy_options *opts, size_t size)
{
	static const teu_copy_options defaults = { .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .wake_fd = -1 };

	options_fill(opts, size, &defaults, sizeof(defaults));
}

/* NULL stays NULL: all streams. */
static int take_attach(const teu_attach_options *opts, teu_attach_options *own, const teu_attach_options **ret,
		       teu_error **err)
{
	*ret = opts ? own : NULL;
	return opts ? options_take(own, opts, "teu_attach_options", err) : 0;
}

int teu_container_start(teu_container *container, const teu_start_options *opts, teu_attach **ret_attach,
			teu_error **err)
{
	struct start_request request = { 0 };
	teu_attach_options attach;
	teu_start_options own;
	int r = check_container(container, err);

	if (r == 0)
		r = options_take(&own, opts, "teu_start_options", err);
	if (r == 0)
		r = take_attach(own.attach, &attach, &request.attach, err);
	return r < 0 ? r : container_start(container, &request, ret_attach, err);
}

int teu_container_plan(teu_container *container, char **ret_json, teu_error **err)
{
	int r = check_container(container, err);

	return r < 0 ? r : container_plan(container, ret_json, err);
}

int teu_container_plan_config(teu_engine *engine, const char *config_json, char **ret_json, teu_error **err)
{
	_cleanup_(teu_container_unrefp) teu_container *container = NULL;
	_cleanup_json_ json *record = NULL, *spec = NULL;
	int r = engine_check(engine, err);

	if (r == 0)
		r = create_record(engine, config_json, NULL, &record, err);
	if (r == 0)
		r = spec_build(engine, record, &spec, err);
	if (r == 0)
		r = container_new(engine, TAKE_PTR(record), TAKE_PTR(spec), &container, err);
	return r < 0 ? r : container_plan(container, ret_json, err);
}

int teu_container_stop(teu_container *container, int64_t timeout_ms, teu_error **err)
{
	int r = check_container(container, err);

	return r < 0 ? r : container_stop(container, timeout_ms, err);
}

int teu_container_kill(teu_container *container, int32_t signal, teu_error **err)
{
	int r = check_container(container, err);

	if (r < 0)
		return r;
	if (signal < 1 || signal > 64)
		return err_set(err, TEU_E_INVALID, "signal %d: they go from 1 to 64", (int)signal);
	return container_kill(container, signal, err);
}

int teu_container_restart(teu_container *container, int64_t timeout_ms, teu_error **err)
{
	const struct start_request request = { 0 };
	int r = check_container(container, err);

	if (r == 0)
		r = container_stop(container, timeout_ms, err);
	return r < 0 ? r : container_start(container, &request, NULL, err);
}

int teu_container_pause(teu_container *container, teu_error **err)
{
	int r = check_container(container, err);

	return r < 0 ? r : container_set_paused(container, true, err);
}

int teu_container_unpause(teu_container *container, teu_error **err)
{
	int r = check_container(container, err);

	return r < 0 ? r : container_set_paused(container, false, err);
}

int teu_container_wait(teu_container *container, const teu_wait_options *opts, int32_t *ret_status, teu_error **err)
{
	teu_wait_options own;
	int r = check_container(container, err);

	if (r == 0)
		r = options_take(&own, opts, "teu_wait_options", err);
	return r < 0 ? r : container_wait(container, own.timeout_ms, own.cancel, ret_status, err);
}

int teu_container_top(teu_container *container, char **ret_json, teu_error **err)
{
	json *top = NULL;
	int r = check_container(container, err);

	if (r == 0)
		r = container_top(container, &top, err);
	return r < 0 ? r : print(top, ret_json, err);
}

int teu_container_stats(teu_container *container, char **ret_json, teu_error **err)
{
	json *stats = NULL;
	int r = check_container(container, err);

	if (r == 0)
		r = container_stats(container, &stats, err);
	return r < 0 ? r : print(stats, ret_json, err);
}

static int check_size(int32_t rows, int32_t columns, teu_error **err)
{
	if (rows < 0 || columns < 0 || rows > UINT16_MAX || columns > UINT16_MAX)
		return err_set(err, TEU_E_INVALID, "a terminal of %d rows and %d columns", (int)rows, (int)columns);
	return 0;
}

int teu_container_resize(teu_container *container, int32_t rows, int32_t columns, teu_error **err)
{
	_cleanup_(teu_attach_unrefp) teu_attach *attach = NULL;
	int wire, r = check_container(container, err);

	if (r == 0)
		r = check_size(rows, columns, err);
	if (r < 0)
		return r;
	if (!json_get_truth(json_get(container->record, "Config"), "Tty", false))
		return err_set(err, TEU_E_CONFLICT, "container %s has no terminal", container->name);
	r = attach_connect(container, 0, &wire, err);
	if (r == 0)
		r = attach_new(container, wire, false, &attach, err);
	return r < 0 ? r : attach_send(attach, WIRE_RESIZE, rows, columns, err);
}

int teu_container_logs(teu_container *container, const teu_logs_options *opts, teu_log_record_cb cb, void *data,
		       teu_error **err)
{
	teu_logs_options own;
	int r = check_container(container, err);

	if (r == 0)
		r = options_take(&own, opts, "teu_logs_options", err);
	if (r == 0 && !cb)
		r = err_set(err, TEU_E_INVALID, "no callback given");
	return r < 0 ? r : container_logs(container, &own, cb, data, err);
}

int teu_container_attach(teu_container *container, const teu_attach_options *opts, teu_attach **ret_attach,
			 teu_error **err)
{
	const teu_attach_options *given;
	teu_attach_options own;
	int wire, r = check_container(container, err);

	if (r == 0)
		r = take_attach(opts, &own, &given, err);
	if (r == 0)
		r = attach_connect(container, attach_wants(given), &wire, err);
	if (r == 0)
		r = attach_new(container, wire, false, ret_attach, err);
	if (r == 0 && given && given->rows && given->columns)
		r = attach_send(*ret_attach, WIRE_RESIZE, given->rows, given->columns, err);
	return r;
}

int teu_container_exec(teu_container *container, const char *config_json, const teu_attach_options *attach,
		       teu_attach **ret_attach, teu_error **err)
{
	const teu_attach_options *given;
	teu_attach_options own;
	int r = check_container(container, err);

	if (r == 0 && !config_json)
		r = err_set(err, TEU_E_INVALID, "no config given");
	if (r == 0)
		r = take_attach(attach, &own, &given, err);
	return r < 0 ? r : container_exec(container, config_json, given, ret_attach, err);
}

int teu_attach_fd(const teu_attach *attach)
{
	return attach ? attach->wire : -1;
}

int teu_attach_read(teu_attach *attach, int32_t *ret_stream, void *buffer, size_t cap, size_t *ret_len, teu_error **err)
{
	int r = check_attach(attach, err);

	return r < 0 ? r : attach_read(attach, ret_stream, buffer, cap, ret_len, err);
}

int teu_attach_write(teu_attach *attach, const void *buffer, size_t len, teu_error **err)
{
	int r = check_attach(attach, err);

	return r < 0 ? r : attach_write(attach, buffer, len, err);
}

int teu_attach_close_stdin(teu_attach *attach, teu_error **err)
{
	int r = check_attach(attach, err);

	if (r < 0 || attach->stdin_closed)
		return r;
	attach->stdin_closed = true;
	return attach_send(attach, WIRE_STDIN_END, 0, 0, err);
}

int teu_attach_resize(teu_attach *attach, int32_t rows, int32_t columns, teu_error **err)
{
	int r = check_attach(attach, err);

	if (r == 0)
		r = check_size(rows, columns, err);
	return r < 0 ? r : attach_send(attach, WIRE_RESIZE, rows, columns, err);
}

int32_t teu_attach_exit_status(const teu_attach *attach)
{
	return attach ? attach->exit_status : -1;
}

int teu_attach_copy(teu_attach *attach, const teu_copy_options *opts, int *ret_detached, teu_error **err)
{
	teu_copy_options own;
	int r = check_attach(attach, err);

	if (r < 0)
		return r;
	if (opts)
		r = options_take(&own, opts, "teu_copy_options", err);
	else
		teu_copy_options_init(&own);
	return r < 0 ? r : attach_copy(attach, &own, ret_detached, err);
}
