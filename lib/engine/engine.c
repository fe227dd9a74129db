/* engine: the object behind teu_engine: which roots, and who hears of what happens. */
#include "engine/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char DEFAULT_CGROUP_PARENT[] = "/teu";

/* "$NAME/rest"; *ret is NULL when the variable is not set. */
static int below_variable(const char *name, const char *rest, char **ret, teu_error **err)
{
	const char *value = secure_getenv(name);

	*ret = NULL;
	if (!value || !*value)
		return 0;
	/* XDG base directory specification: relative paths there are to be passed over. */
	if (*value != '/')
		return 0;
	return asprintf(ret, "%s/%s", value, rest) < 0 ? err_oom(err) : 0;
}

static int default_state_root(char **ret, teu_error **err)
{
	int r;

	if (geteuid() == 0) {
		*ret = strdup("/var/lib/teu");
		return *ret ? 0 : err_oom(err);
	}
	r = below_variable("XDG_DATA_HOME", "teu", ret, err);
	if (r == 0 && !*ret)
		r = below_variable("HOME", ".local/share/teu", ret, err);
	if (r == 0 && !*ret)
		return err_set(err, TEU_E_INVALID,
			       "no place for the state: HOME is not set: set it or name a state root");
	return r;
}

static int default_run_root(char **ret, teu_error **err)
{
	int r;

	if (geteuid() == 0) {
		*ret = strdup("/run/teu");
		return *ret ? 0 : err_oom(err);
	}
	r = below_variable("XDG_RUNTIME_DIR", "teu", ret, err);
	if (r == 0 && !*ret)
		return err_set(
			err, TEU_E_INVALID,
			"no place for the run-time state: XDG_RUNTIME_DIR is not set: set it or name a run root");
	return r;
}

static int open_store(const teu_engine_options *opts, struct store *ret, teu_error **err)
{
	_cleanup_free_ char *state_root = NULL, *run_root = NULL;
	int r = 0;

	if (!opts->state_root)
		r = default_state_root(&state_root, err);
	if (r == 0 && !opts->run_root)
		r = default_run_root(&run_root, err);
	if (r < 0)
		return r;
	return store_open(state_root ? state_root : opts->state_root, run_root ? run_root : opts->run_root, ret, err);
}

int engine_open(const teu_engine_options *opts, teu_engine **ret, teu_error **err)
{
	_cleanup_(teu_engine_unrefp) teu_engine *engine = calloc(1, sizeof(*engine));
	int r;

	if (!engine)
		return err_oom(err);
	engine->refs = 1;
	engine->owner = getpid();
	engine->log = opts->log;
	engine->delete_in_background = opts->delete_in_background != 0;
	engine->log_data = opts->log_data;
	engine->store.root_fd = engine->store.run_fd = -EBADF;
	engine->cgroup_parent = strdup(opts->cgroup_parent ? opts->cgroup_parent : DEFAULT_CGROUP_PARENT);
	if (!engine->cgroup_parent)
		return err_oom(err);
	if (engine->cgroup_parent[0] != '/')
		return err_set(err, TEU_E_INVALID, "cgroup parent \"%s\" does not begin with a slash",
			       engine->cgroup_parent);
	r = open_store(opts, &engine->store, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(engine);
	return 0;
}

teu_engine *teu_engine_ref(teu_engine *engine)
{
	if (engine)
		atomic_fetch_add(&engine->refs, 1);
	return engine;
}

void teu_engine_unref(teu_engine *engine)
{
	if (!engine || atomic_fetch_sub(&engine->refs, 1) != 1)
		return;
	store_done(&engine->store);
	free(engine->cgroup_parent);
	free(engine);
}

int engine_check(const teu_engine *engine, teu_error **err)
{
	if (!engine)
		return err_set(err, TEU_E_INVALID, "no engine given");
	if (engine->owner != getpid())
		return err_set(err, TEU_E_FORKED, "the engine was opened before this process was forked: open another");
	return 0;
}

void engine_log(teu_engine *engine, int level, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (!engine->log)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	engine->log(level, text, engine->log_data);
}
