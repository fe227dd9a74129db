/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exec: a further process in a container. */
#include <errno.h>
#include <string.h>

#include "../teu/doc.h"
#include "console.h"
#include "handover.h"
#include "oci.h"

struct exec_options {
	struct handover_options handover;
	const char *process, *cwd, *user, *apparmor, *process_label;
	struct list env, gids, caps, cgroups;
	bool tty, no_new_privs, ignore_paused;
};

#define AT(field) offsetof(struct exec_options, field)

static const struct option table[] = {
	{ "additional-gids", 'g', OPT_LIST, AT(gids), "Further groups", NULL },
	{ "apparmor", 0, OPT_TEXT, AT(apparmor), "AppArmor profile", NULL },
	{ "cap", 'c', OPT_LIST, AT(caps), "Add a capability", NULL },
	{ "cgroup", 0, OPT_LIST, AT(cgroups), "Cgroup below the container's ([controller:]path)", NULL },
	{ "cwd", 0, OPT_TEXT, AT(cwd), "Folder to start in", NULL },
	{ "env", 'e', OPT_LIST, AT(env), "Set environment variables", NULL },
	{ "ignore-paused", 0, OPT_BOOL, AT(ignore_paused), "In a paused container, too", NULL },
	{ "no-new-privs", 0, OPT_BOOL, AT(no_new_privs), "No new privileges", NULL },
	{ "process", 'p', OPT_TEXT, AT(process), "File with the process as JSON", NULL },
	{ "process-label", 0, OPT_TEXT, AT(process_label), "SELinux label", NULL },
	{ "tty", 't', OPT_BOOL, AT(tty), "Give it a terminal", NULL },
	{ "user", 'u', OPT_TEXT, AT(user), "User (UID[:GID])", NULL },
	{ 0 },
};
static const struct option *const tables[] = { table, handover_table, handover_wait_table, handover_ignored_table,
					       NULL };

static bool read_id(const char *text, size_t len, int64_t *ret)
{
	_cleanup_free_ char *copy = cli_copy(text, len);
	char *end;

	errno = 0;
	*ret = strtoll(copy, &end, 10);
	return *copy >= '0' && *copy <= '9' && !*end && !errno;
}

static bool add_user(const struct exec_options *o, cJSON *process)
{
	cJSON *user;
	size_t len;
	int64_t id;

	if (!o->user && !o->gids.n)
		return true;
	user = doc_object_at(process, "user");
	for (size_t i = 0; i < o->gids.n; i++) {
		if (!read_id(o->gids.items[i], strlen(o->gids.items[i]), &id))
			return false;
		doc_add(doc_array_at(user, "additionalGids"), cJSON_CreateNumber((double)id));
	}
	if (!o->user)
		return true;
	len = strcspn(o->user, ":");
	if (!read_id(o->user, len, &id))
		return false;
	doc_set_number(user, "uid", id);
	if (!o->user[len])
		return true;
	if (!read_id(o->user + len + 1, strlen(o->user + len + 1), &id))
		return false;
	doc_set_number(user, "gid", id);
	return true;
}

static void add_caps(const struct exec_options *o, cJSON *process)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };

	for (size_t i = 0; i < o->caps.n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(sets); k++)
			doc_add_text(doc_array_at(doc_object_at(process, "capabilities"), sets[k]), o->caps.items[i]);
}

static void add_texts(const struct exec_options *o, cJSON *process)
{
	const struct {
		const char *key, *value;
	} texts[] = { { "cwd", o->cwd }, { "apparmorProfile", o->apparmor }, { "selinuxLabel", o->process_label } };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].value)
			doc_set_text(process, texts[i].key, texts[i].value);
	for (size_t i = 0; i < o->env.n; i++)
		doc_add_text(doc_array_at(process, "env"), o->env.items[i]);
	if (o->tty)
		doc_set_bool(process, "terminal", true);
	if (o->no_new_privs)
		doc_set_bool(process, "noNewPrivileges", true);
}

/* The text of the process; NULL: told. */
static char *build_process(const struct call *call)
{
	const struct exec_options *o = call->options;
	_cleanup_doc_ cJSON *process = doc_object();
	char *text;

	if (o->process) {
		text = oci_read_file(o->process);
		if (!text)
			cli_fail(call, "open %s: %s", o->process, strerror(errno));
		return text;
	}
	if (call->n_args < 2) {
		cli_fail(call, "process args cannot be empty");
		return NULL;
	}
	for (int i = 1; i < call->n_args; i++)
		doc_add_text(doc_array_at(process, "args"), call->args[i]);
	if (!add_user(o, process)) {
		cli_fail(call, "parsing user or group: expected numbers");
		return NULL;
	}
	add_caps(o, process);
	add_texts(o, process);
	return doc_print(process);
}

static void fill(const struct exec_options *o, teu_runtime_exec_options *to)
{
	teu_runtime_exec_options_init(to);
	to->merge = !o->process;
	to->ignore_paused = o->ignore_paused;
	to->cgroups = o->cgroups.items;
	HANDOVER_FILL(&o->handover, to);
}

static bool wants_terminal(const char *process)
{
	_cleanup_doc_ cJSON *doc = doc_parse(process);

	return cJSON_IsTrue(doc_get(doc, "terminal"));
}

static int run_foreground(const struct call *call, teu_runtime *rt, const char *process, teu_runtime_exec_options *opts)
{
	_cleanup_(console_done) struct console console = CONSOLE_INIT;
	_cleanup_error_ teu_error *err = NULL;
	int32_t pid;
	int wait;

	if (!console_prepare(&console, !opts->console_socket && wants_terminal(process)))
		return cli_fail(call, "open a socket: %s", strerror(errno));
	opts->console_fd = console.ends[1];
	if (teu_runtime_exec(rt, call->args[0], process, opts, &pid, &wait, &err) < 0)
		return cli_error(call, err);
	if (!console_receive(&console))
		cli_warn("the terminal did not come");
	return console_run(&console, pid, wait);
}

static int run_exec(const struct call *call)
{
	const struct exec_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	_cleanup_free_ char *process = NULL;
	teu_runtime_exec_options opts;
	teu_runtime *rt = oci_runtime();

	if (!rt)
		return 255;
	process = build_process(call);
	if (!process)
		return 255;
	fill(o, &opts);
	if (!o->handover.detach)
		return run_foreground(call, rt, process, &opts);
	return teu_runtime_exec(rt, call->args[0], process, &opts, NULL, NULL, &err) < 0 ? cli_error(call, err) : 0;
}

/* runc's exit status for an exec that failed before its command ran is 255. */
const struct command command_exec = {
	.operands = "ID COMMAND [ARG...]",
	.summary = "Run a further process in a container",
	.run = run_exec,
	.min = 1,
	.max = -1,
	.options = tables,
	.options_size = sizeof(struct exec_options),
	.stop = true,
	.failure = 255,
};
