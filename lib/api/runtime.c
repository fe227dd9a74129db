/* runtime: the public face of lib/runtime. */
#include <teu/runtime.h>

#include <string.h>

#include "api/options.h"
#include "base/signame.h"
#include "runtime/checkpoint.h"
#include "runtime/events.h"
#include "runtime/exec.h"
#include "runtime/features.h"
#include "runtime/list.h"
#include "runtime/pause.h"
#include "runtime/remount.h"
#include "runtime/runtime.h"
#include "runtime/spec.h"
#include "runtime/update.h"
#include "sandbox/check.h"

void(teu_runtime_options_init)(teu_runtime_options *opts, size_t size)
{
	options_fill(opts, size, NULL, 0);
}

void(teu_runtime_create_options_init)(teu_runtime_create_options *opts, size_t size)
{
	static const teu_runtime_create_options defaults = {
		.console_fd = -1, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
	};

	options_fill(opts, size, &defaults, sizeof(defaults));
}

int teu_runtime_open(const teu_runtime_options *opts, teu_runtime **ret_runtime, teu_error **err)
{
	teu_runtime_options own;
	int r = options_take(&own, opts, "teu_runtime_options", err);

	return r < 0 ? r : runtime_open(&own, ret_runtime, err);
}

static int take_create(teu_runtime_create_options *own, const teu_runtime_create_options *opts, teu_error **err)
{
	if (opts)
		return options_take(own, opts, "teu_runtime_create_options", err);
	teu_runtime_create_options_init(own);
	return 0;
}

int teu_runtime_create(teu_runtime *runtime, const char *id, const teu_runtime_create_options *opts, int32_t *ret_pid,
		       teu_error **err)
{
	teu_runtime_create_options own;
	int r = runtime_check(runtime, err);

	if (r == 0)
		r = take_create(&own, opts, err);
	return r < 0 ? r : runtime_create(runtime, id, &own, true, ret_pid, NULL, err);
}

int teu_runtime_run(teu_runtime *runtime, const char *id, const teu_runtime_create_options *opts, int32_t *ret_pid,
		    int *ret_waitfd, teu_error **err)
{
	teu_runtime_create_options own;
	int r = runtime_check(runtime, err);

	if (r == 0)
		r = take_create(&own, opts, err);
	return r < 0 ? r : runtime_create(runtime, id, &own, false, ret_pid, ret_waitfd, err);
}

int teu_runtime_start(teu_runtime *runtime, const char *id, teu_error **err)
{
	int r = runtime_check(runtime, err);

	return r < 0 ? r : runtime_start(runtime, id, err);
}

void(teu_runtime_exec_options_init)(teu_runtime_exec_options *opts, size_t size)
{
	static const teu_runtime_exec_options defaults = {
		.console_fd = -1, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
	};

	options_fill(opts, size, &defaults, sizeof(defaults));
}

int teu_runtime_exec(teu_runtime *runtime, const char *id, const char *process_json,
		     const teu_runtime_exec_options *opts, int32_t *ret_pid, int *ret_waitfd, teu_error **err)
{
	teu_runtime_exec_options own;
	int r = runtime_check(runtime, err);

	teu_runtime_exec_options_init(&own);
	if (r == 0 && opts)
		r = options_take(&own, opts, "teu_runtime_exec_options", err);
	if (r == 0 && !process_json)
		r = err_set(err, TEU_E_INVALID, "teu_runtime_exec: process_json is NULL");
	return r < 0 ? r : runtime_exec(runtime, id, process_json, &own, ret_pid, ret_waitfd, err);
}

void(teu_runtime_checkpoint_options_init)(teu_runtime_checkpoint_options *opts, size_t size)
{
	static const teu_runtime_checkpoint_options defaults = { .status_fd = -1 };

	options_fill(opts, size, &defaults, sizeof(defaults));
}

int teu_runtime_checkpoint(teu_runtime *runtime, const char *id, const teu_runtime_checkpoint_options *opts,
			   teu_error **err)
{
	teu_runtime_checkpoint_options own;
	int r = runtime_check(runtime, err);

	teu_runtime_checkpoint_options_init(&own);
	if (r == 0 && opts)
		r = options_take(&own, opts, "teu_runtime_checkpoint_options", err);
	return r < 0 ? r : runtime_checkpoint(runtime, id, &own, err);
}

void(teu_runtime_restore_options_init)(teu_runtime_restore_options *opts, size_t size)
{
	static const teu_runtime_restore_options defaults = {
		.console_fd = -1, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
	};

	options_fill(opts, size, &defaults, sizeof(defaults));
}

int teu_runtime_restore(teu_runtime *runtime, const char *id, const teu_runtime_restore_options *opts, int32_t *ret_pid,
			int *ret_waitfd, teu_error **err)
{
	teu_runtime_restore_options own;
	int r = runtime_check(runtime, err);

	teu_runtime_restore_options_init(&own);
	if (r == 0 && opts)
		r = options_take(&own, opts, "teu_runtime_restore_options", err);
	return r < 0 ? r : runtime_restore(runtime, id, &own, ret_pid, ret_waitfd, err);
}

int teu_runtime_pause(teu_runtime *runtime, const char *id, teu_error **err)
{
	int r = runtime_check(runtime, err);

	return r < 0 ? r : runtime_set_paused(runtime, id, true, err);
}

int teu_runtime_resume(teu_runtime *runtime, const char *id, teu_error **err)
{
	int r = runtime_check(runtime, err);

	return r < 0 ? r : runtime_set_paused(runtime, id, false, err);
}

