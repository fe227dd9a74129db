/*
 * hooks: what the spec's "hooks" say that the container's first process runs itself, and where it waits for those that
 * the caller runs on the host. Source: runtime-spec config.md "POSIX-platform Hooks".
 */
#include <stdio.h>
#include <string.h>

#include "sandbox/compile.h"

/* A startContainer hook without an environment has that of the process: so has runc, and hooks rely on it. */
static int add_hook(const struct launch *l, const json *hook, const char *place, const char *title, bool started,
		    struct plan *p, teu_error **err)
{
	_cleanup_(strv_done) struct strv argv = STRV_INIT, env = STRV_INIT;
	const char *path = NULL;
	int64_t timeout = 0;
	plan_off command, environment, head, tail;
	const json *process = json_get(l->spec, "process");
	bool inherits;
	struct plan_step *s;
	int r = json_read_string(hook, place, "path", &path, err);

	if (r == 0 && (!path || *path != '/'))
		return json_field_error(err, place, "path", "expected an absolute path");
	strv_add(&argv, r == 0 ? path : "");
	if (r == 0)
		r = json_read_strings(hook, place, "args", &argv, err);
	inherits = started && !json_get(hook, "env");
	if (r == 0)
		r = inherits ? compile_environment(process, "process", &env, err)
			     : json_read_strings(hook, place, "env", &env, err);
	if (r == 0)
		r = json_read_int(hook, place, "timeout", &timeout, err);
	if (r == 0 && timeout < 0)
		return json_field_error(err, place, "timeout", "expected at least 1 second");
	if (r < 0)
		return r;
	if (argv.n == 1)
		strv_add(&argv, path);
	if (argv.oom || env.oom)
		return err_oom(err);
	command = plan_list_add(p, &argv);
	environment = plan_list_add(p, &env);
	head = plan_text_add(p, l->state_head);
	tail = plan_text_add(p, l->state_tails[started]);
	s = plan_step(p, PLAN_FIRST, OP_HOOK, title);
	s->t1 = command;
	s->n1 = argv.n;
	s->t2 = environment;
	s->n2 = env.n;
	s->n3 = (uint64_t)timeout;
	if (!started)
		s->n4 = PLAN_HOOK_IN_ROOTFS; /* so has runc; hooks name files of the rootfs by it */
	else if (inherits && compile_lacks_home(process))
		s->n4 = PLAN_HOOK_HOME;
	s->t3 = head;
	s->t4 = tail;
	return 0;
}

static bool has_host_hooks(const struct launch *l)
{
	const json *hooks = json_get(l->spec, "hooks");

	return l->state_head &&
	       (json_count(json_get(hooks, "prestart")) || json_count(json_get(hooks, "createRuntime")));
}

int compile_hooks(const struct launch *l, bool started, struct plan *p, teu_error **err)
{
	const char *phase = started ? "startContainer" : "createContainer";
	const json *hooks = json_get(l->spec, "hooks"), *list = NULL;
	char place[48], title[48];
	size_t i = 0;
	int r;

	if (!l->state_head || !hooks)
		return 0;
	if (!started && has_host_hooks(l))
		plan_step(p, PLAN_FIRST, OP_HOST_HOOKS, "hooks");
	r = json_read_array(hooks, "hooks", phase, &list, err);
	json_foreach (hook, list) {
		snprintf(place, sizeof(place), "hooks.%s[%zu]", phase, i);
		snprintf(title, sizeof(title), "%s hook #%zu", phase, i++);
		r = r == 0 ? add_hook(l, hook, place, title, started, p, err) : r;
	}
	return r;
}
