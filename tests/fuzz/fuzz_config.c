/*
 * fuzz_config: any bytes as the config.json of an OCI bundle, on the way that `teu-oci create` takes it: checked, its
 * mounts resolved, its cgroup and its plan compiled. Nothing is made. Each of these either works, or says in lines
 * what is wrong; what the check lets pass and compiles is a plan that the helper could run.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "configs.h"
#include "sandbox/check.h"
#include "sound.h"

const size_t fuzz_rounds = 2000;

static void must_be_said(int r, const teu_error *err)
{
	must(r == teu_error_code(err) && (r == 0 || *teu_error_message(err)));
}

/* Each on a line of its own, whatever names the document brings. */
static void must_be_lines(const struct strv *lines)
{
	strv_foreach (line, lines)
		must(**line && !strchr(*line, '\n'));
}

static bool passes(const json *config, enum check_for what)
{
	_cleanup_(check_done) struct check check = { 0 };
	_cleanup_error_ teu_error *err = NULL;
	int r;

	check_config(config, what, &check);
	must_be_lines(&check.errors);
	must_be_lines(&check.warnings);
	r = check_result(&check, &err);
	must_be_said(r, err);
	must((r == 0) == (check.errors.n == 0));
	return r == 0;
}

static void as_process(const json *process)
{
	_cleanup_(check_done) struct check check = { 0 };

	check_process(process, &check);
	must_be_lines(&check.errors);
}

static void compile_cgroup(const json *config, struct cgroup_plan *ret)
{
	_cleanup_error_ teu_error *err = NULL;
	int r = cgroup_compile("/fuzz", json_find(config, "linux.resources"), "linux.resources", ret, &err);

	must_be_said(r, err);
	if (r < 0)
		cgroup_plan_done(ret);
}

/* What comes of it; @birth is told to the helper before there is a plan. */
static void must_be_compiled(int r, const teu_error *err, const struct plan_birth *birth, const struct plan *plan)
{
	must_be_said(r, err);
	if (r < 0)
		return;
	must_be_sound(plan);
	must(memcmp(birth, &((const struct plan_header *)plan->bytes.text)->birth, sizeof(*birth)) == 0);
}

static void as_launch(const struct launch *launch)
{
	_cleanup_(plan_done) struct plan plan = { 0 };
	_cleanup_error_ teu_error *err = NULL;
	struct plan_birth birth = compile_birth(launch);
	int r = compile_launch(launch, &plan, &err);

	must_be_compiled(r, err, &birth, &plan);
}

/* Its own process as one more in it. */
static void as_exec(const struct launch *launch)
{
	_cleanup_(plan_done) struct plan plan = { 0 };
	_cleanup_error_ teu_error *err = NULL;
	const json *process = json_get(launch->spec, "process");
	struct launch exec = *launch;
	struct plan_birth birth;
	int r;

	exec.start_path = NULL;
	exec.join_root = "/proc/1000/root";
	exec.state = "{}";
	birth = compile_exec_birth(&exec, process);
	r = compile_exec(&exec, process, &plan, &err);
	must_be_compiled(r, err, &birth, &plan);
}

/* Its mounts as changes of what runs. */
static void as_mounts(const struct launch *launch, bool remove)
{
	_cleanup_(plan_done) struct plan plan = { 0 };
	_cleanup_error_ teu_error *err = NULL;
	struct launch change = *launch;
	int r;

	change.join_root = "/proc/1000/root";
	r = compile_remount(&change, json_get(launch->spec, "mounts"), remove, &plan, &err);
	must_be_said(r, err);
	if (r == 0)
		must_be_sound(&plan);
}

static void compile(json *config)
{
	_cleanup_(cgroup_plan_done) struct cgroup_plan cgroup = { 0 };
	_cleanup_error_ teu_error *err = NULL;
	struct launch launch = config_launch(config);
	int r = mounts_resolve(config, "/bundle", &err);

	must_be_said(r, err);
	if (r < 0)
		return;
	compile_cgroup(config, &cgroup);
	launch.cgroup = cgroup.dirs.n ? &cgroup : NULL;
	as_launch(&launch);
	as_exec(&launch);
	as_mounts(&launch, false);
	as_mounts(&launch, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_error_ teu_error *ignored = NULL;
	_cleanup_json_ json *config = NULL;

	if (json_parse((const char *)bytes, len, &config, &ignored) < 0)
		return 0;
	must(check_respell_config(config, NULL) == 0);
	passes(config, CHECK_DOCUMENT);
	as_process(json_get(config, "process"));
	if (passes(config, CHECK_LAUNCH))
		compile(config);
	return 0;
}

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	char *text = config_text(n);

	*ret_len = text ? strlen(text) : 0;
	return (uint8_t *)text;
}