int teu_runtime_update(teu_runtime *runtime, const char *id, const char *resources_json, teu_error **err)
{
	int r = runtime_check(runtime, err);

	if (r == 0 && !resources_json)
		r = err_set(err, TEU_E_INVALID, "teu_runtime_update: resources_json is NULL");
	return r < 0 ? r : runtime_update(runtime, id, resources_json, err);
}

static int remount(teu_runtime *runtime, const char *id, const char *mounts_json, bool remove, teu_error **err)
{
	int r = runtime_check(runtime, err);

	if (r == 0 && !mounts_json)
		r = err_set(err, TEU_E_INVALID, "teu_runtime_mounts: mounts_json is NULL");
	return r < 0 ? r : runtime_remount(runtime, id, mounts_json, remove, err);
}

int teu_runtime_mounts_add(teu_runtime *runtime, const char *id, const char *mounts_json, teu_error **err)
{
	return remount(runtime, id, mounts_json, false, err);
}

int teu_runtime_mounts_remove(teu_runtime *runtime, const char *id, const char *mounts_json, teu_error **err)
{
	return remount(runtime, id, mounts_json, true, err);
}

static int hand_out(const json *document, char **ret, teu_error **err)
{
	*ret = json_print(document);
	return *ret ? 0 : err_oom(err);
}

/* Hands out as text what @read finds of one container. */
static int document_of(int (*read)(teu_runtime *, const char *, json **, teu_error **), teu_runtime *runtime,
		       const char *id, char **ret, teu_error **err)
{
	_cleanup_json_ json *document = NULL;
	int r = runtime_check(runtime, err);

	if (r == 0)
		r = read(runtime, id, &document, err);
	return r < 0 ? r : hand_out(document, ret, err);
}

int teu_runtime_state(teu_runtime *runtime, const char *id, char **ret_json, teu_error **err)
{
	return document_of(runtime_state, runtime, id, ret_json, err);
}

int teu_runtime_processes(teu_runtime *runtime, const char *id, char **ret_json, teu_error **err)
{
	return document_of(runtime_processes, runtime, id, ret_json, err);
}

int teu_runtime_stats(teu_runtime *runtime, const char *id, char **ret_json, teu_error **err)
{
	return document_of(runtime_stats, runtime, id, ret_json, err);
}

int teu_runtime_oom_watch(teu_runtime *runtime, const char *id, int *ret_fd, uint64_t *ret_seen, teu_error **err)
{
	int r = runtime_check(runtime, err);

	return r < 0 ? r : runtime_oom_watch(runtime, id, ret_fd, ret_seen, err);
}

int teu_runtime_oom_read(teu_runtime *runtime, const char *id, int fd, uint64_t *seen, uint64_t *ret_times,
			 teu_error **err)
{
	int r = runtime_check(runtime, err);

	return r < 0 ? r : runtime_oom_read(runtime, id, fd, seen, ret_times, err);
}

int teu_runtime_features(char **ret_json, teu_error **err)
{
	_cleanup_json_ json *features = NULL;
	int r = runtime_features(&features, err);

	return r < 0 ? r : hand_out(features, ret_json, err);
}

int teu_runtime_check(const char *what, const char *json_text, char **ret_warnings, teu_error **err)
{
	_cleanup_(check_done) struct check check = { 0 };
	_cleanup_json_ json *document = NULL, *warnings = NULL;
	int r;

	if (!what || !json_text)
		return err_set(err, TEU_E_INVALID, "teu_runtime_check: %s is NULL", what ? "json" : "what");
	r = json_parse_given(json_text, strlen(json_text), NULL, &document, err);
	if (r < 0)
		return r;
	if (!check_document(what, document, &check))
		return err_set(err, TEU_E_INVALID, "teu_runtime_check: unknown document \"%s\"", what);
	r = check_result(&check, err);
	if (r < 0 || !ret_warnings)
		return r;
	warnings = json_strings(check.warnings.items);
	return warnings ? hand_out(warnings, ret_warnings, err) : err_oom(err);
}

int teu_runtime_list(teu_runtime *runtime, char **ret_json, teu_error **err)
{
	_cleanup_json_ json *list = NULL;
	int r = runtime_check(runtime, err);

	if (r == 0)
		r = runtime_list(runtime, &list, err);
	return r < 0 ? r : hand_out(list, ret_json, err);
}

int teu_runtime_kill(teu_runtime *runtime, const char *id, const char *signal, int all, teu_error **err)
{
	int r = runtime_check(runtime, err), number = -1;

	if (r < 0)
		return r;
	/* kill(2): 0 reaches nobody, and tells whether somebody is there. */
	if (signal)
		number = strcmp(signal, "0") == 0 ? 0 : signame_parse(signal);
	if (number < 0)
		return err_set(err, TEU_E_INVALID, "unknown signal %s", signal ? signal : "(null)");
	return runtime_kill(runtime, id, number, all, err);
}

int teu_runtime_delete(teu_runtime *runtime, const char *id, int force, teu_error **err)
{
	int r = runtime_check(runtime, err);

	return r < 0 ? r : runtime_delete(runtime, id, force, err);
}

int teu_runtime_spec(int rootless, char **ret_json, teu_error **err)
{
	_cleanup_json_ json *spec = NULL;
	int r = runtime_spec(rootless, &spec, err);

	return r < 0 ? r : hand_out(spec, ret_json, err);
}
